/**
 * The words after `pnpm sim`, understood or refused with the way out.
 *
 * An argument is a file if and only if it contains `/` or ends in `.yaml` or `.yml`; names of commands do neither. So
 * `pnpm sim scenarios/failover.yaml` needs no command, and no command to come can be mistaken for a file.
 *
 * Reads words only: whether files are there is asked by `Files.ts`. Built on node:util's parseArgs and not on a command
 * framework, because starting Node is most of the time that a run takes, and importing one would double it.
 */
import { parseArgs } from "node:util"
import { nearest } from "../scenario/Spelling.ts"
import { readFuzzArguments } from "./FuzzArguments.ts"
import { isFile, jsonMistake, jsonTarget, type Order, readTime } from "./Order.ts"
import { SEED_MAX } from "../scenario/Seed.ts"

export const commands = ["run", "fuzz", "help"] as const

const options = {
  seed: { type: "string" },
  until: { type: "string" },
  fuzzed: { type: "boolean" },
  "no-swarm": { type: "boolean" },
  // Its value is optional, which parseArgs knows only of flags.
  json: { type: "boolean" },
  twice: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" }
} as const

const flags = Object.keys(options).map((name) => `--${name}`)

export const readArguments = (words: ReadonlyArray<string>): Order =>
  words[0] === "fuzz" ? readFuzzArguments(words.slice(1)) : readRunArguments(words)

const readRunArguments = (words: ReadonlyArray<string>): Order => {
  // Not strict: parseArgs throws at the first mistake and offers no way out.
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true })
  const json = jsonTarget(tokens)
  const misuse = (message: string): Order => ({ _tag: "misuse", message, json })

  let seed: number | null = null
  let untilMs: number | null = null
  let twice = false
  let fuzzed = false
  let swarm = true
  let help = false
  let version = false
  const positionals: Array<string> = []
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value)
    if (token.kind !== "option") continue
    switch (token.name) {
      case "seed": {
        if (token.value === undefined) return misuse("--seed needs a number, such as --seed 7")
        if (!/^\d{1,10}$/u.test(token.value) || Number(token.value) > SEED_MAX) {
          return misuse(`--seed ${token.value}: a seed is a whole number from 0 to ${SEED_MAX}`)
        }
        seed = Number(token.value)
        break
      }
      case "until": {
        const ms = token.value === undefined ? null : readTime(token.value)
        if (ms === null) {
          return misuse(`--until ${token.value ?? ""}: write a time with a unit, such as 500ms, 6s, 2m or 1h`)
        }
        untilMs = ms
        break
      }
      case "json": {
        const mistake = jsonMistake(token.value)
        if (mistake !== null) return misuse(mistake)
        break
      }
      case "twice":
      case "fuzzed":
      case "no-swarm":
      case "help":
      case "h":
      case "version":
        if (token.value !== undefined)
          return misuse(`${token.rawName} takes no value; leave out ${JSON.stringify(`=${token.value}`)}`)
        if (token.name === "twice") twice = true
        else if (token.name === "fuzzed") fuzzed = true
        else if (token.name === "no-swarm") swarm = false
        else if (token.name === "version") version = true
        else help = true
        break
      default: {
        const meant = nearest(token.rawName, flags)
        return misuse(
          `no flag ${token.rawName}; ${meant === null ? `there are ${flags.join(" ")}` : `did you mean ${meant}?`}`
        )
      }
    }
  }
  if (help) return { _tag: "help" }
  if (version) return { _tag: "version" }

  const [command] = positionals
  if (command === "help") return { _tag: "help" }
  const named = command === "run" ? positionals.slice(1) : positionals
  const stranger = named.find((word) => !isFile(word))
  if (stranger === "run" || stranger === "fuzz")
    return misuse(`the command comes first: pnpm sim ${stranger} scenarios/failover.yaml`)
  if (stranger?.endsWith(".json") && json === "stdout") {
    return misuse(`${stranger} is no scenario; did you mean --json=${stranger}?`)
  }
  if (stranger !== undefined) return { _tag: "no such command", word: stranger, json }
  if (named.length === 0) {
    return misuse("no scenario given; write pnpm sim scenarios/failover.yaml, or pnpm sim --help for more")
  }
  if (!swarm && !fuzzed) return misuse("--no-swarm goes with --fuzzed, or with pnpm sim fuzz")
  if (fuzzed && seed === null)
    return misuse("--fuzzed needs the seed to draw from: --seed 7 --fuzzed; for many seeds there is pnpm sim fuzz")
  return { _tag: "run", files: named, seed, untilMs, twice, fuzzed: fuzzed ? { swarm } : null, json }
}

export const help = `Runs scenarios of the mesh in a simulated world, and judges what they expect.

  pnpm sim <file.yaml|glob>…           run; the same as sim run
  pnpm sim run <file.yaml|glob>…
  pnpm sim fuzz <file.yaml|glob>…      many seeds, with random faults; pnpm sim fuzz --help says how

  --seed N        another seed than the scenario's: 0 to ${SEED_MAX}
  --fuzzed        with --seed: as sim fuzz draws it from that seed
  --no-swarm      with --fuzzed: draw only what the file says
  --until T       stop at that moment, such as 62s; what is due later is not judged
  --twice         run two times and compare the traces
  --json[=FILE]   one JSON object a run, to stdout or to FILE
  --help, -h      this text
  --version

Exit codes
  0   everything that was judged held            3   undecided: nothing was judged, or a fault touched nothing
  1   an expectation or an invariant broke       4   not deterministic: the same inputs gave two traces
  2   wrong use, or a scenario does not read     70  the simulator itself broke

  pnpm sim scenarios/failover.yaml --seed 7 --twice
  pnpm -s sim scenarios/failover.yaml --json | jq .verdict
`

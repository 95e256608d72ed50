/** The words after `replay` and `diff`. */
import { normalize } from "node:path"
import { type Kind, readFlags } from "./Flags.ts"
import { type JsonTarget, type Order, readTime } from "./Order.ts"
import { readFuzzed, readValues, surplusFlag, timeMistake, whichKinds } from "./Which.ts"

const kinds: { readonly [flag: string]: Kind } = {
  ...whichKinds,
  from: { needs: "a time with a unit, such as --from 20s" },
  step: "nothing",
  "as-of": { needs: "a commit, such as --as-of 4c1e77a" }
}

/** What is named otherwise is taken for a trace, and told apart by its first line. */
const isScenario = (word: string): boolean => /\.ya?ml$/u.test(word)

/** What records are written to may not be what is read. */
const overwrites = (json: JsonTarget | null, files: ReadonlyArray<string>): string | null => {
  if (json === null || json === "stdout") return null
  const file = files.find((file) => normalize(file) === normalize(json.path))
  return file === undefined ? null : `--json=${json.path} would overwrite ${file}; write --json=out.json`
}

export const readReplayArguments = (words: ReadonlyArray<string>): Order => {
  const flags = readFlags(words, kinds)
  if ("misuse" in flags) return flags.misuse
  const { json, rest, values } = flags
  const misuse = (message: string): Order => ({ _tag: "misuse", message, json })
  if (flags.help) return { _tag: "help", text: replayHelp }
  const which = readValues(values)
  if ("mistake" in which) return misuse(which.mistake)
  const from = values.get("from")
  const fromMs = from === undefined || from === "0s" ? 0 : readTime(from)
  if (fromMs === null) return misuse(timeMistake("from", from ?? ""))
  const { untilMs } = which
  if (untilMs !== null && untilMs < fromMs)
    return misuse(`--until ${values.get("until")} is before --from ${from}; what is told lies between them`)
  const [file, second] = rest
  if (file === undefined || file === "")
    return misuse(
      "nothing to replay; write pnpm sim replay out/9f31c0d2.jsonl, or pnpm sim replay <file.yaml> --seed 7"
    )
  if (second !== undefined) {
    const [trace, scenario] = isScenario(file) ? [second, file] : [file, second]
    return misuse(
      isScenario(scenario) && !isScenario(trace)
        ? `a trace holds its own scenario, whatever ${scenario} says by now; write pnpm sim replay ${trace}`
        : `one at a time; did you mean pnpm sim diff ${file} ${second}?`
    )
  }
  const isTrace = !isScenario(file)
  if (isTrace && file.endsWith(".json") && json === "stdout")
    return misuse(`${file} is no trace; did you mean --json=${file}?`)
  const lost = overwrites(json, [file])
  if (lost !== null) return misuse(lost)
  const surplus = isTrace ? surplusFlag("replay", file, values) : null
  if (surplus !== null) return misuse(surplus)
  const asOf = values.get("as-of") ?? null
  if (asOf !== null && !isTrace)
    return misuse("--as-of is for traces, which say by which commit they were made; git checkout is for scenarios")
  if (asOf !== null && !/^[0-9a-f]{4,40}$/u.test(asOf))
    return misuse(`--as-of ${asOf}: write a commit in hex digits, such as --as-of 4c1e77a`)
  const drawn = readFuzzed(values)
  if ("mistake" in drawn) return misuse(drawn.mistake)
  const step = values.has("step")
  if (step && json === "stdout") return misuse("--step is for people; with --json there is nothing for it to tell")
  return { _tag: "replay", file, isTrace, ...which, ...drawn, fromMs, step, asOf, json }
}

export const readDiffArguments = (words: ReadonlyArray<string>): Order => {
  const flags = readFlags(words, {})
  if ("misuse" in flags) return flags.misuse
  const { json, rest } = flags
  if (flags.help) return { _tag: "help", text: diffHelp }
  const [first, second, third] = rest
  const misuse = (message: string): Order => ({ _tag: "misuse", message, json })
  const scenario = rest.find(isScenario)
  if (scenario !== undefined)
    return misuse(`${scenario} is a scenario; what is compared are traces: pnpm sim run ${scenario} --record keeps one`)
  if (first === undefined || second === undefined || third !== undefined)
    return misuse("diff compares two traces: pnpm sim diff out/51aa0c3e.jsonl out/e07c99f1.jsonl")
  const lost = overwrites(json, [first, second])
  return lost === null ? { _tag: "diff", first, second, json } : misuse(lost)
}

const replayHelp = `Runs again what was recorded, and checks every step against the recording.

  pnpm sim replay <trace.jsonl>            as pnpm sim fuzz keeps its findings, and pnpm sim run --record any run
  pnpm sim replay <file.yaml> [--seed N]   a run of a scenario, two times, compared step by step
  pnpm sim replay <bundle|recording>       what a real node recorded: the same state, the same hash, and the oracles over it

  --from T         what is told begins at that moment
  --until T        stop at that moment; what is due later is not judged
  --step           every input with its number, what the node did with it, and what that changed in what it believes
  --as-of COMMIT   of a trace: with the simulator and the kernel of that commit, out of this repository
  --seed N, --fuzzed, --no-swarm, --branch E:N, --with gen1=N
                   of a scenario: which of its runs, as after pnpm sim run
  --json[=FILE]    an object that says what came of it, behind the one of the run
  --no-color
  --help, -h       this text

A trace holds the scenario, every input that a node took up, and a hash for each. Where the simulator makes another run by now,
the inputs are given to the kernel as they were recorded, and where it does otherwise is told. Of a trace that is cut off or was
edited what still stands is replayed.

Exit codes
  0, 1, 3   the same run, to its end; what was judged held, broke, or was nothing
  2         wrong use, or no trace                 5    it parted from the recording, which another kernel made; or the trace
  4         the same kernel makes another run           is cut off, was edited, or is of a scenario that has changed since
                                                   70   the simulator itself broke

  pnpm sim replay out/9f31c0d2.jsonl --step --from 60s --until 62s
  pnpm sim replay scenarios/failover.yaml --seed 7 --until 25s
`

const diffHelp = `Compares two recorded runs: what came before they part, and what each does then.

  pnpm sim diff <trace.jsonl> <trace.jsonl>

  --json[=FILE]    an object that says where
  --no-color
  --help, -h       this text

Exit codes: 0 the same run, 1 they part, 2 wrong use or no trace. A trace that is cut off is compared up to there.

  pnpm sim run scenarios/failover.yaml --seed 7 --record
  pnpm sim run scenarios/failover.yaml --seed 8 --record
`

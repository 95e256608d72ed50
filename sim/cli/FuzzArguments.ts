/** The words after `pnpm sim fuzz`, understood or refused with the way out. */
import { parseArgs } from "node:util"
import { nearest } from "../scenario/Spelling.ts"
import { SEED_MAX } from "../scenario/Seed.ts"
import {
  isFile,
  jsonMistake,
  jsonTarget,
  readTime,
  readWith,
  withKind,
  withMistake,
  type FuzzOrder,
  type Order
} from "./Order.ts"

const JOBS_MAX = 256
const SHARDS_MAX = 10_000
const EVENTS_MAX = 1e15
/** FoundationDB's share of runs whose end is compared with that of a second one. */
const TWICE_PERCENT = 5

const options = {
  seeds: { type: "string" },
  events: { type: "string" },
  for: { type: "string" },
  jobs: { type: "string" },
  shard: { type: "string" },
  with: { type: "string" },
  json: { type: "boolean" },
  "no-swarm": { type: "boolean" },
  ledger: { type: "boolean" },
  branching: { type: "boolean" },
  "no-shrink": { type: "boolean" },
  twice: { type: "string" },
  "keep-going": { type: "boolean" },
  verbose: { type: "boolean" },
  help: { type: "boolean", short: "h" }
} as const

const flags = Object.keys(options).map((name) => `--${name}`)

/** What a value means, or the sentence that says what is wrong with it. */
type Understood<A> = { readonly value: A } | { readonly mistake: string }

const whole = (text: string): number => (/^\d{1,16}$/u.test(text) ? Number(text) : Number.NaN)

const readSeeds = (text: string): Understood<{ readonly min: number; readonly max: number }> => {
  const [first = "", last = first, ...more] = text.split("..")
  const min = whole(first)
  const max = whole(last)
  if (more.length > 0 || !(min <= SEED_MAX) || !(max <= SEED_MAX))
    return { mistake: `--seeds ${text}: write a first and a last seed from 0 to ${SEED_MAX}, such as --seeds 1..1000` }
  if (min > max)
    return { mistake: `--seeds ${text}: the range runs backwards; did you mean --seeds ${last}..${first}?` }
  return { value: { min, max } }
}

const readShard = (text: string): Understood<FuzzOrder["shard"]> => {
  const [n = Number.NaN, of = Number.NaN, ...more] = text.split("/").map(whole)
  return more.length === 0 && n >= 1 && n <= of && of <= SHARDS_MAX
    ? { value: { n, of } }
    : { mistake: `--shard ${text}: write which part of how many, such as --shard 3/8` }
}

const readTwice = (text: string): Understood<number> => {
  const percent = /^\d{1,3}%$/u.test(text) ? Number(text.slice(0, -1)) : Number.NaN
  return percent <= 100
    ? { value: percent }
    : { mistake: `--twice ${text}: write how many of a hundred runs are done twice, such as --twice 5%` }
}

const readCount = (flag: string, text: string, max: number, example: string): Understood<number> => {
  const n = whole(text)
  return n >= 1 && n <= max
    ? { value: n }
    : { mistake: `--${flag} ${text}: a whole number from 1 to ${max}, such as --${flag} ${example}` }
}

/** `words` without the command. */
export const readFuzzArguments = (words: ReadonlyArray<string>): Order => {
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true })
  const json = jsonTarget(tokens)
  const misuse = (message: string): Order => ({ _tag: "misuse", message, json })
  const order = {
    seeds: null as FuzzOrder["seeds"],
    eventsMax: null as number | null,
    forMs: null as number | null,
    jobs: null as number | null,
    shard: { n: 1, of: 1 } as FuzzOrder["shard"],
    swarm: true,
    with: { gen1: 0 },
    ledger: false,
    branching: false,
    shrinking: true,
    twicePercent: TWICE_PERCENT,
    keepGoing: false,
    verbose: false
  }
  const files: Array<string> = []
  let help = false
  for (const token of tokens) {
    if (token.kind === "positional") files.push(token.value)
    if (token.kind !== "option") continue
    const { name, rawName, value } = token
    switch (name) {
      case "seeds": {
        if (value === undefined) return misuse("--seeds needs a range, such as --seeds 1..1000")
        const read = readSeeds(value)
        if ("mistake" in read) return misuse(read.mistake)
        order.seeds = read.value
        break
      }
      case "shard": {
        if (value === undefined) return misuse("--shard needs a part, such as --shard 3/8")
        const read = readShard(value)
        if ("mistake" in read) return misuse(read.mistake)
        order.shard = read.value
        break
      }
      case "events": {
        if (value === undefined) return misuse("--events needs a number, such as --events 20000000")
        const read = readCount("events", value, EVENTS_MAX, "20000000")
        if ("mistake" in read) return misuse(read.mistake)
        order.eventsMax = read.value
        break
      }
      case "jobs": {
        if (value === undefined) return misuse("--jobs needs a number, such as --jobs 2")
        const read = readCount("jobs", value, JOBS_MAX, "2; without it there is one for each core")
        if ("mistake" in read) return misuse(read.mistake)
        order.jobs = read.value
        break
      }
      case "twice": {
        if (value === undefined) return misuse("--twice needs a share, such as --twice 5%")
        const read = readTwice(value)
        if ("mistake" in read) return misuse(read.mistake)
        order.twicePercent = read.value
        break
      }
      case "with": {
        if (value === undefined) return misuse(`--with needs ${withKind.needs}`)
        const others = readWith(value)
        if (others === null) return misuse(withMistake(value))
        order.with = others
        break
      }
      case "for":
        order.forMs = value === undefined ? null : readTime(value)
        if (order.forMs === null) return misuse(`--for ${value ?? ""}: write a time with a unit, such as --for 60s`)
        break
      case "json": {
        const mistake = jsonMistake(value)
        if (mistake !== null) return misuse(mistake)
        break
      }
      case "no-swarm":
      case "no-shrink":
      case "keep-going":
      case "ledger":
      case "branching":
      case "verbose":
      case "help":
      case "h":
        if (value !== undefined) return misuse(`${rawName} takes no value; leave out ${JSON.stringify(`=${value}`)}`)
        if (name === "no-swarm") order.swarm = false
        else if (name === "no-shrink") order.shrinking = false
        else if (name === "keep-going") order.keepGoing = true
        else if (name === "ledger" || name === "branching" || name === "verbose") order[name] = true
        else help = true
        break
      default: {
        const meant = nearest(rawName, flags)
        const hint =
          rawName === "--seed"
            ? "did you mean --seeds 7..7? One seed is run by pnpm sim FILE --seed 7 --fuzzed"
            : meant === null
              ? `there are ${flags.join(" ")}`
              : `did you mean ${meant}?`
        return misuse(`no flag ${rawName}; ${hint}`)
      }
    }
  }
  if (help) return { _tag: "help", text: fuzzHelp }
  const stranger = files.find((word) => !isFile(word))
  if (stranger !== undefined) return { _tag: "no such command", word: stranger, json }
  if (files.length === 0) return misuse("no scenario given; write pnpm sim fuzz 'scenarios/*.yaml'")
  return { _tag: "fuzz", files, ...order, json }
}

const fuzzHelp = `Runs scenarios with many seeds, varied values and random faults, and keeps what breaks.

  pnpm sim fuzz <file.yaml|glob>…

  --seeds A..B    these seeds, in place of the file's own (fuzz: seeds:), or of 1..1000
  --events N      until nodes have taken up N inputs in all; the same runs on every machine
  --for T         until so much time has passed, such as 60s
  --jobs N        threads; without it one for each core. What is found does not depend on it
  --shard N/M     the N-th of M parts
  --with gen1=N   put N devices of generation 1 beside each scenario
  --no-swarm      only what the file says: no default mix of faults, nothing left out at random
  --ledger        try every run again without each of its faults: did it matter?
  --branching     from places and situations that no run was in before, run other futures as well
  --no-shrink     do not make small what was found; without it that is done at the end, and saved in scenarios/regressions/
  --twice N%      so many of a hundred runs are done twice and must give the same trace; without it ${TWICE_PERCENT}
  --keep-going    past files that do not read, which are told and left out, and threads that die, which are replaced
  --verbose       list every fault, and all that was reached and never reached
  --json[=FILE]   a JSON object for each finding, and one at the end; with --verbose one for each run
  --no-color
  --help, -h      this text

Ctrl-C ends it early, and keeps what was found. A finding's run is kept in out/; made as small as it can be, it is saved in
scenarios/regressions/, or in out/ where there is no scenarios/ (pnpm sim shrink --help).
Exit codes are those of pnpm sim: 1 for findings, 3 when a fault of a file touched nothing in any run, 4 when a seed gave two
traces. A seed is run again by pnpm sim FILE --seed N --fuzzed, and a branch of it with --branch as it is told

  pnpm sim fuzz 'scenarios/*.yaml' --events 20000000 --jobs 2
  pnpm sim fuzz scenarios/failover.yaml --seeds 1..10000
`

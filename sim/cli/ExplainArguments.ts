/** The words after `explain` and `report`: which run, and what of it. */
import { SEED_MAX } from "../scenario/Seed.ts"
import { type Flags, type Kind, readFlags } from "./Flags.ts"
import { type AboutRun, isFile, isTrace, type Order, readTime } from "./Order.ts"
import { readWhole, surplusFlag, timeMistake, wholeKinds } from "./Which.ts"

const whichRun: { readonly [flag: string]: Kind } = { ...wholeKinds, "no-futures": "nothing" }

/** The run that is meant; a sentence, where none is. */
const aboutRun = ({ rest, values }: Flags, command: string): AboutRun | string => {
  const [file, second] = rest
  if (file === undefined)
    return `no run given; write pnpm sim ${command} scenarios/failover.yaml --seed 7, or a trace such as out/9f31c0d2.jsonl`
  if (second !== undefined) return `one run at a time; ${command} takes no ${JSON.stringify(second)} besides ${file}`
  if (!isFile(file) && !isTrace(file))
    return `${file} is no scenario and no trace; did you mean pnpm sim ${command} scenarios/${file}.yaml?`
  const surplus = isTrace(file) ? surplusFlag(command, file, values) : null
  if (surplus !== null) return surplus
  const which = readWhole(values)
  return "mistake" in which ? which.mistake : { file, ...which, futures: !values.has("no-futures") }
}

export const readExplainArguments = (words: ReadonlyArray<string>): Order => {
  const flags = readFlags(words, {
    ...whichRun,
    why: { needs: "an expectation or an invariant, such as --why S1" },
    at: { needs: "a time with a unit, such as --at 61.204s" },
    node: { needs: "the name of a node, such as --node jetson-1" }
  })
  if ("misuse" in flags) return flags.misuse
  if (flags.help) return { _tag: "help", text: explainHelp }
  const misuse = (message: string): Order => ({ _tag: "misuse", message, json: flags.json })
  const about = aboutRun(flags, "explain")
  if (typeof about === "string") return misuse(about)
  const at = flags.values.get("at")
  // As the transcript writes moments.
  const atMs = at === undefined ? null : readTime(/^\d+(?:\.\d+)?$/u.test(at) ? `${at}s` : at)
  if (at !== undefined && atMs === null) return misuse(timeMistake("at", at))
  const why = flags.values.get("why") ?? null
  const node = flags.values.get("node") ?? null
  if (why !== null && (atMs !== null || node !== null))
    return misuse("--why names a failure, --at and --node a moment; choose one")
  return { _tag: "explain", about, why, atMs, node, json: flags.json }
}

export const readReportArguments = (words: ReadonlyArray<string>): Order => {
  const flags = readFlags(words, {
    ...whichRun,
    out: { needs: "a file, such as --out failure.html" },
    open: "nothing"
  })
  if ("misuse" in flags) return flags.misuse
  if (flags.help) return { _tag: "help", text: reportHelp }
  const misuse = (message: string): Order => ({ _tag: "misuse", message, json: flags.json })
  const about = aboutRun(flags, "report")
  if (typeof about === "string") return misuse(about)
  const out = flags.values.get("out") ?? null
  if (out === "") return misuse("--out= names no file; write --out failure.html")
  if (out !== null && /\.(?:ya?ml|jsonl)$/u.test(out))
    return misuse(`--out ${out} would overwrite it; write --out failure.html`)
  return { _tag: "report", about, out, open: flags.values.has("open"), json: flags.json }
}

const runFlags = `  --seed N         another seed than the scenario's: 0 to ${SEED_MAX}
  --fuzzed         with --seed: as sim fuzz draws it from that seed; with --no-swarm and --branch E:N as sim run has them
  --with gen1=N    put N devices of generation 1 beside the scenario
  --no-futures     do not try other futures of the run, which takes most of the time`

const explainHelp = `Why a run failed: the few events that led to it, and from when on it was inevitable.

  pnpm sim explain <file.yaml> [--seed N]
  pnpm sim explain <trace.jsonl>

${runFlags}
  --why WHAT       which failure, where there are several: a part of an expectation's name, or an invariant such as S1
  --at T           not a failure: how it came to what a node was in at that moment, such as 61.204s
  --node NAME      with --at, or at the end of the run: which node
  --json[=FILE]    the same as a JSON object
  --no-color
  --help, -h       this text

Exit codes: 0 explained, 2 wrong use, or nothing failed, 5 a trace that was edited, or that this version
runs in another way.
`

const reportHelp = `Writes a run as a page to look at: one HTML file that needs nothing from anywhere.

  pnpm sim report <file.yaml> [--seed N]
  pnpm sim report <trace.jsonl>

${runFlags}
  --out FILE       where to; else out/<first digits of its hash>.html
  --open           and show it in the browser
  --json[=FILE]    a JSON object that says what was written
  --no-color
  --help, -h       this text

Exit codes: 0 written, 2 wrong use, or it cannot be written, 5 a trace that was edited, or that this version
runs in another way.
`

/** The words after `explain` and `report`: which run, and what of it. */
import { SEED_MAX } from "../scenario/Seed.ts"
import { readPoints } from "../search/Points.ts"
import { type Flags, type Kind, readFlags } from "./Flags.ts"
import { type AboutRun, isFile, type Order, readTime, readWith, withKind, withMistake } from "./Order.ts"

const whichRun: { readonly [flag: string]: Kind } = {
  seed: { needs: "a number, such as --seed 7" },
  fuzzed: "nothing",
  "no-swarm": "nothing",
  branch: { needs: "where it turns off, such as --branch 12345:3" },
  with: withKind,
  "no-futures": "nothing"
}

/** The run that is meant; a sentence, where none is. */
const aboutRun = ({ rest, values }: Flags, command: string): AboutRun | string => {
  const [file, second] = rest
  if (file === undefined)
    return `no run given; write pnpm sim ${command} scenarios/failover.yaml --seed 7, or a trace such as out/9f31c0d2.jsonl`
  if (second !== undefined) return `one run at a time; ${command} takes no ${JSON.stringify(second)} besides ${file}`
  if (!isFile(file) && !file.endsWith(".jsonl"))
    return `${file} is no scenario and no trace; did you mean pnpm sim ${command} scenarios/${file}.yaml?`
  if (file.endsWith(".jsonl")) {
    const flag = Object.keys(whichRun).find((name) => name !== "no-futures" && values.has(name))
    if (flag !== undefined) return `a trace says itself which run it is; leave out --${flag}`
  }
  const seed = values.get("seed")
  if (seed !== undefined && (!/^\d{1,10}$/u.test(seed) || Number(seed) > SEED_MAX))
    return `--seed ${seed}: a seed is a whole number from 0 to ${SEED_MAX}`
  const besides = values.get("with")
  const others = besides === undefined ? { gen1: 0 } : readWith(besides)
  if (others === null) return withMistake(besides ?? "")
  const branch = values.get("branch")
  const points = branch === undefined ? [] : readPoints(branch)
  if (points === null)
    return `--branch ${branch}: write after how many inputs and which future, such as --branch 12345:3; several in order, with commas`
  const fuzzed = values.has("fuzzed")
  if (!fuzzed && (points.length > 0 || values.has("no-swarm")))
    return `${points.length > 0 ? "--branch" : "--no-swarm"} goes with --fuzzed: it is of a run that was drawn`
  if (fuzzed && seed === undefined) return "--fuzzed needs the seed to draw from: --seed 7 --fuzzed"
  return {
    file,
    seed: seed === undefined ? null : Number(seed),
    fuzzed: fuzzed ? { swarm: !values.has("no-swarm"), points } : null,
    with: others,
    futures: !values.has("no-futures")
  }
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
  if (at !== undefined && atMs === null)
    return misuse(`--at ${at}: write a time with a unit, such as 500ms, 6s, 2m or 1h`)
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

Exit codes: 0 explained, 2 wrong use, or nothing failed, 5 a trace that this version runs in another way.
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

Exit codes: 0 written, 2 wrong use, or it cannot be written, 5 a trace that this version runs in another way.
`

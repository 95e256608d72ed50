/** The words after `pnpm sim shrink`. */
import { type Kind, readFlags } from "./Flags.ts"
import { isFile, isTrace, type Order } from "./Order.ts"
import { readWhole, surplusFlag, wholeKinds } from "./Which.ts"

const kinds: { readonly [flag: string]: Kind } = {
  ...wholeKinds,
  save: "nothing",
  runs: { needs: "a number, such as --runs 2000" }
}

const RUNS_MAX = 1_000_000

export const readShrinkArguments = (words: ReadonlyArray<string>): Order => {
  const flags = readFlags(words, kinds)
  if ("misuse" in flags) return flags.misuse
  const { json, rest, values } = flags
  if (flags.help) return { _tag: "help", text: shrinkHelp }
  const misuse = (message: string): Order => ({ _tag: "misuse", message, json })
  const stranger = rest.find((word) => !isFile(word) && !isTrace(word))
  if (stranger !== undefined) return { _tag: "no such command", word: stranger, json }
  const [file, second] = rest
  if (file === undefined)
    return misuse("no run given; write pnpm sim shrink scenarios/failover.yaml --seed 7, or a trace in out/")
  if (second !== undefined) return misuse(`one run at a time; leave out ${second}`)
  const runs = values.get("runs")
  if (runs !== undefined && (!/^\d{1,7}$/u.test(runs) || Number(runs) < 1 || Number(runs) > RUNS_MAX))
    return misuse(`--runs ${runs}: a whole number from 1 to ${RUNS_MAX}, such as --runs 2000`)
  const surplus = isTrace(file) ? surplusFlag("shrink", file, values) : null
  if (surplus !== null) return misuse(surplus)
  const which = readWhole(values)
  if ("mistake" in which) return misuse(which.mistake)
  return {
    _tag: "shrink",
    file,
    ...which,
    save: values.has("save"),
    runsMax: runs === undefined ? null : Number(runs),
    json
  }
}

const shrinkHelp = `Makes a run that fails as small as it can, and keeps what broke in it: fewer nodes, fewer and weaker faults, shorter times.

  pnpm sim shrink <file.yaml> [--seed N] [--fuzzed]
  pnpm sim shrink <out/trace.jsonl>                  a run that pnpm sim fuzz kept

  --seed N         another seed than the scenario's
  --fuzzed         with --seed: as sim fuzz draws it from that seed; with --no-swarm and --branch as it was told
  --with gen1=N    with so many devices of generation 1 beside it
  --save           write it to scenarios/regressions/<file>-<seed>.yaml, or to out/ where there is no scenarios/
  --runs N         stop after so many runs, however small it is by then
  --json[=FILE]    a JSON object with the small scenario, and what was tried
  --no-color
  --help, -h       this text

What comes out is a scenario: it runs by itself, and fails in the same way. The last line but two of its comment says that each
thing in it was taken out by itself, and that the run passed then.

Exit codes: 0 the run does not fail, so there is nothing to shrink; 1 it fails, and was shrunk as far as is told; 2 wrong use, or
it could not be saved; 4 the same run gave two traces; 5 a trace that was edited, or that this version runs in another way.

  pnpm sim shrink scenarios/failover.yaml --seed 7 --fuzzed --save
`

/**
 * What a campaign found, made small at its end: one finding after the other, each for a bounded time, and saved where regressions
 * are. Whatever cannot be made small is told, and stays what it was.
 */
import type { Kernel } from "../engine/Host.ts"
import { measuredSpan } from "../judge/Words.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import type { Fault, Finding } from "../search/Tally.ts"
import { failuresOf, type Failure } from "../shrink/Failure.ts"
import { once, type Ran } from "../shrink/Once.ts"
import { certificateWords, regression, sizeWords } from "../shrink/Regression.ts"
import { shrink, type Shrunk } from "../shrink/Shrink.ts"
import { versionOf } from "./KernelVersion.ts"
import { saveRegression, schemaFor } from "./Regressions.ts"
import type { Surroundings } from "./Surroundings.ts"

export interface Smaller {
  /** `null`: it stayed as it was. */
  readonly shrunk: Shrunk | null
  /** In a few words. */
  readonly words: string
  readonly saved: string | null
  /** Why it could not be saved. */
  readonly problem: string | null
}

/** For each finding; what it has come to by then is saved, with a certificate that says how far that is. */
const FOR_MS = 10_000
/** Of one campaign. Where more break, one bug breaks them all. */
const FINDINGS_MAX = 8

const isOf = (fault: Fault, scenario: Scenario, failure: Failure): boolean => {
  if (fault._tag === "invariant") return failure._tag === "invariant" && failure.oracle === fault.oracle
  if (fault._tag !== "expectation" || failure._tag !== "expectation") return false
  return failure.expectation.name === scenario.expect[fault.judged.place]?.name
}

const canBe = ({ fault: { _tag } }: Finding): boolean => _tag === "invariant" || _tag === "expectation"

export interface Campaigned {
  readonly scenarios: ReadonlyArray<Scenario>
  readonly files: ReadonlyArray<string>
  readonly swarm: boolean
  readonly again: (finding: Finding) => string
  readonly kernel: Kernel | undefined
}

const smaller = (finding: Finding, campaign: Campaigned, around: Surroundings): Smaller => {
  const { kernel, scenarios, swarm } = campaign
  const { points, scenario: index, seed } = finding
  const scenario = scenarios[index]!
  const file = campaign.files[index]!
  const none = (words: string): Smaller => ({ shrunk: null, words, saved: null, problem: null })
  const ours = kernel === undefined ? {} : { kernel }
  const startedMs = around.nowMs()
  const ran: Ran = once({ scenario, seed, fuzzed: { swarm, points } }, ours)
  const failure = failuresOf(ran.result).find((one) => isOf(finding.fault, scenario, one))
  if (failure === undefined) return none("no: run again it did not break")
  const shrunk = shrink(ran, failure, { ...ours, stop: () => around.nowMs() - startedMs > FOR_MS })
  if (shrunk === null) return none("no: as an explicit schedule it does not fail any more")
  const found = { again: campaign.again(finding), kernel: versionOf(around), schema: schemaFor(around.cwd) }
  const written = regression(shrunk, found, file, kernel)
  if ("problem" in written) return none(`no: ${written.problem}`)
  const place = saveRegression(around.cwd, file, seed, written.text)
  const tookMs = Math.round(around.nowMs() - startedMs)
  const words = `${sizeWords(shrunk.from)} → ${sizeWords(shrunk.to)} (${shrunk.runs} runs, ${measuredSpan(tookMs)}); ${certificateWords(shrunk)}`
  return "path" in place
    ? { shrunk, words, saved: place.path, problem: null }
    : { shrunk, words, saved: null, problem: place.problem }
}

const breath = (): Promise<void> => new Promise((go) => setImmediate(go))

export const makeSmaller = async (
  findings: ReadonlyArray<Finding>,
  campaign: Campaigned,
  around: Surroundings
): Promise<ReadonlyMap<Finding, Smaller>> => {
  const all = new Map<Finding, Smaller>()
  for (const [n, finding] of findings.filter(canBe).entries()) {
    if (n >= FINDINGS_MAX) {
      const words = `no: the first ${FINDINGS_MAX} findings are`
      all.set(finding, { shrunk: null, words, saved: null, problem: null })
      continue
    }
    around.progress?.(` shrinking finding ${n + 1} of ${findings.length}`)
    await breath()
    all.set(finding, smaller(finding, campaign, around))
  }
  around.progress?.(null)
  return all
}

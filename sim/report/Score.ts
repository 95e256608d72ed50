/**
 * The closing lines that tools read: plain, without colour, alone on their line.
 *
 * A broken invariant counts as one failed expectation, for every scenario expects the invariants to hold: a run that fails
 * never ends in `0 failed`.
 */
import type { Outcome } from "../judge/Judge.ts"
import type { Verdict } from "../judge/Verdict.ts"
import type { Violation } from "../run.ts"

export interface Score {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export const NO_SCORE: Score = { passed: 0, failed: 0, skipped: 0 }

interface Judged {
  readonly expectations: ReadonlyArray<Outcome>
  readonly violations: ReadonlyArray<Violation>
}

export const scoreOf = ({ expectations, violations }: Judged): Score => {
  const count = (status: Outcome["status"]) => expectations.filter((outcome) => outcome.status === status).length
  const oracles = new Set(violations.map((violation) => violation.oracle))
  return {
    passed: count("held"),
    failed: count("broken") + oracles.size,
    skipped: count("not-reached") + count("never")
  }
}

export const sum = (a: Score, b: Score): Score => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped
})

export const expectationsLine = ({ failed, passed, skipped }: Score): string =>
  `expectations: ${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`

export const scenariosLine = (verdicts: ReadonlyArray<Verdict>): string => {
  const count = (verdict: Verdict) => verdicts.filter((one) => one === verdict).length
  const undecided = count("undecided")
  return `scenarios: ${count("passed")} passed, ${count("failed")} failed${undecided === 0 ? "" : `, ${undecided} undecided`}`
}

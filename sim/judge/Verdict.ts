/**
 * What a run as a whole amounts to. Safety first: anything broken fails it. A run that judged nothing, whose faults touched
 * nothing, or that never got where a `sometimes` says, has shown nothing, so it is undecided rather than passed.
 */
import type { Outcome } from "./Judge.ts"

export type Verdict = "passed" | "failed" | "undecided"

export interface Evidence {
  readonly expectations: ReadonlyArray<Outcome>
  readonly violations: ReadonlyArray<unknown>
  readonly faultsWithoutEffect: ReadonlyArray<unknown>
}

export const verdictOf = ({ expectations, faultsWithoutEffect, violations }: Evidence): Verdict => {
  if (violations.length > 0 || expectations.some((outcome) => outcome.status === "broken")) return "failed"
  const judged = expectations.some((outcome) => outcome.status !== "not-reached")
  const missed = expectations.some((outcome) => outcome.status === "never")
  return judged && !missed && faultsWithoutEffect.length === 0 ? "passed" : "undecided"
}

/** Of each oracle what it said first: the rest is the same trouble going on. */
export const firstOfEach = <V extends { readonly oracle: string }>(violations: ReadonlyArray<V>): ReadonlyArray<V> =>
  violations.filter((violation, i) => violations.findIndex(({ oracle }) => oracle === violation.oracle) === i)

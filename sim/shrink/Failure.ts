/**
 * What has to go on failing while a run is made smaller: the same expectation, or the same oracle.
 *
 * A law over a whole run that is judged everywhere, and an oracle, hold in any run: whatever breaks them is the same failure.
 * Any other expectation is about its scenario, and could fail for the simple reason that what it is about was taken out; so it
 * has to fail with the same words besides, times and counts aside.
 */
import type { RunResult } from "../run.ts"
import type { Expectation, Scenario } from "../scenario/Scenario.ts"

export type Failure =
  | { readonly _tag: "expectation"; readonly expectation: Expectation; readonly witness: string; readonly atMs: number }
  | {
      readonly _tag: "invariant"
      readonly oracle: string
      readonly message: string
      readonly atMs: number
      /** It broke when the run was over, in the calm in which a part of the mesh has to get well. */
      readonly afterwards: boolean
    }

/** All that broke: oracles, then expectations, the earliest first. */
export const failuresOf = ({ endedMs, expectations, violations }: RunResult): ReadonlyArray<Failure> => [
  ...violations.map(({ atMs, message, oracle }): Failure => ({
    _tag: "invariant",
    oracle,
    message,
    atMs,
    afterwards: atMs > endedMs
  })),
  ...expectations
    .filter(({ status }) => status === "broken")
    .map(({ atMs = 0, expectation, witness = "" }): Failure => ({ _tag: "expectation", expectation, witness, atMs }))
    .toSorted((a, b) => a.atMs - b.atMs)
]

/** What broke first; `null`: nothing did. */
export const failureOf = (result: RunResult): Failure | null => failuresOf(result)[0] ?? null

/** It holds whatever happens, and at every moment. */
export const isLaw = (failure: Failure): boolean => {
  if (failure._tag === "invariant") return true
  const { judge, when } = failure.expectation
  return (
    judge === "everywhere" &&
    (when._tag === "always" || when._tag === "never") &&
    when.fromMs === 0 &&
    when.untilBase === "end"
  )
}

/** It breaks when the run is over: how the run ends is what counts. */
export const isAfterwards = (failure: Failure): boolean => failure._tag === "invariant" && failure.afterwards

/** It is judged at the end, after a calm whose length counts. */
export const isOfTheEnd = (failure: Failure): boolean =>
  failure._tag === "expectation" && failure.expectation.when._tag === "eventually"

/** Words without numbers. */
const shape = (words: string): string => words.replaceAll(/\d+(?:\.\d+)?/gu, "#")

/** The same again in another run; `null`: it is not there. */
export const sameIn = (failure: Failure, result: RunResult): Failure | null => {
  if (failure._tag === "invariant") {
    const found = result.violations.find(({ oracle }) => oracle === failure.oracle)
    if (found === undefined) return null
    const { atMs, message } = found
    return { ...failure, message, atMs, afterwards: atMs > result.endedMs }
  }
  const found = result.expectations.find(
    ({ expectation, status }) => status === "broken" && expectation.name === failure.expectation.name
  )
  if (found === undefined) return null
  const { atMs = 0, expectation, witness = "" } = found
  if (!isLaw(failure) && shape(witness) !== shape(failure.witness)) return null
  return { ...failure, expectation, witness, atMs }
}

export const failureWords = (failure: Failure): string =>
  failure._tag === "invariant" ? `invariant ${failure.oracle}` : failure.expectation.name

/** The steps that the failing expectation counts its moments from: without them it would be about something else. */
export const anchorsOf = (failure: Failure): ReadonlySet<string> => {
  if (failure._tag === "invariant") return new Set()
  const { when } = failure.expectation
  const bases =
    when._tag === "at" || when._tag === "within"
      ? [when.base]
      : when._tag === "eventually"
        ? []
        : [when.fromBase, when.untilBase]
  return new Set(bases.filter((base) => base !== undefined && base !== "end") as ReadonlyArray<string>)
}

/** The nodes that it names. */
export const namedIn = (failure: Failure, { nodes }: Scenario): ReadonlySet<string> => {
  if (failure._tag === "invariant") return new Set()
  const text = JSON.stringify(failure.expectation.facts)
  return new Set(nodes.map(({ name }) => name).filter((name) => text.includes(JSON.stringify(name))))
}

/** Whether it says something of this actuator. */
export const isAbout = (failure: Failure, actuator: string): boolean =>
  failure._tag === "expectation" &&
  (failure.expectation.facts.actuators ?? []).some((fact) => fact.actuator === actuator)

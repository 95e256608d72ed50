/**
 * A timeline whose steps moved, and a run that became longer: whatever was written as "so long after that step", or from the
 * end, moves along. Steps stay in the order of the file; their times need not be.
 */
import type { Expectation, Scenario, Step, When } from "../scenario/Scenario.ts"

/** `atMs`: new moments of steps, by id. */
export const moved = (scenario: Scenario, atMs: ReadonlyMap<string, number>, lastsMs: number): Scenario => {
  const by = new Map<string, number>([["end", lastsMs - scenario.lastsMs]])
  const along = (base: string | undefined): number => (base === undefined ? 0 : (by.get(base) ?? 0))
  const timeline = scenario.timeline.map((step): Step => {
    const own = step.id === null ? undefined : atMs.get(step.id)
    const now = own ?? step.atMs + along(step.base)
    if (step.id !== null) by.set(step.id, now - step.atMs)
    return now === step.atMs ? step : { ...step, atMs: now }
  })
  const movedWhen = (when: When): When => {
    switch (when._tag) {
      case "at":
        return { ...when, atMs: when.atMs + along(when.base) }
      case "within":
        return { ...when, afterMs: when.afterMs + along(when.base) }
      case "always":
      case "never":
      case "sometimes":
        return { ...when, fromMs: when.fromMs + along(when.fromBase), untilMs: when.untilMs + along(when.untilBase) }
      case "eventually":
        return { ...when, atMs: lastsMs }
    }
  }
  const expect = scenario.expect.map((expectation): Expectation => ({
    ...expectation,
    when: movedWhen(expectation.when)
  }))
  return { ...scenario, lastsMs, timeline, expect }
}

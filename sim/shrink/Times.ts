/**
 * Shorter runs: faults that last less long, steps that follow each other sooner or at once, and moments that people can read.
 * All that comes after a step that moves moves with it, the end included.
 */
import type { Scenario, Step, When } from "../scenario/Scenario.ts"
import type { Failure } from "./Failure.ts"
import { inOrder } from "./Freeze.ts"

/** Steps of the language that people read at a glance. */
const ROUND_MS: ReadonlyArray<number> = [1_000, 100]

const rounded = (ms: number, to: number): number => Math.max(to, Math.round(ms / to) * to)

/** Shorter lives of the step, the shortest first. */
export const shorter = (step: Step): ReadonlyArray<Step> => {
  const { forMs } = step
  if (forMs === null) return []
  const lengths = [forMs >> 3, forMs >> 1]
  return [...new Set(lengths)].filter((ms) => ms > 0 && ms < forMs).map((ms): Step => ({ ...step, forMs: ms }))
}

/** The moment of a run that is `byMs` shorter from `fromMs` on. */
const earlier = (ms: number, fromMs: number, byMs: number): number => (ms >= fromMs ? ms - byMs : ms)

const whenEarlier = (when: When, fromMs: number, byMs: number): When => {
  const moved = (ms: number): number => earlier(ms, fromMs, byMs)
  switch (when._tag) {
    case "at":
      return { ...when, atMs: moved(when.atMs) }
    case "within":
      return { ...when, afterMs: moved(when.afterMs) }
    case "eventually":
      return { ...when, atMs: moved(when.atMs) }
    default:
      return { ...when, fromMs: moved(when.fromMs), untilMs: moved(when.untilMs) }
  }
}

/** Everything from the step at `place` on comes `byMs` sooner. `timeline.length`: only the end does. */
const pulled = (scenario: Scenario, place: number, byMs: number): Scenario => {
  const fromMs = scenario.timeline[place]?.atMs ?? scenario.lastsMs
  return {
    ...scenario,
    lastsMs: scenario.lastsMs - byMs,
    timeline: scenario.timeline.map((step, i) => (i >= place ? { ...step, atMs: step.atMs - byMs } : step)),
    expect: scenario.expect.map((one) => ({ ...one, when: whenEarlier(one.when, fromMs, byMs) }))
  }
}

/** The gap before a step, closed or made smaller; the closest first. */
export const closer = (scenario: Scenario, place: number): ReadonlyArray<Scenario> => {
  const step = scenario.timeline[place]
  const before = scenario.timeline[place - 1]
  if (step === undefined || before === undefined) return []
  const gapMs = step.atMs - before.atMs
  const by = [gapMs, gapMs >> 1]
  return [...new Set(by)].filter((ms) => ms > 0).map((ms) => pulled(scenario, place, ms))
}

/** Whether steps may move: an expectation of a moment that is tied to no step would be about another moment then. */
export const mayMove = (failure: Failure): boolean => {
  if (failure._tag === "invariant") return true
  const { when } = failure.expectation
  switch (when._tag) {
    case "eventually":
      return true
    case "at":
    case "within":
      return when.base !== undefined
    default:
      return (when.fromMs === 0 || when.fromBase !== undefined) && when.untilBase !== undefined
  }
}

/** With this step's moment, and how long it lasts, in rounder numbers; the roundest first. */
export const rounder = (scenario: Scenario, place: number): ReadonlyArray<Scenario> => {
  const step = scenario.timeline[place]!
  return ROUND_MS.map((to): Scenario => {
    const atMs = step.atMs === 0 ? 0 : rounded(step.atMs, to)
    const forMs = step.forMs === null ? null : rounded(step.forMs, to)
    const moved: Step = { ...step, atMs, forMs }
    return { ...scenario, timeline: inOrder(scenario.timeline.map((one, i) => (i === place ? moved : one))) }
  }).filter(({ lastsMs, timeline }) => timeline.every(({ atMs }) => atMs <= lastsMs))
}

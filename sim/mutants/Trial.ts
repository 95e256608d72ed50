/**
 * One kernel on trial: each scenario as it is written, the shortest first; then, as long as there are inputs left, drawn seeds of all of
 * them under random faults. Over with the first that is not as it has to be.
 *
 * Synchronous, and a function of its arguments. A run that eats up what is left of the budget is cut off there and proves nothing.
 */
import type { Kernel } from "../engine/Host.ts"
import { Run, type RunOptions, type RunResult } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import { draw } from "../search/Draw.ts"

export interface Subject {
  /** `failover`, of `scenarios/failover.yaml`. */
  readonly name: string
  readonly scenario: Scenario
}

/** What the kernel without a bug makes of a scenario as written. */
export interface Known {
  readonly events: number
  readonly hash: string
}

export interface Caught {
  /** The scenario, and the seed if it was drawn. */
  readonly by: string
  /** What was wrong, in words. */
  readonly why: string
}

export interface Trial {
  readonly caught: Caught | null
  /** Inputs that nodes took up. */
  readonly events: number
  /** Runs as written that came out otherwise than without the bug; of how many that were run to their end. */
  readonly differ: number
  readonly compared: number
  /** Of each scenario as written that was run to its end, in their order. */
  readonly known: ReadonlyArray<Known>
}

/** Why this run is not as it has to be; `null`: it is. `drawn`: whether it gets where a `sometimes` says is no question to one seed. */
const wrongWith = ({ expectations, faultsWithoutEffect, violations }: RunResult, drawn: boolean): string | null => {
  const [violation] = violations
  if (violation !== undefined) return `${violation.oracle}: ${violation.message}`
  const broken = expectations.find(({ status }) => status === "broken" || (!drawn && status === "never"))
  if (broken !== undefined) {
    const { name, place } = broken.expectation
    return `line ${place.line}: ${name}`
  }
  const [idle] = drawn ? [] : faultsWithoutEffect
  return idle === undefined ? null : `line ${idle.place.line}: ${idle.verb._tag} touches nothing`
}

interface Ran {
  readonly events: number
  readonly wrong: string | null
  readonly hash: string | null
}

const ran = (scenario: Scenario, options: RunOptions, drawn: boolean, left: number): Ran => {
  try {
    const run = new Run(scenario, options)
    const { world } = run
    let sinceMs = -1
    const isOver = (): boolean => {
      const same = world.nowMs === sinceMs
      sinceMs = world.nowMs
      // A loop without time is S10's to judge.
      return !same && world.events >= left
    }
    if (run.go(isOver) === "paused") return { events: world.events, wrong: null, hash: null }
    const result = run.finish()
    return { events: result.events, wrong: wrongWith(result, drawn), hash: result.hash }
  } catch (error) {
    // A kernel whose words make no sense may break the simulator.
    return { events: 0, wrong: `it breaks: ${error instanceof Error ? error.message : String(error)}`, hash: null }
  }
}

export interface TrialOptions {
  /** Inputs in all. */
  readonly events: number
  /** By the subjects' places; empty: of this run the results are to be compared. */
  readonly known: ReadonlyArray<Known>
  /** The first of the drawn seeds. */
  readonly seed: number
  /** Told of each run that is over: somebody may wait for it. */
  readonly onRun?: () => void
}

export const trial = (subjects: ReadonlyArray<Subject>, kernel: Kernel, options: TrialOptions): Trial => {
  const { known, onRun } = options
  const results: Array<Known> = []
  let events = 0
  let differ = 0
  const end = (caught: Caught | null): Trial => ({ caught, events, differ, compared: results.length, known: results })
  for (const [place, { name, scenario }] of subjects.entries()) {
    const { hash, wrong, ...one } = ran(scenario, { kernel }, false, options.events - events)
    events += one.events
    onRun?.()
    if (wrong !== null) return end({ by: name, why: wrong })
    if (hash === null) return end(null)
    results.push({ events: one.events, hash })
    if (hash !== known[place]?.hash) differ++
  }
  for (let n = 0; events < options.events && known.length > 0; n++) {
    const { name, scenario } = subjects[n % subjects.length]!
    const seed = options.seed + Math.floor(n / subjects.length)
    const { liveness, scenario: drawn, ties } = draw(scenario, seed, { swarm: true })
    const how = { liveness, seed, ties }
    const one = ran(drawn, { ...how, kernel }, true, options.events - events)
    // At least one, so that the end comes in any case.
    events += Math.max(1, one.events)
    onRun?.()
    // What befalls the kernel without the bug as well is none of the bug's doing.
    if (one.wrong !== null && ran(drawn, how, true, Number.MAX_SAFE_INTEGER).wrong === null)
      return end({ by: `${name}, seed ${seed}`, why: one.wrong })
  }
  return end(null)
}

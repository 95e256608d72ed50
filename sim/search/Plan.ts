/**
 * Which seeds a campaign runs, and in which order: round by round, in each round every scenario with its next seed. The order is
 * fixed before anything runs, so that what a budget of events buys does not depend on which thread is quick.
 */
import type { Range } from "../scenario/Scenario.ts"

export interface Task {
  /** Counts the tasks of this campaign from 0. */
  readonly n: number
  readonly scenario: number
  readonly seed: number
}

/** The `n`-th of `of` parts, from 1: every `of`-th round. */
export interface Shard {
  readonly n: number
  readonly of: number
}

export const WHOLE: Shard = { n: 1, of: 1 }

/** `ranges`: the seeds of each scenario, both ends included. */
export function* plan(ranges: ReadonlyArray<Range>, shard: Shard = WHOLE): Generator<Task, void> {
  let n = 0
  for (let round = shard.n - 1; ; round += shard.of) {
    let any = false
    for (const [scenario, { max, min }] of ranges.entries()) {
      if (min + round > max) continue
      any = true
      yield { n: n++, scenario, seed: min + round }
    }
    if (!any) return
  }
}

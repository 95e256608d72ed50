/**
 * Random faults under all oracles, then calm: S1, S6 and S7 at every step, L1, L3 and L5 after the faults have healed. A fixed
 * number of seeds; the fuzzer proper comes later.
 */
import { assert, describe, it } from "@effect/vitest"
import { World } from "../../sim/engine/World.ts"
import { everyOracle } from "../../sim/oracles/all.ts"
import { chaos, unwell } from "./Chaos.ts"

const SEEDS = 60

const run = (seed: number): ReadonlyArray<string> => {
  const scenario = chaos(seed)
  const world = new World({ scenario, seed, oracles: everyOracle() })
  world.run(scenario.lastsMs)
  return world.violations.length > 0
    ? world.violations.map(({ atMs, message, oracle }) => `${oracle} at ${atMs}: ${message}`)
    : unwell(world)
}

describe("random faults, then calm", () => {
  it(`S1 S6 S7 hold, and L1 L3 L5 follow, in ${SEEDS} drawn worlds`, () => {
    const failures: Array<string> = []
    for (let seed = 1; seed <= SEEDS; seed++) for (const what of run(seed)) failures.push(`seed ${seed}: ${what}`)
    assert.deepStrictEqual(failures, [])
  }, 120_000)
})

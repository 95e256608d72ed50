/**
 * Random faults under all oracles, then calm: S1 and S6 to S11 at every step; L1, L3 and L5 once everything has healed; and L1,
 * L3, L5 and L6 in a core of the mesh that heals in the middle of it all. A fixed number of seeds; the fuzzer runs many more.
 */
import { assert, describe, it } from "@effect/vitest"
import { between } from "../../kernel/Draw.ts"
import { World, type Violation } from "../../sim/engine/World.ts"
import { everyOracle } from "../../sim/oracles/all.ts"
import { judgeLiveness, whyNot } from "../../sim/oracles/Liveness.ts"
import { chaos } from "./Chaos.ts"

const SEEDS = 40

const said = ({ atMs, message, oracle }: Violation): string => `${oracle} at ${atMs}: ${message}`

const healed = (seed: number): ReadonlyArray<string> => {
  const scenario = chaos(seed)
  const world = new World({ scenario, seed, oracles: everyOracle() })
  world.run(scenario.lastsMs)
  return world.violations.length > 0 ? world.violations.map(said) : whyNot(world)
}

const core = (seed: number): ReadonlyArray<string> => {
  const world = new World({ scenario: chaos(seed), seed, oracles: everyOracle() })
  world.run(between(seed, "chaos", "calm", 0, 10_000, 100_000))
  const violation = world.violations[0] ?? judgeLiveness(world, seed)
  return violation === null ? [] : [said(violation)]
}

const failures = (run: (seed: number) => ReadonlyArray<string>): ReadonlyArray<string> =>
  Array.from({ length: SEEDS }, (_, n) => run(n + 1).map((what) => `seed ${n + 1}: ${what}`)).flat()

describe("random faults, then calm", () => {
  it(`safety holds, and L1 L3 L5 follow, in ${SEEDS} drawn worlds that heal as a whole`, () => {
    assert.deepStrictEqual(failures(healed), [])
  }, 120_000)

  it(`safety holds, and L1 L3 L5 L6 follow, in ${SEEDS} drawn worlds of which a core heals`, () => {
    assert.deepStrictEqual(failures(core), [])
  }, 120_000)
})

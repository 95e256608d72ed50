/** What a campaign adds up to, and what one finding is. */
import { assert, describe, it } from "@effect/vitest"
import type { Judged, SeedReport } from "../../../sim/search/OneSeed.ts"
import type { Task } from "../../../sim/search/Plan.ts"
import { Tally } from "../../../sim/search/Tally.ts"
import { field } from "./Field.ts"

const task = (seed: number, scenario = 0): Task => ({ n: seed, scenario, seed })
const judged = (place: number, status: Judged["status"], more: Partial<Judged> = {}): Judged => ({
  place,
  status,
  ...more
})
const report = (seed: number, parts: Partial<SeedReport> = {}): SeedReport => ({
  seed,
  points: [],
  class: "everywhere",
  events: 10,
  hash: `hash-${seed}`,
  judged: [],
  violations: [],
  effects: [],
  reached: [],
  firsts: [],
  situations: [],
  ...parts
})

describe("the tally of a campaign", () => {
  it("counts each expectation by its place in the file, whatever else was judged in that seed", () => {
    const tally = new Tally([field()])
    tally.add(task(1), report(1, { class: "varied", judged: [judged(1, "held"), judged(4, "held")] }))
    tally.add(task(2), report(2, { judged: [judged(4, "broken"), judged(2, "not-reached")] }))
    const [{ classes, expectations, failed, runs, seeds }] = tally.scenarios as [(typeof tally.scenarios)[number]]
    assert.deepStrictEqual(
      expectations.map(({ broken, held, notReached }) => [held, broken, notReached]),
      [
        [0, 0, 0],
        [1, 0, 0],
        [0, 0, 1],
        [0, 0, 0],
        [1, 1, 0]
      ]
    )
    assert.deepStrictEqual({ runs, failed, seeds }, { runs: 2, failed: 1, seeds: { first: 1, last: 2 } })
    assert.deepStrictEqual(classes, { scripted: 0, varied: 1, everywhere: 1 })
  })

  it("one expectation, or one invariant, of one scenario is one finding; the first seed stands for it", () => {
    const tally = new Tally([field(), field()])
    const found = (seed: number, scenario: number, parts: Partial<SeedReport>) =>
      tally.add(task(seed, scenario), report(seed, parts)).length
    const violation = { oracle: "S1", atMs: 3, node: "main", message: "two" }
    assert.deepStrictEqual(
      [
        found(7, 0, { judged: [judged(4, "broken")] }),
        found(8, 0, { judged: [judged(4, "broken", { witness: "something else" })] }),
        found(8, 1, { judged: [judged(4, "broken"), judged(2, "broken")] }),
        found(9, 0, { violations: [violation, { ...violation, message: "and three" }] }),
        found(10, 0, { violations: [violation] })
      ],
      [1, 0, 2, 1, 0]
    )
    assert.deepStrictEqual(
      tally.findings.map(({ scenario, seed, seeds }) => [scenario, seed, seeds]),
      [
        [0, 7, 2],
        [1, 8, 1],
        [1, 8, 1],
        [0, 9, 2]
      ]
    )
  })

  it("the outcome depends on every run's scenario, seed and hash, and on their order", () => {
    const outcome = (...runs: ReadonlyArray<readonly [scenario: number, seed: number, hash: string]>) => {
      const tally = new Tally([field(), field()])
      for (const [scenario, seed, hash] of runs) tally.add(task(seed, scenario), report(seed, { hash }))
      return tally.outcome()
    }
    const all = [
      outcome([0, 1, "a"], [1, 1, "b"]),
      outcome([1, 1, "b"], [0, 1, "a"]),
      outcome([0, 1, "a"], [0, 1, "b"]),
      outcome([0, 1, "a"], [1, 2, "b"]),
      outcome([0, 1, "a"], [1, 1, "c"])
    ]
    assert.strictEqual(new Set(all).size, 5)
    assert.strictEqual(outcome([0, 1, "a"], [1, 1, "b"]), all[0])
  })

  it("sums what faults came to, and keeps the margin that came nearest to its limit", () => {
    const tally = new Tally([field()])
    const effect = { source: "fault/0", strikes: 3, touched: 2, mattered: null }
    const held = (marginMs: number, limitMs: number) => judged(1, "held", { marginMs, limitMs })
    tally.add(task(1), report(1, { effects: [effect], judged: [held(900, 1_000)] }))
    tally.add(task(2), report(2, { effects: [{ ...effect, touched: 0, mattered: null }], judged: [held(950, 1_000)] }))
    tally.add(task(3), report(3, { effects: [{ ...effect, mattered: true }], judged: [held(4_000, 5_000)] }))
    const [{ effects, tightest }] = tally.scenarios as [(typeof tally.scenarios)[number]]
    assert.deepStrictEqual(effects.get("fault/0"), { struck: 3, touched: 2, tried: 1, mattered: 1 })
    assert.deepStrictEqual(tightest, { place: 1, marginMs: 950, limitMs: 1_000, seed: 2 })
  })
})

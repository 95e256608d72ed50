/** `pnpm bench authority`: what it counts, and that it is the rule that makes the difference. */
import { assert, describe, it } from "@effect/vitest"
import { Authority } from "../../bench/authority/Run.ts"
import { LASTS_MS, schedule } from "../../bench/authority/Schedule.ts"
import { faultsOf, type Effect } from "../../bench/authority/Valve.ts"

const effect = (intent: string, planner: string, tenure: number, saidMs: number): Effect => ({
  intent,
  planner,
  tenure,
  saidMs,
  atMs: 0
})

describe("faults of a valve", () => {
  it("counts an intent that moves it again, an older order after a newer one, and one planner in the middle of another", () => {
    assert.deepStrictEqual(
      faultsOf([effect("a", "p", 1, 1), effect("b", "p", 1, 2), effect("c", "q", 2, 3), effect("d", "p", 3, 4)]),
      { repeats: 0, inversions: 0, interleavings: 0 }
    )
    assert.deepInclude(faultsOf([effect("a", "p", 1, 1), effect("a", "p", 1, 2)]), { repeats: 1 })
    assert.deepInclude(faultsOf([effect("a", "p", 1, 2), effect("b", "p", 1, 1)]), { inversions: 1 })
    assert.deepInclude(faultsOf([effect("a", "p", 1, 1), effect("b", "q", 1, 2), effect("c", "p", 1, 3)]), {
      interleavings: 1
    })
  })
})

describe("a schedule", () => {
  it("is the same each time, and strikes all rules alike: ours makes no fault, the lowest visible id does", () => {
    const jobs = { fromMs: 20_000, untilMs: 110_000, eachMs: 2_000, thinksMs: 1_000, tickMs: 100 }
    const runs = [1, 2, 3].map((seed) => new Authority(schedule(seed), seed, jobs).run(LASTS_MS))
    assert.deepStrictEqual(new Authority(schedule(1), 1, jobs).run(LASTS_MS), runs[0])
    const sum = (rule: string): number =>
      runs
        .flat()
        .filter((result) => result.rule === rule)
        .reduce((all, { interleavings, inversions, repeats }) => all + interleavings + inversions + repeats, 0)
    assert.strictEqual(sum("ours"), 0)
    assert.isAbove(sum("lowest visible id"), 0)
    for (const { executed, rule } of runs.flat()) assert.isAbove(executed, 10, rule)
  })
})

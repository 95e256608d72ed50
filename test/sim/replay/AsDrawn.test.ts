/** A drawn run is made again of what was drawn, as a file holds it: without the fuzzer, and with what it turned into on its way. */
import { assert, describe, it } from "@effect/vitest"
import type { Drawn } from "../../../sim/search/Drawn.ts"
import { runAsDrawn, runBranch } from "../../../sim/search/OneSeed.ts"
import { field } from "../search/Field.ts"

const fromFile = (drawn: Drawn): Drawn => JSON.parse(JSON.stringify(drawn)) as Drawn
const judged = { liveness: false }

describe("a run of what was drawn", () => {
  it("is the run of the seed", () => {
    for (const seed of [1, 2, 3, 4]) {
      const { drawn, result } = runBranch(field(), seed, true, [])
      const again = runAsDrawn(fromFile(drawn))
      assert.deepStrictEqual([again.hash, again.verdict, again.seed], [result.hash, result.verdict, seed])
    }
  })

  it("is the branch, with the faults that strike in its other future", () => {
    const points = [
      { after: 300, future: 2 },
      { after: 700, future: 1 }
    ]
    let more = 0
    for (const seed of [3, 5]) {
      const { drawn, result } = runBranch(field(), seed, true, points, judged)
      more += drawn.turns.reduce((sum, turn) => sum + turn.more.length + turn.without.length, 0)
      assert.strictEqual(drawn.turns.length, 2)
      assert.strictEqual(runAsDrawn(fromFile(drawn), judged).hash, result.hash)
      assert.notStrictEqual(runAsDrawn({ ...drawn, turns: [] }, judged).hash, result.hash)
    }
    assert.isAbove(more, 4, "other faults struck, and some did not")
  })

  it("ends before a turn that it does not come to", () => {
    const { drawn, result } = runBranch(field(), 3, true, [], judged)
    const turns = [{ after: 10_000_000, seed: 1, without: [], more: [] }]
    assert.strictEqual(runAsDrawn({ ...drawn, turns }, judged).hash, result.hash)
  })
})

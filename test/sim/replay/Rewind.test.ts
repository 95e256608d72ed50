/** Any moment of a run can be come back to, and what goes on from there is the run that it was. */
import { assert, describe, it } from "@effect/vitest"
import { Run } from "../../../sim/run.ts"
import { turnOff } from "../../../sim/search/Branch.ts"
import { draw } from "../../../sim/search/Draw.ts"
import { runBranch } from "../../../sim/search/OneSeed.ts"
import { Rewind } from "../../../sim/trace/Rewind.ts"
import { field } from "../search/Field.ts"

/** The hash behind each input, of a run from its beginning. */
const hashes = (): { readonly after: Map<number, string>; readonly events: number; readonly hash: string } => {
  const after = new Map<number, string>()
  const run = new Run(field(), { seed: 3 })
  run.go(() => {
    after.set(run.world.events, run.world.traceHash())
    return false
  })
  return { after, events: run.world.events, hash: run.finish().hash }
}

describe("a run of which any moment can be come back to", () => {
  const { after, events, hash } = hashes()
  const rewind = new Rewind(new Run(field(), { seed: 3 }), [], 64)

  it("keeps a place each so many inputs", () => {
    assert.strictEqual(rewind.events, events)
    assert.isAtLeast(rewind.marks, Math.floor(events / 80))
    assert.isAtMost(rewind.marks, Math.ceil(events / 64) + 1)
  })

  it("is at each moment what it was then, in whichever order one comes to them", () => {
    for (let event = 0; event <= events; event += 7) {
      const { world } = rewind.at((event * 31) % (events + 1))
      if (world.events > 0) assert.strictEqual(world.traceHash(), after.get(world.events))
    }
    assert.strictEqual(rewind.at(0).world.events, 0)
    assert.strictEqual(rewind.at(events).world.traceHash(), hash)
    assert.strictEqual(rewind.at(events + 1_000).world.traceHash(), hash)
  })

  it("goes on from there to the end that it had, as often as one likes", () => {
    for (const event of [1, 63, 64, 65, 500, 500, events - 1]) {
      const run = rewind.at(event)
      assert.isBelow(run.world.events - event, 8, "not much further than asked for")
      run.go()
      assert.strictEqual(run.finish().hash, hash)
    }
  })

  it("turns off where a branch does", () => {
    const points = [{ after: 300, future: 2 }]
    const drawn = draw(field(), 3, { swarm: true })
    const { liveness, ties } = drawn
    const turn = (run: Run) => turnOff(field(), { run, drawn }, points, true, {}).run
    const branch = new Rewind(new Run(drawn.scenario, { liveness, seed: 3, ties }), [{ after: 300, turn }], 64)
    const { result } = runBranch(field(), 3, true, points, { liveness: false })
    for (const event of [300, 340]) {
      const run = branch.at(event)
      run.go()
      assert.strictEqual(run.world.traceHash(), result.hash)
    }
    const seeds = new Run(drawn.scenario, { liveness, seed: 3, ties })
    seeds.go(() => seeds.world.events >= 290)
    assert.strictEqual(branch.at(290).world.traceHash(), seeds.world.traceHash(), "before, it is the run that it left")
    assert.strictEqual(branch.end.world.traceHash(), result.hash)
  })
})

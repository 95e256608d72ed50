/** B7, P7.15: a process that stood still knows it, whenever that was. */
import { assert, describe, it } from "@effect/vitest"
import { World } from "../../../sim/engine/World.ts"
import { scenarioOf } from "../oracles/Broken.ts"

const scenario = scenarioOf(`scenario: Two
seed: 3
lasts: 60s
nodes:
  left: { role: planner }
  right: { role: field }
network: { delay: 1ms..2ms }
timeline:
  - { at: 0s, start: everyone }`)

describe("a process that stood still for a third of a second", () => {
  it("is told so at once when it goes on, wherever in its beat that falls", () => {
    const world = new World({ scenario, seed: 3 })
    world.run(10_000)
    const [left] = world.machines
    for (let n = 1; n <= 20; n++) {
      left!.freeze()
      world.run(world.nowMs + 333)
      left!.thaw()
      assert.strictEqual(left!.state()?.membership.stalls.count, n, `${n}`)
      assert.isAbove(left!.state()!.membership.attentiveAt, 0)
      world.run(world.nowMs + 2_050)
    }
    assert.strictEqual(left!.state()!.membership.members[0]!.state, "up")
    assert.strictEqual(left!.state()!.membership.members[0]!.flaps, 0)
  })

  it("and not after a shorter one", () => {
    const world = new World({ scenario, seed: 3 })
    world.run(10_000)
    const [left] = world.machines
    left!.freeze()
    world.run(world.nowMs + 120)
    left!.thaw()
    assert.strictEqual(left!.state()?.membership.stalls.count, 0)
  })
})

/** L6, B6: without any fault nothing happens: no disconnect, no suspicion, no change of leader. */
import { assert, describe, it } from "@effect/vitest"
import type { Happening } from "../../sim/engine/View.ts"
import { World } from "../../sim/engine/World.ts"
import { everyOracle } from "../../sim/oracles/all.ts"
import { readScenario } from "../../sim/scenario/read.ts"

const SETTLED_MS = 10_000
const HOUR_MS = 3_600_000

const idle = `
scenario: Ten idle nodes
seed: 5
lasts: 2h
nodes:
  laptop-1: { role: planner }
  laptop-2: { role: standby-planner }
  jetson-1: { role: field, clock-rate: +500ppm }
  jetson-2: { role: field, clock-rate: -500ppm }
  jetson-3: { role: field }
  jetson-4: { role: field }
  sensor-1: { role: sensor }
  pump-1: { role: actuator }
  kiosk: { role: viewer }
  phone: { role: viewer }
network: { delay: 1ms..40ms }
timeline:
  - { at: 0s, start: everyone }
expect: []
`

describe("an idle mesh", () => {
  it("L6 B6: ten nodes, one hour: after the start not one event", () => {
    const read = readScenario("idle.yaml", idle)
    if ("mistakes" in read) throw new Error(read.mistakes.map(({ message }) => message).join("; "))
    const later: Array<Happening> = []
    const world = new World({
      scenario: read.scenario,
      seed: read.scenario.seed,
      oracles: everyOracle(),
      onHappening: (happening) => {
        if (happening.atMs > SETTLED_MS) later.push(happening)
      }
    })
    world.run(HOUR_MS)
    assert.deepStrictEqual(later, [])
    assert.deepStrictEqual(world.violations, [])
    assert.deepStrictEqual(new Set(world.view.nodes.map(({ leader }) => leader)), new Set(["laptop-1"]))
    for (const node of world.view.nodes)
      for (const other of world.view.nodes) if (node !== other) assert.strictEqual(node.peer(other.name), "up")
  }, 60_000)
})

/** L2 fires where nodes that reach each other do not come to know the same, and not with the real kernel. */
import { assert, describe, it } from "@effect/vitest"
import * as Node from "../../../kernel/Node.ts"
import { runScenario } from "../../../sim/run.ts"
import { broken, scenarioOf } from "./Broken.ts"

const mesh = {
  ...scenarioOf(`
scenario: Apart for a while
seed: 5
lasts: 30s
nodes:
  main:  { role: planner }
  field: { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
  - { at: 5s, partition: [[main], [field]], for: 15s }
  - { at: 8s, sense: { frame: dry, by: field, zone: z, metric: m, value: 1, times: exactly 5, each: 1s } }`),
  liveness: true as const
}

const answering = (change: (payload: unknown) => unknown, event: string) =>
  broken((node, input) => {
    const [after, commands] = Node.step(node, input)
    return [
      after,
      commands.map((command) =>
        command._tag === "Send" && command.frame.type === "event" && command.frame.event === event
          ? ({ ...command, frame: { ...command.frame, payload: change(command.frame.payload) } } as typeof command)
          : command
      )
    ]
  })

describe("L2: world models of connected nodes are equal", () => {
  it("with the real kernel they are", () => {
    assert.deepStrictEqual([...runScenario(mesh, {}).violations], [])
  })
  for (const [what, event, change] of [
    ["nobody tells what it holds", "mesh.world.have", () => ({ streams: [], entries: [] })],
    [
      "nobody gives what is asked for",
      "mesh.world.frames",
      (payload: object) => ({ ...payload, through: 0, frames: [] })
    ]
  ] as const)
    it(`fires where ${what}`, () => {
      const { violations } = runScenario(mesh, { kernel: answering(change as never, event) })
      assert.deepStrictEqual(
        violations.map(({ oracle }) => oracle),
        ["L2"]
      )
      assert.match(violations[0]!.message, /main knows 0 frames of field, incarnation 1, and field 5/u)
    })
})

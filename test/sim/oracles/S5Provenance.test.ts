/** S5 fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { describe, it } from "@effect/vitest"
import * as Node from "../../../kernel/Node.ts"
import type { ContextFrame } from "../../../kernel/wire/ContextFrame.ts"
import type { Held } from "../../../kernel/world/Log.ts"
import { broken, fires, scenarioOf } from "./Broken.ts"

const mesh = scenarioOf(`
scenario: Three
seed: 5
lasts: 20s
nodes:
  main:  { role: planner }
  field: { role: field }
  probe: { role: sensor }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
  - { at: 5s, sense: { frame: dry, by: probe, zone: z, metric: m, value: 1, times: exactly 20, each: 200ms } }`)

/** Of a device of generation 1 nothing is signed: of its frames the lies of others cannot be told apart. */
const besideLies = scenarioOf(`
scenario: An old one among liars
seed: 5
lasts: 60s
nodes:
  main:  { role: planner }
  field: { role: field }
  old:   { role: sensor, generation: 1 }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
  - { at: 3s, lie: { from: field, to: main, share: 50%, with: false words } }
  - { at: 3s, corrupt: { between: [old, main], share: 20% } }
  - { at: 5s, sense: { frame: dry, by: old, zone: z, metric: m, value: 1, times: exactly 40, each: 1s } }`)

/** `main` takes every frame for another one, and believes it. */
const taking = (change: (frame: ContextFrame) => ContextFrame) =>
  broken((node, input) => {
    const isMain = node.config.displayName === "main"
    if (isMain && input._tag === "Checked") return Node.step(node, { ...input, valid: input.valid.map(() => true) })
    if (!isMain || input._tag !== "Received" || input.frame.type !== "event" || input.frame.event !== "context.frame")
      return Node.step(node, input)
    return Node.step(node, { ...input, frame: { ...input.frame, payload: change(input.frame.payload) } })
  })

describe("S5: a frame is everywhere what it was at its origin", () => {
  it("its tier", () =>
    fires(
      "S5",
      /^main holds dry\/probe\.1\/1 of probe as .*T3.*, and it was said as /u,
      mesh,
      taking((frame) => ({ ...frame, trust: { ...frame.trust, evidence_trust_tier: "T3_verified_action_evidence" } }))
    ))
  it("its data", () =>
    fires(
      "S5",
      /^main holds dry\/probe\.1\/1 of probe as /u,
      mesh,
      taking((frame) => ({ ...frame, data: { value: 2 } }))
    ))
  it("its number", () =>
    fires(
      "S5",
      /^main holds dry/u,
      mesh,
      taking((frame) => ({ ...frame, kernel: { ...frame.kernel!, seq: frame.kernel!.seq + 1 } }))
    ))
  it("what nobody signed, beside lies and letters that are changed on the way", () =>
    fires(
      "S5",
      /^main holds dry\/old\.1\/\d+ of old as /u,
      besideLies,
      taking((frame) => (frame.kernel === undefined ? { ...frame, data: { value: 2 } } : frame))
    ))
  it("what is unsigned, in the name of one who can sign", () =>
    fires(
      "S5",
      /^main takes dry\/probe\.1\/\d+ unsigned, and probe can sign$/u,
      mesh,
      broken((node, input) => {
        const [next, commands] = Node.step(node, input)
        if (node.config.displayName !== "main" || next.world === node.world) return [next, commands]
        const bare = (held: Held): Held => {
          const { kernel: _, ...frame } = held.frame
          return { ...held, frame }
        }
        const origins = next.world.origins.map((origin) =>
          node.world.origins.includes(origin)
            ? origin
            : {
                ...origin,
                logs: origin.logs.map((log) => ({ ...log, tail: { ...log.tail, array: log.tail.array.map(bare) } }))
              }
        )
        return [{ ...next, world: { ...next.world, origins } }, commands]
      })
    ))
  it("what nobody said", () =>
    fires(
      "S5",
      /^main holds made-up of probe, which nobody said$/u,
      mesh,
      taking((frame) => ({ ...frame, frameId: "made-up" }))
    ))
})

/** G1 fires on kernels that break a rule towards generation 1, and on no other; so do L1 and L5 on one that forgets it. */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import * as Node from "../../../kernel/Node.ts"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import type { Kernel } from "../../../sim/engine/Host.ts"
import { World } from "../../../sim/engine/World.ts"
import { everyOracle } from "../../../sim/oracles/all.ts"
import { judgeLiveness, whyNot } from "../../../sim/oracles/Liveness.ts"
import { mixed } from "../../../sim/gen1/Mixed.ts"
import { chaos } from "../Chaos.ts"
import { broken, fires, scenarioOf } from "./Broken.ts"

const old = (lasts = "200s") =>
  scenarioOf(`
scenario: An old device among three
seed: 3
lasts: ${lasts}
electors: [main, backup, field]
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  field:  { role: field }
  old:    { role: sensor, generation: 1 }
network: { delay: 2ms..20ms }
timeline:
  - { at: 0s, start: everyone }`)

/** The real kernel, and at each alarm these frames go to every session with a device of generation 1. */
const saying = (...frames: ReadonlyArray<Frame>): Kernel =>
  broken((node, input) => {
    const [after, commands] = Node.step(node, input)
    if (input._tag !== "Woke") return [after, commands]
    const more = after.links.gen1.flatMap(({ link }) => frames.map((frame): Command => ({ _tag: "Send", link, frame })))
    return [after, [...commands, ...more]]
  })

const heartbeat = { type: "event", event: "mesh.heartbeat", payload: { epoch: [1, 1, 0, 0], seq: 0, rows: 0 } } as const
const deviceId = "0".repeat(64)

describe("G1: a kernel that", () => {
  it("P11.1: sends it an event of ours", () => {
    fires("G1", /sends mesh.heartbeat to old/u, old(), saying(heartbeat))
  })

  it("P11.1: accuses others to it", () => {
    const accusation = { type: "event", event: "peer.down", payload: { gen: 1, deviceId, reportedAtMs: 0 } } as const
    fires("G1", /sends peer.down to old/u, old(), saying(accusation))
  })

  it("P11.1: names its incarnation in a goodbye", () => {
    const payload = { gen: 1, deviceId, timestamp: 0, incarnation: 1 }
    fires("G1", /goodbye with an incarnation/u, old(), saying({ type: "event", event: "peer.leaving", payload }))
  })

  it("P11.2: asks a dialler", () => {
    const request = { type: "req", id: "1", method: "mesh.status", params: {} } as const
    fires("G1", /asks old for mesh.status/u, old(), saying(request))
  })

  it("P11.3: keeps no link alive", () => {
    const silent = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      const isKeepalive = (command: Command): boolean =>
        command._tag === "Send" && command.frame.type === "event" && command.frame.event === "link.keepalive"
      return [after, commands.filter((command) => !isKeepalive(command))]
    })
    fires("G1", /brought no event for 9\d{4} ms|brought no event for 1[012]\d{4} ms/u, old(), silent)
  })

  it("P11.4: sends more than it reads", () => {
    const payload = { gen: 1, timestamp: 0 }
    const keepalive = { type: "event", event: "link.keepalive", payload } as const
    fires("G1", /more than it reads/u, old(), saying(keepalive, keepalive, keepalive))
  })
})

describe("a core with a device of generation 1 in it", () => {
  const unwell = (kernel: Kernel): string => {
    const scenario = old("20s")
    // Some seeds have it in the core that has to get well, and some have not.
    for (let seed = 1; seed <= 4; seed++) {
      const world = new World({ scenario, seed: scenario.seed, kernel, oracles: everyOracle() })
      world.run(scenario.lastsMs)
      const violation = judgeLiveness(world, seed)
      if (violation !== null) return `${violation.oracle}: ${violation.message}`
    }
    return ""
  }

  it("L1, L5: a kernel that lets no such device in is found out", () => {
    const deaf: Kernel = {
      make: (config) => Node.make({ ...config, trusted: config.trusted.map((device) => ({ ...device, gen1: false })) }),
      step: Node.step
    }
    assert.match(unwell(deaf), /^L1: .*has old as unknown|^L5: .*no session with old/u)
    assert.strictEqual(unwell({ make: Node.make, step: Node.step }), "")
  }, 120_000)

  it("8 drawn worlds with one among them: safety holds, and all of them get well", () => {
    const failures = Array.from({ length: 8 }, (_, n) => {
      const seed = n + 1
      const scenario = mixed(chaos(seed), 1)
      const world = new World({ scenario, seed, oracles: everyOracle() })
      world.run(scenario.lastsMs)
      const wrong = world.violations.length > 0 ? world.violations.map(({ message }) => message) : whyNot(world)
      return wrong.map((what) => `seed ${seed}: ${what}`)
    }).flat()
    assert.deepStrictEqual(failures, [])
  }, 120_000)
})

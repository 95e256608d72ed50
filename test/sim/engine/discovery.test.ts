/** Machines that are told no addresses find each other on their segment (B15, C13, C14, C19, C25). */
import { assert, describe, it } from "@effect/vitest"
import * as Node from "../../../kernel/Node.ts"
import type { Kernel } from "../../../sim/engine/Host.ts"
import { shellHost } from "../../../sim/engine/ShellHost.ts"
import type { Machine } from "../../../sim/engine/Machine.ts"
import { farm, SETTLED_MS, type Farm } from "./Farm.ts"

/** The real kernel, which is told no addresses. */
const unaddressed: Kernel = {
  make: (config) => Node.make({ ...config, trusted: config.trusted.map((device) => ({ ...device, address: null })) }),
  step: Node.step
}

const nearby = (options: Parameters<typeof farm>[0] = {}): Farm => {
  const it = farm({ kernel: unaddressed, ...options })
  for (const machine of it.world.machines) machine.nearby.enabled = true
  return it
}

const news = ({ log }: Farm, at: Machine, of: Machine): ReadonlyArray<string> =>
  log.flatMap(({ input, name }) => {
    if (name !== at.name || (input._tag !== "Sighted" && input._tag !== "Lost")) return []
    if (input.deviceId !== of.config.deviceId) return []
    return [input._tag === "Lost" ? "lost" : `incarnation ${input.incarnation}`]
  })

const drivers = [
  ["the fast driver", {}],
  ["the shell", { makeHost: shellHost }]
] as const

for (const [driver, options] of drivers) {
  describe(`discovery under ${driver}`, () => {
    it("B15: who has no addresses finds the others, logs in, and leads; without discovery nobody meets anybody", () => {
      const { main, runTo, world } = nearby(options)
      runTo(SETTLED_MS)
      for (const node of world.view.nodes) {
        assert.strictEqual(node.leader, "main")
        for (const other of world.view.nodes) if (other !== node) assert.strictEqual(node.peer(other.name), "up")
      }
      assert.isTrue(world.view.nodes[0]!.leads)
      assert.isAtLeast(main.durable.pins.length, 2)

      const alone = farm({ kernel: unaddressed, ...options })
      alone.runTo(SETTLED_MS)
      assert.strictEqual(alone.world.view.nodes[0]!.peer("backup"), "unknown")
    })

    it("announces what is stored, and nothing before: a boot whose incarnation waits for the disk is silent", () => {
      const it = nearby(options)
      const { field, main, runTo } = it
      field.vault.harm("hang")
      runTo(20_000)
      assert.deepStrictEqual(news(it, main, field), [])
      assert.deepStrictEqual(news(it, field, main), ["incarnation 1"])
      field.vault.mend()
      runTo(25_000)
      assert.deepStrictEqual(news(it, main, field), ["incarnation 1"])
    })

    it("C13: a restart within the life of a record is told as a new incarnation, and never as lost", () => {
      const it = nearby(options)
      const { at, field, main, runTo, world } = it
      at(10_000, () => field.crash(true))
      at(12_000, () => field.start())
      runTo(20_000)
      assert.deepStrictEqual(news(it, main, field), ["incarnation 1", "incarnation 2"])
      assert.strictEqual(world.view.nodes[0]!.peer("field"), "up")
    })

    it("who leaves says goodbye; who is killed or loses power does not, and is lost when its record runs out", () => {
      for (const silent of [false, true]) {
        const it = nearby(options)
        const { field, main, runTo } = it
        runTo(SETTLED_MS)
        field.leave()
        runTo(SETTLED_MS + 2_000)
        assert.deepStrictEqual(news(it, main, field), ["incarnation 1", "lost"])
        field.start()
        runTo(SETTLED_MS + 4_000)
        field.crash(silent)
        runTo(SETTLED_MS + 60_000)
        assert.deepStrictEqual(news(it, main, field), ["incarnation 1", "lost", "incarnation 2"])
        runTo(SETTLED_MS + 126_000)
        assert.deepStrictEqual(news(it, main, field), ["incarnation 1", "lost", "incarnation 2", "lost"])
      }
    })

    it("a process that ends because of its disk says goodbye", () => {
      const it = nearby(options)
      const { backup, field, main, runTo } = it
      runTo(SETTLED_MS)
      backup.vault.harm("error")
      // Somebody has to be elected anew, which backup cannot vote for.
      main.crash(true)
      runTo(2 * SETTLED_MS)
      assert.isFalse(backup.running)
      assert.deepStrictEqual(news(it, field, backup), ["incarnation 1", "lost"])
      assert.deepStrictEqual(news(it, field, main), ["incarnation 1"])
    })

    it("C14: the record of a dead device is dialled, with backoff, until it runs out", () => {
      const it = nearby(options)
      const { field, log, main, runTo } = it
      runTo(SETTLED_MS)
      field.crash(true)
      runTo(300_000)
      const dials = log.flatMap(({ commands, name }) =>
        name === "main"
          ? commands.filter((command) => command._tag === "Dial" && command.to === field.config.deviceId)
          : []
      )
      assert.isAtMost(dials.length, 40)
      assert.deepStrictEqual(news(it, main, field), ["incarnation 1", "lost"])
      const lostAt = log.findIndex(({ input, name }) => name === "main" && input._tag === "Lost")
      assert.isFalse(
        log
          .slice(lostAt)
          .some(
            ({ commands, name }) =>
              name === "main" &&
              commands.some((command) => command._tag === "Dial" && command.to === field.config.deviceId)
          )
      )
    })

    it("C25: a record of another mesh is dialled by nobody", () => {
      const field = ({ field: { config } }: Farm): string => config.deviceId
      const dialled = ({ log }: Farm): ReadonlyArray<string> =>
        log.flatMap(({ commands }) => commands.flatMap((command) => (command._tag === "Dial" ? [command.to] : [])))
      const honest = nearby(options)
      honest.runTo(60_000)
      assert.include(dialled(honest), field(honest))
      const it = nearby(options)
      it.field.nearby.claims = { meshId: "f".repeat(64) }
      it.runTo(60_000)
      assert.deepStrictEqual(news(it, it.main, it.field), ["incarnation 1"])
      assert.isNotEmpty(dialled(it))
      assert.notInclude(dialled(it), field(it))
    })

    it("C20: nobody is told of itself, whoever claims to be it", () => {
      const it = nearby(options)
      const { backup, field, main, runTo } = it
      field.nearby.claims = { deviceId: main.config.deviceId }
      runTo(20_000)
      assert.deepStrictEqual(news(it, main, main), [])
      assert.isNotEmpty(news(it, backup, main))
      assert.isEmpty(news(it, backup, field))
    })

    it("a process without discovery says nothing, whatever the one before it did", () => {
      const it = nearby(options)
      const { at, field, main, runTo } = it
      at(10_000, () => {
        field.crash(true)
        field.nearby.enabled = false
      })
      at(12_000, () => field.start())
      runTo(140_000)
      assert.deepStrictEqual(news(it, main, field), ["incarnation 1", "lost"])
    })

    it("a frozen process takes up late what was said meanwhile", () => {
      const it = nearby(options)
      const { at, backup, field, main, runTo } = it
      at(10_000, () => {
        main.freeze()
      })
      at(11_000, () => field.crash(true))
      at(12_000, () => field.start())
      runTo(20_000)
      assert.deepStrictEqual(news(it, main, field), ["incarnation 1"])
      assert.deepStrictEqual(news(it, backup, field), ["incarnation 1", "incarnation 2"])
      main.thaw()
      runTo(22_000)
      assert.deepStrictEqual(news(it, main, field), ["incarnation 1", "incarnation 2"])
    })

    it("who is cut off hears nobody, and finds the others once it is joined again", () => {
      const it = nearby(options)
      const { field, main, runTo, world } = it
      for (const other of ["main", "backup"]) {
        world.network.cut("field", other)
        world.network.cut(other, "field")
      }
      runTo(60_000)
      assert.deepStrictEqual(news(it, main, field), [])
      world.network.mendAll()
      runTo(130_000)
      assert.deepStrictEqual(news(it, main, field), ["incarnation 1"])
      assert.strictEqual(world.view.nodes[0]!.peer("field"), "up")
    })
  })
}

describe("discovery and determinism", () => {
  const eventful = (options: Parameters<typeof farm>[0]): Farm => {
    const it = nearby(options)
    it.at(5_000, () => it.field.crash(true))
    it.at(6_000, () => it.field.start())
    it.at(9_000, () => it.backup.leave())
    it.at(12_000, () => it.backup.start())
    it.at(20_000, () => it.world.network.cut("main", "field"))
    it.at(40_000, () => it.world.network.mendAll())
    it.runTo(200_000)
    return it
  }
  it("S12: the same run again, and under the shell", () => {
    const fast = eventful({})
    assert.strictEqual(eventful({}).world.traceHash(), fast.world.traceHash())
    assert.strictEqual(eventful({ makeHost: shellHost }).world.traceHash(), fast.world.traceHash())
    assert.notStrictEqual(eventful({ seed: 2 }).world.traceHash(), fast.world.traceHash())
  })
})

/**
 * S9, amnesia: a device that lost its journal asks those it trusts which incarnation it had, lives in the next one, and makes
 * no promise until a newer manifest readmits it. Under both drivers.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Leadership from "../../../kernel/leadership/Leadership.ts"
import * as Node from "../../../kernel/Node.ts"
import type { Machine } from "../../../sim/engine/Machine.ts"
import { shellHost } from "../../../sim/engine/ShellHost.ts"
import { whyNot } from "../../../sim/oracles/Liveness.ts"
import { broken } from "../oracles/Broken.ts"
import { farm, SETTLED_MS } from "./Farm.ts"

const incarnationOf = (machine: Machine): number => machine.state()?.incarnation ?? -1
const phaseOf = (machine: Machine): string => machine.state()?.phase ?? "off"

/** Puts this machine into its third incarnation. */
const aged = ({ runTo, world }: ReturnType<typeof farm>, machine: Machine): void => {
  runTo(SETTLED_MS)
  for (let boot = 2; boot <= 3; boot++) {
    machine.crash(true)
    machine.start()
    runTo(world.nowMs + SETTLED_MS)
  }
  assert.strictEqual(incarnationOf(machine), 3)
}

for (const [driver, options] of [
  ["the fast driver", {}],
  ["the shell", { makeHost: shellHost }]
] as const) {
  describe(`amnesia, under ${driver}`, () => {
    it("the device comes back in the incarnation after the last that anybody met, and everybody has it up", () => {
      const it = farm(options)
      const { field, happenings, runTo, world } = it
      aged(it, field)
      field.crash(true, "lost")
      field.start()
      assert.strictEqual(phaseOf(field), "recalling")
      assert.strictEqual(field.durable.incarnation, 0, "nothing is stored before somebody answered")
      assert.isTrue(happenings.some(({ event, node }) => node === "field" && event === "node.amnesia"))
      runTo(world.nowMs + SETTLED_MS)
      assert.strictEqual(incarnationOf(field), 4)
      assert.strictEqual(phaseOf(field), "running")
      runTo(world.nowMs + 60_000)
      assert.deepStrictEqual(whyNot(world), [])
      field.crash(true)
      field.start()
      runTo(world.nowMs + SETTLED_MS)
      assert.strictEqual(incarnationOf(field), 5, "the next boot is an ordinary one")
      assert.strictEqual(field.durable.forgot, 1, "and still knows what it has forgotten")
      assert.isTrue(field.state()?.leadership.abstains)
    })

    it("it neither votes, promises nor leads, after further boots neither: without it there is no majority", () => {
      const it = farm(options)
      const { backup, field, main, runTo, world } = it
      runTo(SETTLED_MS)
      const term = main.state()!.leadership.term.counter
      main.crash(true, "lost")
      main.start()
      runTo(world.nowMs + 30_000)
      main.crash(true)
      main.start()
      runTo(world.nowMs + 30_000)
      const activity = (machine: Machine) => {
        const { config, leadership } = machine.state()!
        return Leadership.activity(leadership, config, machine.clock.mono(world.nowMs))
      }
      assert.strictEqual(activity(main), "ineligible")
      assert.strictEqual(activity(backup), "active", "the other two are a majority")
      assert.isAbove(backup.state()!.leadership.term.counter, term)
      field.crash(true)
      runTo(world.nowMs + 60_000)
      assert.strictEqual(phaseOf(main), "running")
      assert.strictEqual(activity(main), "ineligible")
      assert.strictEqual(activity(backup), "provisional", "main's promise does not count, and is not given")
    })

    it("with nobody in reach it waits, and is no member meanwhile; once they are there it asks", () => {
      const it = farm(options)
      const { backup, field, main, runTo, world } = it
      aged(it, field)
      for (const other of [main, backup]) other.crash(true)
      field.crash(true, "lost")
      field.start()
      runTo(world.nowMs + 120_000)
      assert.strictEqual(phaseOf(field), "recalling")
      assert.isFalse(field.listening)
      assert.isNull(
        field.host === null ? null : (field.state()!.links.links.find(({ _tag }) => _tag === "Session") ?? null)
      )
      for (const other of [main, backup]) other.start()
      runTo(world.nowMs + 20_000)
      // Both have restarted, and remember nobody: it begins anew, which is no older than anything that they know.
      assert.strictEqual(phaseOf(field), "running")
      assert.strictEqual(incarnationOf(field), 1)
    })

    it("whoever was out of reach and remembers more makes it begin once more", () => {
      const it = farm(options)
      const { backup, field, main, runTo, world } = it
      aged(it, field)
      backup.crash(true)
      backup.start()
      const cut = world.network.apply({
        _tag: "cut",
        pairs: [
          ["main", "field"],
          ["field", "main"],
          ["main", "backup"],
          ["backup", "main"]
        ]
      })
      field.crash(true, "lost")
      field.start()
      runTo(world.nowMs + 40_000)
      assert.strictEqual(incarnationOf(field), 1, "backup remembers nothing")
      world.network.undo(cut)
      runTo(world.nowMs + 60_000)
      assert.strictEqual(incarnationOf(field), 4, "main does")
      runTo(world.nowMs + 60_000)
      assert.deepStrictEqual(whyNot(world), [])
      assert.strictEqual(
        main.state()!.membership.members.find(({ deviceId }) => deviceId === field.config.deviceId)?.incarnation,
        4
      )
    })

    it("asked to leave while it asks, it stops", () => {
      const { backup, field, main, runTo, world } = farm(options)
      runTo(SETTLED_MS)
      for (const other of [main, backup]) other.crash(true)
      field.crash(true, "lost")
      field.start()
      runTo(world.nowMs + SETTLED_MS)
      field.leave()
      runTo(world.nowMs + SETTLED_MS)
      assert.isFalse(field.running)
    })
  })
}

describe("S9 watches who forgot", () => {
  it("and fires where it votes or promises all the same", () => {
    const shameless = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      return [
        after.leadership.abstains ? { ...after, leadership: { ...after.leadership, abstains: false } } : after,
        commands
      ]
    })
    const { field, runTo, world } = farm({ kernel: shameless })
    runTo(SETTLED_MS)
    field.crash(true, "lost")
    field.start()
    assert.throws(
      () => runTo(world.nowMs + 60_000),
      /S9 at \d+: field has lost its journal, and says mesh\.lead\.answer/u
    )
  })

  it("and fires where a lost journal is taken for a first boot", () => {
    const careless = broken((node, input) =>
      Node.step(node, input._tag === "Started" ? { ...input, amnesia: false } : input)
    )
    const { backup, field, main, runTo, world } = farm({ kernel: careless })
    runTo(SETTLED_MS)
    main.crash(true, "lost")
    // They restart as well, and remember nothing that could keep it out.
    for (const machine of [backup, field]) machine.crash(true)
    for (const machine of [main, backup, field]) machine.start()
    assert.throws(() => runTo(world.nowMs + 600_000), /S9 at \d+: main has lost its journal, and says mesh\.\w+/u)
  })
})

/** What a record of discovery changes, and what it does not (PROTOCOL.md part 3; C13, C18). */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import { STRANGERS_MAX } from "../../../kernel/links/Sightings.ts"
import { NEVER_MS } from "../../../kernel/Time.ts"
import { configOf, Drive, id, refusals, tags, type World } from "../drive.ts"

const told: World = { roles: { a: "field", b: "field" }, gen1: "" }
const untold: World = { ...told, dialled: "" }

const sight = (drive: Drive, name: string, incarnation?: number): ReadonlyArray<Command> =>
  drive.feed({
    _tag: "Sighted",
    deviceId: id(name),
    name,
    addresses: [`${name}.local:1`],
    gen: 1,
    ...(incarnation === undefined ? {} : { incarnation })
  })

const dials = (commands: ReadonlyArray<Command>): ReadonlyArray<string> =>
  commands.flatMap((command) => (command._tag === "Dial" ? [command.to] : []))

/** `a`, whom `b` in its incarnation 1 said goodbye to. */
const parted = (world: World): Drive => {
  const drive = Drive.up(world, "a")
  const { link } = drive.meet("b")
  drive.hear(link, "peer.leaving", { gen: 1, deviceId: id("b"), timestamp: 0, incarnation: 1 })
  assert.deepStrictEqual(dials(drive.pass(50_000)), [])
  return drive
}

for (const [word, world] of [
  ["an address of it was told", told],
  ["none was told", untold]
] as const)
  describe(`after a goodbye, where ${word}`, () => {
    it("P3.11, P3.12: a record of the incarnation that left, or of none, earns no dial, late or again", () => {
      const drive = parted(world)
      for (const incarnation of [1, undefined, 0, 1]) {
        const { nextDialAt } = drive.contact("b")
        assert.strictEqual(nextDialAt === NEVER_MS, world === untold)
        sight(drive, "b", incarnation)
        assert.strictEqual(drive.contact("b").nextDialAt, nextDialAt)
        assert.deepStrictEqual(dials(drive.pass(1_000)), [])
      }
    })

    it("P3.11, C18: a record of a higher one is the word to dial it", () => {
      const drive = parted(world)
      sight(drive, "b", 2)
      assert.deepStrictEqual(dials(drive.pass(100)), [id("b")])
      drive.feed({ _tag: "DialFailed", attempt: drive.contact("b").attempt!, reason: "refused" })
      assert.deepStrictEqual(dials(drive.pass(1_000)), [id("b")], "and again, as anybody who is missing")
      drive.reach("b", { incarnation: 2 })
      assert.lengthOf(drive.sessions("b"), 1)
    })

    it("P3.2: but the process that left is not let in, whatever the record says", () => {
      const drive = parted(world)
      sight(drive, "b", 9)
      drive.reach("b")
      assert.lengthOf(drive.sessions("b"), 0)
      drive.meet("b", { incarnation: 2 })
      assert.lengthOf(drive.sessions("b"), 1, "a record proves nothing, and shuts nobody out")
    })

    it("P3.11: the next goodbye is one as well", () => {
      const drive = parted(world)
      sight(drive, "b", 2)
      const { link } = drive.reach("b", { incarnation: 2 })
      drive.hear(link, "peer.leaving", { gen: 1, deviceId: id("b"), timestamp: 0, incarnation: 2 })
      sight(drive, "b", 2)
      assert.deepStrictEqual(dials(drive.pass(50_000)), [])
      sight(drive, "b", 3)
      assert.deepStrictEqual(dials(drive.pass(100)), [id("b")])
    })
  })

describe("after a goodbye", () => {
  it("P3.11: a record of the next incarnation that overtakes the goodbye is not forgotten", () => {
    const drive = Drive.up(told, "a")
    const { link } = drive.meet("b")
    sight(drive, "b", 2)
    drive.hear(link, "peer.leaving", { gen: 1, deviceId: id("b"), timestamp: 0, incarnation: 1 })
    assert.deepStrictEqual(dials(drive.pass(1_000)), [id("b")])
  })

  it("P3.13: of two that discovery alone brought together the higher id waits with it", () => {
    const drive = Drive.up(untold, "b")
    const { link } = drive.meet("a")
    drive.hear(link, "peer.leaving", { gen: 1, deviceId: id("a"), timestamp: 0, incarnation: 1 })
    sight(drive, "a", 2)
    assert.deepStrictEqual(dials(drive.pass(4_999)), [])
    assert.deepStrictEqual(dials(drive.pass(200)), [id("a")])
  })
})

describe("a device that is trusted no longer", () => {
  const trust = (drive: Drive, name: string): ReadonlyArray<Command> =>
    drive.feed({
      _tag: "Trust",
      device: { deviceId: id(name), role: "field", name, gen1: false, publicKey: null }
    })

  it("C16, C36: is a stranger whose sighting is kept; trusted again it is dialled at once", () => {
    const drive = Drive.up(untold, "a")
    sight(drive, "b", 1)
    drive.reach("b")
    drive.feed({ _tag: "Distrust", deviceId: id("b") })
    assert.deepStrictEqual(drive.node.links.strangers, [{ deviceId: id("b"), name: "b", addresses: ["b.local:1"] }])
    assert.deepStrictEqual(dials(drive.pass(60_000)), [])
    trust(drive, "b")
    assert.deepStrictEqual(drive.node.links.strangers, [])
    assert.deepStrictEqual(dials(drive.pass(100)), [id("b")])
  })

  it("is none where discovery has not seen it, or has lost it since", () => {
    const drive = Drive.up(untold, "a")
    drive.meet("b")
    drive.feed({ _tag: "Distrust", deviceId: id("b") })
    assert.deepStrictEqual(drive.node.links.strangers, [])
    trust(drive, "b")
    sight(drive, "b", 1)
    drive.feed({ _tag: "Lost", deviceId: id("b") })
    drive.feed({ _tag: "Distrust", deviceId: id("b") })
    assert.deepStrictEqual(drive.node.links.strangers, [])
  })

  it("S10: among as many strangers as are listed there is no place for it", () => {
    const drive = Drive.up(untold, "a")
    sight(drive, "b", 1)
    for (let i = 0; i < STRANGERS_MAX; i++)
      drive.feed({
        _tag: "Sighted",
        deviceId: i.toString(16).padStart(64, "0"),
        name: "x",
        addresses: ["x.local:1"],
        gen: 1
      })
    drive.feed({ _tag: "Distrust", deviceId: id("b") })
    assert.lengthOf(drive.node.links.strangers, STRANGERS_MAX)
  })
})

describe("while a node boots", () => {
  const booting = (of: World = untold, name = "a"): Drive => {
    const drive = new Drive(configOf(of, name))
    drive.step({ _tag: "Started", bootId: drive.bootId, durable: drive.durable })
    assert.strictEqual(drive.node.phase, "booting")
    return drive
  }
  const device = { deviceId: id("c"), role: "field", name: "c", gen1: false, publicKey: null } as const
  const stored = (commands: ReadonlyArray<Command>) =>
    commands.flatMap((command) => (command._tag === "Persist" ? [command.record] : []))

  it("C16: whom discovery sees is dialled once it runs; who is lost again is not", () => {
    const drive = booting()
    assert.deepStrictEqual(sight(drive, "b", 1), [], "nothing leaves before the incarnation is stored")
    drive.step({ _tag: "Stored", ticket: 1 })
    assert.deepStrictEqual(dials(drive.pass(100)), [id("b")])
    const other = booting()
    sight(other, "b", 1)
    other.feed({ _tag: "Lost", deviceId: id("b") })
    other.step({ _tag: "Stored", ticket: 1 })
    assert.deepStrictEqual(dials(other.pass(60_000)), [])
  })

  it("P3.13: the higher id waits with it, as ever", () => {
    const drive = booting(untold, "b")
    sight(drive, "a", 1)
    drive.step({ _tag: "Stored", ticket: 1 })
    assert.deepStrictEqual(dials(drive.pass(4_999)), [])
    assert.deepStrictEqual(dials(drive.pass(200)), [id("a")])
  })

  it("C16: a stranger that is seen is listed, and met once it is trusted", () => {
    const drive = booting()
    sight(drive, "c", 1)
    const commands = drive.step({ _tag: "Trust", device })
    assert.deepStrictEqual(tags(commands), ["Persist"], "the operator's word is kept, and nothing leaves")
    assert.deepStrictEqual(stored(commands), [{ _tag: "Trust", device }])
    assert.strictEqual(drive.node.phase, "booting")
    drive.step({ _tag: "Stored", ticket: 1 })
    assert.strictEqual(drive.node.phase, "running", "it waits for its incarnation, and for nothing that came after it")
    assert.deepStrictEqual(dials(drive.pass(100)), [id("c")])
    assert.strictEqual(drive.member("c").state, "unknown")
    assert.strictEqual(drive.node.durable.trusted.length, 1)
  })

  it("C36: who is trusted no longer is not dialled, nor let in", () => {
    const drive = booting(told)
    assert.deepStrictEqual(stored(drive.step({ _tag: "Distrust", deviceId: id("b") })), [
      { _tag: "Distrust", deviceId: id("b") }
    ])
    drive.step({ _tag: "Stored", ticket: 2 })
    assert.strictEqual(drive.node.phase, "booting", "its incarnation is not stored yet")
    drive.step({ _tag: "Stored", ticket: 1 })
    assert.deepStrictEqual(dials(drive.pass(60_000)), [])
    assert.deepStrictEqual(refusals(drive.meet("b").commands), ["UNTRUSTED_PEER"])
  })

  it("B3: that our own interface has lost its carrier is not forgotten either", () => {
    const drive = booting()
    drive.step({ _tag: "Carrier", up: false })
    drive.step({ _tag: "Stored", ticket: 1 })
    assert.strictEqual(drive.node.membership.carrierLostAt, 0)
  })
})

/** What a record of discovery changes, and what it does not (PROTOCOL.md part 3; C13, C18). */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import { NEVER_MS } from "../../../kernel/Time.ts"
import { Drive, id, type World } from "../drive.ts"

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
  assert.deepStrictEqual(dials(drive.pass(60_000)), [])
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
        sight(drive, "b", incarnation)
        assert.strictEqual(drive.contact("b").nextDialAt, NEVER_MS)
        assert.deepStrictEqual(dials(drive.pass(60_000)), [])
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
      assert.deepStrictEqual(dials(drive.pass(60_000)), [])
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

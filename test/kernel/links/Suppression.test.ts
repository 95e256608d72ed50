import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import { Drive, id, type World } from "../drive.ts"

/** Nobody is told an address. */
const found: World = { roles: { a: "field", b: "field", c: "field", d: "field", e: "field" }, dialled: "", gen1: "" }
const told: World = { ...found, dialled: "e" }

const sighting = (name: string, addresses: ReadonlyArray<string>, incarnation = 1) =>
  ({ _tag: "Sighted", deviceId: id(name), name, addresses, incarnation, gen: 1 }) as const

const dials = (commands: ReadonlyArray<Command>): number =>
  commands.filter((command) => command._tag === "Dial" && command.to === id("e")).length

/** For `ms` nobody answers a dial: each fails at once. What is dialled, and the others answer their probes. */
const alone = (drive: Drive, ms: number): number => {
  const until = drive.mono + ms
  let count = 0
  const perform = (commands: ReadonlyArray<Command>): void => {
    for (const command of commands) {
      if (command._tag === "Dial") {
        if (command.to === id("e")) count++
        perform(drive.feed({ _tag: "DialFailed", attempt: command.attempt, reason: "unreachable" }))
      }
      if (command._tag !== "Ping") continue
      const peer = drive.node.membership.members.find(({ link }) => link === command.link)
      if (peer !== undefined && peer.deviceId !== id("e"))
        perform(drive.feed({ _tag: "Ponged", link: command.link, probe: command.probe }))
    }
  }
  while (drive.node.alarmAt <= until) perform(drive.ring())
  drive.mono = until
  return count
}

/** `e` was met, and now `a` and three others have it as down. */
const dead = (world: World, addresses: ReadonlyArray<string>): Drive => {
  const drive = Drive.up(world, "a")
  const links = new Map(["b", "c", "d", "e"].map((name) => [name, drive.meet(name).link]))
  alone(drive, 1_000)
  drive.feed(sighting("e", addresses))
  for (const name of ["b", "c", "d"]) {
    const rows = [
      { observer: id(name), incarnation: 1, version: 9, edges: [{ subject: id("e"), incarnation: 1, good: false }] }
    ]
    drive.hear(links.get(name)!, "mesh.edges", { rows })
  }
  drive.feed({ _tag: "LinkDown", link: links.get("e")!, reason: "timeout" })
  alone(drive, 3_500)
  assert.strictEqual(drive.member("e").state, "down")
  assert.isTrue(drive.contact("e").dead)
  return drive
}

describe("B4, P3.12: whoever is dead is not dialled for a record's sake", () => {
  it("but once at each address, and then once each half minute", () => {
    const drive = dead(found, ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"])
    // Each address was dialled while it was found dead, or is now.
    assert.isAtMost(alone(drive, 10_000), 3)
    const later = alone(drive, 120_000)
    assert.isAtLeast(later, 3)
    assert.isAtMost(later, 4)
  })

  it("a new record is worth one dial at each of its addresses, at once", () => {
    const drive = dead(found, ["10.0.0.1:1"])
    alone(drive, 20_000)
    const commands = drive.feed(sighting("e", ["10.0.0.4:1", "10.0.0.5:1"]))
    assert.strictEqual(dials(commands), 0)
    assert.strictEqual(alone(drive, 5_000), 2)
    assert.strictEqual(alone(drive, 20_000), 0)
  })

  it("S10, C36: whoever is trusted no longer is nobody's witness any more", () => {
    const drive = dead(found, ["10.0.0.1:1"])
    assert.include(drive.member("e").witnesses, id("b"))
    drive.feed({ _tag: "Distrust", deviceId: id("b") })
    assert.strictEqual(drive.member("e").state, "down")
    assert.notInclude(drive.member("e").witnesses, id("b"))
  })

  it("a configured address is dialled as ever", () => {
    const drive = dead(told, [])
    assert.isAtLeast(alone(drive, 60_000), 6)
  })

  it("a handshake ends it, whoever dialled, and a death that one alone sees does not begin it", () => {
    const drive = dead(found, ["10.0.0.1:1"])
    drive.meet("e", { linkCounter: drive.nextLink() })
    assert.isFalse(drive.contact("e").dead)
    const two = Drive.up({ roles: { a: "field", e: "field" }, dialled: "" }, "a")
    const { link } = two.meet("e")
    two.feed(sighting("e", ["10.0.0.1:1"]), { _tag: "LinkDown", link, reason: "timeout" })
    alone(two, 5_000)
    assert.strictEqual(two.member("e").state, "down")
    assert.isFalse(two.contact("e").dead)
  })

  it("so does the word of the others, whose evidence it is, and it is dialled at once", () => {
    const drive = dead(found, ["10.0.0.1:1"])
    alone(drive, 5_000)
    for (const name of ["b", "c", "d"]) {
      const edges = [{ subject: id("e"), incarnation: 2, good: true }]
      const rows = [{ observer: id(name), incarnation: 1, version: 10, edges }]
      drive.hear(drive.member(name).link!, "mesh.edges", { rows })
    }
    assert.strictEqual(drive.member("e").state, "up")
    assert.isFalse(drive.contact("e").dead)
    assert.isAtLeast(alone(drive, 200), 1)
  })
})

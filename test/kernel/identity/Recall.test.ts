/** A device that lost its journal, and what the others tell it (P3.14 to P3.17; S9). */
import { assert, describe, it } from "@effect/vitest"
import * as Durable from "../../../kernel/Durable.ts"
import { Drive, id, refusals, type World } from "../drive.ts"

const five: World = { roles: { a: "field", b: "field", c: "field", d: "field", e: "field" }, gen1: "" }
const FORGETFUL: Durable.Durable = { ...Durable.empty, incarnation: 3, forgot: 1 }

const forgetful = (durable = FORGETFUL): Drive => Drive.up(five, "a", { durable })

/** `peer` refuses us as too low; when the next dial asks, within so long, it says that it remembers `remembers`. */
const refuseAndTell = (drive: Drive, peer: string, remembers: number, withinMs: number): boolean => {
  const refused = drive.dialled(peer, withinMs)
  if (refused === null) return false
  drive.answerChallenge(refused)
  drive.receive(refused, {
    type: "res",
    id: "connect",
    ok: false,
    error: { code: "IDENTITY_CONFLICT", message: "too low" }
  })
  const asking = drive.dialled(peer, withinMs)
  if (asking === null) return false
  drive.answerLogin(asking, peer, { hello: { remembers } }, drive.answerChallenge(asking))
  return true
}

describe("P3.17: refused as too low", () => {
  it("it asks, and lives in the incarnation after the one that it is told of", () => {
    const drive = forgetful()
    assert.strictEqual(drive.node.incarnation, 4)
    assert.isTrue(refuseAndTell(drive, "b", 9, 10_000))
    assert.strictEqual(drive.node.incarnation, 10)
    assert.strictEqual(drive.durable.incarnation, 10)
    assert.strictEqual(drive.node.phase, "running")
  })

  it("who did not forget asks nobody", () => {
    const drive = forgetful({ ...FORGETFUL, forgot: 0 })
    assert.isFalse(refuseAndTell(drive, "b", 9, 299_000))
    assert.strictEqual(drive.node.incarnation, 4)
  })

  it("the same one is not believed twice, however often it refuses: nobody who tells the truth could know more", () => {
    const drive = forgetful()
    assert.isTrue(refuseAndTell(drive, "b", 9, 10_000))
    const before = drive.node.incarnation
    for (let hour = 0; hour < 3; hour++) refuseAndTell(drive, "b", drive.node.incarnation + 1, 3_600_000)
    assert.strictEqual(drive.node.incarnation, before)
  })

  it("nor is one that had its say before the device began to live", () => {
    const drive = new Drive(forgetful().config)
    drive.feed({ _tag: "Started", bootId: drive.bootId, durable: Durable.empty, amnesia: true })
    for (const peer of "bcde") {
      const asking = drive.dialled(peer, 1_000)!
      drive.answerLogin(asking, peer, { hello: { remembers: 6 } }, drive.answerChallenge(asking))
    }
    assert.strictEqual(drive.node.phase, "running")
    assert.strictEqual(drive.node.incarnation, 7)
    refuseAndTell(drive, "b", 20, 3_600_000)
    assert.strictEqual(drive.node.incarnation, 7)
  })

  it("of several that lie each is believed once, and each has to wait for longer than the one before", () => {
    const drive = forgetful()
    const born: Array<number> = []
    for (let round = 0; round < 3; round++)
      for (const peer of "bcde") {
        const before = drive.node.incarnation
        refuseAndTell(drive, peer, before + 1, 600_000)
        if (drive.node.incarnation !== before) born.push(drive.mono)
      }
    assert.lengthOf(born, 4)
    const { redialResetMs } = drive.config.profile
    for (const [i, factor] of [1, 2, 4].entries())
      assert.isAtLeast(born[i + 1]! - born[i]!, factor * redialResetMs, `after the ${i + 1}. time`)
  })

  it("P3.2, P3.11: a life that begins so forgets no life of others, and no goodbye", () => {
    const drive = forgetful()
    drive.feed({ _tag: "LinkDown", link: drive.meet("c", { incarnation: 5 }).link, reason: "reset" })
    const { link } = drive.meet("d", { incarnation: 2 })
    drive.hear(link, "peer.leaving", { gen: 1, deviceId: id("d"), timestamp: 0, incarnation: 2 })
    assert.isTrue(refuseAndTell(drive, "b", 9, 10_000))
    assert.strictEqual(drive.node.incarnation, 10)
    assert.deepStrictEqual(refusals(drive.meet("c", { incarnation: 4 }).commands), ["IDENTITY_CONFLICT"])
    assert.deepStrictEqual(refusals(drive.meet("d", { incarnation: 2 }).commands), ["IDENTITY_CONFLICT"])
    const dialledD = drive.pass(50_000).some((command) => command._tag === "Dial" && command.to === id("d"))
    assert.isFalse(dialledD)
  })

  it("also told of its very own number: there was another life of that name", () => {
    const drive = forgetful()
    assert.isTrue(refuseAndTell(drive, "b", 4, 10_000))
    assert.strictEqual(drive.node.incarnation, 5)
    assert.isTrue(refuseAndTell(drive, "c", 4, 600_000))
    assert.strictEqual(drive.node.incarnation, 5)
  })

  it("what nobody lives to see is not believed", () => {
    const drive = forgetful()
    assert.isTrue(refuseAndTell(drive, "b", 2 ** 32 + 1, 10_000))
    assert.strictEqual(drive.node.incarnation, 4)
    assert.strictEqual(drive.contact("b").peer, id("b"))
  })
})

describe("P3.20: a row in its name that it did not write", () => {
  const shows = (drive: Drive, peer: string, incarnation: number, version: number): void => {
    const { link } = drive.meet(peer)
    drive.hear(link, "mesh.edges", { rows: [{ observer: id("a"), incarnation, version, edges: [] }] })
  }

  it("it lives in the incarnation after that of the row, its own or a higher one", () => {
    for (const [incarnation, next] of [
      [4, 5],
      [9, 10]
    ] as const) {
      const drive = forgetful()
      shows(drive, "b", incarnation, 99)
      assert.strictEqual(drive.node.incarnation, next)
      assert.strictEqual(drive.durable.incarnation, next)
      assert.strictEqual(drive.node.phase, "running")
    }
  })

  it("among many nodes the head of it is enough", () => {
    const drive = forgetful()
    const { link } = drive.meet("b")
    drive.hear(link, "mesh.rows.have", { groups: [10], have: [{ observer: id("a"), incarnation: 4, version: 99 }] })
    assert.strictEqual(drive.node.incarnation, 5)
  })

  it("S9: with that its old life has nothing more to say", () => {
    const drive = forgetful()
    const { link } = drive.meet("b")
    const have = [
      { observer: id("a"), incarnation: 9, version: 99 },
      { observer: id("c"), incarnation: 1, version: 1 }
    ]
    drive.diskWaits = true
    const commands = drive.hear(link, "mesh.rows.have", { groups: [10, 12], have })
    assert.strictEqual(drive.node.incarnation, 10)
    assert.notInclude(
      commands.map(({ _tag }) => _tag),
      "Send"
    )
  })

  it("a row of an older life, or one that it wrote itself, says nothing", () => {
    const drive = forgetful()
    shows(drive, "b", 3, 99)
    shows(drive, "b", 4, drive.node.membership.mine.version)
    assert.strictEqual(drive.node.incarnation, 4)
  })

  it("who did not forget knows that it is forged", () => {
    const drive = forgetful({ ...FORGETFUL, forgot: 0 })
    shows(drive, "b", 9, 99)
    assert.strictEqual(drive.node.incarnation, 4)
  })

  it("each is heeded once in a process, and what nobody lives to see not at all", () => {
    const drive = forgetful()
    shows(drive, "b", 2 ** 32 + 1, 99)
    assert.strictEqual(drive.node.incarnation, 4)
    shows(drive, "c", 9, 99)
    shows(drive, "c", 20, 99)
    assert.strictEqual(drive.node.incarnation, 10)
    shows(drive, "d", 20, 99)
    assert.strictEqual(drive.node.incarnation, 21)
  })
})

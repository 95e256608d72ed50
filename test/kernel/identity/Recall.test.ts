/** A device that lost its journal, and what the others tell it (P3.14 to P3.17; S9). */
import { assert, describe, it } from "@effect/vitest"
import * as Durable from "../../../kernel/Durable.ts"
import { Drive, id, refusals, type World } from "../drive.ts"

const five: World = { roles: { a: "field", b: "field", c: "field", d: "field", e: "field" }, gen1: "" }
const FORGETFUL: Durable.Durable = { ...Durable.empty, incarnation: 3, forgot: 1 }

const forgetful = (durable = FORGETFUL): Drive => Drive.up(five, "a", { durable })

/** Our dial of `peer` opens, within so long; the link. */
const dialled = (drive: Drive, peer: string, withinMs: number): number | null => {
  const until = drive.mono + withinMs
  while (drive.contact(peer).attempt === null && drive.node.alarmAt <= until) drive.ring()
  const { attempt } = drive.contact(peer)
  if (attempt === null) return null
  const link = drive.nextLink()
  drive.linkUp(attempt, link)
  return link
}

/** `peer` refuses us as too low; when the next dial asks, within so long, it says that it remembers `remembers`. */
const refuseAndTell = (drive: Drive, peer: string, remembers: number, withinMs: number): boolean => {
  const refused = dialled(drive, peer, withinMs)
  if (refused === null) return false
  drive.answerChallenge(refused)
  drive.receive(refused, {
    type: "res",
    id: "connect",
    ok: false,
    error: { code: "IDENTITY_CONFLICT", message: "too low" }
  })
  const asking = dialled(drive, peer, withinMs)
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
      const asking = dialled(drive, peer, 1_000)!
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
    const dialledD = drive.pass(60_000).some((command) => command._tag === "Dial" && command.to === id("d"))
    assert.isFalse(dialledD)
  })

  it("what nobody lives to see is not believed", () => {
    const drive = forgetful()
    assert.isTrue(refuseAndTell(drive, "b", 2 ** 32 + 1, 10_000))
    assert.strictEqual(drive.node.incarnation, 4)
    assert.strictEqual(drive.contact("b").peer, id("b"))
  })
})

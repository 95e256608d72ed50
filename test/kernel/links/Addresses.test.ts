/** Several addresses of one device, and addresses that change (A27, A28, C23; P3.18, P3.19). */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import { NEVER_MS } from "../../../kernel/Time.ts"
import { configOf, Drive, hangups, id, type Given, type World } from "../drive.ts"

const two: World = { roles: { a: "field", b: "field" } }

const hosts = (...last: ReadonlyArray<number>): ReadonlyArray<string> => last.map((n) => `192.168.1.${n}:18789`)

const seen = (addresses: ReadonlyArray<string>, peer = "b"): Given => ({
  _tag: "Sighted",
  deviceId: id(peer),
  name: peer,
  addresses,
  incarnation: 1,
  gen: 1
})

/** One of the two, which was told no address and has seen the other's record. */
const looking = (addresses: ReadonlyArray<string>, name = "a"): Drive => {
  const config = configOf(two, name)
  const drive = new Drive({
    ...config,
    trusted: config.trusted.map((device) => ({ ...device, gen1: false, address: null }))
  })
  drive.start()
  drive.feed(seen(addresses, name === "a" ? "b" : "a"))
  return drive
}

const dialled = (commands: ReadonlyArray<Command>): ReadonlyArray<string> =>
  commands.flatMap((command) => (command._tag === "Dial" ? [command.address] : []))

/** The next dial, and how long it took to come. */
const nextDial = (drive: Drive, peer = "b"): { readonly address: string | undefined; readonly afterMs: number } => {
  const from = drive.mono
  let address: string | undefined
  while (drive.contact(peer).attempt === null) address = dialled(drive.ring())[0] ?? address
  return { address, afterMs: drive.mono - from }
}

const fail = (drive: Drive, reason: "unreachable" | "pin mismatch" = "unreachable"): ReadonlyArray<Command> =>
  drive.feed({ _tag: "DialFailed", attempt: drive.contact("b").attempt!, reason })

describe("several addresses", () => {
  it("P3.18: one after another without a wait, and all of them are one failure", () => {
    const drive = looking(hosts(1, 2, 3))
    for (const round of [1, 2]) {
      for (const host of hosts(1, 2, 3)) {
        const { address, afterMs } = nextDial(drive)
        assert.strictEqual(address, `wss://${host}`)
        if (host !== hosts(1)[0]) assert.isAtMost(afterMs, 50)
        assert.strictEqual(drive.contact("b").failures, round - 1)
        fail(drive)
      }
      assert.strictEqual(drive.contact("b").failures, round)
    }
  })

  it("P3.18: one that does not answer gives way; the last one has all the time", () => {
    const drive = looking(hosts(1, 2))
    nextDial(drive)
    const attempt = drive.contact("b").attempt!
    const commands = drive.pass(760)
    assert.deepInclude(commands, { _tag: "CancelDial", attempt })
    assert.deepStrictEqual(dialled(commands), [`wss://${hosts(2)[0]}`])
    const last = drive.contact("b").attempt!
    assert.deepStrictEqual(dialled(drive.pass(60_000)), [])
    assert.strictEqual(drive.contact("b").attempt, last)
    assert.deepStrictEqual(hangups(drive.linkUp(attempt, 77)), [{ link: 77, code: 1000, reason: "no longer wanted" }])
  })

  it("P3.18: the next round waits longer for each, ten seconds at most", () => {
    const drive = looking(hosts(1, 2))
    for (const patience of [700, 1_400, 2_800, 5_600, 10_000, 10_000]) {
      nextDial(drive)
      const from = drive.mono
      const { attempt } = drive.contact("b")
      while (drive.contact("b").attempt === attempt) drive.ring()
      assert.strictEqual(drive.mono - from, patience)
      nextDial(drive)
      fail(drive)
    }
  })

  it("P3.18: what led to the session is dialled first when it has ended", () => {
    const drive = looking(hosts(1, 2, 3))
    nextDial(drive)
    fail(drive)
    const { link } = drive.reach("b", { kernel: true })
    drive.mono += 30_000
    drive.feed({ _tag: "LinkDown", link, reason: "reset" })
    assert.strictEqual(nextDial(drive).address, `wss://${hosts(2)[0]}`)
    fail(drive)
    assert.strictEqual(nextDial(drive).address, `wss://${hosts(3)[0]}`)
  })

  it("P3.10: where one address shows another key the others are dialled; where all do, it is lasting", () => {
    const drive = looking(hosts(1, 2))
    nextDial(drive)
    fail(drive, "pin mismatch")
    assert.strictEqual(drive.contact("b").refused, null)
    assert.isAtMost(nextDial(drive).afterMs, 50)
    fail(drive)
    for (const _ of hosts(1, 2)) {
      nextDial(drive)
      fail(drive, "pin mismatch")
    }
    assert.strictEqual(drive.contact("b").refused, "PIN_MISMATCH")
    assert.strictEqual(drive.contact("b").nextDialAt, drive.mono + 300_000)
  })
})

describe("a record that changes", () => {
  /** With a session that `name` has, over the first of the addresses. */
  const met = (name = "a"): { readonly drive: Drive; readonly link: number } => {
    const drive = looking(hosts(1), name)
    const { link } = drive.meet(name === "a" ? "b" : "a", { kernel: true })
    drive.mono += 60_000
    return { drive, link }
  }

  it.each(["a", "b"])(
    "P3.19: the session has to answer, or is over, and is dialled at once, by whoever it is: %s",
    (name) => {
      const { drive, link } = met(name)
      const peer = name === "a" ? "b" : "a"
      const asked = drive.feed(seen(hosts(7), peer))
      assert.deepInclude(asked, { _tag: "Ping", link, probe: 0 })
      const from = drive.mono
      const commands = drive.pass(760)
      assert.strictEqual(hangups(commands)[0]?.link, link)
      assert.deepStrictEqual(dialled(commands), [`wss://${hosts(7)[0]}`])
      assert.isAtMost(drive.mono - from, 760)
    }
  )

  it("P3.19: one that answers goes on", () => {
    const { drive, link } = met()
    drive.feed(seen(hosts(7)), { _tag: "Ponged", link, probe: 0 })
    assert.strictEqual(drive.contact("b").doubtedUntil, NEVER_MS)
    drive.pass(760)
    assert.strictEqual(drive.contact("b").session, link)
  })

  it("P3.19: another address beside the old ones raises no doubt", () => {
    const { drive } = met()
    assert.deepStrictEqual(drive.feed(seen(hosts(1, 7))), [])
    assert.strictEqual(drive.contact("b").doubtedUntil, NEVER_MS)
  })

  it("P3.19: a dial to where it is not any more is given up", () => {
    const drive = looking(hosts(1))
    nextDial(drive)
    const attempt = drive.contact("b").attempt!
    assert.deepInclude(drive.feed(seen(hosts(7))), { _tag: "CancelDial", attempt })
    const { address, afterMs } = nextDial(drive)
    assert.strictEqual(address, `wss://${hosts(7)[0]}`)
    assert.isAtMost(afterMs, 100)
  })

  it("S10: a record that comes in the middle of our handshake begins no second one; a handshake that fails is followed by a dial", () => {
    const drive = looking(hosts(1))
    nextDial(drive)
    const link = drive.nextLink()
    drive.linkUp(drive.contact("b").attempt, link)
    drive.feed(seen(hosts(7)))
    assert.deepStrictEqual(dialled(drive.pass(5_000)), [])
    drive.feed({ _tag: "LinkDown", link, reason: "reset" })
    assert.strictEqual(nextDial(drive).address, `wss://${hosts(7)[0]}`)
  })

  it("P3.13: a record does not put off the dial that is due", () => {
    const drive = looking(hosts(1), "b")
    const dueAt = drive.contact("a").nextDialAt
    drive.pass(3_000)
    drive.feed(seen(hosts(1), "a"))
    assert.strictEqual(drive.contact("a").nextDialAt, dueAt)
  })
})

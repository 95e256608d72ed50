import { assert, describe, it } from "@effect/vitest"
import * as Durable from "../../kernel/Durable.ts"
import { NEVER_MS } from "../../kernel/Time.ts"
import type { Command } from "../../kernel/Command.ts"
import { configOf, Drive, events, framesTo, id, notes, refusals, sentEvents, tags, three, type Given } from "./drive.ts"

const started = (drive: Drive): Given => ({ _tag: "Started", bootId: drive.bootId, durable: drive.durable })
const off = (durable = Durable.empty): Drive => new Drive(configOf(three, "a"), { durable })

/** Feeds an input that must not matter: nothing is commanded, and the very same value comes back. */
const changesNothing = (drive: Drive, input: Given): void => {
  const before = drive.node
  assert.deepStrictEqual(drive.step(input), [], input._tag)
  assert.strictEqual(drive.node, before, input._tag)
}

const linkUp: Given = { _tag: "LinkUp", link: 1, attempt: null, nonce: "n", exporter: null }
const all: ReadonlyArray<Given> = [
  { _tag: "Stored", ticket: 7 },
  { _tag: "Woke" },
  linkUp,
  { _tag: "LinkDown", link: 1, reason: "closed" },
  { _tag: "DialFailed", attempt: 1, reason: "refused" },
  { _tag: "Received", link: 1, frame: { type: "req", id: "1", method: "mesh.challenge", params: {} } },
  { _tag: "Malformed", link: 1, code: "INVALID_JSON", id: null, method: null },
  { _tag: "Ponged", link: 1, probe: 0 },
  { _tag: "Checked", ticket: 1, deviceId: id("b"), valid: [true, true] },
  { _tag: "Signed", ticket: 1, signatures: ["s", "s"] },
  { _tag: "Leave", reason: "asked to" }
]

describe("boot", () => {
  it("P3.2: the next incarnation goes to the disk first, and listening waits for it", () => {
    const drive = off({ ...Durable.empty, incarnation: 6 })
    assert.deepStrictEqual(drive.step(started(drive)), [
      {
        _tag: "Persist",
        ticket: 1,
        record: { _tag: "Incarnation", incarnation: 7 },
        then: [{ _tag: "Listen" }]
      } satisfies Command
    ])
    assert.strictEqual(drive.node.phase, "booting")
  })

  it("P3.2: until it is on the disk nothing leaves and nothing is taken in, however long that takes", () => {
    const drive = off()
    drive.step(started(drive))
    for (const mono of [0, 1_000, 1_000_000]) {
      drive.mono = mono
      for (const input of all) changesNothing(drive, input)
      changesNothing(drive, started(drive))
    }
  })

  it("once it is on the disk the node runs: it says so, and sets its alarm", () => {
    const drive = off()
    drive.step(started(drive))
    const commands = drive.step({ _tag: "Stored", ticket: 1 })
    assert.deepStrictEqual(tags(commands), ["Note", "SetAlarm"])
    assert.deepStrictEqual(notes(commands), [{ event: "node.started", about: id("a"), incarnation: 1 }])
    assert.strictEqual(drive.node.phase, "running")
  })

  it("an input before the start changes nothing", () => {
    const drive = off()
    for (const input of all) changesNothing(drive, input)
  })

  it("a second start changes nothing", () => {
    const drive = Drive.up(three, "a")
    changesNothing(drive, started(drive))
  })
})

describe("step", () => {
  it("what names no link, ticket or attempt of ours gives back the same reference", () => {
    const drive = Drive.up(three, "a")
    for (const input of all) if (!["LinkUp", "Woke", "Leave"].includes(input._tag)) changesNothing(drive, input)
  })

  it("a frame without news gives back the same reference", () => {
    const drive = Drive.up(three, "a")
    const { link } = drive.meet("b")
    const { epoch } = drive.sessions("b")[0]!
    const theirs = [epoch[2], epoch[3], epoch[0], epoch[1]] as const
    const heartbeat = { epoch: theirs, seq: 0, rows: drive.node.membership.fingerprint }
    drive.hear(link, "mesh.heartbeat", heartbeat)
    changesNothing(drive, {
      _tag: "Received",
      link,
      frame: { type: "event", event: "mesh.heartbeat", payload: heartbeat }
    })
  })

  it("an early alarm does nothing but set itself again", () => {
    const drive = Drive.up(three, "a")
    const { alarmAt, ...before } = drive.node
    assert.isAbove(alarmAt, drive.mono)
    assert.deepStrictEqual(drive.step({ _tag: "Woke" }), [{ _tag: "SetAlarm", at: alarmAt }])
    const { alarmAt: again, ...after } = drive.node
    assert.deepStrictEqual(after, before)
    assert.strictEqual(again, alarmAt)
  })

  it("an alarm that rings twice finds its work done", () => {
    const drive = Drive.up(three, "a")
    drive.ring()
    const before = drive.node
    assert.deepStrictEqual(tags(drive.step({ _tag: "Woke" })), ["SetAlarm"])
    assert.deepStrictEqual(drive.node, before)
  })

  it("after each step the alarm is set for the earliest thing due, and for nothing past", () => {
    const drive = Drive.up(three, "a")
    for (let i = 0; i < 200; i++) {
      drive.ring()
      const { alarmAt, leadership, links, membership } = drive.node
      assert.strictEqual(alarmAt, Math.min(links.due, membership.due, leadership.due))
      assert.isAbove(alarmAt, drive.mono)
      assert.isBelow(alarmAt, NEVER_MS)
    }
  })

  it("P5.9, S9: the key that a trusted device first proved is stored, once", () => {
    const drive = Drive.up(three, "a")
    drive.diskWaits = true
    const first = drive.meet("b")
    const records = first.commands.flatMap((command) => (command._tag === "Persist" ? [command.record] : []))
    assert.deepStrictEqual(records, [{ _tag: "Pin", deviceId: id("b"), publicKey: "key-b", kernel: true }])
    const again = drive.meet("b", { linkCounter: 9 })
    assert.notInclude(tags(again.commands), "Persist")
  })

  it("P4.7: refusals are counted under their code", () => {
    const drive = Drive.up(three, "a")
    drive.meet("b", { instead: { signature: "forged" } })
    drive.meet("f")
    drive.meet("f")
    const counts = drive.node.refusals.filter((count) => count > 0)
    assert.deepStrictEqual([...counts].sort(), [1, 2])
  })
})

describe("leave", () => {
  it("B1: the goodbye goes out on every session, and then the node halts", () => {
    const drive = Drive.up(three, "a")
    const b = drive.meet("b").link
    const c = drive.meet("c").link
    drive.linkUp()
    const commands = drive.feed({ _tag: "Leave", reason: "asked to" })
    const goodbyes = sentEvents(commands, "peer.leaving")
    assert.deepStrictEqual(
      goodbyes.map(({ deviceId, incarnation, link }) => ({ deviceId, incarnation, link })),
      [
        { deviceId: id("a"), incarnation: drive.node.incarnation, link: b },
        { deviceId: id("a"), incarnation: drive.node.incarnation, link: c }
      ]
    )
    assert.strictEqual(tags(commands).at(-1), "Halt")
    assert.deepStrictEqual(events(commands), ["node.leaving"])
    assert.strictEqual(drive.node.phase, "left")
  })

  it("C7: a node that left takes in nothing any more", () => {
    const drive = Drive.up(three, "a")
    drive.meet("b")
    drive.feed({ _tag: "Leave", reason: "asked to" })
    for (const input of all) changesNothing(drive, input)
    changesNothing(drive, started(drive))
  })
})

describe("requests", () => {
  it("P8.1: a session's requests are answered", () => {
    const drive = Drive.up(three, "a")
    const { link } = drive.meet("b")
    for (const method of ["mesh.status", "mesh.peers"] as const) {
      const [answer, ...more] = framesTo(drive.receive(link, { type: "req", id: "9", method, params: {} }), link)
      assert.deepStrictEqual(more, [])
      assert.isTrue(answer?.type === "res" && answer.ok && answer.id === "9", method)
      drive.feed({ _tag: "Ponged", link, probe: drive.node.links.lines[0]!.mark })
    }
  })

  it("P8.1: a handshake on a session is answered NOT_AUTHORIZED, and the session stays", () => {
    const drive = Drive.up(three, "a")
    const { link } = drive.meet("b")
    assert.deepStrictEqual(refusals(drive.challenge(link)), ["NOT_AUTHORIZED"])
    assert.deepStrictEqual(refusals(drive.connect(link, "b")), ["NOT_AUTHORIZED"])
    assert.strictEqual(drive.sessions("b").length, 1)
  })

  it("S7: nobody without a session gets an answer to them", () => {
    const drive = Drive.up(three, "a")
    drive.linkUp(null, 1)
    const commands = drive.receive(1, { type: "req", id: "9", method: "mesh.status", params: {} })
    assert.deepStrictEqual(refusals(commands), ["NOT_AUTHORIZED"])
  })
})

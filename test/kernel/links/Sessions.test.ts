import { assert, describe, it } from "@effect/vitest"
import { Drive, events, framesTo, hangups, id, notes, refusals, tags, three, type Given } from "../drive.ts"
import type { EdgeRow } from "../../../kernel/wire/Frame.ts"
import { Mesh } from "../mesh.ts"
import { signed } from "../world/frames.ts"

/** What may still arrive on a connection that is over. */
const late = (link: number): ReadonlyArray<Given> => [
  { _tag: "Received", link, frame: { type: "req", id: "1", method: "mesh.status", params: {} } },
  {
    _tag: "Received",
    link,
    frame: { type: "event", event: "peer.leaving", payload: { gen: 1, deviceId: id("b"), timestamp: 0 } }
  },
  {
    _tag: "Received",
    link,
    frame: { type: "event", event: "mesh.lead", payload: { term: { manifest: 1, counter: 9 }, beat: 1 } }
  },
  { _tag: "Malformed", link, code: "INVALID_JSON", id: "1", method: null },
  { _tag: "Ponged", link, probe: 0 },
  { _tag: "Ponged", link, probe: 1 },
  { _tag: "LinkDown", link, reason: "reset" }
]

/** What we answer a login that we remember of its sender (P3.14), in each answer. */
const remembered = ({ commands, link }: ReturnType<Drive["meet"]>) =>
  framesTo(commands, link).flatMap((frame) =>
    frame.type === "res" && frame.id === "2" && frame.ok
      ? [(frame.payload as { readonly kernel: { readonly remembers?: number } }).kernel.remembers]
      : []
  )

const assertDead = (drive: Drive, link: number): void => {
  const before = drive.node
  for (const input of late(link)) {
    assert.deepStrictEqual(drive.step(input), [])
    assert.strictEqual(drive.node, before)
  }
}

describe("one session a device", () => {
  it("P3.5, S6: of two links by one dialler the newer is kept; nothing that is late on the older changes anything", () => {
    const drive = Drive.up(three, "a")
    const old = drive.meet("b").link
    const { commands, link } = drive.meet("b")
    assert.deepStrictEqual(hangups(commands), [{ link: old, code: 1000, reason: "displaced" }])
    assert.deepStrictEqual(
      drive.sessions("b").map((session) => session.link),
      [link]
    )
    assertDead(drive, old)
    assert.strictEqual(drive.member("b").state, "up")
  })

  it("P3.5: a later dial by the higher id does not displace the lower's", () => {
    const drive = Drive.up(three, "a")
    const ours = drive.reach("b").link
    const { commands, link } = drive.meet("b")
    assert.deepStrictEqual(hangups(commands), [{ link, code: 1000, reason: "crossing dials" }])
    assert.strictEqual(drive.sessions("b")[0]?.link, ours)
    assertDead(drive, link)
  })

  it("P3.5, A04: one that comes long after the handshake does: the higher id has lost the session, or it would not dial", () => {
    const drive = Drive.up(three, "a")
    const ours = drive.reach("b").link
    drive.mono += 9_999
    assert.deepStrictEqual(hangups(drive.meet("b").commands)[0]?.reason, "crossing dials")
    drive.mono += 1
    const { commands, link } = drive.meet("b")
    assert.deepStrictEqual(hangups(commands), [{ link: ours, code: 1000, reason: "displaced" }])
    assert.strictEqual(drive.sessions("b")[0]?.link, link)
    assertDead(drive, ours)
  })

  it("P3.5: a later dial by the lower id displaces the higher's", () => {
    const drive = Drive.up(three, "b")
    const ours = drive.reach("a").link
    const { commands, link } = drive.meet("a")
    assert.deepStrictEqual(hangups(commands), [{ link: ours, code: 1000, reason: "displaced" }])
    assert.strictEqual(drive.sessions("a")[0]?.link, link)
    assertDead(drive, ours)
  })

  it("P3.6: towards generation 1 the newest is the session", () => {
    const drive = Drive.up(three, "a")
    const old = drive.reach("b", { kernel: false }).link
    const { commands, link } = drive.meet("b", { kernel: false })
    assert.deepStrictEqual(hangups(commands), [{ link: old, code: 1000, reason: "displaced" }])
    assert.strictEqual(drive.sessions("b")[0]?.link, link)
  })
})

describe("incarnations", () => {
  it("P3.4: a newer incarnation waits, and a probe asks the older session", () => {
    const drive = Drive.up(three, "a")
    const old = drive.meet("b").link
    const { commands, link } = drive.meet("b", { incarnation: 2 })
    assert.deepInclude(commands, { _tag: "Ping", link: old, probe: 0 })
    assert.deepStrictEqual(framesTo(commands, link).filter((frame) => frame.type === "res").length, 1)
    assert.strictEqual(drive.sessions("b")[0]?.link, old)
  })

  it("P3.4: it displaces the older session once that has not answered for 700 ms", () => {
    const drive = Drive.up(three, "a")
    const old = drive.meet("b").link
    const { link } = drive.meet("b", { incarnation: 2 })
    const from = drive.mono
    drive.passUntil(from + 699)
    assert.strictEqual(drive.sessions("b")[0]?.link, old)
    drive.passUntil(from + 700)
    assert.strictEqual(drive.sessions("b")[0]?.link, link)
    assert.strictEqual(drive.member("b").incarnation, 2)
    assertDead(drive, old)
  })

  it("P3.4: it displaces the older session at once when that closes", () => {
    const drive = Drive.up(three, "a")
    const old = drive.meet("b").link
    const { link } = drive.meet("b", { incarnation: 2 })
    drive.feed({ _tag: "LinkDown", link: old, reason: "reset" })
    assert.strictEqual(drive.sessions("b")[0]?.link, link)
  })

  it("P3.4: where the older answers, the newcomer is the clone: refused, told, and the operator is told", () => {
    const drive = Drive.up(three, "a")
    const old = drive.meet("b").link
    const { link } = drive.meet("b", { incarnation: 2 })
    drive.mono += 300
    const commands = drive.feed({ _tag: "Ponged", link: old, probe: 0 })
    assert.deepStrictEqual(refusals(commands), ["IDENTITY_CONFLICT"])
    assert.deepStrictEqual(hangups(commands), [{ link, code: 1008, reason: "IDENTITY_CONFLICT" }])
    assert.deepInclude(notes(commands)[0], { event: "connection.refused", about: id("b"), code: "IDENTITY_CONFLICT" })
    assert.strictEqual(drive.sessions("b")[0]?.link, old)
    assert.deepStrictEqual(
      events(drive.pass(700)).filter((event) => event === "peer.disconnect"),
      []
    )
  })

  it("P3.2, S6: an older incarnation is refused, during the newer's session and after it", () => {
    const drive = Drive.up(three, "a")
    const { link } = drive.meet("b", { incarnation: 5 })
    assert.deepStrictEqual(refusals(drive.meet("b", { incarnation: 4 }).commands), ["IDENTITY_CONFLICT"])
    assert.strictEqual(drive.sessions("b")[0]?.link, link)
    drive.feed({ _tag: "LinkDown", link, reason: "reset" })
    assert.deepStrictEqual(refusals(drive.meet("b", { incarnation: 4 }).commands), ["IDENTITY_CONFLICT"])
    assert.strictEqual(drive.sessions("b").length, 0)
  })

  it("P3.14: who asks is told the highest that was met, also after that has left; nobody has a session by it", () => {
    const drive = Drive.up(three, "a")
    const first = drive.meet("b", { incarnation: 0 })
    assert.deepStrictEqual(remembered(first), [0])
    drive.feed({ _tag: "LinkDown", link: drive.meet("b", { incarnation: 3 }).link, reason: "reset" })
    const { link } = drive.meet("b", { incarnation: 7 })
    drive.hear(link, "peer.leaving", { gen: 1, deviceId: id("b"), timestamp: 0, incarnation: 7 })
    const asked = drive.meet("b", { incarnation: 0 })
    assert.deepStrictEqual(remembered(asked), [7])
    assert.deepStrictEqual(hangups(asked.commands), [{ link: asked.link, code: 1000, reason: "told" }])
    assert.lengthOf(drive.sessions("b"), 0)
    assert.strictEqual(drive.contact("b").incarnation, 7)
  })

  it("P3.14: who restarted meanwhile tells what rows of others name, and frames that it signed", () => {
    const told = (teach: (drive: Drive) => void): unknown => {
      const drive = Drive.up(three, "a")
      teach(drive)
      return remembered(drive.meet("b", { incarnation: 0 }))
    }
    const rows = (observer: string, incarnation: number, edges: EdgeRow["edges"]) => (drive: Drive) =>
      void drive.hear(drive.meet("c").link, "mesh.edges", {
        rows: [{ observer: id(observer), incarnation, version: 3, edges }]
      })
    assert.deepStrictEqual(told(rows("b", 6, [])), [6])
    assert.deepStrictEqual(told(rows("c", 1, [{ subject: id("b"), incarnation: 7, good: true }])), [7])
    assert.deepStrictEqual(told(rows("b", 2 ** 32 + 1, [])), [0])
    const frame = signed({ by: "b", incarnation: 8, seq: 1 })
    assert.deepStrictEqual(
      told((drive) => void drive.hear(drive.meet("c").link, "context.frame", frame)),
      [8]
    )
  })

  it("P3.14: who answers a dial without an incarnation is refused", () => {
    const drive = Drive.up(three, "a")
    const { commands, link } = drive.reach("b", { incarnation: 0 })
    assert.deepStrictEqual(hangups(commands), [{ link, code: 1008, reason: "IDENTITY_CONFLICT" }])
    assert.lengthOf(drive.sessions("b"), 0)
  })

  it("P3.2: what the operator says of a device does not let an older life of it in", () => {
    const drive = Drive.up(three, "a")
    drive.meet("b", { incarnation: 5 })
    const device = { deviceId: id("b"), role: "standby-planner", name: "b", gen1: false, publicKey: null } as const
    drive.feed({ _tag: "Trust", device })
    assert.lengthOf(drive.sessions("b"), 0)
    assert.deepStrictEqual(refusals(drive.meet("b", { incarnation: 4 }).commands), ["IDENTITY_CONFLICT"])
    drive.meet("b", { incarnation: 5 })
    assert.lengthOf(drive.sessions("b"), 1)
  })

  it("P3.3: the same incarnation with another boot id is a clone: refused at once, the older stays", () => {
    const drive = Drive.up(three, "a")
    const { link } = drive.meet("b")
    const clone = drive.meet("b", { bootId: "copied card" })
    assert.deepStrictEqual(refusals(clone.commands), ["IDENTITY_CONFLICT"])
    assert.notInclude(tags(clone.commands), "Ping")
    assert.strictEqual(drive.sessions("b")[0]?.link, link)
  })

  it("P3.3: a clone that we dialled is hung up on, and not dialled for five minutes", () => {
    const drive = Drive.up(three, "a")
    const { link } = drive.reach("b")
    drive.feed({ _tag: "LinkDown", link, reason: "closed" })
    const clone = drive.reach("b", { bootId: "copied card" })
    assert.deepStrictEqual(hangups(clone.commands), [{ link: clone.link, code: 1008, reason: "IDENTITY_CONFLICT" }])
    assert.strictEqual(drive.contact("b").nextDialAt, drive.mono + 300_000)
  })
})

describe("goodbye", () => {
  const goodbye = { gen: 1, deviceId: id("b"), timestamp: 0 }

  it("P3.2: who left does not come back in that incarnation, and does in the next", () => {
    const drive = Drive.up(three, "a")
    const { link } = drive.meet("b")
    drive.hear(link, "peer.leaving", goodbye)
    assert.deepStrictEqual(refusals(drive.meet("b").commands), ["IDENTITY_CONFLICT"])
    drive.meet("b", { incarnation: 2 })
    assert.strictEqual(drive.sessions("b").length, 1)
    assert.strictEqual(drive.member("b").state, "up")
  })

  it("C7: the goodbye of a session that was superseded does not end the one that replaced it", () => {
    const drive = Drive.up(three, "a")
    const old = drive.meet("b").link
    drive.meet("b", { incarnation: 2 })
    drive.pass(700)
    const { link } = drive.sessions("b")[0]!
    assert.notStrictEqual(link, old)
    assertDead(drive, old)
    assert.strictEqual(drive.sessions("b")[0]?.link, link)
    assert.strictEqual(drive.member("b").state, "up")
  })

  it("B1, P7.9: the goodbye of an older incarnation, delivered late or twice, changes nothing", () => {
    const drive = Drive.up(three, "a")
    const { link } = drive.meet("b", { incarnation: 2 })
    const before = drive.node
    drive.hear(link, "peer.leaving", { ...goodbye, incarnation: 1 })
    assert.strictEqual(drive.node.links, before.links)
    assert.strictEqual(drive.member("b").state, "up")
    drive.hear(link, "peer.leaving", { ...goodbye, incarnation: 2 })
    assert.strictEqual(drive.member("b").state, "left")
  })

  it("a goodbye about somebody else is refused", () => {
    const drive = Drive.up(three, "a")
    drive.meet("b")
    const c = drive.meet("c").link
    drive.hear(c, "peer.leaving", goodbye)
    assert.strictEqual(drive.sessions("b").length, 1)
    assert.strictEqual(drive.sessions("c").length, 1)
    assert.notStrictEqual(drive.member("b").state, "left")
  })
})

describe("link epochs", () => {
  it.each([0, 1, 2, 3])("P7.1: a heartbeat whose epoch differs in place %i ends the session at once", (place) => {
    const drive = Drive.up(three, "a")
    const { link } = drive.meet("b")
    const [a, b, c, d] = drive.sessions("b")[0]!.epoch
    const epoch: [number, number, number, number] = [c, d, a, b]
    epoch[place]! += 1
    const commands = drive.hear(link, "mesh.heartbeat", { epoch, seq: 0, rows: 0 })
    assert.strictEqual(hangups(commands)[0]?.link, link)
    assert.strictEqual(drive.sessions("b").length, 0)
    assert.isBelow(drive.contact("b").nextDialAt, drive.mono + 1_001)
  })

  it("P7.1: one of a later life ends it, however few links that life has had", () => {
    const drive = Drive.up(three, "a")
    const { link } = drive.meet("b", { linkCounter: 7 })
    const [mine, ours] = drive.sessions("b")[0]!.epoch
    const commands = drive.hear(link, "mesh.heartbeat", { epoch: [2, 1, mine, ours], seq: 0, rows: 0 })
    assert.strictEqual(hangups(commands)[0]?.link, link)
  })

  it("P7.1, B5: a heartbeat of an older session that comes over the new connection changes nothing", () => {
    const drive = Drive.up(three, "a")
    const older: Array<readonly [number, number, number, number]> = []
    const keep = (): void => {
      const [mine, ours, theirs, their] = drive.sessions("b")[0]!.epoch
      older.push([theirs, their, mine, ours])
    }
    const old = drive.meet("b").link
    keep()
    drive.feed({ _tag: "LinkDown", link: old, reason: "reset" })
    drive.feed({ _tag: "LinkDown", link: drive.meet("b").link, reason: "reset" })
    // Of two crossing dials each end opened another one first: the link that lost is newer for one of them.
    older.push([1, 9, 1, 1])
    drive.feed({ _tag: "LinkDown", link: drive.meet("b", { incarnation: 2 }).link, reason: "reset" })
    drive.meet("b", { incarnation: 2 })
    keep()
    const now = older.pop()!
    older.push([now[0], now[1] - 1, now[2], now[3]], [now[0], now[1] + 1, now[2], now[3] - 1])
    drive.mono += 400
    const { node } = drive
    for (const epoch of older) {
      const { link } = drive.sessions("b")[0]!
      assert.deepStrictEqual(drive.hear(link, "mesh.heartbeat", { epoch, seq: 0, rows: 7 }), [], epoch.join())
      assert.strictEqual(drive.node, node, epoch.join())
    }
  })

  it("P7.1, L5: both ends begin anew, and find each other again", () => {
    const mesh = Mesh.settled(three)
    assert.isTrue(mesh.paired("a", "b"))
    const { link } = mesh.node("a").sessions("b")[0]!
    mesh.feed("a", {
      _tag: "Received",
      link,
      frame: { type: "event", event: "mesh.heartbeat", payload: { epoch: [9, 9, 9, 9], seq: 0, rows: 0 } }
    })
    assert.deepStrictEqual([mesh.node("a").sessions("b"), mesh.node("b").sessions("a")], [[], []])
    mesh.pass(2_000)
    assert.isTrue(mesh.paired("a", "b"))
  })
})

describe("three real nodes", () => {
  it("L5, L6: everybody has one session with everybody, and nothing happens for ten minutes", () => {
    const mesh = Mesh.settled(three)
    for (const [a, b] of ["ab", "ac", "bc"].map((pair) => [...pair] as [string, string]))
      assert.isTrue(mesh.paired(a, b))
    const from = mesh.now
    mesh.pass(600_000)
    for (const name of "abc") assert.deepStrictEqual(mesh.events(name, from), [])
  })

  it("P3.2, L5: a node that restarts is taken back in its next incarnation, without waiting for five minutes", () => {
    const mesh = Mesh.settled(three)
    mesh.crash("b", { silent: true })
    mesh.start("b")
    mesh.pass(10_000)
    assert.strictEqual(mesh.node("b").incarnation, 2)
    assert.isTrue(mesh.paired("a", "b") && mesh.paired("b", "c"))
    assert.strictEqual(mesh.view("a"), "b:up c:up")
  })
})

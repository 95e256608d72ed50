/** The simulated device of generation 1 does what such devices do, weaknesses and all, and each can be switched off. */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import type { Input } from "../../../kernel/Input.ts"
import type { NodeState } from "../../../kernel/Node.ts"
import { empty } from "../../../kernel/Durable.ts"
import { NEVER_MS } from "../../../kernel/Time.ts"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import { gen1, isGen1State, ORIGINAL, type Switches } from "../../../sim/gen1/Gen1.ts"
import { configOf, framesTo, id, type Given, type World } from "../../kernel/drive.ts"

const world: World = { roles: { a: "field", b: "field", c: "field" } }

/** The device `a`, driven by hand; its keys answer at once, and take every proof for good unless `forged`. */
class Old {
  mono = 0
  forged = false
  node: NodeState
  private readonly program
  private links = 0

  constructor(switches: Partial<Switches> = {}) {
    this.program = gen1({ ...ORIGINAL, ...switches })
    this.node = this.program.make(configOf(world, "a"))
    this.feed({ _tag: "Started", bootId: "boot", durable: empty })
  }

  feed(given: Given): ReadonlyArray<Command> {
    const [node, commands] = this.program.step(this.node, {
      ...given,
      at: { mono: this.mono, wall: this.mono }
    } as Input)
    this.node = node
    return commands.flatMap((command) => [command, ...this.keys(command)])
  }

  private keys(command: Command): ReadonlyArray<Command> {
    if (command._tag === "Sign") return this.feed({ _tag: "Signed", ticket: command.ticket, signatures: ["mine"] })
    if (command._tag !== "Check") return []
    const deviceId = id(command.publicKey.slice(-1))
    return this.feed({ _tag: "Checked", ticket: command.ticket, deviceId, valid: [!this.forged] })
  }

  hear(link: number, frame: unknown): ReadonlyArray<Command> {
    return this.feed({ _tag: "Received", link, frame: frame as Frame })
  }

  event(link: number, event: string, payload: unknown = {}): ReadonlyArray<Command> {
    return this.hear(link, { type: "event", event, payload })
  }

  passUntil(mono: number): ReadonlyArray<Command> {
    const out: Array<Command> = []
    while (this.node.alarmAt <= mono) {
      this.mono = this.node.alarmAt
      out.push(...this.feed({ _tag: "Woke" }))
    }
    this.mono = mono
    return out
  }

  private said(peer: string, signedAtMs = this.mono) {
    const publicKey = `key-${peer}`
    return { deviceId: id(peer), publicKey, signature: "theirs", signedAtMs, meshId: "mesh", role: "field" }
  }

  /** It dials `peer`, which answers well; the number of the link. */
  dials(peer: string): number {
    const attempt = (): number | null | undefined =>
      isGen1State(this.node) ? this.node.gen1.peers.find(({ deviceId }) => deviceId === id(peer))?.attempt : undefined
    while (attempt() === null) this.passUntil(this.node.alarmAt)
    const link = ++this.links
    this.feed({ _tag: "LinkUp", link, attempt: attempt()!, nonce: `nonce-${link}`, exporter: null })
    this.hear(link, { type: "res", id: "1", ok: true, payload: { nonce: "server" } })
    this.last = this.hear(link, {
      type: "res",
      id: "2",
      ok: true,
      payload: { ...this.said(peer), nonce: `nonce-${link}` }
    })
    return link
  }

  last: ReadonlyArray<Command> = []

  opened(): number {
    const link = ++this.links
    this.feed({ _tag: "LinkUp", link, attempt: null, nonce: `nonce-${link}`, exporter: null })
    return link
  }

  /** `peer` dials it and logs in. */
  isDialled(peer: string, signedAtMs?: number): number {
    const link = this.opened()
    this.hear(link, { type: "req", id: "1", method: "mesh.challenge", params: {} })
    const params = { version: 2, ...this.said(peer, signedAtMs), nonce: `nonce-${link}`, clientNonce: "client" }
    this.last = this.hear(link, { type: "req", id: "2", method: "mesh.connect", params })
    return link
  }

  has(link: number): boolean {
    return isGen1State(this.node) && this.node.gen1.lines.some((line) => line.link === link && line.stage === "up")
  }

  /** It would dial `peer` within an hour. */
  wouldDial(peer: string): boolean {
    return this.passUntil(this.mono + 3_600_000).some((command) => command._tag === "Dial" && command.to === id(peer))
  }
}

const ask = (old: Old, link: number) =>
  framesTo(old.hear(link, { type: "req", id: "q", method: "mesh.status", params: {} }), link).length

describe("as a dialler", () => {
  it("answers no request", () => {
    const old = new Old()
    assert.strictEqual(ask(old, old.dials("b")), 0)
    const talkative = new Old({ answersAsDialler: true })
    assert.strictEqual(ask(talkative, talkative.dials("b")), 1)
  })

  it("asks once for what it missed", () => {
    const old = new Old()
    const link = old.dials("b")
    const asked = framesTo(old.last, link).map((frame) => (frame.type === "req" ? String(frame.method) : frame.type))
    assert.deepStrictEqual(asked, ["context.sync"])
    assert.isEmpty(framesTo(old.passUntil(old.mono + 80_000), link))
  })

  it("ends a link that brought no event for 90 s, when it looks, each 30 s", () => {
    const old = new Old()
    const link = old.dials("b")
    old.passUntil(60_000)
    old.event(link, "link.keepalive")
    old.passUntil(149_999)
    assert.isTrue(old.has(link), "answers and pings do not count, but the event did")
    old.passUntil(150_000)
    assert.isFalse(old.has(link))
    const patient = new Old({ quietMs: null })
    const kept = patient.dials("b")
    patient.passUntil(600_000)
    assert.isTrue(patient.has(kept))
  })

  it("believes a goodbye, and dials again", () => {
    const old = new Old()
    const link = old.dials("b")
    old.event(link, "peer.leaving", { gen: 1, deviceId: id("b"), timestamp: 0 })
    assert.isFalse(old.has(link))
    assert.isTrue(old.wouldDial("b"))
  })

  it("believes an accusation: drops a healthy peer, and dials it no more until it logs in by itself", () => {
    const old = new Old()
    const [b, c] = [old.dials("b"), old.dials("c")]
    old.event(c, "peer.down", { gen: 1, deviceId: id("b"), reportedAtMs: 0 })
    assert.deepStrictEqual([old.has(b), old.has(c)], [false, true])
    assert.isFalse(old.wouldDial("b"))
    old.feed({ _tag: "LinkDown", link: old.isDialled("b"), reason: "closed" })
    assert.isTrue(old.wouldDial("b"))
    const wary = new Old({ honoursDown: false })
    const [healthy, liar] = [wary.dials("b"), wary.dials("c")]
    wary.event(liar, "peer.down", { gen: 1, deviceId: id("b"), reportedAtMs: 0 })
    assert.isTrue(wary.has(healthy))
  })
})

describe("as an acceptor", () => {
  it("answers requests before anybody has logged in", () => {
    const old = new Old()
    assert.strictEqual(ask(old, old.opened()), 1)
    const careful = new Old({ answersStrangers: false })
    assert.strictEqual(ask(careful, careful.opened()), 0)
  })

  it("ignores events: goodbyes and accusations, too", () => {
    const old = new Old()
    const [b, c] = [old.isDialled("b"), old.isDialled("c")]
    old.event(b, "peer.leaving", { gen: 1, deviceId: id("b"), timestamp: 0 })
    old.event(c, "peer.down", { gen: 1, deviceId: id("b"), reportedAtMs: 0 })
    old.passUntil(600_000)
    assert.deepStrictEqual([old.has(b), old.has(c)], [true, true])
  })

  it("drops what is beyond 100 messages within 60 s on one link, without a word", () => {
    const old = new Old()
    const link = old.isDialled("b")
    const answered = (): number => Array.from({ length: 150 }, () => ask(old, link)).reduce((sum, n) => sum + n)
    assert.strictEqual(answered(), 98, "challenge and login count")
    old.passUntil(old.mono + 60_001)
    assert.strictEqual(answered(), 100)
    const other = old.isDialled("c")
    assert.strictEqual(ask(old, other), 1)
  })
})

describe("in both roles", () => {
  it("refuses whose date is more than five minutes off", () => {
    for (const [signedAtMs, up] of [
      [300_000, true],
      [300_001, false],
      [-300_000, true],
      [-300_001, false]
    ] as const) {
      const old = new Old()
      assert.strictEqual(old.has(old.isDialled("b", signedAtMs)), up, String(signedAtMs))
    }
  })

  it("refuses whose key does not fit, whoever dialled", () => {
    const old = new Old()
    old.forged = true
    assert.isFalse(old.has(old.isDialled("b")))
    assert.isFalse(old.has(old.dials("c")))
  })

  it("keeps the newest of two sessions", () => {
    const old = new Old()
    const dialled = old.dials("b")
    const link = old.isDialled("b")
    assert.deepStrictEqual([old.has(dialled), old.has(link)], [false, true])
  })

  it("says goodbye to everybody it has a session with", () => {
    const old = new Old()
    const links = [old.dials("b"), old.isDialled("c")]
    const said = old.feed({ _tag: "Leave", reason: "test" })
    for (const link of links)
      assert.deepStrictEqual(framesTo(said, link), [
        { type: "event", event: "peer.leaving", payload: { gen: 1, deviceId: id("a"), timestamp: old.mono } }
      ])
    assert.strictEqual(old.node.phase, "left")
  })

  it("pings nobody", () => {
    const old = new Old()
    old.dials("b")
    old.isDialled("c")
    assert.isFalse(old.passUntil(80_000).some(({ _tag }) => _tag === "Ping"))
    assert.notStrictEqual(old.node.alarmAt, NEVER_MS)
  })
})

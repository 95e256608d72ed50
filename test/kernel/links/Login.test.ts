import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import {
  FRAMES_BEHIND_ANSWER_MAX,
  UNAUTHENTICATED_FRAMES_MAX,
  UNAUTHENTICATED_LINKS_MAX
} from "../../../kernel/Profile.ts"
import { Drive, events, framesTo, hangups, id, refusals, sentEvents, tags, three, type Face } from "../drive.ts"

const DAY_MS = 86_400_000

/** Of a refused login: the code, and that nothing else came of it. */
const refusedWith = (face: Face, before: (drive: Drive) => void = () => {}): string | undefined => {
  const drive = Drive.up(three, "a")
  before(drive)
  const sessions = drive.node.links.links.length
  const { membership } = drive.node
  const { commands, link } = drive.meet("b", face)
  assert.strictEqual(drive.node.links.links.length, sessions)
  assert.strictEqual(drive.node.membership, membership)
  assert.deepStrictEqual(hangups(commands), [{ link, code: 1008, reason: refusals(commands)[0] }])
  return refusals(commands)[0]
}

describe("nonce", () => {
  it("P5.1: the challenge is the nonce of this link; asked again, it is the same", () => {
    const drive = Drive.up(three, "a")
    drive.linkUp(null, 5)
    const nonces = [drive.challenge(5), drive.challenge(5)].map((commands) => framesTo(commands, 5))
    const answer = { type: "res", id: "1", ok: true, payload: { nonce: "nonce-5" } }
    assert.deepStrictEqual(nonces, [[answer], [answer]] as typeof nonces)
  })

  it("P5.7.2: a login without a nonce", () => {
    const drive = Drive.up(three, "a")
    drive.linkUp(null, 1)
    drive.challenge(1)
    const { nonce: _, ...params } = drive.loginOf("b", 1)
    assert.deepStrictEqual(refusals(drive.receive(1, { type: "req", id: "2", method: "mesh.connect", params })), [
      "AUTH_NONCE_REQUIRED"
    ])
  })

  it("P5.12: whoever has the nonce from the opening of the link need not ask for it; not for long, and not another", () => {
    const drive = Drive.up(three, "a")
    drive.linkUp(null, 1)
    assert.deepStrictEqual(refusals(drive.connect(1, "b")), [])
    assert.strictEqual(drive.sessions("b").length, 1)
    drive.linkUp(null, 2)
    assert.deepStrictEqual(refusals(drive.connect(2, "c", { instead: { nonce: "nonce-1" } })), ["AUTH_NONCE_INVALID"])
    drive.linkUp(null, 3)
    drive.mono += 60_001
    assert.deepStrictEqual(refusals(drive.connect(3, "c")), ["AUTH_NONCE_INVALID"])
  })

  it("P5.12: a challenge that came as the link opened is answered at once; what is none is passed over", () => {
    for (const [challenge, sent] of [
      ["server-1", "mesh.connect"],
      ["", "mesh.challenge"]
    ] as const) {
      const drive = Drive.up(three, "a")
      while (drive.contact("b").attempt === null) drive.ring()
      const { attempt } = drive.contact("b")
      const commands = drive.feed({ _tag: "LinkUp", link: 1, attempt, nonce: "nonce-1", exporter: null, challenge })
      const frames = framesTo(commands, 1)
      assert.deepStrictEqual(
        frames.map((frame) => (frame.type === "req" ? frame.method : frame.type)),
        [sent],
        challenge
      )
      const [frame] = frames
      if (frame?.type === "req" && frame.method === "mesh.connect") assert.strictEqual(frame.params.nonce, challenge)
    }
  })

  it("P5.7.3: a nonce of another link, one too old", () => {
    const drive = Drive.up(three, "a")
    drive.linkUp(null, 2)
    drive.linkUp(null, 3)
    drive.challenge(2)
    drive.challenge(3)
    assert.deepStrictEqual(refusals(drive.connect(2, "b", { instead: { nonce: "nonce-3" } })), ["AUTH_NONCE_INVALID"])
    // The handshake's own deadline comes first, unless the alarm does not ring.
    drive.mono += 60_001
    assert.deepStrictEqual(refusals(drive.connect(3, "b")), ["AUTH_NONCE_INVALID"])
  })

  it("P5.1: a nonce is good for one login: while that is checked, a second is a stray", () => {
    const drive = Drive.up(three, "a")
    drive.keysWait = true
    drive.linkUp(null, 1)
    drive.challenge(1)
    assert.deepStrictEqual(drive.connect(1, "b"), [])
    assert.deepStrictEqual(refusals(drive.connect(1, "b")), ["NOT_AUTHORIZED"])
    assert.strictEqual(drive.waiting.length, 1, "the keys were asked once")
  })

  it("S7: another's answer, replayed as a login, is worth nothing", () => {
    const drive = Drive.up(three, "a")
    const theirs = drive.answerOf("b", 1)
    assert.strictEqual(refusedWith({ instead: { signature: theirs.signature, kernel: theirs.kernel! } }), "AUTH_FAILED")
  })
})

describe("P5.7: the checks of a login", () => {
  it("4: the id is the hash of the key", () =>
    assert.strictEqual(refusedWith({ instead: { publicKey: "key-c" } }), "AUTH_FAILED"))
  it("5: the device is trusted", () => {
    const drive = Drive.up(three, "a")
    assert.deepStrictEqual(refusals(drive.meet("f").commands), ["UNTRUSTED_PEER"])
  })
  it("7: without the extension clocks may differ by five minutes, and no more", () => {
    const drive = Drive.up(three, "a")
    drive.wallOffMs = 300_000
    drive.meet("b", { kernel: false, instead: { signedAtMs: DAY_MS } })
    assert.strictEqual(drive.sessions("b").length, 1)
    const later = Drive.up(three, "a")
    later.wallOffMs = 300_001
    assert.deepStrictEqual(refusals(later.meet("b", { kernel: false }).commands), ["AUTH_FAILED"])
  })
  it("P9.6: between kernel peers the calendar does not matter", () => {
    const drive = Drive.up(three, "a")
    drive.wallOffMs = 20 * 365 * DAY_MS
    drive.meet("b")
    assert.strictEqual(drive.sessions("b").length, 1)
  })
  it("8: the signature fits", () =>
    assert.strictEqual(refusedWith({ instead: { signature: "forged" } }), "AUTH_FAILED"))
  it("9: who ever showed the extension shows it", () =>
    assert.strictEqual(
      refusedWith({ kernel: false }, (drive) => {
        const { link } = drive.meet("b")
        drive.feed({ _tag: "LinkDown", link, reason: "closed" })
      }),
      "AUTH_FAILED"
    ))
  it("9, S9: and that is not forgotten by a restart", () => {
    const first = Drive.up(three, "a")
    first.meet("b")
    const drive = Drive.up(three, "a", { durable: first.durable })
    assert.deepStrictEqual(refusals(drive.meet("b", { kernel: false }).commands), ["AUTH_FAILED"])
  })
  it("8: members that were changed after signing do not fit the signature", () => {
    assert.strictEqual(refusedWith({ instead: { meshId: "other" } }), "AUTH_FAILED")
    assert.strictEqual(refusedWith({ instead: { displayName: "other" } }), "AUTH_FAILED")
  })
  it("11, P6.2: the generations overlap", () => {
    assert.strictEqual(refusedWith({ hello: { gen: [2, 3] } }), "UNSUPPORTED_GENERATION")
    assert.strictEqual(refusedWith({ hello: { gen: [0, 0] } }), "UNSUPPORTED_GENERATION")
    const drive = Drive.up(three, "a")
    drive.meet("b", { hello: { gen: [1, 9] } })
    assert.strictEqual(drive.sessions("b").length, 1)
  })
  it("12: the mesh is ours", () => assert.strictEqual(refusedWith({ claims: { meshId: "other" } }), "MESH_ID_MISMATCH"))
  it("13: and so is its operator", () =>
    assert.strictEqual(refusedWith({ hello: { meshKey: "other" } }), "MESH_ID_MISMATCH"))
  it("14: there is such a role, and it is this device's", () => {
    assert.strictEqual(refusedWith({ claims: { role: "king" } }), "INVALID_PARAMS")
    assert.strictEqual(refusedWith({ claims: { role: "viewer" } }), "INVALID_PARAMS")
  })
})

describe("P5.10: before the handshake", () => {
  it("S7: events are counted and not looked at", () => {
    const drive = Drive.up(three, "a")
    drive.linkUp(null, 1)
    const { leadership, membership } = drive.node
    drive.hear(1, "mesh.lead", { term: { manifest: 1, counter: 9 }, beat: 1 })
    drive.hear(1, "mesh.edges", { rows: [] })
    assert.strictEqual(drive.node.leadership, leadership)
    assert.strictEqual(drive.node.membership, membership)
  })

  it("after 16 strays the link is closed 1008", () => {
    const drive = Drive.up(three, "a")
    drive.linkUp(null, 1)
    const closes = Array.from({ length: UNAUTHENTICATED_FRAMES_MAX + 1 }, () =>
      hangups(drive.receive(1, { type: "req", id: "1", method: "mesh.status", params: {} }))
    )
    assert.deepStrictEqual(closes.slice(0, -1).flat(), [])
    assert.deepStrictEqual(closes.at(-1), [{ link: 1, code: 1008, reason: "shake hands first" }])
  })

  it("a server that speaks first is hung up on", () => {
    const drive = Drive.up(three, "a")
    while (drive.contact("b").attempt === null) drive.ring()
    drive.linkUp(drive.contact("b").attempt, 1)
    const commands = drive.hear(1, "mesh.lead", { term: { manifest: 1, counter: 9 }, beat: 1 })
    assert.deepStrictEqual(hangups(commands), [{ link: 1, code: 1008, reason: "NOT_AUTHORIZED" }])
    assert.isAtMost(drive.contact("b").nextDialAt, drive.mono + 1_000)
  })

  it("P5.8: another device than the one we dialled is hung up on", () => {
    const drive = Drive.up(three, "a")
    while (drive.contact("b").attempt === null) drive.ring()
    drive.linkUp(drive.contact("b").attempt, 1)
    drive.answerChallenge(1)
    const commands = drive.receive(1, { type: "res", id: "connect", ok: true, payload: drive.answerOf("c", 1) })
    assert.deepStrictEqual(hangups(commands), [{ link: 1, code: 1008, reason: "AUTH_FAILED" }])
    assert.strictEqual(drive.node.links.links.length, 0)
  })

  /** `a`, which is checking the answer of `b` to its login, over link 1. */
  const checking = (answer: Face = {}): Drive => {
    const drive = Drive.up(three, "a")
    while (drive.contact("b").attempt === null) drive.ring()
    drive.linkUp(drive.contact("b").attempt, 1)
    drive.answerChallenge(1)
    drive.keysWait = true
    drive.receive(1, { type: "res", id: "connect", ok: true, payload: drive.answerOf("b", 1, answer) })
    return drive
  }
  const lead = (drive: Drive, beat: number): ReadonlyArray<Command> =>
    drive.hear(1, "mesh.lead", { term: { manifest: 1, counter: 9 }, beat })
  const answered = (commands: ReadonlyArray<Command>): ReadonlyArray<number> =>
    sentEvents(commands, "mesh.lead.answer").map(({ beat }) => beat)

  it("S7: what comes right behind a good answer changes nothing before that is checked, and is taken up then, in order", () => {
    const drive = checking()
    const { leadership, membership } = drive.node
    const row = { observer: id("b"), incarnation: 1, version: 1, edges: [] }
    assert.deepStrictEqual([...lead(drive, 1), ...drive.hear(1, "mesh.edges", { rows: [row] }), ...lead(drive, 2)], [])
    assert.deepStrictEqual([drive.node.leadership, drive.node.membership], [leadership, membership])
    const commands = drive.release()
    assert.strictEqual(drive.sessions("b").length, 1)
    assert.strictEqual(drive.node.leadership.leader, id("b"))
    assert.deepStrictEqual(drive.node.membership.rows, [row])
    assert.deepStrictEqual(answered(commands), [1, 2])
  })

  it("a goodbye right behind it is heard, and what follows that is not", () => {
    const drive = checking()
    drive.hear(1, "peer.leaving", { gen: 1, deviceId: id("b"), timestamp: 0, incarnation: 1 })
    lead(drive, 1)
    assert.deepStrictEqual(answered(drive.release()), [])
    assert.strictEqual(drive.member("b").state, "left")
    assert.lengthOf(drive.sessions("b"), 0)
  })

  it("S7: behind an answer that is none of its it is never looked at", () => {
    const drive = checking({ instead: { signature: "forged" } })
    const { leadership, membership } = drive.node
    lead(drive, 1)
    assert.deepStrictEqual(answered(drive.release()), [])
    assert.deepStrictEqual([drive.node.leadership, drive.node.membership], [leadership, membership])
    assert.lengthOf(drive.node.links.links, 0)
  })

  it("S10: so many are kept; more are dropped, and are no offence", () => {
    const drive = checking()
    for (let n = 0; n < FRAMES_BEHIND_ANSWER_MAX; n++) lead(drive, n)
    const { node } = drive
    for (let n = 0; n < 1_000; n++) assert.deepStrictEqual(lead(drive, 100 + n), [])
    assert.strictEqual(drive.node, node)
    assert.deepStrictEqual(
      answered(drive.release()),
      Array.from({ length: FRAMES_BEHIND_ANSWER_MAX }, (_, n) => n)
    )
    assert.lengthOf(drive.sessions("b"), 1)
  })
})

describe("P5.11: time and number", () => {
  it("a link that is no session after 10 s is closed 1008, whatever it said", () => {
    const drive = Drive.up({ ...three, dialled: "" }, "a")
    drive.linkUp(null, 1)
    drive.challenge(1)
    const from = drive.mono
    assert.deepStrictEqual(hangups(drive.passUntil(from + 9_999)), [])
    const commands = drive.passUntil(from + 10_000)
    assert.deepStrictEqual(hangups(commands), [{ link: 1, code: 1008, reason: "handshake took too long" }])
    assert.include(events(commands), "connection.refused")
    assert.strictEqual(drive.node.links.links.length, 0)
  })

  it("a peer that never answers our login is dialled again", () => {
    const drive = Drive.up(three, "a")
    while (drive.contact("b").attempt === null) drive.ring()
    const link = drive.nextLink()
    drive.linkUp(drive.contact("b").attempt, link)
    drive.answerChallenge(link)
    const commands = drive.pass(10_000)
    assert.deepInclude(hangups(commands), { link, code: 1008, reason: "handshake took too long" })
    assert.isAtMost(drive.contact("b").nextDialAt, drive.mono + 1_000)
  })

  it("S10: while 64 links shake hands, one more is closed at once; a session is none of them", () => {
    const drive = Drive.up(three, "a")
    drive.meet("b")
    for (let i = 0; i < UNAUTHENTICATED_LINKS_MAX; i++) {
      const link = drive.nextLink()
      assert.deepStrictEqual(hangups([...drive.linkUp(null, link), ...drive.challenge(link)]), [])
    }
    assert.deepStrictEqual(hangups(drive.linkUp(null, 999)), [{ link: 999, code: 1008, reason: "too many handshakes" }])
    assert.strictEqual(drive.node.links.links.length, UNAUTHENTICATED_LINKS_MAX + 1)
  })
})

describe("keys", () => {
  it("an answer of the keys for a link that is gone changes nothing", () => {
    const drive = Drive.up(three, "a")
    drive.keysWait = true
    const { link } = drive.meet("b")
    drive.feed({ _tag: "LinkDown", link, reason: "closed" })
    const before = drive.node
    drive.keysWait = false
    assert.deepStrictEqual(drive.release(), [])
    assert.strictEqual(drive.node, before)
  })

  it("a key that refuses to sign ends the handshake, not the node", () => {
    const drive = Drive.up(three, "a")
    drive.keysWait = true
    const { link } = drive.meet("b")
    drive.release()
    assert.strictEqual(drive.waiting[0]?._tag, "Signed")
    const commands = drive.feed({ _tag: "Signed", ticket: link, signatures: null })
    assert.deepStrictEqual(refusals(commands), ["INTERNAL_ERROR"])
    assert.deepStrictEqual(hangups(commands), [{ link, code: 1008, reason: "INTERNAL_ERROR" }])
  })

  it("S7: nothing is sent to a stranger but the challenge and a refusal", () => {
    const drive = Drive.up(three, "a")
    const { commands } = drive.meet("f")
    assert.deepStrictEqual(
      tags(commands).filter((tag) => tag !== "Note"),
      ["Send", "Send", "Hangup"]
    )
    assert.notInclude(JSON.stringify(commands), id("b"))
  })
})

/**
 * `step` is total, pure and bounded (S10), whatever comes: a walk of random, well-typed inputs, honest and not, over one
 * node. The driver's own promises are kept (link numbers are never used twice, time does not run backward); nothing else is.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { ok } from "node:assert"
import { isDeepStrictEqual } from "node:util"
import * as Durable from "../../kernel/Durable.ts"
import type { Input } from "../../kernel/Input.ts"
import { LANE_FRAMES_MAX, LINE_BYTES_MAX } from "../../kernel/links/Lanes.ts"
import { ROW_EDGES_MAX } from "../../kernel/wire/Limits.ts"
import { ackPayloadOf, payloadOf } from "../../kernel/leadership/Manifest.ts"
import * as Node from "../../kernel/Node.ts"
import { UNAUTHENTICATED_LINKS_MAX } from "../../kernel/Profile.ts"
import { decode, encode } from "../../kernel/wire/Codec.ts"
import type { Event, Frame, ShownManifest } from "../../kernel/wire/Frame.ts"
import { configOf, Drive, id, keyOf, nameOf, sign, signedGoodbye, type Given, type World } from "./drive.ts"
import { frame as wildFrame } from "./wire/frames.arbitrary.ts"

const world: World = {
  roles: { a: "planner", b: "standby-planner", c: "field", d: "viewer", e: "planner" },
  electors: "abc"
}
const OTHERS = ["b", "c", "d", "e"]
const WALKS = 160
const MOVES_MAX = 300

/** What the walk does next; links, tickets and attempts are picked from the state when its turn comes. */
type Move =
  | { readonly _tag: "meet" | "reach"; readonly peer: string; readonly incarnation: number; readonly boot: number }
  | { readonly _tag: "say"; readonly pick: number; readonly frame: Frame }
  | { readonly _tag: "agree"; readonly pick: number; readonly back: number }
  | { readonly _tag: "heartbeat"; readonly pick: number; readonly rows: number }
  | {
      readonly _tag: "keys"
      readonly pick: number
      readonly yes: boolean
      readonly peer: string
      readonly signs: boolean
    }
  | { readonly _tag: "wake"; readonly lateMs: number }
  | { readonly _tag: "early"; readonly ms: number }
  | { readonly _tag: "linkUp"; readonly count: number; readonly attempt: number | null }
  | { readonly _tag: "input"; readonly pick: number; readonly input: (link: number) => Given }

const peer = fc.constantFrom(...OTHERS)
const pick = fc.nat({ max: 9 })
const small = fc.nat({ max: 6 })
const counter = fc.oneof({ weight: 6, arbitrary: small }, { weight: 1, arbitrary: fc.nat({ max: 2 ** 31 - 1 }) })
const term = fc.record({ manifest: fc.nat({ max: 2 }), counter })
const device = fc.constantFrom("a", ...OTHERS, "f").map(id)
const row = fc.record({
  observer: device,
  incarnation: counter,
  version: counter,
  edges: fc.array(fc.record({ subject: device, incarnation: counter, good: fc.boolean() }), { maxLength: 8 })
})
const granted = fc.record({ term, granted: fc.boolean() })
const listed = (names: string): ReadonlyArray<string> => [...names].map(id)
/** Lists of electors that could come into force, and some that could not. */
const document = fc.record({
  version: fc.nat({ max: 4 }),
  electors: fc.constantFrom("abd", "abe", "ab", "abc", "bc", "de", "").map(listed),
  previous: fc.record({
    version: fc.nat({ max: 3 }),
    electors: fc.constantFrom("abc", "abd", "ab", "bc", "").map(listed)
  }),
  readmitted: fc.array(fc.record({ deviceId: device, incarnation: counter }), { maxLength: 1 })
})
/** With true signatures, as they are given; half of the times. */
const signed = fc
  .record({ given: document, isTrue: fc.boolean(), by: fc.subarray(["a", "b", "c"]) })
  .map(({ by, given, isTrue }) => {
    const config = configOf(world, "a")
    const signedBy = (key: string, payload: string): string => (isTrue ? sign(key, payload) : "s")
    const manifest = { ...given, signature: signedBy(config.meshKey, payloadOf(config, given)) }
    const acks = by.map((name) => {
      const key = keyOf(name)
      return { elector: id(name), publicKey: key, signature: signedBy(key, ackPayloadOf(config, given)) }
    })
    return JSON.parse(JSON.stringify({ manifest, acks })) as ShownManifest
  })
const said = <E extends Event["event"]>(event: E, payload: fc.Arbitrary<Extract<Event, { event: E }>["payload"]>) =>
  payload.map((value) => ({ type: "event", event, payload: value }) as unknown as Frame)

/** Some of them true: `drive` signs by the last letter of a key. */
const goodbye = fc
  .record({ deviceId: device, incarnation: small, reason: fc.constantFrom("", "asked to"), isTrue: fc.boolean() })
  .map(({ isTrue, ...said }) => signedGoodbye(nameOf(said.deviceId), said, isTrue ? undefined : "false"))

/** As the codec would hand them to the kernel; what it refuses never gets there. */
const frame: fc.Arbitrary<Frame> = fc
  .oneof(
    { weight: 2, arbitrary: wildFrame },
    { weight: 2, arbitrary: said("mesh.edges", fc.record({ rows: fc.array(row, { maxLength: 6 }) })) },
    { weight: 1, arbitrary: said("mesh.rows.sums", fc.record({ sums: fc.array(counter, { maxLength: 16 }) })) },
    {
      weight: 1,
      arbitrary: said(
        "mesh.rows.have",
        fc.record({
          groups: fc.array(fc.nat({ max: 17 }), { maxLength: 16 }),
          have: fc.array(fc.record({ observer: device, incarnation: counter, version: counter }), { maxLength: 8 })
        })
      )
    },
    { weight: 1, arbitrary: said("mesh.rows.want", fc.record({ observers: fc.array(device, { maxLength: 8 }) })) },
    { weight: 2, arbitrary: said("mesh.goodbyes", fc.record({ goodbyes: fc.array(goodbye, { maxLength: 20 }) })) },
    { weight: 1, arbitrary: said("mesh.probe", fc.record({ subject: device, incarnation: small })) },
    { weight: 1, arbitrary: said("mesh.probe.answer", fc.record({ subject: device, incarnation: small })) },
    { weight: 2, arbitrary: said("mesh.prevote", fc.record({ term, ask: fc.nat(9) }, { requiredKeys: ["term"] })) },
    { weight: 2, arbitrary: said("mesh.vote", fc.record({ term })) },
    {
      weight: 2,
      arbitrary: said(
        "mesh.prevote.answer",
        fc.record(
          {
            term,
            granted: fc.boolean(),
            promised: fc.record({ to: device, ms: fc.nat(9_999), ask: fc.nat(9) })
          },
          { requiredKeys: ["term", "granted"] }
        )
      )
    },
    { weight: 2, arbitrary: said("mesh.vote.answer", granted) },
    {
      weight: 1,
      arbitrary: said(
        "mesh.vote.proof",
        fc.record({ term, publicKey: fc.constant("key-b"), signature: fc.constant("s") })
      )
    },
    { weight: 2, arbitrary: said("mesh.lead", fc.record({ term, beat: counter })) },
    { weight: 3, arbitrary: said("mesh.lead.answer", fc.record({ term, beat: counter, promised: fc.boolean() })) },
    { weight: 1, arbitrary: said("mesh.release", fc.record({ term })) },
    { weight: 2, arbitrary: said("mesh.manifest", signed) },
    {
      weight: 1,
      arbitrary: said("peer.leaving", fc.record({ gen: fc.constant(1), deviceId: device, timestamp: fc.nat() }))
    }
  )
  .map((value) => decode(encode(value)))
  .filter((decoded) => decoded._tag === "Frame")
  .map((decoded) => decoded.frame)

const reason = fc.constantFrom("closed" as const, "reset" as const, "timeout" as const, "too large" as const)
const input = fc.oneof(
  fc.record({ ticket: counter }).map((given) => () => ({ _tag: "Stored", ...given }) as const),
  reason.map((why) => (link: number) => ({ _tag: "LinkDown", link, reason: why }) as const),
  fc
    .record({ attempt: small, reason: fc.constantFrom("refused" as const, "unreachable" as const, "timeout" as const) })
    .map((given) => () => ({ _tag: "DialFailed", ...given }) as const),
  fc
    .record({
      code: fc.constantFrom("TOO_LARGE" as const, "INVALID_JSON" as const, "INVALID_PARAMS" as const),
      id: fc.option(fc.string({ maxLength: 3 })),
      method: fc.option(fc.constantFrom("mesh.connect", "mesh.peers", "nothing"))
    })
    .map((given) => (link: number) => ({ _tag: "Malformed", link, ...given }) as const),
  counter.map((probe) => (link: number) => ({ _tag: "Ponged", link, probe }) as const),
  fc.nat({ max: 2_000_000 }).map((bytes) => (link: number) => ({ _tag: "Backlog", link, bytes }) as const),
  fc.nat({ max: 3 }).map((n) => (link: number) => ({ _tag: "Ponged", link, probe: 2 ** 40 + n }) as const),
  fc.nat({ max: 90_000 }).map((ms) => () => ({ _tag: "Stalled", ms }) as const),
  fc.boolean().map((up) => () => ({ _tag: "Carrier", up }) as const),
  signed.map(
    ({ manifest }) =>
      () =>
        ({ _tag: "Reconfigure", manifest }) as const
  ),
  fc.constant(() => ({ _tag: "Started", bootId: "again", durable: Durable.empty }) as const)
) satisfies fc.Arbitrary<(link: number) => Given>

const face = { peer, incarnation: fc.integer({ min: 1, max: 3 }), boot: fc.nat({ max: 1 }) }
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ _tag: fc.constantFrom("meet" as const, "reach" as const), ...face }) },
  { weight: 14, arbitrary: fc.record({ _tag: fc.constant("say" as const), pick, frame }) },
  { weight: 10, arbitrary: fc.record({ _tag: fc.constant("agree" as const), pick, back: fc.nat({ max: 2 }) }) },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("heartbeat" as const), pick, rows: counter }) },
  {
    weight: 3,
    arbitrary: fc.record({ _tag: fc.constant("keys" as const), pick, yes: fc.boolean(), peer, signs: fc.boolean() })
  },
  {
    weight: 10,
    arbitrary: fc.record({
      _tag: fc.constant("wake" as const),
      lateMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat({ max: 500 }), fc.nat({ max: 90_000 }))
    })
  },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("early" as const), ms: fc.nat({ max: 50 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      _tag: fc.constant("linkUp" as const),
      count: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constant(40) }),
      attempt: fc.option(small)
    })
  },
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant("input" as const), pick, input }) }
)

const frozen = new WeakSet<object>()

/**
 * Freezes a value, all the way down, and demands that it is plain data, `whole` with safe integers only; what was seen before
 * is not looked at again. Only the payload of an answer, which the peer made up, may hold other numbers.
 */
const freeze = <A>(value: A, whole = true): A => {
  if (whole && typeof value === "number")
    ok(Number.isSafeInteger(value) && !Object.is(value, -0), `${value} is no safe integer`)
  if (typeof value !== "object" || value === null) {
    ok(value === null || ["number", "string", "boolean"].includes(typeof value), `${typeof value} is no data`)
    return value
  }
  if (frozen.has(value)) return value
  frozen.add(value)
  const parts = Object.values(value)
  if (Array.isArray(value)) ok(parts.length === value.length, "an array has its elements and nothing else")
  else ok(Object.getPrototypeOf(value) === Object.prototype, "an object is plain")
  Object.freeze(value)
  for (const part of parts) freeze(part, whole)
  return value
}

const assertBounded = ({ config, durable, leadership, links, membership }: Node.NodeState): void => {
  const trusted = config.trusted.length
  const sessions = links.links.filter((link) => link._tag === "Session")
  ok(new Set(sessions.map(({ peer: of }) => of)).size === sessions.length, "one session a device")
  ok(sessions.length <= trusted, "sessions only with the trusted")
  ok(links.links.length - sessions.length <= UNAUTHENTICATED_LINKS_MAX + trusted, "handshakes are bounded")
  ok(links.contacts.length === trusted && membership.members.length === trusted, "nobody is added, nobody is lost")
  for (const contact of links.contacts) {
    const link = sessions.find(({ peer: of }) => of === contact.peer)?.link ?? null
    ok(contact.session === link, "contact and session agree")
    const member = membership.members.find(({ deviceId }) => deviceId === contact.peer)
    ok(member?.link === link, "member and session agree")
  }
  ok(links.lines.length <= sessions.length, "lines are bounded")
  for (const { waiting } of links.lines) {
    ok(waiting.length <= LANE_FRAMES_MAX, "what waits is bounded")
    ok(waiting.reduce((sum, { bytes }) => sum + bytes, 0) <= LINE_BYTES_MAX, "and its bytes")
    if (waiting.length > 0) tally("waiting")
  }
  ok(membership.rows.length <= trusted, "rows are bounded")
  for (const { edges } of membership.rows) ok(edges.length <= ROW_EDGES_MAX, "edges are bounded")
  ok(durable.pins.length <= trusted, "pins are bounded")
  const { reconfiguration, standing } = leadership
  ok(reconfiguration.waiting.length <= trusted + 1, "lists of electors that wait are bounded")
  if (config.manifest.shown !== undefined) tally("another list of electors")
  const electors = config.manifest.electors.length
  if (standing._tag === "Leading") {
    ok(standing.beats.length <= 8, "beats are bounded")
    for (const beat of standing.beats) ok(beat.promised.length <= electors, "promises are bounded")
  }
  if (standing._tag === "Sounding" || standing._tag === "Standing")
    ok(standing.granted.length <= electors, "votes are bounded")
}

const reached = new Map<string, number>()
let steps = 0

/** A drive in which each step is checked. */
class Checked extends Drive {
  override step(given: Given) {
    const full = freeze({ ...given, at: { mono: this.mono, wall: this.mono } }, false) as Input
    const before = freeze(this.node)
    const result = Node.step(before, full)
    ok(isDeepStrictEqual(result, Node.step(before, full)), "the same input from the same state gives the same")
    const [node, commands] = result
    freeze(commands)
    if (node !== before) assertBounded(freeze(node))
    steps++
    for (const link of node.links.links) tally(link._tag)
    for (const member of node.membership.members) tally(member.state)
    tally(node.leadership.standing._tag)
    this.node = node
    return commands
  }
}

const tally = (what: string): void => {
  reached.set(what, (reached.get(what) ?? 0) + 1)
}

const perform = (drive: Checked, next: Move): void => {
  const { links } = drive.node.links
  const link = "pick" in next ? (links[next.pick % (links.length + 1)]?.link ?? next.pick) : 0
  switch (next._tag) {
    case "meet":
      drive.meet(next.peer, { incarnation: next.incarnation, bootId: `boot-${next.boot}` })
      return
    case "reach": {
      const { attempt } = drive.contact(next.peer)
      if (attempt === null) return
      const number = drive.nextLink()
      drive.linkUp(attempt, number)
      const login = drive.answerChallenge(number)
      if (login.some(({ _tag }) => _tag === "Send"))
        drive.receive(number, {
          type: "res",
          id: "connect",
          ok: true,
          payload: drive.answerOf(next.peer, number, { incarnation: next.incarnation, bootId: `boot-${next.boot}` })
        })
      return
    }
    case "say":
      drive.receive(link, next.frame)
      return
    case "agree": {
      const { standing } = drive
      const { term } = drive.node.leadership
      if (standing._tag === "Sounding") drive.hear(link, "mesh.prevote.answer", { term: standing.term, granted: true })
      else if (standing._tag === "Standing")
        drive.hear(link, "mesh.vote.answer", { term: standing.term, granted: true })
      else if (standing._tag === "Leading")
        drive.hear(link, "mesh.lead.answer", { term, beat: Math.max(0, standing.beat - next.back), promised: true })
      return
    }
    case "heartbeat": {
      const found = links.find((other) => other.link === link)
      if (found?._tag !== "Session") return
      const [a, b, c, d] = found.epoch
      drive.hear(link, "mesh.heartbeat", { epoch: [c, d, a, b], seq: 0, rows: next.rows })
      return
    }
    case "keys":
      drive.feed(
        next.signs
          ? { _tag: "Signed", ticket: link, signatures: next.yes ? ["s", "t"] : null }
          : { _tag: "Checked", ticket: link, deviceId: id(next.peer), valid: next.yes ? [true, true] : [] }
      )
      return
    case "wake":
      drive.ring(next.lateMs)
      return
    case "early":
      drive.mono += next.ms
      drive.feed({ _tag: "Woke" })
      return
    case "linkUp":
      for (let i = 0; i < next.count; i++) drive.linkUp(next.attempt)
      return
    case "input":
      drive.feed(next.input(link))
  }
}

describe("step", () => {
  it("S10, S12: never throws, never mutates, is a function of its arguments, and keeps every table bounded", () => {
    fc.assert(
      fc.property(
        fc.array(move, { maxLength: MOVES_MAX, size: "max" }),
        fc.constantFrom(0, 5),
        (moves, incarnation) => {
          const drive = new Checked(configOf(world, "a"), { durable: { ...Durable.empty, incarnation } })
          drive.start()
          for (const [index, next] of moves.entries()) {
            // Now and then keys and disk take their time, and answer late or to nobody.
            if (index % 40 === 0) drive.keysWait = index % 80 === 40
            if (index % 40 === 20) drive.release()
            perform(drive, next)
          }
          drive.keysWait = false
          drive.feed({ _tag: "Leave", reason: "the walk is over" })
          assert.strictEqual(drive.node.phase, "left")
        }
      ),
      // Shrinking a walk takes minutes; remove `endOnFailure` to have it done.
      { numRuns: WALKS, seed: 1, endOnFailure: true }
    )
    assert.isAtLeast(steps, 20_000)
    // A walk that never gets anywhere proves nothing.
    const states = ["Offered", "Held", "Session", "Asking", "Proving", "CheckingClient", "SigningAnswer"]
    assert.isAbove(reached.get("another list of electors") ?? 0, 0)
    for (const state of [...states, "waiting", "up", "suspect", "down", "left", "Sounding", "Standing", "Leading"])
      assert.isAbove(reached.get(state) ?? 0, 0, `the walk reaches ${state}`)
  }, 120_000)
})

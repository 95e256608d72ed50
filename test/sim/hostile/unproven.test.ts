/** What a link may say before it has proved anything (S7; P1.2, P1.3, P4, P5.10, P5.11). */
import { assert, describe, it } from "@effect/vitest"
import { UNAUTHENTICATED_FRAMES_MAX } from "../../../kernel/Profile.ts"
import { allCodes } from "../../../kernel/wire/Codes.ts"
import { eventSchemas, requestSchemas } from "../../../kernel/wire/Frame.ts"
import { allIsWell, besiege, closedWith, loggingIn, nobodyElseNotices, statusOf, type Siege } from "./Siege.ts"
import type { Line } from "../../../sim/network/Stranger.ts"

const says = (texts: ReadonlyArray<string>, untilMs?: number): { readonly siege: Siege; readonly line: Line } => {
  let line!: Line
  const siege = besiege(
    ({ eve }) => {
      line = eve.dial("field", { opened: (opened) => texts.forEach((text) => opened.raw(text)) })
    },
    untilMs === undefined ? {} : { untilMs }
  )
  return { siege, line }
}

const TERM = { manifest: 1, counter: 9 }
const ID = "0".repeat(64)
/** A payload that fits, of every event there is. */
const payloads: { readonly [name in keyof typeof eventSchemas]: unknown } = {
  "peer.leaving": { gen: 1, deviceId: ID, timestamp: 0 },
  "peer.down": { gen: 1, deviceId: ID, reportedAtMs: 0 },
  "link.keepalive": { gen: 1, timestamp: 0 },
  "mesh.heartbeat": { epoch: [1, 1, 1, 1], seq: 0, rows: 0 },
  "context.frame": {
    kind: "observation",
    frameId: "f",
    sourceDeviceId: ID,
    timestamp: 0,
    data: {},
    trust: { evidence_sources: ["sensor"], evidence_trust_tier: "T2_operational_observation" },
    hops: 0
  },
  "llm.chunk": { requestId: "r", seq: 0, delta: "" },
  "mesh.world.have": { streams: [{ origin: ID, incarnation: 1, next: 2, floor: 0 }], entries: [] },
  "mesh.world.want": { origin: ID, incarnation: 1, from: 1, bytes: 1 },
  "mesh.world.frames": { origin: ID, incarnation: 1, from: 1, through: 1, last: true, frames: [] },
  "mesh.edges": { rows: [{ observer: ID, incarnation: 1, version: 1, edges: [] }] },
  "mesh.rows.sums": { sums: [1] },
  "mesh.rows.have": { groups: [0], have: [{ observer: ID, incarnation: 1, version: 1 }] },
  "mesh.rows.want": { observers: [ID] },
  "mesh.goodbyes": { goodbyes: [] },
  "mesh.probe": { subject: ID, incarnation: 1 },
  "mesh.probe.answer": { subject: ID, incarnation: 1 },
  "mesh.prevote": { term: TERM },
  "mesh.prevote.answer": { term: TERM, granted: true },
  "mesh.vote": { term: TERM },
  "mesh.vote.answer": { term: TERM, granted: true },
  "mesh.vote.proof": { term: TERM, publicKey: "k", signature: "s" },
  "mesh.lead": { term: TERM, beat: 1 },
  "mesh.lead.answer": { term: TERM, beat: 1, promised: false },
  "mesh.release": { term: { manifest: 1, counter: 1 } },
  "mesh.manifest": {
    manifest: { version: 2, electors: [ID], previous: { version: 1, electors: [ID] }, readmitted: [], signature: "s" },
    acks: [{ elector: ID, publicKey: "k", signature: "s" }]
  }
}

interface Case {
  readonly title: string
  readonly text: string
  readonly answered: ReadonlyArray<string>
  readonly counted: string
  readonly closed: number | null
}

const stray = (title: string, text: string, code: string, answered = false): Case => ({
  title,
  text,
  answered: answered ? [code] : [],
  counted: code,
  closed: null
})

const MEGABYTES_2 = `{"type":"event","event":"mesh.lead","payload":"${"x".repeat(2 ** 21)}"}`

const cases: ReadonlyArray<Case> = [
  stray("garbage", "\u0000\ufffd ceci n'est pas une trame", "INVALID_JSON"),
  stray("no text at all", "", "INVALID_JSON"),
  stray("a word of JSON", "null", "INVALID_TYPE"),
  stray("an array", "[]", "INVALID_TYPE"),
  stray("an object without a type", `{"id":"1","data":null}`, "MISSING_TYPE", true),
  stray("a type of its own", `{"type":"greeting","id":"1"}`, "INVALID_TYPE", true),
  stray("a type that is null", `{"type":null,"id":"1"}`, "INVALID_TYPE", true),
  stray("nesting beyond the bound", "[".repeat(100_000), "INVALID_JSON"),
  stray(
    "nesting within a frame",
    `{"type":"event","event":"mesh.lead","payload":${'{"a":'.repeat(64)}1${"}".repeat(65)}`,
    "INVALID_JSON"
  ),
  stray("more values than the bound", `[${"0,".repeat(70_000)}0]`, "INVALID_JSON"),
  stray("an event that nobody knows", `{"type":"event","event":"mesh.coup","payload":null}`, "NOT_AUTHORIZED"),
  stray("an event without its payload", `{"type":"event","event":"mesh.heartbeat","payload":null}`, "INVALID_PARAMS"),
  stray(
    "a challenge with null parameters",
    `{"type":"req","id":"1","method":"mesh.challenge","params":null}`,
    "INVALID_PARAMS",
    true
  ),
  stray("a method that nobody serves", `{"type":"req","id":"1","method":"mesh.takeover"}`, "NOT_AUTHORIZED", true),
  stray("an answer to nothing", `{"type":"res","id":"1","ok":true,"payload":{}}`, "NOT_AUTHORIZED"),
  stray(
    "an answer to our challenge",
    `{"type":"res","id":"challenge","ok":true,"payload":{"nonce":"n"}}`,
    "NOT_AUTHORIZED"
  ),
  ...Object.entries(payloads).map(([event, payload]) =>
    stray(`the event ${event}`, JSON.stringify({ type: "event", event, payload }), "NOT_AUTHORIZED")
  ),
  ...Object.keys(requestSchemas)
    .filter((method) => method !== "mesh.challenge" && method !== "mesh.connect")
    .map((method) =>
      stray(`the request ${method}`, JSON.stringify({ type: "req", id: "1", method }), "NOT_AUTHORIZED", true)
    ),
  {
    title: "a login of null",
    text: `{"type":"req","id":"1","method":"mesh.connect","params":null}`,
    answered: ["INVALID_PARAMS"],
    counted: "INVALID_PARAMS",
    closed: 1008
  },
  {
    title: "two megabytes",
    text: MEGABYTES_2,
    answered: [],
    counted: "TOO_LARGE",
    closed: 1009
  }
]

describe("S7, P5.10: before the handshake", () => {
  it("the cases below have a payload for every event of the wire", () => {
    assert.deepStrictEqual(Object.keys(payloads), Object.keys(eventSchemas))
  })

  for (const { answered, closed, counted, text, title } of cases)
    it(`${title}: counted as ${counted}, ${closed === null ? "the line stays" : `closed ${closed}`}`, () => {
      const { line, siege } = says([text])
      assert.isTrue(line.opened)
      assert.deepStrictEqual(line.errors, answered)
      assert.strictEqual(line.heard.length, answered.length, "it is told nothing else")
      assert.strictEqual(closedWith(siege, line), closed)
      assert.strictEqual(line.closed, closed === null ? null : "closed")
      assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { [counted]: 1 })
      nobodyElseNotices(siege, ["field"])
    })

  it("every code that it is answered with is one of the table", () => {
    for (const { answered, counted } of cases)
      for (const code of [...answered, counted]) assert.include(allCodes as ReadonlyArray<string>, code)
  })

  it(`a flood of frames on one line ends after ${UNAUTHENTICATED_FRAMES_MAX}: closed 1008`, () => {
    const { line, siege } = says(
      Array.from(
        { length: 500 },
        () => `{"type":"event","event":"mesh.release","payload":{"term":{"manifest":1,"counter":1}}}`
      )
    )
    assert.strictEqual(closedWith(siege, line), 1008)
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { NOT_AUTHORIZED: UNAUTHENTICATED_FRAMES_MAX + 1 })
    nobodyElseNotices(siege, ["field"])
  })

  it("a flood of events that nobody knows ends as soon: closed 1008", () => {
    const { line, siege } = says(Array.from({ length: 500 }, (_, i) => `{"type":"event","event":"mesh.coup.${i}"}`))
    assert.strictEqual(closedWith(siege, line), 1008)
    assert.strictEqual(line.heard.length, 0)
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { NOT_AUTHORIZED: UNAUTHENTICATED_FRAMES_MAX + 1 })
    nobodyElseNotices(siege, ["field"])
  })

  it("P5.1: of 500 challenges each that is answered is answered with the same nonce, and counts: closed 1008", () => {
    const { line, siege } = says(
      Array.from({ length: 500 }, (_, i) => `{"type":"req","id":"${i}","method":"mesh.challenge"}`)
    )
    assert.strictEqual(closedWith(siege, line), 1008)
    assert.deepStrictEqual(line.errors, [])
    const nonces = line.heard.map((frame) => (frame.type === "res" && frame.ok ? frame.payload : frame))
    assert.strictEqual(nonces.length, 1 + UNAUTHENTICATED_FRAMES_MAX + 1, "the first is no stray")
    assert.match((nonces[0] as { readonly nonce: string }).nonce, /^[\w-]{32}$/u)
    for (const nonce of nonces) assert.deepStrictEqual(nonce, nonces[0])
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { NOT_AUTHORIZED: UNAUTHENTICATED_FRAMES_MAX + 1 })
    nobodyElseNotices(siege, ["field"])
  })

  it("P5.1: a second challenge is a stray, and the line stays good for its login", () => {
    let line!: Line
    const siege = besiege((s) => {
      line = s.mallory.dial("field", {
        ...loggingIn((nonce) => s.mallory.login(s.mallory.claim(), s.field.config.deviceId, nonce, 0)),
        opened: (opened) => {
          opened.ask("again", "mesh.challenge")
          opened.ask("c", "mesh.challenge")
        }
      })
    })
    assert.deepStrictEqual(line.errors, [])
    assert.isTrue(siege.field.state()!.links.links.some((link) => link._tag === "Session" && link.link === line.link))
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { NOT_AUTHORIZED: 1 })
    allIsWell(siege)
  })

  it("a flood of garbage ends as soon: closed 1008", () => {
    const { line, siege } = says(Array.from({ length: 500 }, () => "garbage"))
    assert.strictEqual(closedWith(siege, line), 1008)
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { INVALID_JSON: UNAUTHENTICATED_FRAMES_MAX + 1 })
    nobodyElseNotices(siege, ["field"])
  })

  it("a megabyte that reads is not held: closed 1008, and the device's memory is its own", () => {
    const { line, siege } = says([
      `{"type":"req","id":"1","method":"mesh.connect","params":{"displayName":"${"x".repeat(1_000_000)}"}}`
    ])
    assert.deepStrictEqual(line.errors, ["INVALID_PARAMS"])
    assert.strictEqual(closedWith(siege, line), 1008)
    nobodyElseNotices(siege, ["field"])
  })

  it("P5.11: nothing for ten seconds: closed 1008, counted as TIMEOUT", () => {
    const { line, siege } = says([], 15_500)
    assert.strictEqual(closedWith(siege, line), 1008)
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { TIMEOUT: 1 })
    nobodyElseNotices(siege, ["field"], { untilMs: 15_500 })
  })

  it("P5.11: a challenge and then nothing for ten seconds: closed 1008", () => {
    const { line, siege } = says([`{"type":"req","id":"1","method":"mesh.challenge"}`], 15_500)
    assert.strictEqual(closedWith(siege, line), 1008)
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { TIMEOUT: 1 })
    nobodyElseNotices(siege, ["field"], { untilMs: 15_500 })
  })

  it("a name that answers to nobody dials and hangs up, again and again: nothing is kept of it", () => {
    const siege = besiege(({ eve, world }) => {
      for (let i = 0; i < 50; i++)
        eve.at(world.nowMs + 10 * i, () => {
          eve.dial("field", { opened: (line) => line.hangUp(i % 2 === 0) })
        })
    })
    assert.strictEqual(siege.field.state()!.links.links.length, 2, "its two sessions")
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, {})
    nobodyElseNotices(siege, ["field"])
  })

  it("pings before the handshake are answered by the transport and change nothing", () => {
    const siege = besiege(({ eve, world }) => {
      const line = eve.dial("field", {
        opened: () => {
          for (const probe of [0, 1, 2, 2 ** 31])
            for (const _tag of ["ping", "pong"] as const) world.network.send(line.connection, 0, { _tag, probe })
        }
      })
    })
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, {})
    nobodyElseNotices(siege, ["field"])
  })
})

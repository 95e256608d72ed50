/** What a link may say before it has proved anything (S7; P1.2, P1.3, P4, P5.10, P5.11). */
import { assert, describe, it } from "@effect/vitest"
import { UNAUTHENTICATED_FRAMES_MAX, UNAUTHENTICATED_LINKS_MAX } from "../../../kernel/Profile.ts"
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
  "mesh.heartbeat": { epoch: [1, 1, 1, 1], seq: 0, rows: 0 },
  "mesh.edges": { rows: [{ observer: ID, incarnation: 1, version: 1, edges: [] }] },
  "mesh.prevote": { term: TERM },
  "mesh.prevote.answer": { term: TERM, granted: true },
  "mesh.vote": { term: TERM },
  "mesh.vote.answer": { term: TERM, granted: true },
  "mesh.lead": { term: TERM, beat: 1 },
  "mesh.lead.answer": { term: TERM, beat: 1, promised: false },
  "mesh.release": { term: { manifest: 1, counter: 1 } }
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

  it(`P5.11: of 200 connections ${UNAUTHENTICATED_LINKS_MAX} are held, the rest closed unheard; none for longer than ten seconds`, () => {
    const lines: Array<Line> = []
    let heldMax = 0
    const options = { untilMs: 15_500 }
    const siege = besiege(({ eve, field, world }) => {
      for (let i = 0; i < 200; i++) lines.push(eve.dial("field", {}))
      for (let ms = 0; ms < 10_000; ms += 100)
        eve.at(world.nowMs + ms, () => {
          heldMax = Math.max(heldMax, field.state()!.links.links.filter((link) => link._tag !== "Session").length)
        })
    }, options)
    assert.strictEqual(heldMax, UNAUTHENTICATED_LINKS_MAX)
    const refused = 200 - UNAUTHENTICATED_LINKS_MAX
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, {
      RATE_LIMITED: refused,
      TIMEOUT: UNAUTHENTICATED_LINKS_MAX
    })
    assert.isTrue(lines.every((line) => closedWith(siege, line) === 1008))
    assert.isFalse(siege.field.state()!.links.links.some((link) => link._tag !== "Session"))
    nobodyElseNotices(siege, ["field"], options)
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

  it("while the key store works on its login, what it says is refused and changes nothing", () => {
    const siege = besiege(({ eve, field }) => {
      eve.dial(
        "field",
        loggingIn((nonce, line) => {
          line.tell("mesh.lead", payloads["mesh.lead"])
          line.say({
            type: "req",
            id: "l",
            method: "mesh.connect",
            params: eve.login(eve.claim("field"), field.config.deviceId, nonce, 0)
          })
          return `{"type":"event","event":"mesh.lead","payload":${JSON.stringify(payloads["mesh.lead"])}}`
        })
      )
    })
    allIsWell(siege)
    const { refusals } = statusOf(siege, siege.field)
    assert.strictEqual(refusals["UNTRUSTED_PEER"], 1)
    assert.isAtLeast(refusals["NOT_AUTHORIZED"]!, 1)
    nobodyElseNotices(siege, ["field"])
  })
})

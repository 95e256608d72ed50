/**
 * Frames that a well-behaved peer could send, for property tests. Written out by hand and not derived from the schemas, so
 * that a schema that forgets a field is found.
 */
import * as fc from "fast-check"
import type { Event, Frame, Request, Response } from "../../../kernel/wire/Frame.ts"
import { COUNTER_MAX } from "../../../kernel/wire/Limits.ts"

/** Text with everything that JSON and UTF-8 find hard, lone surrogates included. */
export const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 6 }),
  fc
    .array(fc.constantFrom("\ud800", "\udc00", "😀", "|", "%", "\\", '"', "\u0000", "é", ","), { maxLength: 5 })
    .map((units) => units.join(""))
)
const someText = text.filter((value) => value !== "")
const natural = fc.oneof(fc.nat({ max: 9 }), fc.bigInt({ min: 0n, max: BigInt(COUNTER_MAX) }).map(Number))
const integer = fc.oneof(fc.integer(), fc.maxSafeInteger()).map((value) => (value === 0 ? 0 : value))
const deviceId = fc.stringMatching(/^[0-9a-f]{64}$/u)
const electors = fc.array(deviceId, { maxLength: 4 })
const id = fc.oneof(fc.uuid(), text)
const term = fc.record({ manifest: natural, counter: natural })
const epoch = fc.tuple(natural, natural, natural, natural)

export const kernelHello = fc.record({
  features: fc.array(text, { maxLength: 3 }),
  gen: fc.tuple(natural, natural),
  incarnation: natural,
  bootId: someText,
  linkCounter: natural,
  meshKey: text,
  signature: text
})

export const connectAnswer = fc.record(
  {
    deviceId: someText,
    publicKey: someText,
    signature: someText,
    signedAtMs: integer,
    nonce: someText,
    displayName: text,
    capabilities: fc.array(text, { maxLength: 3 }),
    meshId: text,
    role: text,
    kernel: kernelHello
  },
  { requiredKeys: ["deviceId", "publicKey", "signature", "signedAtMs", "nonce"], noNullPrototype: true }
)

const connectParams = fc
  .record(
    { answer: connectAnswer, clientNonce: someText, nonce: text },
    { requiredKeys: ["answer", "clientNonce"], noNullPrototype: true }
  )
  .map(({ answer, ...nonces }) => {
    const said: Partial<typeof answer> = { ...answer }
    delete said.nonce
    return { version: 2 as const, ...(said as Omit<typeof answer, "nonce">), ...nonces }
  })

const edgeRow = fc.record({
  observer: deviceId,
  incarnation: natural,
  version: natural,
  edges: fc.array(
    fc.record(
      { subject: deviceId, incarnation: natural, good: fc.boolean(), left: fc.constant(true as const) },
      { requiredKeys: ["subject", "incarnation", "good"], noNullPrototype: true }
    ),
    { maxLength: 3 }
  )
})
const rowHead = fc.record({ observer: deviceId, incarnation: natural, version: natural })
const inquiry = fc.record({ subject: deviceId, incarnation: natural })

export const request: fc.Arbitrary<Request> = fc.oneof(
  fc.record({
    type: fc.constant("req" as const),
    id,
    method: fc.constantFrom("mesh.challenge" as const, "mesh.status" as const, "mesh.peers" as const),
    params: fc.constant({})
  }),
  fc.record({
    type: fc.constant("req" as const),
    id,
    method: fc.constant("mesh.connect" as const),
    params: connectParams
  }),
  fc.record({
    type: fc.constant("req" as const),
    id,
    method: fc.constant("llm.infer" as const),
    params: fc.record(
      {
        requestId: someText,
        model: fc.constantFrom("ollama/llama3.2:3b", "a/b/c"),
        messages: fc.array(
          fc.record({ role: fc.constantFrom("system" as const, "user" as const, "assistant" as const), content: text }),
          { minLength: 1, maxLength: 3 }
        ),
        maxTokens: fc.integer({ min: 1, max: 1_048_576 }),
        temperature: fc.constantFrom(0, 0.7, 2)
      },
      { requiredKeys: ["requestId", "model", "messages"], noNullPrototype: true }
    )
  }),
  fc.record({
    type: fc.constant("req" as const),
    id,
    method: fc.constant("llm.cancel" as const),
    params: fc.record({ requestId: someText })
  })
)

const eventOf = <E extends Event["event"]>(event: E, payload: fc.Arbitrary<Extract<Event, { event: E }>["payload"]>) =>
  payload.map((value) => ({ type: "event", event, payload: value }) as unknown as Event)

const goodbye = fc.record({
  deviceId,
  incarnation: natural,
  reason: text,
  publicKey: someText,
  signature: someText
})

const granted = fc.record({ term, granted: fc.boolean() })

export const event: fc.Arbitrary<Event> = fc.oneof(
  eventOf(
    "peer.leaving",
    fc.record(
      { gen: natural, deviceId, timestamp: integer, incarnation: natural },
      { requiredKeys: ["gen", "deviceId", "timestamp"] }
    )
  ),
  eventOf("peer.down", fc.record({ gen: natural, deviceId, reportedAtMs: integer })),
  eventOf("llm.chunk", fc.record({ requestId: someText, seq: natural, delta: text })),
  eventOf("link.keepalive", fc.record({ gen: natural, timestamp: integer })),
  eventOf(
    "mesh.heartbeat",
    fc.record({ epoch, seq: natural, rows: natural, ack: natural }, { requiredKeys: ["epoch", "seq", "rows"] })
  ),
  eventOf("mesh.edges", fc.record({ rows: fc.array(edgeRow, { maxLength: 3 }) })),
  eventOf("mesh.rows.sums", fc.record({ sums: fc.array(natural, { maxLength: 16 }) })),
  eventOf(
    "mesh.rows.have",
    fc.record({ groups: fc.array(natural, { maxLength: 16 }), have: fc.array(rowHead, { maxLength: 3 }) })
  ),
  eventOf("mesh.rows.want", fc.record({ observers: fc.array(deviceId, { maxLength: 3 }) })),
  eventOf("mesh.goodbyes", fc.record({ goodbyes: fc.array(goodbye, { maxLength: 3 }) })),
  eventOf("mesh.probe", inquiry),
  eventOf("mesh.probe.answer", inquiry),
  eventOf("mesh.prevote", fc.record({ term, ask: fc.nat() }, { requiredKeys: ["term"] })),
  eventOf(
    "mesh.prevote.answer",
    fc.record(
      { term, granted: fc.boolean(), promised: fc.record({ to: deviceId, ms: fc.nat(), ask: fc.nat() }) },
      { requiredKeys: ["term", "granted"] }
    )
  ),
  eventOf("mesh.vote", fc.record({ term })),
  eventOf("mesh.vote.answer", granted),
  eventOf("mesh.vote.proof", fc.record({ term, publicKey: someText, signature: someText })),
  eventOf("mesh.lead", fc.record({ term, beat: natural })),
  eventOf("mesh.lead.answer", fc.record({ term, beat: natural, promised: fc.boolean() })),
  eventOf("mesh.release", fc.record({ term })),
  eventOf(
    "mesh.manifest",
    fc.record({
      manifest: fc.record({
        version: natural,
        electors,
        previous: fc.record({ version: natural, electors }),
        readmitted: fc.array(fc.record({ deviceId, incarnation: natural }), { maxLength: 2 }),
        signature: someText
      }),
      acks: fc.array(fc.record({ elector: deviceId, publicKey: someText, signature: someText }), { maxLength: 3 })
    })
  )
)

/** JSON as a value, without negative zero: that one is zero after a journey. */
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)

export const response: fc.Arbitrary<Response> = fc.oneof(
  fc.record({ type: fc.constant("res" as const), id, ok: fc.constant(true as const), payload: json }),
  fc.record({
    type: fc.constant("res" as const),
    id,
    ok: fc.constant(false as const),
    error: fc.record({ code: text, message: text })
  })
)

export const frame: fc.Arbitrary<Frame> = fc.oneof(request, event, response)

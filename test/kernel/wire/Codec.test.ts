import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { decode, decodeAnswer, encode, type Decoded } from "../../../kernel/wire/Codec.ts"
import { utf8Bytes } from "../../../kernel/wire/Utf8.ts"
import { allCodes, type Code } from "../../../kernel/wire/Codes.ts"
import { eventSchemas, requestSchemas } from "../../../kernel/wire/Frame.ts"
import { ID_UNITS_MAX, MESSAGE_BYTES_MAX, NAME_UNITS_MAX } from "../../../kernel/wire/Limits.ts"
import { codecVectors, type CodecVector } from "../../vectors.ts"
import { connectAnswer, event, frame, request, text } from "./frames.arbitrary.ts"

const textOf = (vector: CodecVector): string =>
  vector.repeat === undefined
    ? vector.text!
    : vector.repeat.before + vector.repeat.unit.repeat(vector.repeat.times) + vector.repeat.after

/** Of a repeated vector only the outcome is written down: a megabyte of `a` teaches nothing. */
const outcomeOf = (vector: CodecVector, decoded: Decoded): unknown =>
  vector.repeat !== undefined && decoded._tag === "Frame" ? { _tag: "Frame" } : decoded

/** JSON with the keys and values that the codec looks at, so that random objects get past its first checks. */
const nearFrame = fc.dictionary(
  fc.constantFrom("type", "id", "method", "event", "params", "payload", "ok", "error", "__proto__", "constructor"),
  fc.oneof(
    fc.constantFrom("req", "res", "event", ...Object.keys(requestSchemas), ...Object.keys(eventSchemas)),
    fc.jsonValue({ maxDepth: 3 })
  )
)

const assertLawful = (decoded: Decoded): void => {
  if (decoded._tag === "Refused") {
    assert.include(allCodes, decoded.code)
    if (decoded.id !== null) assert.isAtMost(decoded.id.length, ID_UNITS_MAX)
    if (decoded.method !== null) assert.isAtMost(decoded.method.length, NAME_UNITS_MAX)
  } else if (decoded._tag === "Frame") {
    assert.isTrue(Object.hasOwn(decoded.frame, "type"))
    const again = decode(encode(decoded.frame))
    assert.deepStrictEqual(again, decoded)
    if (again._tag === "Frame") assert.strictEqual(encode(again.frame), encode(decoded.frame))
  }
}

/** Every place in a JSON value below the root, as its path. */
const paths = (value: unknown, at: ReadonlyArray<string> = []): ReadonlyArray<ReadonlyArray<string>> =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => [[...at, key], ...paths(inner, [...at, key])])
    : []

const edited = (root: unknown, path: ReadonlyArray<string>, edit: (parent: any, key: string) => void): string => {
  const copy = JSON.parse(JSON.stringify(root))
  let parent = copy
  for (const key of path.slice(0, -1)) parent = parent[key]
  edit(parent, path.at(-1)!)
  return JSON.stringify(copy)
}

const optionalKeys = ["nonce", "displayName", "capabilities", "meshId", "role", "kernel"]

/** Optional by PROTOCOL.md parts 5 and 6, and `params` where a method has none. */
const mayBeAbsent = (name: string, path: ReadonlyArray<string>): boolean =>
  (path.length === 2 && path[0] === "params" && optionalKeys.includes(path[1]!)) ||
  (name === "mesh.heartbeat" && ["payload.ack", "payload.world"].includes(path.join("."))) ||
  (name === "llm.infer" && ["params.maxTokens", "params.temperature"].includes(path.join("."))) ||
  (name === "mesh.prevote" && path.join(".") === "payload.ask") ||
  (name === "mesh.prevote.answer" && path.join(".") === "payload.promised") ||
  (path.length === 2 && path[0] === "payload" && path[1] === "gen") ||
  (name === "peer.leaving" && path.length === 2 && path[0] === "payload" && path[1] === "incarnation") ||
  (path.length === 1 && path[0] === "params" && !["mesh.connect", "llm.infer", "llm.cancel"].includes(name))

describe("P4 codec: vectors", () => {
  for (const vector of codecVectors)
    it(vector.name, () => assert.deepStrictEqual(outcomeOf(vector, decode(textOf(vector))), vector.expect))

  it("every refusal of the codec, and every method and event, has a vector", () => {
    const refusals: ReadonlyArray<Code> = [
      "TOO_LARGE",
      "INVALID_JSON",
      "MISSING_TYPE",
      "INVALID_TYPE",
      "INVALID_PARAMS",
      "UNKNOWN_METHOD",
      "DATA_TOO_LARGE",
      "TRUST_METADATA_REQUIRED",
      "INVALID_TRUST_POLICY"
    ]
    const outcomes = codecVectors.map((vector) => decode(textOf(vector)))
    const seen = outcomes.flatMap((decoded): ReadonlyArray<string> => {
      if (decoded._tag === "Refused") return [decoded.code]
      if (decoded._tag === "Ignored" || decoded.frame.type === "res") return []
      return [decoded.frame.type === "req" ? decoded.frame.method : decoded.frame.event]
    })
    assert.deepStrictEqual(
      new Set(seen),
      new Set([...refusals, ...Object.keys(requestSchemas), ...Object.keys(eventSchemas)])
    )
  })
})

describe("P4 codec: properties", () => {
  it("P4.6 is total on arbitrary text", () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: fc.constantFrom(...'{}[]":,\\-0e') })), (input) =>
        assertLawful(decode(input))
      ),
      { numRuns: 6_000 }
    )
  })

  it("P4.6 is total on arbitrary JSON", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          nearFrame.map((value) => JSON.stringify(value))
        ),
        (input) => assertLawful(decode(input))
      ),
      { numRuns: 5_000 }
    )
  })

  it("P1.3 a number that no double holds makes no message, wherever it stands", () => {
    const answer = (n: string) => decode(`{"type":"res","id":"1","ok":true,"payload":{"deep":[{"n":${n}}]}}`)
    for (const n of ["1e999", "-1E+999", "9".repeat(400), `-${"9".repeat(310)}.5`])
      assert.deepInclude(answer(n), { _tag: "Refused", code: "INVALID_JSON" })
    for (const n of ["1e308", "1e-999", "9".repeat(308), `0.${"9".repeat(400)}`, "-1.5e+3"]) {
      const decoded = answer(n)
      assert.deepStrictEqual(decoded, {
        _tag: "Frame",
        frame: { type: "res", id: "1", ok: true, payload: { deep: [{ n: Number(n) }] } }
      })
    }
    assert.strictEqual(decode('{"type":"event","event":"1e999","payload":{"1e999":"1e999"}}')._tag, "Ignored")
  })

  it("P4.1 a valid frame comes back exactly", () => {
    fc.assert(
      fc.property(frame, (valid) => {
        const id = valid.type === "event" ? "" : valid.id
        assert.deepStrictEqual(decode(encode(valid)), { _tag: "Frame", frame: valid })
        assert.isAtMost(id.length, ID_UNITS_MAX)
      }),
      { numRuns: 4_000 }
    )
  })

  it("P4.4 one place mutated: refused or lawful, never thrown", () => {
    fc.assert(
      fc.property(frame, fc.nat(), fc.jsonValue({ maxDepth: 2 }), (valid, at, value) => {
        const places = paths(valid)
        const path = places[at % places.length]!
        assertLawful(decode(edited(valid, path, (parent, key) => void (parent[key] = value))))
      }),
      { numRuns: 3_000 }
    )
  })

  it("P4.4 null is never the same as absent", () => {
    fc.assert(
      fc.property(fc.oneof(request, event), fc.nat(), (valid, at) => {
        const places = paths(valid)
        const path = places[at % places.length]!
        const decoded = decode(edited(valid, path, (parent, key) => void (parent[key] = null)))
        assert.strictEqual(decoded._tag, "Refused", path.join("."))
      }),
      { numRuns: 3_000 }
    )
  })

  it("P4.4 what is required is missed, what is optional is not", () => {
    fc.assert(
      fc.property(fc.oneof(request, event), fc.nat(), (valid, at) => {
        const places = paths(valid).filter((path) => !path.some((key) => /^\d+$/u.test(key)))
        const path = places[at % places.length]!
        const decoded = decode(edited(valid, path, (parent, key) => void delete parent[key]))
        const name = valid.type === "req" ? valid.method : valid.event
        assert.strictEqual(decoded._tag, mayBeAbsent(name, path) ? "Frame" : "Refused", path.join("."))
      }),
      { numRuns: 3_000 }
    )
  })

  it("P1.2 counts the bytes that UTF-8 has", () => {
    fc.assert(
      fc.property(text, (input) => assert.strictEqual(utf8Bytes(input), Buffer.byteLength(input, "utf8"))),
      { numRuns: 2_000 }
    )
  })
})

describe("P1 codec: bounds", () => {
  it("P1.2 the bound is in bytes: multi-byte text at it is read, one byte beyond is not", () => {
    const before = '{"type":"res","id":"1","ok":true,"payload":"'
    const room = MESSAGE_BYTES_MAX - utf8Bytes(`${before}"}`)
    const exact = `${before}${"é".repeat(Math.floor(room / 2))}${"a".repeat(room % 2)}"}`
    assert.strictEqual(utf8Bytes(exact), MESSAGE_BYTES_MAX)
    assert.strictEqual(decode(exact)._tag, "Frame")
    assert.deepStrictEqual(decode(` ${exact}`), { _tag: "Refused", code: "TOO_LARGE", id: null, method: null })
  })

  it("P1.3 brackets and commas inside strings are no depth and no values", () => {
    const payload = `\\"${"[{,".repeat(40_000)}\\\\`
    const decoded = decode(`{"type":"res","id":"1","ok":true,"payload":"${payload}"}`)
    assert.strictEqual(decoded._tag, "Frame")
  })

  it("P4.5 what is answered is a request: never an answer, never an event", () => {
    for (const message of [
      '{"type":"res","id":"7","ok":1}',
      '{"type":"event","id":"7","event":"mesh.vote","payload":null}'
    ]) {
      const decoded = decode(message)
      assert.isTrue(decoded._tag === "Refused" && decoded.id === null && decoded.method === null)
    }
    assert.deepInclude(decode('{"id":"7","method":"mesh.peers"}'), {
      code: "MISSING_TYPE",
      id: "7",
      method: "mesh.peers"
    })
  })

  it("P4.6 __proto__ of a sender reaches no prototype", () => {
    decode(
      '{"type":"event","event":"mesh.vote","payload":{"__proto__":{"polluted":1},"term":{"manifest":1,"counter":1}}}'
    )
    decode(
      '{"__proto__":{"polluted":1},"type":"req","id":"1","method":"mesh.peers","params":{"constructor":{"prototype":{"polluted":1}}}}'
    )
    assert.strictEqual(({} as { polluted?: number }).polluted, undefined)
  })

  it("two decodes of one text share nothing", () => {
    const message = '{"type":"res","id":"1","ok":true,"payload":{"a":[1]}}'
    const [one, two] = [decode(message), decode(message)]
    assert.deepStrictEqual(one, two)
    assert.isTrue(one._tag === "Frame" && two._tag === "Frame" && one.frame !== two.frame)
    if (one._tag === "Frame" && one.frame.type === "res" && one.frame.ok) (one.frame.payload as any).a.push(2)
    assert.deepStrictEqual(decode(message), two)
  })
})

describe("P5 codec: answers", () => {
  it("P5.4 reads the two answers of the handshake, and drops what it does not know", () => {
    assert.deepStrictEqual(decodeAnswer("mesh.challenge", { nonce: "n", ttl: 1 }), { nonce: "n" })
    fc.assert(
      fc.property(connectAnswer, (answer) => {
        assert.deepStrictEqual(decodeAnswer("mesh.connect", { ...answer, mood: "good" }), answer)
      }),
      { numRuns: 500 }
    )
  })

  it("P5.4 is null for anything else", () => {
    for (const payload of [undefined, null, 1, "x", [], {}, { nonce: "" }, { nonce: null }, { nonce: 1 }])
      assert.isNull(decodeAnswer("mesh.challenge", payload))
    fc.assert(
      fc.property(
        connectAnswer,
        fc.constantFrom("deviceId", "publicKey", "signature", "signedAtMs", "nonce"),
        (answer, key) => {
          assert.isNull(decodeAnswer("mesh.connect", { ...answer, [key]: null }))
        }
      ),
      { numRuns: 300 }
    )
  })
})

import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import {
  connectString,
  goodbyeString,
  kernelString,
  type ConnectFields,
  type KernelFields
} from "../../../kernel/identity/Handshake.ts"
import { isDeviceId, meshIdPreimage } from "../../../kernel/identity/MeshId.ts"
import { identityVectors as vectors } from "../../vectors.ts"
import { text } from "../wire/frames.arbitrary.ts"

/** Few different texts, so that two draws often differ in one place only; among them all that could blur a boundary. */
const blurring = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "",
      ",",
      ",,",
      "|",
      "a",
      "a,",
      "%2C",
      "%7C",
      "%uD800",
      "\ud800",
      "\udc00",
      "\ufffd",
      "1-1"
    )
  },
  { weight: 1, arbitrary: text }
)
const lists = fc.array(blurring, { maxLength: 3 })
const small = fc.nat({ max: 12 })

const connectFields: fc.Arbitrary<ConnectFields> = fc.record(
  { deviceId: blurring, signedAtMs: small, nonce: blurring, meshId: blurring, role: blurring },
  { requiredKeys: ["deviceId", "signedAtMs", "nonce"], noNullPrototype: true }
)

/** What every one of these strings is about. */
const ALWAYS = [
  "direction",
  "clientDeviceId",
  "serverDeviceId",
  "clientNonce",
  "serverNonce",
  "meshId",
  "meshKey",
  "incarnation",
  "bootId",
  "linkCounter",
  "gen",
  "features",
  "capabilities",
  "displayName",
  "exporter"
] as const

const kernelFields: fc.Arbitrary<KernelFields> = fc.record(
  {
    direction: fc.constantFrom("client" as const, "server" as const),
    clientDeviceId: blurring,
    serverDeviceId: blurring,
    clientNonce: blurring,
    serverNonce: blurring,
    meshId: blurring,
    meshKey: blurring,
    incarnation: small,
    bootId: blurring,
    linkCounter: small,
    gen: fc.tuple(small, small),
    features: lists,
    capabilities: lists,
    displayName: blurring,
    exporter: blurring,
    remembers: small
  },
  { requiredKeys: [...ALWAYS] }
)

/** `base` with one field taken from `other`: the pairs in which a blurred boundary would show. */
const graft = <A extends object>(base: A, other: A, at: number): A => {
  const keys = Object.keys(base) as Array<keyof A>
  const key = keys[at % keys.length]!
  return { ...base, [key]: other[key] }
}

const isTextList = (value: unknown): boolean =>
  Array.isArray(value) && value.every((element) => typeof element === "string")

const swappable = ([oneKey, one]: [string, unknown], [, two]: [string, unknown]): boolean =>
  oneKey !== "direction" &&
  ((typeof one === typeof two && typeof one !== "object") || (isTextList(one) && isTextList(two)))

/** `base` with the values of two neighbouring fields in each other's place, where they are of one kind. */
const swap = <A extends object>(base: A, at: number): A => {
  const entries = Object.entries(base)
  const i = at % (entries.length - 1)
  const [one, two] = [entries[i]!, entries[i + 1]!]
  return swappable(one, two) ? { ...base, [one[0]]: two[1], [two[0]]: one[1] } : base
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

describe("P5 the string of generation 1", () => {
  for (const { given, name, payload } of vectors.connect)
    it(`vector: ${name}`, () => assert.strictEqual(connectString(given), payload))

  it("P5.5 leaves ! ' ( ) * as they are", () => {
    assert.strictEqual(
      connectString({ deviceId: "d", signedAtMs: 0, nonce: "!'()*", role: "a~b" }),
      "mesh.connect|v2|d|0|!'()*||a~b"
    )
  })

  it("P5.5 absent and empty are one; anything else that differs gives another string", () => {
    const ordered = ({ deviceId, meshId = "", nonce, role = "", signedAtMs }: ConnectFields) => [
      deviceId,
      signedAtMs,
      nonce,
      meshId,
      role
    ]
    fc.assert(
      fc.property(connectFields, connectFields, fc.nat(), (a, b, at) => {
        for (const other of [b, graft(a, b, at), swap(a, at)])
          assert.strictEqual(connectString(a) === connectString(other), same(ordered(a), ordered(other)))
      }),
      { numRuns: 3_000 }
    )
  })

  it("P5.6 a lone surrogate does not throw, and is like nothing else", () => {
    const of = (nonce: string) => connectString({ deviceId: "d", signedAtMs: 0, nonce })
    assert.strictEqual(of("a\ud83dé\ude00"), "mesh.connect|v2|d|0|a%uD83D%C3%A9%uDE00||")
    assert.strictEqual(of("\ud83d\ude00\ud83d"), "mesh.connect|v2|d|0|%F0%9F%98%80%uD83D||")
    assert.notStrictEqual(of("\ud83d"), of("\ufffd"))
    assert.notStrictEqual(of("\ud83d"), of("%uD83D"))
  })
})

describe("P9 the string of the kernel extension", () => {
  for (const { given, name, payload } of vectors.kernel)
    it(`vector: ${name}`, () => assert.strictEqual(kernelString(given), payload))

  it("P9.3 different fields give different strings", () => {
    const ordered = (fields: KernelFields) => Object.values(fields)
    fc.assert(
      fc.property(kernelFields, kernelFields, fc.nat(), (a, b, at) => {
        for (const other of [b, graft(a, b, at), swap(a, at)])
          assert.strictEqual(kernelString(a) === kernelString(other), same(ordered(a), ordered(other)))
      }),
      { numRuns: 4_000 }
    )
  })

  it("P3.14 what is remembered is signed", () => {
    const base = vectors.kernel[0]!.given
    assert.strictEqual(
      new Set([{}, { remembers: 0 }, { remembers: 57 }].map((told) => kernelString({ ...base, ...told }))).size,
      3
    )
  })

  it("P9.3 no elements and one empty element differ, and so do the two lists", () => {
    const base = vectors.kernel[0]!.given
    const strings = [
      { features: [], capabilities: [] },
      { features: [""], capabilities: [] },
      { features: [], capabilities: [""] },
      { features: ["a", "b"], capabilities: [] },
      { features: ["a"], capabilities: ["b"] },
      { features: ["a,b"], capabilities: [] }
    ].map((lists) => kernelString({ ...base, ...lists }))
    assert.strictEqual(new Set(strings).size, strings.length)
  })

  it("P9.4 never equals a string of generation 1, nor the same words in the other direction", () => {
    fc.assert(
      fc.property(connectFields, kernelFields, (connect, kernel) => {
        assert.notStrictEqual(connectString(connect), kernelString(kernel))
        assert.notStrictEqual(
          kernelString({ ...kernel, direction: "client" }),
          kernelString({ ...kernel, direction: "server" })
        )
      }),
      { numRuns: 500 }
    )
  })
})

describe("P7.16 the string of a goodbye", () => {
  for (const { given, name, payload } of vectors.leave)
    it(`vector: ${name}`, () => assert.strictEqual(goodbyeString(given), payload))

  it("differs in whatever differs, and is no other string", () => {
    const { given } = vectors.leave[0]!
    const others = [
      given,
      { ...given, meshId: "other" },
      { ...given, meshKey: "other" },
      { ...given, deviceId: "other" },
      { ...given, incarnation: 58 },
      { ...given, reason: "asked" },
      { ...given, meshKey: `${given.meshKey}|${given.deviceId}` }
    ]
    assert.strictEqual(new Set(others.map(goodbyeString)).size, others.length)
    assert.match(goodbyeString(given), /^clawmesh\.leave\|v1\|/u)
  })
})

describe("P2 ids as text", () => {
  it("P2.3 the id of a mesh is the hash of its name under a prefix", () => {
    assert.strictEqual(meshIdPreimage("bhoomi"), "clawmesh|mesh|bhoomi")
  })

  it("P2.2 a device id is 64 lower-case hex digits", () => {
    assert.isTrue(isDeviceId(vectors.key.deviceId))
    for (const wrong of [
      "",
      vectors.key.deviceId.toUpperCase(),
      `${vectors.key.deviceId}\n`,
      vectors.key.deviceId.slice(1)
    ])
      assert.isFalse(isDeviceId(wrong))
  })
})

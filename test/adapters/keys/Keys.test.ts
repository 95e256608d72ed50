import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { check, deviceIdOf, fromSeed, generate, meshIdOf } from "../../../adapters/keys/Keys.ts"
import { isDeviceId } from "../../../kernel/identity/MeshId.ts"
import { frameVectors, identityVectors as vectors } from "../../vectors.ts"

const keys = fromSeed(Buffer.from(vectors.key.seedHex, "hex"))!
// The first frame and the second are signed alike.
const signed = [...vectors.connect, ...vectors.kernel, ...vectors.leave, ...frameVectors.slice(1)].map(
  ({ name, payload, signature }) => ({
    name,
    payload,
    signature
  })
)
const first = signed[0]!
const only = (publicKey: string, payload: string, signature: string) => check(publicKey, [{ payload, signature }])

/** The same bytes, written with the other value of the two or four bits that base64url leaves over. */
const withStrayBits = (text: string): string => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1)!) ^ 1]!
}

/** y of the points of order 1, 2, 4 and 8, then of the first two written above the field's prime. Little-endian hex. */
const smallOrder = [
  `01${"00".repeat(31)}`,
  `ec${"ff".repeat(30)}7f`,
  "00".repeat(32),
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  `ee${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`
].flatMap((hex) => {
  const point = Buffer.from(hex, "hex")
  const mirrored = Buffer.from(point)
  mirrored[31]! |= 0x80
  return [point, mirrored]
})

describe("P2 Ed25519 identities", () => {
  it("P2.1 RFC 8032 test key 1: public key and device id", () => {
    assert.strictEqual(keys.publicKey, vectors.key.publicKey)
    assert.strictEqual(keys.deviceId, vectors.key.deviceId)
    assert.strictEqual(deviceIdOf(vectors.key.publicKey), vectors.key.deviceId)
    assert.strictEqual(deviceIdOf(vectors.audience.publicKey), vectors.audience.deviceId)
  })

  it("P2.3 the id of a mesh", () => assert.strictEqual(meshIdOf(vectors.mesh.name), vectors.mesh.meshId))

  for (const { name, payload, signature } of signed)
    it(`vector: ${name}`, () => {
      assert.strictEqual(keys.sign(payload), signature)
      assert.deepStrictEqual(only(keys.publicKey, payload, signature), { deviceId: keys.deviceId, valid: [true] })
    })

  it("P9.4 a signature is good for its own string only: not the other direction, not the login of generation 1", () => {
    for (const one of signed)
      for (const other of signed)
        assert.deepStrictEqual(only(keys.publicKey, other.payload, one.signature).valid, [one === other])
  })

  it("a generated key signs, its seed makes it again, and another key did not sign that", () => {
    const { keys: one, seed } = generate()
    const { keys: two } = generate()
    assert.isTrue(isDeviceId(one.deviceId))
    assert.notStrictEqual(one.deviceId, two.deviceId)
    assert.strictEqual(fromSeed(seed)?.publicKey, one.publicKey)
    const signature = one.sign("é|\u0000")
    assert.deepStrictEqual(only(one.publicKey, "é|\u0000", signature), { deviceId: one.deviceId, valid: [true] })
    assert.deepStrictEqual(only(two.publicKey, "é|\u0000", signature), { deviceId: two.deviceId, valid: [false] })
  })

  it("a seed of another length is none", () => {
    for (const length of [0, 31, 33, 64]) assert.isNull(fromSeed(new Uint8Array(length)))
  })

  it("answers every proof in its place", () => {
    const forged = { ...first, payload: `${first.payload}x` }
    assert.deepStrictEqual(check(keys.publicKey, [first, forged, first]).valid, [true, false, true])
    assert.deepStrictEqual(check(keys.publicKey, []), { deviceId: keys.deviceId, valid: [] })
  })
})

describe("P2.4 what is no key and no signature", () => {
  const { publicKey } = keys
  const standard = Buffer.from(publicKey, "base64url").toString("base64")

  for (const [name, wrong] of Object.entries({
    "nothing at all": "",
    padding: `${publicKey}=`,
    "the standard alphabet": standard.slice(0, -1),
    "a blank before": ` ${publicKey}`,
    "a line end": `${publicKey}\n`,
    "stray bits": withStrayBits(publicKey),
    "31 bytes": Buffer.alloc(31, 7).toString("base64url"),
    "33 bytes": Buffer.alloc(33, 7).toString("base64url"),
    "a lone surrogate": `${publicKey.slice(0, -1)}\ud800`
  }))
    it(`key: ${name}`, () => {
      assert.isNull(deviceIdOf(wrong))
      assert.deepStrictEqual(only(wrong, first.payload, first.signature), { deviceId: null, valid: [false] })
    })

  for (const [name, wrong] of Object.entries({
    "nothing at all": "",
    padding: `${first.signature}==`,
    "stray bits": withStrayBits(first.signature),
    "63 bytes": first.signature.slice(0, -2),
    "65 bytes": `${first.signature}A`,
    "a line end": `${first.signature}\n`,
    "all zeros": Buffer.alloc(64).toString("base64url")
  }))
    it(`signature: ${name}`, () =>
      assert.deepStrictEqual(only(publicKey, first.payload, wrong), { deviceId: keys.deviceId, valid: [false] }))

  it("signature: s raised by the order of the group (malleability)", () => {
    const bytes = Buffer.from(first.signature, "base64url")
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    let s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + order
    for (let i = 32; i < 64; i++, s >>= 8n) bytes[i] = Number(s & 0xffn)
    assert.deepStrictEqual(only(publicKey, first.payload, bytes.toString("base64url")).valid, [false])
  })

  it("key: no point of the curve has signed anything", () => {
    const offCurve = Buffer.from(`02${"00".repeat(31)}`, "hex").toString("base64url")
    assert.deepStrictEqual(only(offCurve, first.payload, first.signature).valid, [false])
  })

  it("key: of small order, under which s = 0 fits any text", () => {
    assert.strictEqual(smallOrder.length, 14)
    const identity = smallOrder[0]!
    const signature = Buffer.concat([identity, Buffer.alloc(32)]).toString("base64url")
    for (const point of smallOrder) {
      const key = point.toString("base64url")
      assert.isNull(deviceIdOf(key))
      assert.deepStrictEqual(only(key, "any text", signature), { deviceId: null, valid: [false] })
    }
  })

  it("is total on arbitrary text", () => {
    const anything = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(publicKey, first.signature),
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("base64url")),
      fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString("base64url"))
    )
    fc.assert(
      fc.property(anything, anything, anything, (key, payload, signature) => {
        const { deviceId, valid } = only(key, payload, signature)
        assert.strictEqual(deviceId, deviceIdOf(key))
        assert.deepStrictEqual(valid, [false])
      }),
      { numRuns: 1_000 }
    )
  })
})

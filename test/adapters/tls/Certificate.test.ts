/** B16, P2.4: the certificate of an identity key, and what a pin accepts. */
import { createHash, createPublicKey, generateKeyPairSync, webcrypto, X509Certificate } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fromSeed } from "../../../adapters/keys/Keys.ts"
import { credentialsOf } from "../../../adapters/tls/Certificate.ts"
import { deviceIdOfCertificate, fingerprintOf, hasFingerprint, isPinned } from "../../../adapters/tls/Pin.ts"

const seedOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

/** The library needs its companion to be there first. */
const load = async () => {
  await import("reflect-metadata")
  return import("@peculiar/x509")
}

const selfSigned = async (algorithm: webcrypto.EcKeyGenParams): Promise<X509Certificate> => {
  const x509 = await load()
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    { name: "CN=gen1", keys, signingAlgorithm: { ...algorithm, hash: "SHA-256" } },
    webcrypto as never
  )
  return new X509Certificate(certificate.toString("pem"))
}

/** A certificate whose Ed25519 key is these raw bytes, whoever can sign under it; its own signature is another key's. */
const carrying = async (raw: Buffer): Promise<X509Certificate> => {
  const x509 = await load()
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw])
  const { privateKey } = (await webcrypto.subtle.generateKey("Ed25519", true, [
    "sign",
    "verify"
  ])) as webcrypto.CryptoKeyPair
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: "CN=small",
      issuer: "CN=small",
      publicKey: new x509.PublicKey(spki),
      signingKey: privateKey,
      signingAlgorithm: { name: "Ed25519" }
    },
    webcrypto as never
  )
  return new X509Certificate(certificate.toString("pem"))
}

describe("the certificate of an identity key", () => {
  it.effect("one seed gives one certificate, byte for byte", () =>
    Effect.gen(function* () {
      const one = yield* credentialsOf(seedOf(1))
      assert.deepStrictEqual(yield* credentialsOf(seedOf(1)), one)
      assert.notStrictEqual((yield* credentialsOf(seedOf(2))).certificate, one.certificate)
      // A golden value: kept certificates and written fingerprints outlive a release.
      const fingerprint = createHash("sha256").update(new X509Certificate(one.certificate).raw).digest("hex")
      assert.strictEqual(fingerprint, "4d72d9f9a7e1815bc1843baafaded26857796693a46ad2dacd1675deefd716e5")
    })
  )

  it.effect("its key is the identity key, it signs itself, and it is valid from 1970 to 9999", () =>
    Effect.gen(function* () {
      const { certificate, key } = yield* credentialsOf(seedOf(7))
      const read = new X509Certificate(certificate)
      assert.strictEqual(deviceIdOfCertificate(read), fromSeed(seedOf(7))!.deviceId)
      assert.isTrue(read.verify(read.publicKey))
      assert.isTrue(createPublicKey(key).equals(read.publicKey))
      assert.strictEqual(read.validFromDate.toISOString(), "1970-01-01T00:00:00.000Z")
      assert.strictEqual(read.validToDate.toISOString(), "9999-12-31T23:59:59.000Z")
      assert.strictEqual(read.subject, `CN=${fromSeed(seedOf(7))!.deviceId}`)
    })
  )

  it.effect(
    "a kept certificate is taken if it is of this key, and made anew if it is another's, broken or forged",
    () =>
      Effect.gen(function* () {
        const mine = yield* credentialsOf(seedOf(1))
        const others = yield* credentialsOf(seedOf(2))
        assert.strictEqual((yield* credentialsOf(seedOf(1), mine.certificate)).certificate, mine.certificate)
        const raw = Buffer.from(
          new X509Certificate(mine.certificate).publicKey.export({ format: "jwk" }).x!,
          "base64url"
        )
        const forged = yield* Effect.promise(() => carrying(raw))
        for (const kept of [others.certificate, "", "-----BEGIN CERTIFICATE-----\nAAAA\n", forged.toString()])
          assert.strictEqual((yield* credentialsOf(seedOf(1), kept)).certificate, mine.certificate)
      })
  )

  it.effect("a kept certificate is taken as it is, not only made again alike", () =>
    Effect.gen(function* () {
      const { certificate } = yield* credentialsOf(seedOf(1))
      const same = `${certificate.trim()}\n\n`
      assert.strictEqual((yield* credentialsOf(seedOf(1), same)).certificate, same)
    })
  )
})

describe("whose a certificate is", () => {
  it("a key that is not Ed25519 is no device's (B16)", async () => {
    const p256 = await selfSigned({ name: "ECDSA", namedCurve: "P-256" })
    assert.isNull(deviceIdOfCertificate(p256))
    assert.isFalse(isPinned(p256, fromSeed(seedOf(1))!.deviceId, undefined))
  })

  it("a key of small order is no device's: anybody can sign under it (P2.4)", async () => {
    const small = Buffer.alloc(32)
    small[0] = 1
    const certificate = await carrying(small)
    assert.strictEqual(certificate.publicKey.asymmetricKeyType, "ed25519")
    assert.isNull(deviceIdOfCertificate(certificate))
    // The same way of making it, with an honest key, is a device's.
    const { publicKey } = generateKeyPairSync("ed25519")
    const raw = Buffer.from(publicKey.export({ format: "jwk" }).x!, "base64url")
    const id = createHash("sha256").update(raw).digest("hex")
    assert.strictEqual(deviceIdOfCertificate(await carrying(raw)), id)
  })

  it("a fingerprint fits in every spelling that tools print, and nothing else does (B16)", async () => {
    const certificate = await selfSigned({ name: "ECDSA", namedCurve: "P-256" })
    const hex = createHash("sha256").update(certificate.raw).digest("hex")
    const colons = hex.match(/../gu)!.join(":")
    assert.strictEqual(fingerprintOf(certificate), hex)
    for (const fits of [
      hex,
      hex.toUpperCase(),
      colons,
      colons.toUpperCase(),
      `sha256:${hex}`,
      `SHA256:${colons.toUpperCase()}`,
      `sha-256=${colons}`,
      ` ${hex}\n`,
      certificate.fingerprint256
    ])
      assert.isTrue(hasFingerprint(certificate, fits), fits)
    const flipped = `${hex.slice(0, -1)}${hex.endsWith("0") ? "1" : "0"}`
    for (const not of [flipped, hex.slice(1), `${hex}0`, "", "sha256:", certificate.fingerprint, `sha1:${hex}`])
      assert.isFalse(hasFingerprint(certificate, not), not)
  })

  it.effect("a configured fingerprint is asked for in place of the key, never beside it", () =>
    Effect.gen(function* () {
      const mine = new X509Certificate((yield* credentialsOf(seedOf(1))).certificate)
      const { deviceId } = fromSeed(seedOf(1))!
      assert.isTrue(isPinned(mine, deviceId, undefined))
      assert.isFalse(isPinned(mine, fromSeed(seedOf(2))!.deviceId, undefined))
      assert.isTrue(isPinned(mine, "another", fingerprintOf(mine)))
      assert.isFalse(isPinned(mine, deviceId, "00".repeat(32)))
    })
  )
})

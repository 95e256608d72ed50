/** The certificate that is kept between starts: taken when it is ours, made anew otherwise, and never a reason not to start. */
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { webcrypto, X509Certificate } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { credentialsOf } from "../../../adapters/tls/Certificate.ts"
import { CERTIFICATE, open } from "../../../adapters/tls/Kept.ts"
import { scratch } from "../vault/Scratch.ts"

const seedOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex")

/** Of this very key and signed by it, but with an end. */
const ending = async (seed: Uint8Array): Promise<string> => {
  await import("reflect-metadata")
  const x509 = await import("@peculiar/x509")
  const algorithm = { name: "Ed25519" }
  const privateKey = await webcrypto.subtle.importKey("pkcs8", Buffer.concat([PKCS8_PREFIX, seed]), algorithm, true, [
    "sign"
  ])
  const { x } = await webcrypto.subtle.exportKey("jwk", privateKey)
  const publicKey = await webcrypto.subtle.importKey("raw", Buffer.from(x!, "base64url"), algorithm, true, ["verify"])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: "CN=mine",
      notBefore: new Date(0),
      notAfter: new Date(2_000_000_000_000),
      signingAlgorithm: algorithm,
      keys: { privateKey, publicKey }
    },
    webcrypto as never
  )
  return certificate.toString("pem")
}

describe("the certificate kept in the state directory", () => {
  it.effect("the first start makes and keeps it, for its owner only; the second takes it and writes nothing", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const file = join(directory, CERTIFICATE)
      const first = yield* open(directory, seedOf(1))
      assert.deepStrictEqual(first, yield* credentialsOf(seedOf(1)))
      assert.strictEqual(readFileSync(file, "utf8"), first.certificate)
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      // Still the same certificate to those who read it, and told apart by its bytes: taken, not made again alike.
      writeFileSync(file, `${first.certificate.trim()}\n\n`)
      utimesSync(file, 1, 1)
      assert.strictEqual((yield* open(directory, seedOf(1))).certificate, `${first.certificate.trim()}\n\n`)
      assert.strictEqual(statSync(file).mtimeMs, 1_000)
    })
  )

  it.effect("one that is empty, cut short, too long, another device's or with an end is made anew and kept", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const file = join(directory, CERTIFICATE)
      const mine = (yield* credentialsOf(seedOf(1))).certificate
      const withEnd = yield* Effect.promise(() => ending(seedOf(1)))
      // It is refused for its end, and for nothing else.
      const read = new X509Certificate(withEnd)
      assert.isTrue(read.verify(read.publicKey))
      assert.isTrue(read.publicKey.equals(new X509Certificate(mine).publicKey))
      const others = (yield* credentialsOf(seedOf(2))).certificate
      for (const kept of ["", mine.slice(0, 99), `${mine}${"\n".repeat(5_000)}`, others, withEnd]) {
        writeFileSync(file, kept)
        assert.strictEqual((yield* open(directory, seedOf(1))).certificate, mine)
        assert.strictEqual(readFileSync(file, "utf8"), mine)
      }
    })
  )

  it.effect("where it can be neither read nor written, a start goes without", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      mkdirSync(join(directory, CERTIFICATE))
      const mine = yield* credentialsOf(seedOf(1))
      assert.deepStrictEqual(yield* open(directory, seedOf(1)), mine)
      assert.deepStrictEqual(yield* open(join(directory, "not there"), seedOf(1)), mine)
    })
  )
})

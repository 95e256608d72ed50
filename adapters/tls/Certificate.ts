/**
 * The certificate that a node shows in TLS: self-signed by its identity key, so that its key is the pin (PROTOCOL.md part 1).
 *
 * Promises: one seed gives one certificate, byte for byte, for ever, so it may be kept, compared and its fingerprint written
 * down. It is valid from 1970 to 9999: pins are compared and dates are not, but other tools do look at them.
 *
 * The library that writes it is loaded only when there is none kept yet: it takes longer to load than the rest of a node.
 */
import { createPrivateKey, webcrypto, X509Certificate, type KeyObject } from "node:crypto"
import * as Effect from "effect/Effect"
import { fromSeed } from "../keys/Keys.ts"
import { deviceIdOfCertificate } from "./Pin.ts"

/** What TLS needs to speak as a device, both as PEM. */
export interface Credentials {
  readonly key: string
  readonly certificate: string
}

/** The DER that PKCS #8 puts before a raw Ed25519 seed (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex")
/** Anything positive will do; a fixed one keeps the certificate a function of its key. */
const SERIAL_NUMBER = "01"
const NOT_BEFORE = new Date(0)
/** 9999-12-31T23:59:59Z: "no well-defined expiration date" (RFC 5280 section 4.1.2.5). */
const NOT_AFTER = new Date(253_402_300_799_000)

const pem = (key: KeyObject): string => key.export({ format: "pem", type: "pkcs8" }).toString()

const write = async (privateKey: KeyObject, publicKey: string, deviceId: string): Promise<string> => {
  await import("reflect-metadata")
  const x509 = await import("@peculiar/x509")
  const algorithm = { name: "Ed25519" }
  const keys = {
    privateKey: await webcrypto.subtle.importKey(
      "pkcs8",
      privateKey.export({ format: "der", type: "pkcs8" }),
      algorithm,
      false,
      ["sign"]
    ),
    publicKey: await webcrypto.subtle.importKey("raw", Buffer.from(publicKey, "base64url"), algorithm, true, ["verify"])
  }
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: SERIAL_NUMBER,
      name: `CN=${deviceId}`,
      notBefore: NOT_BEFORE,
      notAfter: NOT_AFTER,
      signingAlgorithm: algorithm,
      keys
    },
    webcrypto as never
  )
  return certificate.toString("pem")
}

const isOf = (certificate: string, deviceId: string): boolean => {
  try {
    const read = new X509Certificate(certificate)
    const endless = read.validToDate.getTime() === NOT_AFTER.getTime()
    return endless && deviceIdOfCertificate(read) === deviceId && read.verify(read.publicKey)
  } catch {
    return false
  }
}

/**
 * The credentials of an identity.
 *
 * @param seed the 32 bytes of the identity key; another length is a bug of the caller's and dies
 * @param kept the certificate of an earlier start, as PEM; taken if it is of this key and never ends, made anew if not
 */
export const credentialsOf = (seed: Uint8Array, kept?: string): Effect.Effect<Credentials> =>
  Effect.suspend(() => {
    const identity = fromSeed(seed)
    if (identity === null) return Effect.die(new Error(`an identity key has 32 bytes, not ${seed.length}`))
    const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" })
    const key = pem(privateKey)
    if (kept !== undefined && isOf(kept, identity.deviceId)) return Effect.succeed({ key, certificate: kept })
    return Effect.promise(() => write(privateKey, identity.publicKey, identity.deviceId)).pipe(
      Effect.map((certificate) => ({ key, certificate }))
    )
  })

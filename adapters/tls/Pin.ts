/**
 * What a certificate says of who is at the far end (PROTOCOL.md part 1, B16): the device of its key, and its fingerprint.
 *
 * Promises: nothing here throws, and text that is no fingerprint fits no certificate. Dates, names and signatures of a
 * certificate are not looked at: a device without a battery clock wakes up in 1970, and nobody vouches for anybody. That the
 * far end holds the private key is TLS's own proof; ask only about the certificate of a handshake that has finished.
 */
import { createHash, type X509Certificate } from "node:crypto"
import { deviceIdOf } from "../keys/Keys.ts"

/** Nobody vouches for anybody. Not said, Node reads all the authorities of the web into each context. */
export const NO_AUTHORITIES: Array<string> = []

/** The raw Ed25519 key of the certificate, base64url; `null`: a key of another kind, or one under which anybody can sign. */
export const publicKeyOfCertificate = (certificate: X509Certificate): string | null => {
  try {
    const { publicKey } = certificate
    if (publicKey.asymmetricKeyType !== "ed25519") return null
    const key = publicKey.export({ format: "jwk" }).x ?? ""
    return deviceIdOf(key) === null ? null : key
  } catch {
    // A key that OpenSSL can carry and not read.
    return null
  }
}

/** The device whose identity key the certificate shows; `null`: it shows none. */
export const deviceIdOfCertificate = (certificate: X509Certificate): string | null => {
  const key = publicKeyOfCertificate(certificate)
  return key === null ? null : deviceIdOf(key)
}

/** SHA-256 of the certificate's DER, lower-case hex. */
export const fingerprintOf = (certificate: X509Certificate): string =>
  createHash("sha256").update(certificate.raw).digest("hex")

/** `sha256:AB:CD:…` as tools print it, in any case, with or without its prefix and colons; `null`: not a SHA-256. */
const normal = (fingerprint: string): string | null => {
  const hex = fingerprint
    .trim()
    .replace(/^sha-?256[:=]/iu, "")
    .replaceAll(":", "")
    .toLowerCase()
  return /^[0-9a-f]{64}$/u.test(hex) ? hex : null
}

/** Whether the certificate has this fingerprint, however it is written. */
export const hasFingerprint = (certificate: X509Certificate, fingerprint: string): boolean =>
  normal(fingerprint) === fingerprintOf(certificate)

/** Whether this certificate may answer for the device: by its identity key, or by the fingerprint where one is configured. */
export const isPinned = (certificate: X509Certificate, deviceId: string, fingerprint: string | undefined): boolean =>
  fingerprint === undefined ? deviceIdOfCertificate(certificate) === deviceId : hasFingerprint(certificate, fingerprint)

/**
 * Real Ed25519 identities over node:crypto (PROTOCOL.md part 2): keys and signatures are raw bytes as base64url without
 * padding, ids are lower-case hex SHA-256.
 *
 * Promises: nothing here throws over what a peer sent. Text that is not the one canonical base64url of the right number of
 * bytes is no key and no signature, and neither is a key of small order. A key that is no point of the curve signs nothing.
 *
 * Keeping the seed safe at rest is the vault's business, not ours.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  sign as signBytes,
  verify as verifyBytes,
  type KeyObject
} from "node:crypto"
import { meshIdPreimage } from "../../kernel/identity/MeshId.ts"

const SEED_BYTES = 32
const KEY_BYTES = 32
const SIGNATURE_BYTES = 64

/** The DER that PKCS #8 puts before a raw Ed25519 seed (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex")

/**
 * y of the points of small order, little-endian hex with the sign of x cleared; the last two are 1 and 0 written above the
 * field's prime. Anybody can make signatures under them that fit any text, and not every OpenSSL that Node 22 and 24 come
 * with refuses them (Chalkias, Garillot, Nikolaenko 2020, "Taming the many EdDSAs").
 */
const SMALL_ORDER = new Set([
  `01${"00".repeat(31)}`,
  `ec${"ff".repeat(30)}7f`,
  "00".repeat(32),
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  `ee${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`
])

export interface Proof {
  readonly payload: string
  readonly signature: string
}

export interface Keys {
  readonly deviceId: string
  /** Raw, base64url. */
  readonly publicKey: string
  /** Signature over the UTF-8 of `payload`, base64url. */
  readonly sign: (payload: string) => string
}

const sha256Hex = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex")

/** Node skips over characters that are not base64url; encoding anew finds them, and padding, and stray bits at the end. */
const bytesOf = (text: string, length: number): Buffer | null => {
  const bytes = Buffer.from(text, "base64url")
  return bytes.length === length && bytes.toString("base64url") === text ? bytes : null
}

const keyBytesOf = (publicKey: string): Buffer | null => {
  const raw = bytesOf(publicKey, KEY_BYTES)
  if (raw === null) return null
  const y = Buffer.from(raw)
  y[KEY_BYTES - 1]! &= 0x7f
  return SMALL_ORDER.has(y.toString("hex")) ? null : raw
}

/** The identity of a 32-byte seed; `null` when it has another length. */
export const fromSeed = (seed: Uint8Array): Keys | null => {
  if (seed.length !== SEED_BYTES) return null
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" })
  const publicKey = createPublicKey(privateKey).export({ format: "jwk" }).x!
  return {
    deviceId: sha256Hex(Buffer.from(publicKey, "base64url")),
    publicKey,
    sign: (payload) => signBytes(null, Buffer.from(payload, "utf8"), privateKey).toString("base64url")
  }
}

/** A new identity, and the seed to keep. */
export const generate = (): { readonly keys: Keys; readonly seed: Uint8Array } => {
  const seed = randomBytes(SEED_BYTES)
  return { keys: fromSeed(seed)!, seed }
}

/** The device of a public key; `null` when the text is no key. */
export const deviceIdOf = (publicKey: string): string | null => {
  const raw = keyBytesOf(publicKey)
  return raw === null ? null : sha256Hex(raw)
}

/** Keys that were read last: reading one takes a third of the time of a check, and a frame comes with the key of few devices. */
const READ_MAX = 256
const read = new Map<string, { readonly key: KeyObject; readonly deviceId: string }>()

/** `null`: it is no key. */
const readKey = (publicKey: string) => {
  const known = read.get(publicKey)
  if (known !== undefined) return known
  const raw = keyBytesOf(publicKey)
  if (raw === null) return null
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" })
  const found = { key, deviceId: sha256Hex(raw) }
  const [oldest] = read.keys()
  if (read.size >= READ_MAX && oldest !== undefined) read.delete(oldest)
  read.set(publicKey, found)
  return found
}

/** Whose key it is, and which of the proofs it signed, in their order. */
export const check = (
  publicKey: string,
  proofs: ReadonlyArray<Proof>
): { readonly deviceId: string | null; readonly valid: ReadonlyArray<boolean> } => {
  const found = readKey(publicKey)
  if (found === null) return { deviceId: null, valid: proofs.map(() => false) }
  const { deviceId, key } = found
  return {
    deviceId,
    valid: proofs.map(({ payload, signature }) => {
      const bytes = bytesOf(signature, SIGNATURE_BYTES)
      return bytes !== null && verifyBytes(null, Buffer.from(payload, "utf8"), key, bytes)
    })
  }
}

/** The id of the mesh of this name. */
export const meshIdOf = (meshName: string): string => sha256Hex(meshIdPreimage(meshName))

/**
 * What a code is worth in proofs (PROTOCOL.md part 19): a key by HKDF-SHA256 (RFC 5869), proofs by HMAC-SHA256 (RFC 2104), all of
 * node:crypto. A code has 75 random bits, so that nobody who hears a proof finds its code by trying.
 */
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto"
import { CODE_BYTES, codeOf } from "../../kernel/pairing/Code.ts"

const KEY_BYTES = 32
const NONCE_BYTES = 32
const INFO = "clawmesh.pair|v1"

export const drawCode = (): string => codeOf(randomBytes(CODE_BYTES))

export const drawNonce = (): string => randomBytes(NONCE_BYTES).toString("base64url")

/** @param code in its one spelling, as `readCode` and `codeOf` give it */
export const keyOf = (code: string): Buffer => Buffer.from(hkdfSync("sha256", code, "", INFO, KEY_BYTES))

export const prove = (key: Buffer, text: string): string => createHmac("sha256", key).update(text).digest("base64url")

/** In a time that does not tell how much of it is right. */
export const isProof = (key: Buffer, text: string, proof: string): boolean => {
  const right = createHmac("sha256", key).update(text).digest()
  const shown = Buffer.from(proof, "base64url")
  return shown.length === right.length && timingSafeEqual(shown, right)
}

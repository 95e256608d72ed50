/**
 * Signatures without cryptography: a key is a secret number, a signature is a keyed fingerprint of the payload. Nobody in a
 * simulated world can make another's signature without holding its secret, and what was signed fits nothing else.
 *
 * Keys can fail, as real ones do: `failing` makes a holder's key refuse to sign, or every check come back negative.
 * Does not model: weak keys, slow signing, or a broken hash.
 */
import { base64url, bytes, u32 } from "../../kernel/Draw.ts"

export interface KeyPair {
  readonly deviceId: string
  /** Looks like a raw key in base64url. */
  readonly publicKey: string
  readonly secret: number
}

export const hex = (list: ReadonlyArray<number>): string =>
  list.map((byte) => byte.toString(16).padStart(2, "0")).join("")

const sign = (pair: KeyPair, payload: string): string => {
  const lane = (n: number): string => u32(pair.secret, "signature", payload, n).toString(16).padStart(8, "0")
  return lane(0) + lane(1)
}

export class FakeKeys {
  private readonly byPublicKey = new Map<string, KeyPair>()

  /** The key of a name; the same for the same seed and name. */
  make(seed: number, name: string): KeyPair {
    const pair: KeyPair = {
      deviceId: hex(bytes(seed, "device-id", name, 0, 32)),
      publicKey: base64url(seed, "public-key", name, 0, 32),
      secret: u32(seed, "secret-key", name, 0)
    }
    this.byPublicKey.set(pair.publicKey, pair)
    return pair
  }

  /** Somebody holds the secret of this key. */
  of(publicKey: string, seed: number): KeyPair {
    const pair: KeyPair = {
      deviceId: hex(bytes(seed, "device-id", publicKey, 0, 32)),
      publicKey,
      secret: u32(seed, "secret-key", publicKey, 0)
    }
    this.byPublicKey.set(publicKey, pair)
    return pair
  }

  sign(pair: KeyPair, payloads: ReadonlyArray<string>): ReadonlyArray<string> {
    return payloads.map((payload) => sign(pair, payload))
  }

  check(
    publicKey: string,
    proofs: ReadonlyArray<{ readonly payload: string; readonly signature: string }>
  ): { readonly deviceId: string | null; readonly valid: ReadonlyArray<boolean> } {
    const pair = this.byPublicKey.get(publicKey)
    if (pair === undefined) return { deviceId: null, valid: proofs.map(() => false) }
    return {
      deviceId: pair.deviceId,
      valid: proofs.map((proof) => sign(pair, proof.payload) === proof.signature)
    }
  }
}

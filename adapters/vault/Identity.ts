/**
 * The file that makes a device who it is: the seed of its Ed25519 key, readable by its owner only. It is written once, and
 * never again.
 *
 * The device id stands beside the seed that it is the hash of, and is its checksum: no damage to either goes unseen.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { fromSeed, type Keys } from "../keys/Keys.ts"

export const IDENTITY = "identity.json"

const VERSION = 1

const Versioned = Schema.Struct({ version: Schema.Natural })
const File = Schema.Struct({
  version: Schema.Literal(VERSION),
  algorithm: Schema.Literal("ed25519"),
  /** Lower-case hex SHA-256 of the raw public key. */
  deviceId: Schema.String,
  /** 32 bytes, base64url. */
  seed: Schema.String
})

export interface Identity {
  readonly keys: Keys
  /** Ed25519, 32 bytes. */
  readonly seed: Redacted.Redacted<Uint8Array>
}

export type Decoded =
  | { readonly _tag: "Identity"; readonly identity: Identity }
  | { readonly _tag: "Damaged"; readonly why: string }
  | { readonly _tag: "OtherVersion"; readonly version: number }

const damaged = (why: string): Decoded => ({ _tag: "Damaged", why })

export const encode = ({ keys, seed }: Identity): Uint8Array =>
  Buffer.from(
    `${JSON.stringify(
      {
        version: VERSION,
        algorithm: "ed25519",
        deviceId: keys.deviceId,
        seed: Buffer.from(Redacted.value(seed)).toString("base64url")
      },
      null,
      2
    )}\n`
  )

/** What it says of damage never holds a part of the seed. */
export const decode = (bytes: Uint8Array): Decoded => {
  const json = Result.try(() => JSON.parse(Buffer.from(bytes).toString("utf8")) as unknown)
  if (Result.isFailure(json)) return damaged(bytes.length === 0 ? "it is empty" : "it is not JSON")
  const versioned = Schema.decodeUnknownResult(Versioned)(json.success)
  if (Result.isFailure(versioned)) return damaged("it does not say its version")
  const { version } = versioned.success
  if (version !== VERSION) return { _tag: "OtherVersion", version }
  const file = Schema.decodeUnknownResult(File)(json.success)
  if (Result.isFailure(file)) return damaged("it lacks something that an identity has")
  const seed = Uint8Array.from(Buffer.from(file.success.seed, "base64url"))
  const keys = fromSeed(seed)
  return keys?.deviceId === file.success.deviceId
    ? { _tag: "Identity", identity: { keys, seed: Redacted.make(seed) } }
    : damaged("its key and its device id do not belong together")
}

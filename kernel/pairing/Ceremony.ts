/**
 * What two devices say to each other when one joins by a code (PROTOCOL.md part 19), and the strings over which each proves
 * that it knows the code. Pure: drawing, deriving and comparing are the adapters'.
 *
 * Two different ceremonies never give the same string: places are fixed and divided by `|`, which an encoded field cannot contain.
 */
import * as Schema from "effect/Schema"

import { DeviceId, Role } from "../wire/Frame.ts"
import { FIELD_CHARS_MAX, FIELD_ITEMS_MAX } from "../wire/Limits.ts"

/** The WebSocket subprotocol (RFC 6455 section 1.9) that is spoken for it, and for nothing else. */
export const SUBPROTOCOL = "clawmesh.pair.1"
/** Of one message, UTF-8: 256 electors have 17 kB. */
export const PAIR_BYTES_MAX = 32_768

const Text = Schema.String.check(Schema.isMaxLength(FIELD_CHARS_MAX))
/** 32 bytes as base64url. */
const Bytes32 = Schema.String.check(Schema.isPattern(/^[\w-]{43}$/u))

/** First, by whoever was dialled. */
export const Challenge = Schema.Struct({
  type: Schema.Literal("pair.challenge"),
  nonce: Bytes32,
  meshId: Text,
  meshKey: Text,
  /** What people call the mesh, and the device; claims, until the proof. */
  meshName: Schema.NullOr(Text),
  name: Text
})
export type Challenge = typeof Challenge.Type

/** Second, by whoever dialled. */
export const Knock = Schema.Struct({
  type: Schema.Literal("pair.knock"),
  nonce: Bytes32,
  /** What it calls itself; the inviter's name for it comes before. */
  name: Text,
  /** Of a device that is in the mesh already and is to meet one more of it: what it is there; `null`: it is new. */
  role: Schema.NullOr(Role),
  proof: Bytes32
})
export type Knock = typeof Knock.Type

/** Third and last. `grant` is a `Grant` as JSON, because the proof is over its text. */
export const Welcome = Schema.Struct({
  type: Schema.Literal("pair.welcome"),
  grant: Schema.String,
  proof: Bytes32
})
export type Welcome = typeof Welcome.Type

/** Or that it is not let in. */
export const Refusal = Schema.Struct({
  type: Schema.Literal("pair.refused"),
  code: Schema.Literals(["WRONG_CODE", "USED", "EXPIRED", "SHUT", "REFUSED"]),
  message: Text,
  /** Wrong codes that are let be yet. */
  left: Schema.Natural
})
export type Refusal = typeof Refusal.Type

/** What a device has after it joined: all that it needs in order to be met and to know whom it meets. */
export const Grant = Schema.Struct({
  version: Schema.Literal(1),
  /** The joining device, as the inviter has it from now on. */
  device: Schema.Struct({
    id: DeviceId,
    name: Text,
    role: Role,
    /** What it may move: `actuator:pump-3`. */
    may: Schema.Array(Text).check(Schema.isMaxLength(FIELD_ITEMS_MAX))
  }),
  /** Whom it is to trust: the inviter. */
  host: Schema.Struct({ id: DeviceId, name: Text, role: Role, publicKey: Text }),
  mesh: Schema.Struct({ id: Text, key: Text, name: Schema.NullOr(Text) }),
  /** Who elects, as the inviter has it in force. */
  electors: Schema.Array(DeviceId).check(Schema.isMaxLength(FIELD_ITEMS_MAX)),
  manifestVersion: Schema.Natural,
  profile: Schema.Literals(["lan", "wan", "battery"])
})
export type Grant = typeof Grant.Type

/** What both ends know of a ceremony before anybody proves anything; a third between them has other values of it. */
export interface Meeting {
  /** By the keys of the two certificates. */
  readonly hostId: DeviceId
  readonly guestId: DeviceId
  readonly hostNonce: string
  readonly guestNonce: string
  readonly meshId: string
  readonly meshKey: string
  /** The exporter value of this TLS connection (RFC 8446 section 7.5), as in P9.3. */
  readonly exporter: string
}

const field = (text: string): string => encodeURIComponent(text.toWellFormed())

const meeting = (of: Meeting): ReadonlyArray<string> =>
  [of.hostId, of.guestId, of.hostNonce, of.guestNonce, of.meshId, of.meshKey, of.exporter].map(field)

/** Over what the joining device proves that it knows the code. */
export const knockString = (of: Meeting, { name, role }: Pick<Knock, "name" | "role">): string =>
  ["clawmesh.pair", "v1", "knock", ...meeting(of), field(name), role ?? ""].join("|")

/** And the inviter, with what it grants. */
export const welcomeString = (of: Meeting, grant: string): string =>
  ["clawmesh.pair", "v1", "welcome", ...meeting(of), field(grant)].join("|")

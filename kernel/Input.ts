/**
 * Everything that can happen to a node. Plain data: a trace is a file of these, and replaying them replays the node.
 *
 * Every input carries the node's own instant at which the node *took it up*, so that a node that was frozen sees how late it
 * is. Randomness that must be unpredictable (nonces, boot ids) comes in as data; answers to commands name the ticket that
 * the command carried.
 */
import * as Schema from "effect/Schema"
import { Durable, TrustEntry } from "./Durable.ts"
import { Instant } from "./Time.ts"
import { isPlain, kinds } from "./wire/ContextFrame.ts"
import { allCodes } from "./wire/Codes.ts"
import { DeviceId, ForwardParams, SignedManifest, type Frame } from "./wire/Frame.ts"
import { Prompt, Usage } from "./wire/Inference.ts"
import { WorldSnapshot } from "./world/Snapshot.ts"

const at = Instant
const link = Schema.Natural
const ticket = Schema.Natural

const PlainData = Schema.declare(isPlain)

/** What a connection runs over, as its transport found it. */
export const LinkPath = Schema.Struct({
  security: Schema.Literals(["plain", "tls"]),
  /** The device whose identity key the far end proved in TLS; `null`: no TLS, or a key of another kind. */
  proved: Schema.NullOr(Schema.String),
  /** The class of the far end's address. */
  remote: Schema.Literals(["loopback", "private", "public"]),
  /** As it is shown: `192.168.1.52:18789`. */
  address: Schema.String,
  /** Where the far end showed a certificate: when it runs out, ms since 1970. Shown to people, and judged by nobody (B19). */
  certificateUntil: Schema.optionalKey(Schema.Int)
})
export type LinkPath = typeof LinkPath.Type

export const Input = Schema.TaggedUnion({
  /**
   * First input of a process. `bootId` is random per boot; `durable` is what the vault held. `amnesia`: the device has its
   * identity but lost its journal, and has stored no incarnation since (S9).
   */
  Started: {
    at,
    bootId: Schema.NonEmptyString,
    durable: Durable,
    amnesia: Schema.optionalKey(Schema.Boolean),
    /** What it knew of the world when it last kept that; absent: nothing was kept, or it does not read. */
    world: Schema.optionalKey(WorldSnapshot)
  },
  /** The record of `Persist { ticket }` is on stable storage. */
  Stored: { at, ticket },
  /** The alarm of the last `SetAlarm` rang, at its time or later. */
  Woke: { at },
  /**
   * The driver found that its own loop stood still for so long: a beat of its own rang late. Given before what came meanwhile,
   * as far as that is possible. A late alarm says the same by itself.
   */
  Stalled: { at, ms: Schema.Natural },
  /** The carrier of the machine's own interface went, or came back. Not given where nobody knows. */
  Carrier: { at, up: Schema.Boolean },
  /**
   * A transport connection opened: by our `Dial { attempt }`, or from outside (`attempt: null`). `link` numbers are given by
   * the driver, from 1, and never used twice in a process. `nonce` is 24 fresh random bytes as base64url. `exporter` is the
   * TLS exporter value, where there is TLS. Without `path` nothing lies between the two ends: a simulated link. `challenge`, of a
   * link that we dialled: the nonce of the far end, where it said that as the connection opened (P5.12), as it came.
   */
  LinkUp: {
    at,
    link,
    attempt: Schema.NullOr(Schema.Natural),
    nonce: Schema.NonEmptyString,
    exporter: Schema.NullOr(Schema.String),
    path: Schema.optionalKey(LinkPath),
    challenge: Schema.optionalKey(Schema.String)
  },
  /** The connection is gone. `reset` says that the far end has no such connection any more. */
  LinkDown: { at, link, reason: Schema.Literals(["closed", "reset", "timeout", "too large"]) },
  DialFailed: {
    at,
    attempt: Schema.Natural,
    reason: Schema.Literals(["refused", "unreachable", "timeout", "pin mismatch", "no tls"])
  },
  Received: { at, link, frame: Schema.declare((_: unknown): _ is Frame => true) },
  /** A message that the codec refused: with which code, and what could still be read of it. */
  Malformed: {
    at,
    link,
    code: Schema.Literals([
      "TOO_LARGE",
      "INVALID_JSON",
      "MISSING_TYPE",
      "INVALID_TYPE",
      "INVALID_PARAMS",
      "UNKNOWN_METHOD",
      "DATA_TOO_LARGE",
      "TRUST_METADATA_REQUIRED",
      "INVALID_TRUST_POLICY"
    ]),
    id: Schema.NullOr(Schema.String),
    method: Schema.NullOr(Schema.String)
  },
  /** An event that we do not know: counted where it may be said, an offence where it may not. */
  Ignored: { at, link, event: Schema.String },
  /** The far end answered `Ping { probe }`. */
  Ponged: { at, link, probe: Schema.Natural },
  /**
   * Bytes that wait on a link for the far end to read, in the transport and on their way. Given when they pass one of
   * `BACKLOG_BYTES` (links/Lanes.ts), and when no more than half of it is left.
   */
  Backlog: { at, link, bytes: Schema.Natural },
  /** Answer to `Check`: the device id of the key (`null` if it is no Ed25519 key), and which proofs it signed. */
  Checked: { at, ticket, deviceId: Schema.NullOr(Schema.String), valid: Schema.Array(Schema.Boolean) },
  /** Answer to `Sign`; `null` when the key refused. */
  Signed: { at, ticket, signatures: Schema.NullOr(Schema.Array(Schema.String)) },
  /** Discovery saw a device's record, new or changed. Addresses are `host:port`, best first. */
  Sighted: {
    at,
    deviceId: Schema.String,
    name: Schema.String,
    addresses: Schema.Array(Schema.String),
    meshId: Schema.optionalKey(Schema.String),
    role: Schema.optionalKey(Schema.String),
    incarnation: Schema.optionalKey(Schema.Natural),
    gen: Schema.Natural
  },
  /** The record of a device said goodbye or ran out: no statement about the device. */
  Lost: { at, deviceId: Schema.String },
  /** The local operator trusts a device, or changes what it may be. */
  Trust: { at, device: TrustEntry },
  /** The local operator trusts it no longer: its sessions end now (C36). */
  Distrust: { at, deviceId: Schema.String },
  /**
   * This device has something to tell the mesh. `frameId` is a fresh UUID; who it is, when and how far it may be trusted
   * is not for the caller to say.
   */
  Sensed: {
    at,
    frameId: Schema.NonEmptyString,
    kind: Schema.Literals(kinds),
    data: PlainData,
    note: Schema.optionalKey(Schema.String),
    causes: Schema.optionalKey(Schema.Array(Schema.String))
  },
  /** An operator or a program of this device has a message for somebody. Answered by `Answered { call }`, once. */
  Asked: { at, call: Schema.Natural, params: ForwardParams },
  /** Answer to `Deliver`: whether a handler of that channel has taken it. */
  Delivered: { at, ticket, ok: Schema.Boolean, reason: Schema.optionalKey(Schema.String) },
  /** Answer to `Drive`: whether hardware is in that state now. */
  Driven: { at, ticket, ok: Schema.Boolean },
  /**
   * Answer to `Infer`, piece by piece: what the model said, and at last how it ended, or why it failed. Of one that was stopped, too:
   * the end says that the provider is done with it.
   */
  Inferred: {
    at,
    ticket,
    said: Schema.Union([
      Schema.Struct({ delta: Schema.String }),
      Schema.Struct({ finishReason: Schema.Literals(["stop", "length"]), usage: Schema.optionalKey(Usage) }),
      Schema.Struct({ failed: Schema.Literals(allCodes), message: Schema.String })
    ])
  },
  /**
   * A program of this device asks a model of another one; `to` null: of whoever serves it. Answered by `Streamed { call }` for each
   * piece, and `Answered { call }`, once.
   */
  Prompt: { at, call: Schema.Natural, to: Schema.NullOr(DeviceId), prompt: Prompt },
  /** It does without: `Answered { call }` follows all the same. */
  Unprompt: { at, call: Schema.Natural },
  /** A person at this device holds a group of actuators, or all of them (`null`), or lets go: safe, and nothing else moves. */
  Hold: { at, group: Schema.NullOr(Schema.String), on: Schema.Boolean },
  /**
   * A planner of this device would have an actuator take a state for so long, resting on these frames. `autonomous`: by itself, which
   * only the leader does; else at a person's word, which any planner serves. Answered by `Answered { call }`.
   */
  Propose: {
    at,
    call: Schema.Natural,
    actuator: Schema.NonEmptyString,
    state: Schema.NonEmptyString,
    forMs: Schema.Natural,
    because: Schema.Array(Schema.String),
    request: Schema.optionalKey(Schema.NonEmptyString),
    again: Schema.optionalKey(Schema.Literal(true)),
    autonomous: Schema.Boolean
  },
  /**
   * Answer to `Consult`: what the language model drafts, and what it says to that; `null`: it failed, for the reason given, `permanent`
   * if it will again. What it rests its drafts on besides the reading that it was asked for are ids of frames.
   */
  Advised: {
    at,
    ticket,
    drafts: Schema.NullOr(
      Schema.Array(
        Schema.Struct({
          actuator: Schema.String,
          state: Schema.String,
          forMs: Schema.Natural,
          because: Schema.Array(Schema.String)
        })
      )
    ),
    reason: Schema.String,
    permanent: Schema.Boolean
  },
  /**
   * A person at this device decides about a proposal, by its whole id. `shown`: the state of the actuator that the person saw.
   * Answered by `Answered { call }`, once: what came of it.
   */
  Decide: {
    at,
    call: Schema.Natural,
    id: Schema.NonEmptyString,
    approve: Schema.Boolean,
    by: Schema.NonEmptyString,
    shown: Schema.optionalKey(Schema.String),
    /** The name of what is moved, as the person typed it, where that is asked for (L3). */
    typed: Schema.optionalKey(Schema.String),
    /** The person has asked the guardian before, and signed for what it said (P17.10). */
    signed: Schema.optionalKey(
      Schema.Struct({
        token: Schema.NonEmptyString,
        publicKey: Schema.NonEmptyString,
        signature: Schema.NonEmptyString
      })
    )
  },
  /**
   * Whether the planner of this device works: one that does not hands leadership over and does not stand, and votes as before. So an
   * operator has it hand over, too. It works unless something else is said, anew in each process.
   */
  Engine: { at, runs: Schema.Boolean },
  /** The operator key has signed who elects from now on; the mesh is to hear of it here. */
  Reconfigure: { at, manifest: SignedManifest },
  /** The local operator asks the node to leave the mesh and stop. */
  Leave: { at, reason: Schema.String }
})
export type Input = typeof Input.Type

/** An input that has happened and was not taken up yet: its instant is stamped when it is. */
export type Happened = Input extends infer I ? (I extends unknown ? Omit<I, "at"> : never) : never

export const Checked = Input.cases.Checked

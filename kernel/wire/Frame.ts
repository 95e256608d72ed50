/**
 * What travels on a link: one JSON document a frame, decoded once, here, into plain data with a type.
 *
 * Requests and events are typed by their method or event name, so that a room of the kernel only ever sees a payload that
 * fits its name. The payload of an answer is typed by the request it belongs to, and is decoded where that request is kept.
 * Fields that we do not know are tolerated and dropped; `null` is never the same as absent.
 *
 * Source of the shapes: docs/PROTOCOL.md parts 4 to 8.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isContextFrame, kinds } from "./ContextFrame.ts"
import { CancelParams, Chunk, InferParams } from "./Inference.ts"
import { COUNTER_MAX, FIELD_CHARS_MAX, FIELD_ITEMS_MAX } from "./Limits.ts"

/** Lower-case hex SHA-256 of a raw Ed25519 public key. */
export const DeviceId = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/u))
export type DeviceId = string

/** A role in the mesh (B13). An unknown one is an error, never a silent default. */
export const Role = Schema.Literals(["node", "planner", "field", "sensor", "actuator", "viewer", "standby-planner"])
export type Role = typeof Role.Type

/** A counter that may still be raised: no peer can push ours to where adding one is no longer exact. */
export const Counter = Schema.Natural.check(Schema.isLessThanOrEqualTo(COUNTER_MAX))
/** What a stranger may make us hold while it shakes hands is bounded, field by field. */
const Field = Schema.String.check(Schema.isMaxLength(FIELD_CHARS_MAX))
export const FilledField = Schema.NonEmptyString.check(Schema.isMaxLength(FIELD_CHARS_MAX))
const Fields = Schema.Array(Field).check(Schema.isMaxLength(FIELD_ITEMS_MAX))

/** Leadership terms are compared by manifest first, then by counter. Shown to people as the counter. */
export const Term = Schema.Struct({ manifest: Counter, counter: Counter })
export type Term = typeof Term.Type

/** (my incarnation, my link counter, peer's incarnation, peer's link counter), as the sender of the frame sees it. */
export const LinkEpoch = Schema.Tuple([Counter, Counter, Counter, Counter])
export type LinkEpoch = typeof LinkEpoch.Type

/** The extension of the handshake by which kernel peers know each other (PROTOCOL.md part 9). */
export const KernelHello = Schema.Struct({
  features: Fields,
  gen: Schema.Tuple([Schema.Natural, Schema.Natural]),
  incarnation: Counter,
  bootId: FilledField,
  linkCounter: Counter,
  meshKey: Field,
  /** In the answer to somebody who asks for it (`incarnation` 0): the highest incarnation of it that was met. */
  remembers: Schema.optionalKey(Counter),
  signature: Field
})
export type KernelHello = typeof KernelHello.Type

/** What both ends of the handshake say of themselves. */
const self = {
  deviceId: FilledField,
  publicKey: FilledField,
  signature: FilledField,
  signedAtMs: Schema.Int,
  displayName: Schema.optionalKey(Field),
  capabilities: Schema.optionalKey(Fields),
  meshId: Schema.optionalKey(Field),
  role: Schema.optionalKey(Field),
  kernel: Schema.optionalKey(KernelHello)
}

export const ConnectParams = Schema.Struct({
  version: Schema.Literal(2),
  ...self,
  /** The server's nonce. Optional here because its absence has a code of its own. */
  nonce: Schema.optionalKey(Field),
  clientNonce: FilledField
})
export type ConnectParams = typeof ConnectParams.Type

export const ConnectAnswer = Schema.Struct({ ...self, nonce: FilledField })
export type ConnectAnswer = typeof ConnectAnswer.Type

export const ChallengeAnswer = Schema.Struct({ nonce: FilledField })
export type ChallengeAnswer = typeof ChallengeAnswer.Type

/** What an observer has to say of a device; `left`: it said goodbye in this incarnation. */
const Edge = Schema.Struct({
  subject: DeviceId,
  incarnation: Counter,
  good: Schema.Boolean,
  left: Schema.optionalKey(Schema.Literal(true))
})
export type Edge = typeof Edge.Type

const rowHead = { observer: DeviceId, incarnation: Counter, version: Counter }

/** One observer's whole row of edges: who it hears well and who it does not. Single writer, ordered by `version`. */
export const EdgeRow = Schema.Struct({ ...rowHead, edges: Schema.Array(Edge) })
export type EdgeRow = typeof EdgeRow.Type

/** Which row of an observer somebody holds. */
export const RowHead = Schema.Struct(rowHead)
export type RowHead = typeof RowHead.Type

/** A device's own word that it leaves in this incarnation, signed, so that anybody may hand it on (P7.16). */
const Goodbye = Schema.Struct({
  deviceId: DeviceId,
  incarnation: Counter,
  reason: Field,
  publicKey: FilledField,
  signature: FilledField
})
export type Goodbye = typeof Goodbye.Type

/** About 16 KiB. */
export const GOODBYES_A_FRAME = 32

/** More electors than a list of them may name. */
export const ELECTORS_MAX = FIELD_ITEMS_MAX
const Electors = Schema.Array(DeviceId).check(Schema.isMaxLength(ELECTORS_MAX))

/**
 * Who elects from now on, by the word of the operator key (P7.22), and which list that replaces. `readmitted`: electors that lost their
 * journal and may vote again, each from the incarnation on in which it lives since. Lists are sorted by device id.
 */
export const SignedManifest = Schema.Struct({
  version: Counter,
  electors: Electors,
  previous: Schema.Struct({ version: Counter, electors: Electors }),
  readmitted: Schema.Array(Schema.Struct({ deviceId: DeviceId, incarnation: Counter })).check(
    Schema.isMaxLength(ELECTORS_MAX)
  ),
  signature: FilledField
})
export type SignedManifest = typeof SignedManifest.Type

/** An elector of the list before has the new one on stable storage, and owes nobody a vote under an older one. */
export const Acknowledgement = Schema.Struct({ elector: DeviceId, publicKey: FilledField, signature: FilledField })
export type Acknowledgement = typeof Acknowledgement.Type

/** A manifest, and who has acknowledged it: with a majority of the electors before it is in force. */
export const ShownManifest = Schema.Struct({
  manifest: SignedManifest,
  acks: Schema.Array(Acknowledgement).check(Schema.isMaxLength(ELECTORS_MAX))
})
export type ShownManifest = typeof ShownManifest.Type

/** Rows are compared in groups, by the first hex digit of their observer's id. */
export const ROW_GROUPS = 16

const Empty = Schema.Struct({})

/** Members that we do not know stay in it. */
export const Context = Schema.declare(isContextFrame)

/** Streams in one message of what somebody holds. */
export const STREAMS_A_MESSAGE = 100
/** Frames in one message of what was missing. */
export const FRAMES_A_PAGE = 256

/**
 * How much of one log somebody holds: of which device, in which of its incarnations, everything below `next`, as far as it is above
 * `floor`; below that only what is still the newest of its kind.
 */
export const StreamHead = Schema.Struct({
  origin: DeviceId,
  incarnation: Counter,
  next: Counter,
  floor: Counter
})
export type StreamHead = typeof StreamHead.Type

/** Fingerprint of the entries of one device. */
const EntriesPrint = Schema.Struct({ origin: DeviceId, print: Schema.Natural })
export type EntriesPrint = typeof EntriesPrint.Type

/** A message without a generation is of the first one. */
const Generation = Schema.Natural.pipe(Schema.withDecodingDefaultKey(Effect.succeed(1)))

const limitOf = (max: number, otherwise: number) =>
  Schema.Natural.check(Schema.isBetween({ minimum: 1, maximum: max })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(otherwise))
  )

export const WorldQuery = Schema.Struct({
  limit: limitOf(200, 50),
  kind: Schema.optionalKey(Schema.Literals(kinds)),
  sourceDeviceId: Schema.optionalKey(DeviceId)
})
export type WorldQuery = typeof WorldQuery.Type

/** How a device of generation 1 asks for what it missed: the newest `limit` of what we hold of the last 500 (P14.14). */
export const SyncQuery = Schema.Struct({
  since: Schema.Finite,
  limit: limitOf(500, 100),
  kind: Schema.optionalKey(Schema.Literals(kinds)),
  zone: Schema.optionalKey(Field)
})
export type SyncQuery = typeof SyncQuery.Type

/** Devices that a message passes at most. */
export const WAY_MAX = 8

/** A message for a device, or for whoever has a capability. */
export const ForwardParams = Schema.Struct({
  channel: FilledField,
  /** A device id, or a pattern of capabilities. */
  to: FilledField,
  originGatewayId: DeviceId,
  idempotencyKey: FilledField,
  message: Schema.optionalKey(Schema.Unknown),
  command: Schema.optionalKey(Schema.Unknown),
  trust: Schema.optionalKey(Schema.Unknown),
  kernel: Schema.optionalKey(
    Schema.Struct({
      /** What is left until whoever asked gives up, ms. */
      deadlineMs: Schema.Natural,
      /** Devices that it has passed, from its origin on. */
      path: Schema.Array(DeviceId).check(Schema.isMinLength(1), Schema.isMaxLength(WAY_MAX))
    })
  )
})
export type ForwardParams = typeof ForwardParams.Type

/** Every method that this node serves, with the schema of its parameters. */
export const requestSchemas = {
  "mesh.challenge": Empty,
  "mesh.connect": ConnectParams,
  "mesh.status": Empty,
  "mesh.peers": Empty,
  "mesh.world.query": WorldQuery,
  "mesh.message.forward": ForwardParams,
  "context.sync": SyncQuery,
  "llm.infer": InferParams,
  "llm.cancel": CancelParams
} as const
export type Method = keyof typeof requestSchemas

/** Every event that this node understands, with the schema of its payload. Others are ignored and counted. */
export const eventSchemas = {
  "peer.leaving": Schema.Struct({
    gen: Generation,
    deviceId: DeviceId,
    timestamp: Schema.Int,
    /** Of whom it is the goodbye; devices of generation 1 do not say. */
    incarnation: Schema.optionalKey(Counter)
  }),
  "peer.down": Schema.Struct({ gen: Generation, deviceId: DeviceId, reportedAtMs: Schema.Int }),
  /** Says nothing, to devices of generation 1, which end a link that brings no event (PROTOCOL.md part 11). */
  "link.keepalive": Schema.Struct({ gen: Generation, timestamp: Schema.Int }),
  /** Each second on each link between kernel peers; `rows` fingerprints every edge row that the sender holds. */
  "mesh.heartbeat": Schema.Struct({
    epoch: LinkEpoch,
    seq: Counter,
    rows: Schema.Natural,
    ack: Schema.optionalKey(Counter),
    /** Fingerprints what the sender holds of every log; absent: it holds nothing. */
    world: Schema.optionalKey(Schema.Natural)
  }),
  /** Something seen, told or concluded, live. */
  "context.frame": Context,
  /** A piece of what a model says, to whoever asked; nothing of it is an observation. */
  "llm.chunk": Chunk,
  /** What the sender holds of these logs. */
  "mesh.world.have": Schema.Struct({
    streams: Schema.Array(StreamHead).check(Schema.isMaxLength(STREAMS_A_MESSAGE)),
    entries: Schema.Array(EntriesPrint).check(Schema.isMaxLength(STREAMS_A_MESSAGE))
  }),
  /** The rest of this log, please, from `from` on, in at most so many bytes. */
  "mesh.world.want": Schema.Struct({ origin: DeviceId, incarnation: Counter, from: Counter, bytes: Schema.Natural }),
  /** Everything that the sender holds of this log from `from` through `through`; `last`: of what was asked for. */
  "mesh.world.frames": Schema.Struct({
    origin: DeviceId,
    incarnation: Counter,
    from: Counter,
    through: Counter,
    last: Schema.Boolean,
    frames: Schema.Array(Context).check(Schema.isMaxLength(FRAMES_A_PAGE))
  }),
  "mesh.edges": Schema.Struct({ rows: Schema.Array(EdgeRow) }),
  /** Where many rows are held: their fingerprints by the first digit of the observer's id, all sixteen. */
  "mesh.rows.sums": Schema.Struct({ sums: Schema.Array(Schema.Natural).check(Schema.isMaxLength(ROW_GROUPS)) }),
  /** Every row that the sender holds of these groups, by its head. */
  "mesh.rows.have": Schema.Struct({
    groups: Schema.Array(Schema.Natural).check(Schema.isMaxLength(ROW_GROUPS)),
    have: Schema.Array(RowHead)
  }),
  "mesh.rows.want": Schema.Struct({ observers: Schema.Array(DeviceId) }),
  /** Who has left, in their own signed words. */
  "mesh.goodbyes": Schema.Struct({ goodbyes: Schema.Array(Goodbye).check(Schema.isMaxLength(GOODBYES_A_FRAME)) }),
  /** Does this device answer you? */
  "mesh.probe": Schema.Struct({ subject: DeviceId, incarnation: Counter }),
  /** It answered; silence says nothing. */
  "mesh.probe.answer": Schema.Struct({ subject: DeviceId, incarnation: Counter }),
  /** `ask` tells one question from another. */
  "mesh.prevote": Schema.Struct({ term: Term, ask: Schema.optionalKey(Counter) }),
  /** `promised`: to whom the voter owes its vote, and for how long yet, ms; in answer to this question. */
  "mesh.prevote.answer": Schema.Struct({
    term: Term,
    granted: Schema.Boolean,
    promised: Schema.optionalKey(Schema.Struct({ to: DeviceId, ms: Counter, ask: Counter }))
  }),
  "mesh.vote": Schema.Struct({ term: Term }),
  "mesh.vote.answer": Schema.Struct({ term: Term, granted: Schema.Boolean }),
  /** The signature of a vote that was granted, for the certificate of whoever won it. */
  "mesh.vote.proof": Schema.Struct({ term: Term, publicKey: FilledField, signature: FilledField }),
  /** The leader's heartbeat; `beat` grows with each one, so that an answer names the moment of sending. */
  "mesh.lead": Schema.Struct({ term: Term, beat: Counter }),
  /** `term` is the highest term that the voter knows: a higher one than the leader's is a refusal. */
  "mesh.lead.answer": Schema.Struct({ term: Term, beat: Counter, promised: Schema.Boolean }),
  /** The leader ends its own term: voters are free from their promise to it. */
  "mesh.release": Schema.Struct({ term: Term }),
  /** Who elects, or is to elect, signed, and who has acknowledged it so far. */
  "mesh.manifest": ShownManifest
} as const
export type EventName = keyof typeof eventSchemas

export type Request = {
  readonly [M in Method]: {
    readonly type: "req"
    readonly id: string
    readonly method: M
    readonly params: (typeof requestSchemas)[M]["Type"]
  }
}[Method]

export type Event = {
  readonly [E in EventName]: {
    readonly type: "event"
    readonly event: E
    readonly payload: (typeof eventSchemas)[E]["Type"]
  }
}[EventName]

export type Response =
  | { readonly type: "res"; readonly id: string; readonly ok: true; readonly payload: unknown }
  | {
      readonly type: "res"
      readonly id: string
      readonly ok: false
      readonly error: { readonly code: string; readonly message: string }
    }

export type Frame = Request | Response | Event

/**
 * Everything that a node can ask of its world. Plain data, performed in order by the driver.
 *
 * `Persist` carries the commands that must wait for it: the driver performs `then` only once the record is on stable
 * storage, and answers `Stored` after that. A driver that cannot store never performs them.
 */
import * as Schema from "effect/Schema"
import * as Durable from "./Durable.ts"
import type { Question } from "./planning/Rule.ts"
import { Outcome } from "./routing/Outcome.ts"
import { MeshEvent } from "./status/MeshEvent.ts"
import { DeviceId, type Frame } from "./wire/Frame.ts"
import { Prompt } from "./wire/Inference.ts"
import { WorldSnapshot } from "./world/Snapshot.ts"

export type Command =
  /**
   * Open a connection to a device. Answered by `LinkUp` or `DialFailed` with the same attempt. Over `wss` not a byte of ours is
   * sent before the far end's certificate has shown the key of `to`, or, where it is given, has this SHA-256 `fingerprint`.
   */
  | {
      readonly _tag: "Dial"
      readonly attempt: number
      readonly to: DeviceId
      /** A `ws:` or `wss:` URL; in the simulator the name of a machine. */
      readonly address: string
      readonly fingerprint?: string
    }
  /** Give up a dial that has not opened; whatever comes of it is closed by the driver, unseen. */
  | { readonly _tag: "CancelDial"; readonly attempt: number }
  | { readonly _tag: "Send"; readonly link: number; readonly frame: Frame }
  /** A transport-level ping of at most 24 bytes. */
  | { readonly _tag: "Ping"; readonly link: number; readonly probe: number }
  /**
   * End a connection: politely with a WebSocket close code after flushing, or `abrupt`, at once. Nothing is received from it
   * afterwards, and no `LinkDown` follows.
   */
  | {
      readonly _tag: "Hangup"
      readonly link: number
      readonly code: number
      readonly reason: string
      readonly abrupt: boolean
    }
  /** Ring once at this `mono`, in place of any earlier alarm. */
  | { readonly _tag: "SetAlarm"; readonly at: number }
  | {
      readonly _tag: "Persist"
      readonly ticket: number
      readonly record: Durable.Record
      readonly then: ReadonlyArray<Command>
    }
  /** Does `publicKey` (raw, base64url) hash to which device, and did it sign these payloads? */
  | {
      readonly _tag: "Check"
      readonly ticket: number
      readonly publicKey: string
      readonly proofs: ReadonlyArray<{ readonly payload: string; readonly signature: string }>
    }
  /** Sign these payloads with the node's identity key. */
  | { readonly _tag: "Sign"; readonly ticket: number; readonly payloads: ReadonlyArray<string> }
  | { readonly _tag: "Note"; readonly event: MeshEvent }
  /** A message for this device: hand it to whoever handles that channel here. Answered by `Delivered`. */
  | {
      readonly _tag: "Deliver"
      readonly ticket: number
      readonly channel: string
      readonly from: DeviceId
      readonly message: unknown
    }
  /**
   * Hardware takes this state, and after `forMs` its safe one by its own clock, whatever becomes of us; `null`: this is the safe
   * one. By `intentId` of `epoch`, or, `null`, by the guardian's own decision. Answered by `Driven`.
   */
  | {
      readonly _tag: "Drive"
      readonly ticket: number
      readonly actuator: string
      readonly state: string
      readonly forMs: number | null
      readonly intentId: string | null
      readonly epoch: number | null
    }
  /**
   * Ask the language model, in view of what is known, because of this reading. What it reads there is data, whatever it says.
   * Answered by `Advised`, within two minutes or never.
   */
  | {
      readonly _tag: "Consult"
      readonly ticket: number
      /** The rule that asks, for people. */
      readonly rule: string
      readonly question: Question
      readonly because: string
    }
  /** A device asks a model that runs here. Answered by `Inferred`, in pieces, and at last its end. */
  | { readonly _tag: "Infer"; readonly ticket: number; readonly from: DeviceId; readonly prompt: Prompt }
  /** Nobody waits for it any more: stop it, and say so when it is done. Nothing waits for that. */
  | { readonly _tag: "StopInference"; readonly ticket: number }
  /** Answer to `Prompt`: the next piece of what a model said, in order. For the program that asked, and for nothing else. */
  | { readonly _tag: "Streamed"; readonly call: number; readonly seq: number; readonly delta: string }
  /** Answer to `Asked`, `Propose`, `Decide` and `Prompt`: what came of it. */
  | { readonly _tag: "Answered"; readonly call: number; readonly outcome: Outcome }
  /** Keep this in place of what was kept before. Nothing waits for it, and the node can do without. */
  | { readonly _tag: "SaveWorld"; readonly snapshot: WorldSnapshot }
  /** Accept connections from now on. */
  | { readonly _tag: "Listen" }
  /** The node has left: flush what was sent, close everything, stop. */
  | { readonly _tag: "Halt" }

const FrameSchema = Schema.declare((_: unknown): _ is Frame => true)

/** For reading commands back from a file. */
export const Command: Schema.Codec<Command> = Schema.TaggedUnion({
  Dial: {
    attempt: Schema.Natural,
    to: DeviceId,
    address: Schema.String,
    fingerprint: Schema.optionalKey(Schema.String)
  },
  CancelDial: { attempt: Schema.Natural },
  Send: { link: Schema.Natural, frame: FrameSchema },
  Ping: { link: Schema.Natural, probe: Schema.Natural },
  Hangup: { link: Schema.Natural, code: Schema.Natural, reason: Schema.String, abrupt: Schema.Boolean },
  SetAlarm: { at: Schema.Int },
  Persist: {
    ticket: Schema.Natural,
    record: Durable.Record,
    then: Schema.Array(Schema.suspend((): Schema.Codec<Command> => Command))
  },
  Check: {
    ticket: Schema.Natural,
    publicKey: Schema.String,
    proofs: Schema.Array(Schema.Struct({ payload: Schema.String, signature: Schema.String }))
  },
  Sign: { ticket: Schema.Natural, payloads: Schema.Array(Schema.String) },
  Note: { event: MeshEvent },
  Deliver: {
    ticket: Schema.Natural,
    channel: Schema.String,
    from: DeviceId,
    message: Schema.Unknown
  },
  Drive: {
    ticket: Schema.Natural,
    actuator: Schema.String,
    state: Schema.String,
    forMs: Schema.NullOr(Schema.Natural),
    intentId: Schema.NullOr(Schema.String),
    epoch: Schema.NullOr(Schema.Natural)
  },
  Consult: {
    ticket: Schema.Natural,
    rule: Schema.String,
    question: Schema.Struct({ ask: Schema.String, may: Schema.Array(Schema.String), forMaxMs: Schema.Natural }),
    because: Schema.String
  },
  Infer: { ticket: Schema.Natural, from: DeviceId, prompt: Prompt },
  StopInference: { ticket: Schema.Natural },
  Streamed: { call: Schema.Natural, seq: Schema.Natural, delta: Schema.String },
  Answered: { call: Schema.Natural, outcome: Outcome },
  SaveWorld: { snapshot: WorldSnapshot },
  Listen: {},
  Halt: {}
})

/**
 * What a node needs of its world, as Effect services. Adapters bind them to sockets, files and keys; the simulator binds them
 * to simulated ones. Nothing is decided behind a port.
 *
 * What happens in the world comes in through the `Inbox`, in the order in which it is offered; the shell takes one at a time.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type { Command } from "./Command.ts"
import type { Durable, Record } from "./Durable.ts"
import type { Happened } from "./Input.ts"
import type { Advised } from "./planning/Advice.ts"
import type { Outcome } from "./routing/Outcome.ts"
import type { MeshEvent } from "./status/MeshEvent.ts"
import type { Instant } from "./Time.ts"
import type { DeviceId, Frame } from "./wire/Frame.ts"
import type { Prompt, Usage } from "./wire/Inference.ts"
import type { WorldSnapshot } from "./world/Snapshot.ts"

/** Inputs that wait to be taken up. An offer that finds it full waits: whoever reads from sockets stops reading. */
export const INBOX_MAX = 4_096

export class Inbox extends Context.Service<Inbox, Queue.Queue<Happened>>()("clawmesh/kernel/Inbox") {
  static readonly layer = Layer.effect(Inbox, Queue.bounded<Happened>(INBOX_MAX))
}

/** The node's two clocks, and what rings by them. `mono` runs on while the machine sleeps. */
export class Timepiece extends Context.Service<
  Timepiece,
  {
    readonly now: Effect.Effect<Instant>
    /** Calls back once, at this `mono` or as soon after it as can be, never within the call. Returns how to prevent it. */
    readonly ringAt: (mono: number, ring: () => void) => () => void
  }
>()("clawmesh/kernel/Timepiece") {}

/**
 * Connections. Everything that comes of a call (opened, failed, received, closed) is offered to the inbox; the calls
 * themselves neither wait nor fail. A link number is given once, from 1, for each connection that opens.
 */
export class Transport extends Context.Service<
  Transport,
  {
    /** Accept connections from now on. */
    readonly listen: Effect.Effect<void>
    readonly dial: (attempt: number, to: DeviceId, address: string, fingerprint?: string) => Effect.Effect<void>
    readonly cancelDial: (attempt: number) => Effect.Effect<void>
    readonly send: (link: number, frame: Frame) => Effect.Effect<void>
    readonly ping: (link: number, probe: number) => Effect.Effect<void>
    /** No `LinkDown` follows. */
    readonly hangup: (link: number, code: number, reason: string, abrupt: boolean) => Effect.Effect<void>
    /** Flushes what was sent, closes everything, accepts nothing more. */
    readonly halt: Effect.Effect<void>
  }
>()("clawmesh/kernel/Transport") {}

/** A device that announces itself nearby. A record says "was there", not "is alive"; trust decides before anything is dialled. */
export interface Advert {
  readonly deviceId: DeviceId
  /** `host:port`, best first, newest record first. */
  readonly addresses: ReadonlyArray<string>
  readonly name: string
  /** Absent where the record does not say. */
  readonly meshId?: string
  readonly role?: string
  readonly incarnation?: number
  /** Generation of the protocol; a record without it is of 1. */
  readonly gen: number
}

/**
 * Finding devices nearby. What is found is offered to the inbox as `Sighted`, what said goodbye or ran out as `Lost`. Failures
 * of the network end nothing: `running` tells whether discovery really works, and why not.
 */
export class Discovery extends Context.Service<
  Discovery,
  {
    /** What we announce; again whenever it changes. */
    readonly advertise: (record: Omit<Advert, "addresses"> & { readonly port: number }) => Effect.Effect<void>
    readonly running: Effect.Effect<{ readonly runs: boolean; readonly why: string }>
  }
>()("clawmesh/kernel/Discovery") {}

export class StoreFailed extends Schema.TaggedError<StoreFailed>()("StoreFailed", {
  what: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `cannot store ${this.what}: the node must not go on without it`
  }
}

/** Stable storage: an append-only journal. `append` returns when the record is synced, in the order of the calls. */
export class Vault extends Context.Service<
  Vault,
  {
    readonly load: Effect.Effect<Durable, StoreFailed>
    readonly append: (record: Record) => Effect.Effect<void, StoreFailed>
    /** What was last kept of the world; `null`: nothing, or it does not read. No promise rests on it, so it never fails. */
    readonly loadWorld: Effect.Effect<WorldSnapshot | null>
    /** Keeps this in its place, whole or not at all. A disk that refuses is told of, and ends nothing. */
    readonly saveWorld: (snapshot: WorldSnapshot) => Effect.Effect<void>
  }
>()("clawmesh/kernel/Vault") {}

export interface Proof {
  readonly payload: string
  readonly signature: string
}

/** The identity key, and the checking of others'. Total: a key that fails says so by `null` or `false`. */
export class Keys extends Context.Service<
  Keys,
  {
    readonly sign: (payloads: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string> | null>
    readonly check: (
      publicKey: string,
      proofs: ReadonlyArray<Proof>
    ) => Effect.Effect<{ readonly deviceId: string | null; readonly valid: ReadonlyArray<boolean> }>
  }
>()("clawmesh/kernel/Keys") {}

/** Whoever handles messages of a channel on this device, and whoever waits for what came of one that it sent. */
export class Messages extends Context.Service<
  Messages,
  {
    /** Total: a handler that fails has not taken it. */
    readonly deliver: (
      channel: string,
      from: DeviceId,
      message: unknown
    ) => Effect.Effect<{ readonly ok: boolean; readonly reason?: string }>
    /** The next piece of what a model of another device says to the program that asked. Text for that program, and for nothing else. */
    readonly streamed: (call: number, delta: string) => Effect.Effect<void>
    readonly answered: (call: number, outcome: Outcome) => Effect.Effect<void>
  }
>()("clawmesh/kernel/Messages") {}

/** Why a model says no more. What is in it is told to whoever asked, so that nothing secret may be. */
export class InferenceFailed extends Schema.TaggedError<InferenceFailed>()("InferenceFailed", {
  code: Schema.Literals(["LLM_MODEL_UNAVAILABLE", "LLM_TIMEOUT", "INTERNAL_ERROR"]),
  why: Schema.String
}) {
  override get message() {
    return this.why
  }
}

/** How an answer ended by itself: it was all, or there was more than it was to have. */
export interface InferenceEnd {
  readonly finishReason: "stop" | "length"
  readonly usage?: Usage
}

/**
 * The models of this device: those of its capabilities `llm:<provider>/<model>`.
 *
 * `infer` asks one, and hands on what it says by `say`, piece by piece and in order, which waits while nobody reads. It is stopped
 * by an interrupt, which has to reach the provider (`Effect.tryPromise` hands on an `AbortSignal`); what is said after that is not heard. The kernel has
 * one at a time, gives it `INFER_MS`, and counts those that go on after they were stopped (kernel/inference/Serving.ts).
 */
export class Inference extends Context.Service<
  Inference,
  {
    readonly infer: (
      prompt: Prompt,
      say: (delta: string) => Effect.Effect<void>
    ) => Effect.Effect<InferenceEnd, InferenceFailed>
  }
>()("clawmesh/kernel/Inference") {
  /** A device without a model. */
  static readonly none: Inference["Service"] = {
    infer: () =>
      Effect.fail(new InferenceFailed({ code: "LLM_MODEL_UNAVAILABLE", why: "this device has no model of its own" }))
  }
}

/** What this device moves. */
export class Hardware extends Context.Service<
  Hardware,
  {
    /** Total: whether it is in that state now. It keeps the time of a drive itself, whatever becomes of this process. */
    readonly drive: (drive: Extract<Command, { readonly _tag: "Drive" }>) => Effect.Effect<boolean>
  }
>()("clawmesh/kernel/Hardware") {}

/** The language model of this device's planner. */
export class Advisor extends Context.Service<
  Advisor,
  {
    /** Total: what it drafts, or why it does not, and whether that will change by itself. */
    readonly consult: (
      question: Extract<Command, { readonly _tag: "Consult" }>
    ) => Effect.Effect<Pick<Advised, "drafts" | "permanent" | "reason">>
  }
>()("clawmesh/kernel/Advisor") {}

/** Whoever is told what happens: the event log, the console. */
export class Herald extends Context.Service<Herald, { readonly tell: (event: MeshEvent) => Effect.Effect<void> }>()(
  "clawmesh/kernel/Herald"
) {}

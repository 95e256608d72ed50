/**
 * The one Effect program round the kernel: takes inputs from the inbox one at a time, feeds them to `step`, and performs its
 * commands through the ports, in order. Used by the real node as it is, and by the simulator on its own scheduler.
 *
 * What takes time (storing, signing, checking) runs beside the loop and comes back as an input. A
 * record that cannot be stored ends the shell: what must not be forgotten must not be promised.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import type { Command } from "./Command.ts"
import type { Config } from "./Config.ts"
import type { Happened, Input } from "./Input.ts"
import * as Node from "./Node.ts"
import {
  Advisor,
  Hardware,
  Herald,
  Inbox,
  Inference,
  type InferenceFailed,
  Keys,
  Messages,
  type StoreFailed,
  Timepiece,
  Transport,
  Vault
} from "./Ports.ts"
import { NEVER_MS } from "./Time.ts"

export interface Options {
  readonly config: Config
  /** Random, fresh for each boot. */
  readonly bootId: string
  /** The vault belongs to a device whose journal is lost. */
  readonly amnesia?: boolean
  /** In place of the real one: for tests that break it. */
  readonly kernel?: { readonly make: typeof Node.make; readonly step: typeof Node.step }
  /** Called after each step, before its commands are performed. */
  readonly stepped?: (
    before: Node.NodeState,
    input: Input,
    after: Node.NodeState,
    commands: ReadonlyArray<Command>
  ) => void
}

type Said = Extract<Happened, { readonly _tag: "Inferred" }>["said"]

/** A provider that breaks has failed, and tells nobody how. */
const failedBy = (cause: Cause.Cause<InferenceFailed>): Said => {
  const reason = cause.reasons.find(Cause.isFailReason)
  return reason === undefined
    ? { failed: "INTERNAL_ERROR", message: "its provider broke" }
    : { failed: reason.error.code, message: reason.error.message }
}

/** An inbox that is full has no room for the alarm: it rings again so much later. */
const INBOX_FULL_MS = 10

/** Runs a node until it has left the mesh. Fails when something cannot be stored. */
export const run = Effect.fnUntraced(function* (options: Options) {
  const { make, step } = options.kernel ?? Node
  const inbox = yield* Inbox
  const timepiece = yield* Timepiece
  const transport = yield* Transport
  const vault = yield* Vault
  const keys = yield* Keys
  const herald = yield* Herald
  const messages = yield* Messages
  const hardware = yield* Hardware
  const advisor = yield* Advisor
  const inference = yield* Inference
  const failure = yield* Deferred.make<never, StoreFailed>()
  let forget: (() => void) | null = null
  /** What stops each inference that goes on, by its ticket. */
  const stops = new Map<number, Deferred.Deferred<void>>()

  /** Starts work beside the loop, at once, so that commands take effect in their order. */
  const beside = (work: Effect.Effect<unknown>) => Effect.forkScoped(work, { startImmediately: true })

  // Not a fiber that sleeps: nearly every frame sets the alarm anew, and on an idle node that is much of what it does.
  const setAlarm = (mono: number): void => {
    forget?.()
    forget = mono === NEVER_MS ? null : timepiece.ringAt(mono, () => ring(mono))
  }

  const ring = (mono: number): void => {
    if (!Queue.offerUnsafe(inbox, { _tag: "Woke" })) setAlarm(mono + INBOX_FULL_MS)
  }

  const perform = (command: Command): Effect.Effect<unknown, never, Scope.Scope> => {
    switch (command._tag) {
      case "Send":
        return transport.send(command.link, command.frame)
      case "Ping":
        return transport.ping(command.link, command.probe)
      case "SetAlarm":
        return Effect.sync(() => setAlarm(command.at))
      case "Dial":
        return transport.dial(command.attempt, command.to, command.address, command.fingerprint)
      case "CancelDial":
        return transport.cancelDial(command.attempt)
      case "Hangup":
        return transport.hangup(command.link, command.code, command.reason, command.abrupt)
      case "Persist":
        return beside(store(command))
      case "Check":
        return beside(
          Effect.flatMap(keys.check(command.publicKey, command.proofs), (checked) =>
            Queue.offer(inbox, { _tag: "Checked", ticket: command.ticket, ...checked })
          )
        )
      case "Sign":
        return beside(
          Effect.flatMap(keys.sign(command.payloads), (signatures) =>
            Queue.offer(inbox, { _tag: "Signed", ticket: command.ticket, signatures })
          )
        )
      case "Deliver":
        return beside(
          Effect.flatMap(messages.deliver(command.channel, command.from, command.message), (taken) =>
            Queue.offer(inbox, { _tag: "Delivered", ticket: command.ticket, ...taken })
          )
        )
      case "Drive":
        return beside(
          Effect.flatMap(hardware.drive(command), (ok) =>
            Queue.offer(inbox, { _tag: "Driven", ticket: command.ticket, ok })
          )
        )
      case "Consult":
        return beside(
          Effect.flatMap(advisor.consult(command), (advised) =>
            Queue.offer(inbox, { _tag: "Advised", ticket: command.ticket, ...advised })
          )
        )
      case "Infer":
        return beside(infer(command))
      case "StopInference": {
        const stop = stops.get(command.ticket)
        return stop === undefined ? Effect.void : Deferred.succeed(stop, undefined)
      }
      case "Streamed":
        return messages.streamed(command.call, command.delta)
      case "Answered":
        return messages.answered(command.call, command.outcome)
      case "SaveWorld":
        return beside(vault.saveWorld(command.snapshot))
      case "Note":
        return herald.tell(command.event)
      case "Listen":
        return transport.listen
      case "Halt":
        return transport.halt
    }
  }

  const store = (command: Extract<Command, { readonly _tag: "Persist" }>): Effect.Effect<unknown> =>
    vault.append(command.record).pipe(
      Effect.andThen(Effect.forEach(command.then, perform, { discard: true })),
      Effect.andThen(Queue.offer(inbox, { _tag: "Stored", ticket: command.ticket })),
      Effect.provideService(Scope.Scope, scope),
      Effect.catch((error) => Deferred.fail(failure, error))
    )

  /** Its last word comes when the provider is really done with it. */
  const infer = ({ prompt, ticket }: Extract<Command, { readonly _tag: "Infer" }>): Effect.Effect<unknown> =>
    Effect.suspend(() => {
      const stop = Deferred.makeUnsafe<void>()
      stops.set(ticket, stop)
      const says = (said: Said) => Effect.asVoid(Queue.offer(inbox, { _tag: "Inferred", ticket, said }))
      return inference
        .infer(prompt, (delta) => says({ delta }))
        .pipe(
          Effect.matchCause({
            onFailure: failedBy,
            onSuccess: ({ finishReason, usage }): Said => ({
              finishReason,
              ...(usage === undefined ? {} : { usage })
            })
          }),
          Effect.raceFirst(
            Effect.as(Deferred.await(stop), { failed: "LLM_CANCELLED", message: "it was stopped" } satisfies Said)
          ),
          Effect.flatMap(says),
          Effect.ensuring(Effect.sync(() => stops.delete(ticket)))
        )
    })

  const scope = yield* Scope.Scope
  yield* Effect.addFinalizer(() => Effect.sync(() => forget?.()))
  const durable = yield* vault.load
  const world = yield* vault.loadWorld
  const { amnesia, bootId } = options
  yield* Queue.offer(inbox, {
    _tag: "Started",
    bootId,
    durable,
    ...(amnesia === true ? { amnesia } : {}),
    ...(world === null ? {} : { world })
  })

  const loop = Effect.gen(function* () {
    let node = make(options.config)
    while (node.phase !== "left") {
      const happened = yield* Queue.take(inbox)
      const input: Input = { ...happened, at: yield* timepiece.now } as Input
      const [next, commands] = step(node, input)
      options.stepped?.(node, input, next, commands)
      node = next
      for (const command of commands) yield* perform(command)
    }
    return node
  })
  return yield* Effect.raceFirst(loop, Deferred.await(failure))
}, Effect.scoped)

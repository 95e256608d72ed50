/**
 * A node of our own in this process, to look at the links from within: the kernel's shell on the real transport, keys, clock and
 * state directory, which dials a node in another process. Nothing but the moments is added.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import { check, meshIdOf } from "../../adapters/keys/Keys.ts"
import { make as makeClock, portOf } from "../../adapters/node/Timepiece.ts"
import * as KeptCertificate from "../../adapters/tls/Kept.ts"
import * as StateDirectory from "../../adapters/vault/StateDirectory.ts"
import * as Ws from "../../adapters/ws/Transport.ts"
import type { Config } from "../../kernel/Config.ts"
import { between } from "../../kernel/Draw.ts"
import type { Happened } from "../../kernel/Input.ts"
import type { NodeState } from "../../kernel/Node.ts"
import { compareText } from "../../kernel/Order.ts"
import {
  Advisor,
  Hardware,
  Herald,
  Inbox,
  Inference,
  Keys,
  Messages,
  Timepiece,
  Transport,
  Vault
} from "../../kernel/Ports.ts"
import { profiles } from "../../kernel/Profile.ts"
import * as Shell from "../../kernel/Shell.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"

export interface FarEnd {
  readonly deviceId: string
  readonly address: string
  readonly meshKey: string
  /** Devices whom ours trusts besides, as field nodes, or of generation 1. */
  readonly others?: ReadonlyArray<{ readonly deviceId: string; readonly gen1: boolean }>
}

export interface Met {
  /** From dialling to the session, ms. */
  readonly dialMs: number
  /** Of that, from the open WebSocket on: challenge, login and answer. */
  readonly handshakeMs: number
}

/** A session while it lasts. */
export interface Talk {
  readonly send: (frame: Frame) => Effect.Effect<void>
  /** Calls back with the id of each answer that the kernel has taken up. */
  readonly onAnswer: (listener: (id: string) => void) => void
  readonly state: () => NodeState
  readonly link: number
  /** Puts an input before our kernel. */
  readonly offer: (happened: Happened) => Effect.Effect<void>
  /** Calls back after each of its steps. */
  readonly onStep: (listener: (state: NodeState) => void) => void
}

/** Meets the far end once, does `use`, and takes leave. */
export const meet = (
  directory: string,
  far: FarEnd,
  use: (talk: Talk) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<Met> => Effect.orDie(Effect.scoped(met(directory, far, use)))

/** The first dial is put off by a draw from the boot id, up to 100 ms: one with which it is not, since waiting says nothing. */
const promptBootId = (seed: number, bootId: string, peer: string): string => {
  for (let i = 0; ; i++) {
    const candidate = `${bootId}-${i}`
    if (between(seed, "redial", `${candidate}/${peer}`, 0, 0, 100) === 0) return candidate
  }
}

const met = Effect.fnUntraced(function* (place: string, far: FarEnd, use: (talk: Talk) => Effect.Effect<void>) {
  const { bootId, identity, vault } = yield* StateDirectory.open(place)
  const config: Config = {
    seed: 1,
    deviceId: identity.keys.deviceId,
    publicKey: identity.keys.publicKey,
    displayName: "bench",
    role: "field",
    capabilities: [],
    meshId: meshIdOf("bench"),
    meshKey: far.meshKey,
    profile: profiles.lan,
    trusted: [
      { deviceId: far.deviceId, role: "planner" as const, gen1: false, publicKey: null, address: far.address },
      ...(far.others ?? []).map((other) => ({ ...other, role: "field" as const, publicKey: null, address: null }))
    ].sort((a, b) => compareText(a.deviceId, b.deviceId)),
    manifest: { version: 1, electors: [far.deviceId] }
  }
  const credentials = yield* KeptCertificate.open(place, Redacted.value(identity.seed))
  const ports = yield* Layer.build(
    Layer.provideMerge(Ws.layer({ host: "127.0.0.1", port: 0, credentials }), Inbox.layer)
  )
  const inbox = Context.get(ports, Inbox)
  const transport = Context.get(ports, Transport)

  let dialledMs = Number.NaN
  let openedMs = Number.NaN
  let state: NodeState | null = null
  let listener: (id: string) => void = () => {}
  let watcher: (state: NodeState) => void = () => {}
  const session = yield* Deferred.make<Met>()
  const now = makeClock()
  const shell = Shell.run({
    config,
    bootId: promptBootId(config.seed, bootId, far.deviceId),
    stepped: (_before, input, after) => {
      state = after
      watcher(after)
      if (input._tag === "LinkUp") openedMs = performance.now()
      if (input._tag === "Received" && input.frame.type === "res") listener(input.frame.id)
    }
  }).pipe(
    Effect.provideService(Transport, {
      ...transport,
      dial: (...args) =>
        Effect.suspend(() => {
          dialledMs = performance.now()
          return transport.dial(...args)
        })
    }),
    Effect.provideService(Inbox, inbox),
    Effect.provideService(Vault, vault),
    Effect.provideService(Timepiece, portOf(now)),
    Effect.provideService(Keys, {
      sign: (payloads) => Effect.sync(() => payloads.map((payload) => identity.keys.sign(payload))),
      check: (publicKey, proofs) => Effect.sync(() => check(publicKey, proofs))
    }),
    Effect.provideService(Messages, {
      deliver: () => Effect.succeed({ ok: false }),
      streamed: () => Effect.void,
      answered: () => Effect.void
    }),
    Effect.provideService(Hardware, { drive: () => Effect.succeed(false) }),
    Effect.provideService(Advisor, { consult: () => Effect.never }),
    Effect.provideService(Inference, Inference.none),
    Effect.provideService(Herald, {
      tell: ({ event }) => {
        if (event !== "peer.connect") return Effect.void
        const ms = performance.now()
        return Deferred.succeed(session, { dialMs: ms - dialledMs, handshakeMs: ms - openedMs })
      }
    })
  )
  const running = yield* Effect.forkScoped(shell)
  const measured = yield* Effect.raceFirst(
    Deferred.await(session),
    Effect.andThen(Fiber.join(running), Effect.die(new Error("the dialler ended without a session")))
  )
  const link = state!.links.links.find(({ _tag }) => _tag === "Session")!.link
  yield* use({
    send: (frame) => transport.send(link, frame),
    onAnswer: (told) => {
      listener = told
    },
    state: () => state!,
    link,
    offer: (happened) => Effect.asVoid(Queue.offer(inbox, happened)),
    onStep: (told) => {
      watcher = told
    }
  })
  yield* Queue.offer(inbox, { _tag: "Leave", reason: "measured" })
  yield* Fiber.join(running)
  return measured
})

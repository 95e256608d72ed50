/** Real transports for tests: on loopback, on free ports, gone with the scope. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { fromSeed } from "../../../adapters/keys/Keys.ts"
import { credentialsOf } from "../../../adapters/tls/Certificate.ts"
import type { Limits } from "../../../adapters/ws/Limits.ts"
import { Endpoint, layer, type Counts } from "../../../adapters/ws/Transport.ts"
import type { Happened } from "../../../kernel/Input.ts"
import { Inbox, Transport } from "../../../kernel/Ports.ts"
import type { End, MakePair } from "../../compliance/Pair.ts"
import { freePort } from "../../../bench/node/Ports.ts"

/** Far longer than anything here takes; what has not come by then does not come. */
const PATIENCE_MS = 15_000

export interface RealEnd extends End {
  readonly port: number
  readonly acceptTunnel: Endpoint["Service"]["acceptTunnel"]
  readonly counts: () => Counts
  readonly inbox: Queue.Queue<Happened>
  /** What was told of what waits for the far ends, bytes, as far as it was taken with what `next` gives. */
  readonly backlogs: ReadonlyArray<number>
}

export interface EndOptions {
  readonly scheme?: "ws" | "wss"
  readonly limits?: Partial<Limits>
  readonly inboxMax?: number
  /** Of the identity key: 32 times this byte. */
  readonly key?: number
  readonly listens?: boolean
}

export const seedOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
export const deviceIdOfSeed = (byte: number): string => fromSeed(seedOf(byte))!.deviceId

export const makeEnd = Effect.fnUntraced(function* (options: EndOptions = {}) {
  const { inboxMax = 4_096, key = 1, limits = {}, listens = true, scheme = "ws" } = options
  const credentials = yield* credentialsOf(seedOf(key))
  const inbox = yield* Queue.bounded<Happened>(inboxMax)
  const services = yield* Layer.build(
    Layer.provide(layer({ host: "127.0.0.1", port: 0, credentials, limits }), Layer.succeed(Inbox, inbox))
  ).pipe(Effect.orDie)
  const transport = Context.get(services, Transport)
  const { acceptTunnel, counts, port } = Context.get(services, Endpoint)
  if (listens) yield* transport.listen
  const backlogs: Array<number> = []
  const taken: Effect.Effect<Happened> = Effect.flatMap(Queue.take(inbox), (happened) => {
    if (happened._tag !== "Backlog") return Effect.succeed(happened)
    backlogs.push(happened.bytes)
    return taken
  })
  /** All but that. */
  const next = taken.pipe(
    Effect.timeoutOrElse({
      duration: PATIENCE_MS,
      orElse: () => Effect.die(new Error(`nothing happened in ${PATIENCE_MS} ms`))
    })
  )
  return {
    transport,
    deviceId: deviceIdOfSeed(key),
    address: `${scheme}://127.0.0.1:${port}`,
    next,
    port,
    acceptTunnel,
    counts,
    inbox,
    backlogs
  } satisfies RealEnd
})

export const makeRealPair = (scheme: "ws" | "wss"): MakePair =>
  Effect.gen(function* () {
    const a = yield* makeEnd({ scheme, key: 1 })
    const b = yield* makeEnd({ scheme, key: 2 })
    const nowhere = `${scheme}://127.0.0.1:${yield* Effect.promise(freePort)}`
    return { a, b, nowhere }
  })

/**
 * The `Transport` port on WebSockets over TCP and TLS 1.3 (PROTOCOL.md part 1).
 *
 * Promises: nothing is decided here, nothing throws, and every bound is in Limits.ts. An inbox that is full stops the reading
 * from all sockets until it has room. When the scope closes without `halt` everything is cut off at once.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Transport } from "../../kernel/Ports.ts"
import type { Credentials } from "../tls/Certificate.ts"
import { Connections } from "./Connections.ts"
import { Dialler, type OpenTunnel } from "./Dialler.ts"
import * as Intake from "./Intake.ts"
import { limits as defaults, type Limits } from "./Limits.ts"
import { Listener, type InboundCounts, type Place, type Receive } from "./Listener.ts"

export interface Options {
  /** Address to listen on. */
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** Of the identity key. */
  readonly credentials: Credentials
  readonly limits?: Partial<Limits>
  /** Absent: there are no relays, and a dial through one comes to nothing. */
  readonly openTunnel?: OpenTunnel
  /** Absent: nobody pairs here, and the subprotocol of pairing means nothing. */
  readonly pair?: Receive
}

export interface Counts extends Readonly<InboundCounts> {
  /** Links given up because the far end did not read. */
  readonly stalled: number
  /** Connections from outside that are not open yet, now. */
  readonly waiting: number
}

/** Where the node listens, and what happened there. */
export class Endpoint extends Context.Service<
  Endpoint,
  Place & { readonly counts: () => Counts; readonly acceptTunnel: Listener["acceptTunnel"] }
>()("clawmesh/adapters/ws/Endpoint") {}

const GOING_AWAY = 1001

const make = Effect.fnUntraced(function* ({ credentials, host, limits, openTunnel, pair, port }: Options) {
  const bounds: Limits = { ...defaults, ...limits }
  let stalled = 0
  const intake = yield* Intake.make(
    () => connections.pauseAll(),
    () => connections.resumeAll()
  )
  const onStalled = (): void => {
    stalled += 1
  }
  const connections = new Connections({ intake, limits: bounds, onStalled })
  const dialler = new Dialler(credentials, connections, intake, bounds, openTunnel)
  const listener = new Listener(credentials, connections, bounds, pair)

  const stop = Effect.sync(() => {
    dialler.stop()
    listener.stop()
  })
  const flush = Effect.callback<void>((resume) =>
    connections.closeAll(GOING_AWAY, "the node is leaving", () => resume(Effect.void))
  )
  const cutOff = Effect.callback<void>((resume) => {
    connections.terminateAll()
    listener.destroyAll(() => resume(Effect.void))
  })
  // A little more than ws itself grants each closing handshake.
  const halt = stop.pipe(Effect.andThen(Effect.timeoutOption(flush, bounds.goodbyeMs + 500)), Effect.andThen(cutOff))

  yield* Effect.addFinalizer(() => Effect.andThen(stop, cutOff))
  const place = yield* listener.bind(host, port)
  const onLink = (link: number, act: (connection: NonNullable<ReturnType<Connections["get"]>>) => void) =>
    Effect.sync(() => {
      const connection = connections.get(link)
      if (connection !== undefined) act(connection)
    })
  return Context.make(Transport, {
    listen: Effect.sync(() => listener.accept()),
    dial: (attempt, to, address, fingerprint) => Effect.sync(() => dialler.dial(attempt, to, address, fingerprint)),
    cancelDial: (attempt) => Effect.sync(() => dialler.cancel(attempt)),
    send: (link, frame) => onLink(link, (connection) => connection.send(frame)),
    ping: (link, probe) => onLink(link, (connection) => connection.ping(probe)),
    hangup: (link, code, reason, abrupt) => Effect.sync(() => connections.hangup(link, code, reason, abrupt)),
    halt
  }).pipe(
    Context.add(Endpoint, {
      ...place,
      counts: () => ({ ...listener.counts, stalled, waiting: listener.waiting() }),
      acceptTunnel: (duplex, via) => listener.acceptTunnel(duplex, via)
    })
  )
})

/** Fails where the port cannot be had. */
export const layer = (options: Options) => Layer.effectContext(make(options))

/**
 * TCP as the kernel meets it, between simulated machines: connections that open in three crossings, deliver in order, and end.
 *
 * Modelled: one-way delay per message; a lost packet is a later arrival, by TCP's retransmission timer, and everything behind
 * it waits; a cut direction holds what is sent until a retransmission falls after the heal; a polite close arrives behind the
 * data; an abrupt one sends a reset that may be lost; whoever sends into a connection that the far end does not know gets a
 * reset; a machine without power answers nothing; a port nobody listens on refuses.
 * Not modelled: windows and back-pressure, duplicate or corrupt packets (TCP hides them), bandwidth, congestion. Packets that
 * are under way when a direction is cut still arrive.
 *
 * Every draw is keyed by the connection and the number of the message on it, so that one message more or less leaves the
 * others' delays as they were.
 */
import { betweenAt, chanceAt, key, type Key } from "../../kernel/Draw.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"
import type { Range } from "../scenario/Scenario.ts"
import { Segment } from "./Segment.ts"

/** TCP's least retransmission timeout (RFC 6298 allows less than its second; Linux uses 200 ms), doubling. */
const RTO_MS = 200
/** Retransmissions of one segment before the model stops adding delay: 12.6 s of silence outlast every probe. */
const LOSSES_MAX = 6
/** A SYN is repeated after 1 s, doubling (RFC 6298). */
const SYN_RTO_MS = 1_000
/** The neighbour answers no ARP: three tries, one second apart. */
export const UNREACHABLE_MS = 3_000
/** A dialler's limit for opening a connection. */
export const OPENING_LIMIT_MS = 10_000

const MILLION = 1_000_000

/** What a message is, to those who carry it. `raw` is text as a hostile peer would send it. */
export type Cargo =
  | { readonly _tag: "frame"; readonly frame: Frame }
  | { readonly _tag: "raw"; readonly text: string }
  | { readonly _tag: "ping" | "pong"; readonly probe: number }
  | { readonly _tag: "fin" }

/** The host side of the network: how it hands things to a machine. */
export interface Port {
  readonly name: string
  /** Number of the running process; 0: none. A connection belongs to the process that opened it. */
  readonly process: number
  readonly powered: boolean
  readonly listening: boolean
  /** Whether it can sign as this device. */
  readonly holds: (deviceId: string) => boolean
  readonly onOpen: (connection: Connection, side: Side, attempt: number | null) => void
  readonly onDialFailed: (process: number, attempt: number, reason: "refused" | "unreachable" | "timeout") => void
  readonly onCargo: (connection: Connection, side: Side, cargo: Cargo) => void
  readonly onClosed: (connection: Connection, side: Side, reason: "closed" | "reset") => void
}

/** 0: the dialler's end; 1: the acceptor's. */
export type Side = 0 | 1

export interface Connection {
  readonly id: number
  readonly ports: readonly [Port, Port]
  readonly processes: [number, number]
  /** Whether that end still has it. */
  readonly open: [boolean, boolean]
  /** Link numbers, given by each host. */
  readonly links: [number, number]
  readonly attempt: number
  /** Until the dialler knows what came of it. */
  opening: boolean
  cancelled: boolean
  readonly keys: readonly [Key, Key]
  /** The directions that each side sends into. */
  readonly paths: readonly [Path, Path]
  /** Messages sent from each side so far. */
  readonly sent: [number, number]
  /** No message from this side arrives before this. */
  readonly arrivals: [number, number]
  /** Messages from this side that wait for their direction to heal, with the time at which each was sent. */
  readonly held: [
    Array<{ readonly cargo: Cargo; readonly sentAt: number }>,
    Array<{ readonly cargo: Cargo; readonly sentAt: number }>
  ]
}

/** What the network asks of the world: time, and being called again. */
export interface Carrier {
  readonly nowMs: () => number
  readonly later: (atMs: number, event: NetworkEvent) => void
}

export type NetworkEvent =
  | { readonly _tag: "arrive"; readonly connection: Connection; readonly from: Side; readonly cargo: Cargo }
  | { readonly _tag: "reset"; readonly connection: Connection; readonly at: Side }
  /** A hop of an opening connection: 0 SYN at the acceptor, 1 SYN-ACK at the dialler, 2 upgrade at the acceptor, 3 answer at the dialler. */
  | { readonly _tag: "hop"; readonly connection: Connection; readonly hop: 0 | 1 | 2 | 3; readonly tries: number }
  | { readonly _tag: "limit"; readonly connection: Connection }
  | { readonly _tag: "unreachable"; readonly connection: Connection }

/** One direction between two machines, and what is wrong with it now. */
export interface Path {
  readonly from: string
  readonly to: string
  delayMs: Range
  lossPpm: number
  /** How many cuts lie on this direction. */
  cuts: number
  readonly reachable: boolean
  /** Messages and openings that met a cut or another delay than usual. */
  touched: number
  connections: number
}

export class Network {
  /** Multicast between the same machines, over the same paths. */
  readonly segment: Segment
  private readonly carrier: Carrier
  private readonly seed: number
  private readonly usual: { readonly delayMs: Range; readonly lossPpm: number }
  private readonly paths = new Map<string, Path>()
  private readonly connections = new Map<number, Connection>()
  private made = 0
  private readonly reachable: (from: string, to: string) => boolean

  constructor(
    carrier: Carrier,
    seed: number,
    usual: { readonly delayMs: Range; readonly lossPpm: number },
    reachable: (from: string, to: string) => boolean
  ) {
    this.carrier = carrier
    this.seed = seed
    this.usual = usual
    this.reachable = reachable
    this.segment = new Segment(seed, carrier.nowMs, (from, to) => this.path(from, to))
  }

  path(from: string, to: string): Path {
    const name = `${from}>${to}`
    let path = this.paths.get(name)
    if (path === undefined) {
      const { delayMs, lossPpm } = this.usual
      path = { from, to, delayMs, lossPpm, cuts: 0, reachable: this.reachable(from, to), touched: 0, connections: 0 }
      this.paths.set(name, path)
    }
    return path
  }

  // ---------------------------------------------------------------------------------------------- opening

  dial(dialler: Port, acceptor: Port, attempt: number): Connection {
    const path = this.path(dialler.name, acceptor.name)
    const id = ++this.made
    const nth = ++path.connections
    const connection: Connection = {
      id,
      ports: [dialler, acceptor],
      processes: [dialler.process, 0],
      open: [false, false],
      links: [0, 0],
      attempt,
      opening: true,
      cancelled: false,
      keys: [
        key(this.seed, "transit", `${dialler.name}>${acceptor.name}#${nth}`),
        key(this.seed, "transit", `${acceptor.name}<${dialler.name}#${nth}`)
      ],
      paths: [path, this.path(acceptor.name, dialler.name)],
      sent: [0, 0],
      arrivals: [0, 0],
      held: [[], []]
    }
    this.connections.set(id, connection)
    this.hop(connection, 0, 0)
    this.carrier.later(this.carrier.nowMs() + OPENING_LIMIT_MS, { _tag: "limit", connection })
    return connection
  }

  /** Sends one opening packet on its way, or repeats it later where its direction is cut. */
  private hop(connection: Connection, hop: 0 | 1 | 2 | 3, tries: number): void {
    const side: Side = hop === 0 || hop === 2 ? 0 : 1
    const path = connection.paths[side]
    const now = this.carrier.nowMs()
    if (!path.reachable || path.cuts > 0) {
      path.touched++
      this.carrier.later(now + SYN_RTO_MS * 2 ** tries, { _tag: "hop", connection, hop, tries: tries + 1 })
      return
    }
    const arrival = this.transit(connection, side, path)
    this.carrier.later(arrival, { _tag: "hop", connection, hop, tries: -1 })
  }

  private onHop(connection: Connection, hop: 0 | 1 | 2 | 3, tries: number): void {
    if (!this.connections.has(connection.id)) return
    if (tries > 0) return this.hop(connection, hop, tries)
    const [dialler, acceptor] = connection.ports
    const now = this.carrier.nowMs()
    if (dialler.process !== connection.processes[0]) return this.forget(connection)
    switch (hop) {
      case 0:
        if (!acceptor.powered) {
          this.carrier.later(now + UNREACHABLE_MS, { _tag: "unreachable", connection })
          return
        }
        return this.hop(connection, 1, 0)
      case 1:
        if (!acceptor.listening) return this.failed(connection, acceptor.powered ? "refused" : "timeout")
        return this.hop(connection, 2, 0)
      case 2:
        if (!acceptor.listening) return
        connection.processes[1] = acceptor.process
        connection.open[1] = true
        acceptor.onOpen(connection, 1, null)
        return this.hop(connection, 3, 0)
      case 3:
        if (connection.processes[1] !== acceptor.process)
          return this.failed(connection, acceptor.powered ? "refused" : "timeout")
        connection.opening = false
        if (connection.cancelled) {
          if (connection.open[1]) this.sendReset(connection, 0)
          return this.forget(connection)
        }
        connection.open[0] = true
        dialler.onOpen(connection, 0, connection.attempt)
        // The acceptor may have hung up already: its answer and its goodbye arrive together.
        if (!connection.open[1] && connection.open[0]) {
          connection.open[0] = false
          this.forget(connection)
          dialler.onClosed(connection, 0, "closed")
        }
        return
    }
  }

  private failed(connection: Connection, reason: "refused" | "unreachable" | "timeout"): void {
    if (!connection.opening || !this.connections.has(connection.id)) return
    const [dialler] = connection.ports
    connection.opening = false
    // What the acceptor may already hold is reset when it next speaks.
    this.forget(connection)
    if (!connection.cancelled) dialler.onDialFailed(connection.processes[0], connection.attempt, reason)
  }

  private forget(connection: Connection): void {
    this.connections.delete(connection.id)
  }

  cancel(connection: Connection): void {
    connection.cancelled = true
  }

  // ---------------------------------------------------------------------------------------------- carrying

  /** When a packet from `side`, sent now, arrives: delay, and TCP's repeats of what is lost. */
  private transit(connection: Connection, side: Side, path: Path): number {
    const of = connection.keys[side]
    const n = connection.sent[side]++
    let arrival = this.carrier.nowMs() + betweenAt(of, 8 * n, path.delayMs.min, path.delayMs.max)
    if (path.lossPpm > 0) {
      for (let lost = 0; lost < LOSSES_MAX && chanceAt(of, 8 * n + 1 + lost, path.lossPpm, MILLION); lost++) {
        arrival += RTO_MS * 2 ** lost
      }
    }
    if (path.delayMs !== this.usual.delayMs || path.lossPpm !== this.usual.lossPpm) path.touched++
    arrival = Math.max(arrival, connection.arrivals[side])
    connection.arrivals[side] = arrival
    return arrival
  }

  send(connection: Connection, side: Side, cargo: Cargo): void {
    if (!connection.open[side]) return
    const path = connection.paths[side]
    if (path.cuts > 0 || connection.held[side].length > 0) {
      path.touched++
      connection.held[side].push({ cargo, sentAt: this.carrier.nowMs() })
      return
    }
    const arrival = this.transit(connection, side, path)
    this.carrier.later(arrival, { _tag: "arrive", connection, from: side, cargo })
  }

  /** Ends a connection from one side: politely behind the data, or with a reset that may be lost. */
  close(connection: Connection, side: Side, abrupt: boolean): void {
    if (!connection.open[side]) return
    if (abrupt) this.sendReset(connection, side)
    else this.send(connection, side, { _tag: "fin" })
    connection.open[side] = false
    this.collect(connection)
  }

  /** The machine lost its power or its process: its ends are gone, without a word where `silent`. */
  drop(port: Port, silent: boolean): void {
    for (const connection of this.connections.values()) {
      for (const side of [0, 1] as const) {
        if (connection.ports[side] !== port) continue
        if (connection.open[side] && !silent) this.sendReset(connection, side)
        connection.open[side] = false
        connection.held[side].length = 0
      }
      this.collect(connection)
    }
  }

  private collect(connection: Connection): void {
    if (!connection.opening && !connection.open[0] && !connection.open[1]) this.forget(connection)
  }

  private sendReset(connection: Connection, from: Side): void {
    const path = connection.paths[from]
    if (path.cuts > 0) {
      path.touched++
      return
    }
    const arrival = this.transit(connection, from, path)
    this.carrier.later(arrival, { _tag: "reset", connection, at: from === 0 ? 1 : 0 })
  }

  onEvent(event: NetworkEvent): void {
    const { connection } = event
    switch (event._tag) {
      case "arrive": {
        const to: Side = event.from === 0 ? 1 : 0
        const port = connection.ports[to]
        if (!port.powered) return
        if (!connection.open[to] || connection.processes[to] !== port.process) {
          // The far end does not know this connection: whoever speaks into it is told so.
          if (event.cargo._tag !== "fin") this.sendReset(connection, to)
          return
        }
        if (event.cargo._tag !== "fin") return port.onCargo(connection, to, event.cargo)
        connection.open[to] = false
        this.collect(connection)
        return port.onClosed(connection, to, "closed")
      }
      case "reset": {
        const port = connection.ports[event.at]
        if (!connection.open[event.at] || connection.processes[event.at] !== port.process) return
        connection.open[event.at] = false
        this.collect(connection)
        return port.onClosed(connection, event.at, "reset")
      }
      case "hop":
        return this.onHop(connection, event.hop, event.tries)
      case "limit":
        return this.failed(connection, "timeout")
      case "unreachable":
        return this.failed(connection, "unreachable")
    }
  }

  // ---------------------------------------------------------------------------------------------- faults

  cut(from: string, to: string): void {
    this.path(from, to).cuts++
  }

  /** Takes one cut away; what waited arrives with the first retransmission after now. */
  mend(from: string, to: string): void {
    const path = this.path(from, to)
    if (path.cuts === 0) return
    path.cuts--
    if (path.cuts > 0) return
    for (const connection of this.connections.values()) {
      for (const side of [0, 1] as const) {
        if (connection.paths[side] !== path) continue
        const held = connection.held[side].splice(0)
        if (held.length === 0) continue
        const resent = nextRetransmission(held[0]!.sentAt, this.carrier.nowMs())
        connection.arrivals[side] = Math.max(connection.arrivals[side], resent)
        for (const { cargo } of held) {
          const arrival = this.transit(connection, side, path)
          this.carrier.later(arrival, { _tag: "arrive", connection, from: side, cargo })
        }
      }
    }
  }

  mendAll(): void {
    for (const path of this.paths.values()) {
      this.restore(path.from, path.to)
    }
  }

  /** One direction as it usually is. */
  restore(from: string, to: string): void {
    this.shape(from, to, null, null)
    const path = this.path(from, to)
    while (path.cuts > 0) this.mend(from, to)
  }

  shape(from: string, to: string, delayMs: Range | null, lossPpm: number | null): void {
    const path = this.path(from, to)
    path.delayMs = delayMs ?? this.usual.delayMs
    path.lossPpm = lossPpm ?? this.usual.lossPpm
  }

  touched(from: string, to: string): number {
    return this.path(from, to).touched
  }
}

/** TCP repeats what it sent at `sentAt` after 200 ms, doubling: the first repeat at or after `nowMs`. */
const nextRetransmission = (sentAt: number, nowMs: number): number => {
  let at = sentAt
  let waitMs = RTO_MS
  while (at < nowMs) {
    at += waitMs
    waitMs *= 2
  }
  return at
}

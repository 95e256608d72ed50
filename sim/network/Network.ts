/**
 * TCP as the kernel meets it, between simulated machines: connections that open in four crossings, deliver in order, and end.
 *
 * Modelled here: how connections end. A polite close arrives behind the data; an abrupt one forgets what waits at its sender and
 * sends a reset that may be lost; whoever sends into a connection that the far end does not know gets a reset; a machine without
 * power answers nothing. How they open is in Opening.ts, how messages travel in Wire.ts, how long they take in Transit.ts, and
 * what can be wrong with all that in Rule.ts.
 *
 * Not modelled: packets that are under way when a direction is cut still arrive.
 *
 * The state is plain data: connections by number, events that name them, rules by number. `fork` copies it, but for connections:
 * each of those is copied when it first changes, on whichever side.
 */
import { chanceAt, key, type Key } from "../../kernel/Draw.ts"
import type { Range } from "../scenario/Scenario.ts"
import type { Cargo } from "./Cargo.ts"
import { copyOf, other, type Connection, type DialFailure, type Ending, type Port, type Side } from "./Connection.ts"
import type { Carrier, NetworkEvent } from "./Event.ts"
import { Faults } from "./Faults.ts"
import { Opening } from "./Opening.ts"
import { Paths, type Path } from "./Path.ts"
import type { Effects, FaultId, Rule } from "./Rule.ts"
import { Segment, type Seat, type Way } from "./Segment.ts"
import { both, Transit, type Usual } from "./Transit.ts"
import { Wire } from "./Wire.ts"

const MILLION = 1_000_000
const SIDES = [0, 1] as const
/** Of an abrupt end, among the draws of its connection. */
const CLOSE_DRAW = 0

interface Parts {
  readonly paths: Paths
  readonly faults: Faults
  readonly transit: Transit
  readonly connections: Map<number, Connection>
  /** Connections dialled so far, by the index of their path. */
  readonly dialled: Array<number>
  readonly made: number
  readonly portOf: (port: Port) => Port
  /** The segment is made with the network, because it asks it for the ways. */
  readonly segment: (way: Way) => Segment
}

export class Network {
  /** Multicast between the same machines, over the same paths. */
  readonly segment: Segment
  private readonly carrier: Carrier
  private seed: number
  private readonly paths: Paths
  private readonly faults: Faults
  private readonly transit: Transit
  private readonly wire: Wire
  private readonly opening: Opening
  private connections: Map<number, Connection>
  /** Another network has the same table. */
  private shared = false
  private readonly dialled: Array<number>
  private made: number
  /** Connections with this token are nobody else's. */
  private owner: object = {}
  /** What a port of another world is in this one. */
  private readonly portOf: (port: Port) => Port

  constructor(
    carrier: Carrier,
    seed: number,
    usual: Usual,
    reachable: (from: string, to: string) => boolean,
    from?: Parts
  ) {
    this.carrier = carrier
    this.seed = seed
    this.paths = from?.paths ?? new Paths(reachable)
    this.faults = from?.faults ?? new Faults(carrier, seed, this.paths)
    this.transit = from?.transit ?? new Transit(usual, this.faults)
    this.connections = from?.connections ?? new Map()
    this.dialled = from?.dialled ?? []
    this.made = from?.made ?? 0
    this.shared = from !== undefined
    this.portOf = from?.portOf ?? ((port) => port)
    this.wire = new Wire(carrier, this.faults, this.transit)
    this.opening = new Opening(carrier, this.faults, this.wire, {
      failed: (connection, reason) => this.failed(connection, reason),
      abandoned: (connection) => {
        connection.opening = false
        this.collect(connection)
      },
      closed: (connection) => this.ended(connection, 0, "closed")
    })
    const way: Way = (from, to, of, nth) => this.transit.datagramMs(this.paths.of(from, to), of, nth)
    this.segment = from === undefined ? new Segment(seed, carrier.nowMs, way) : from.segment(way)
  }

  /**
   * An independent network in the same state, between the ports and seats that these are in another world. Events that wait are
   * that world's to take over: they name connections and rules, which have the same numbers here.
   */
  fork(carrier: Carrier, portOf: (port: Port) => Port, seatOf: (seat: Seat) => Seat): Network {
    const faults = this.faults.fork(carrier)
    this.owner = {}
    this.shared = true
    return new Network(carrier, this.seed, this.transit.usual, this.paths.reach, {
      paths: this.paths,
      faults,
      transit: this.transit.fork(faults),
      portOf,
      connections: this.connections,
      dialled: this.dialled.slice(),
      made: this.made,
      segment: (way) => this.segment.fork(carrier.nowMs, way, seatOf)
    })
  }

  /** What is drawn from now on, and would have been drawn from the old seed, comes from another one. */
  reseed(seed: number): void {
    this.seed = seed
    this.faults.reseed(seed)
    this.segment.reseed(seed)
    this.owner = {}
    const salt = key(seed, "transit", "reseeded")
    for (const connection of this.connections.values()) {
      const [a, b] = connection.keys
      const keys = [both(a, salt), both(b, salt)] as const
      this.table().set(connection.id, copyOf(connection, this.owner, this.portOf, keys))
    }
  }

  /** One that some end still has, or that is being opened. */
  connection(id: number): Connection | null {
    const connection = this.connections.get(id)
    return connection === undefined ? null : this.own(connection)
  }

  /** Whether some end still has it, or it is being opened. */
  has(id: number): boolean {
    return this.connections.has(id)
  }

  /** One of `connections`, to be changed here. */
  private own(connection: Connection): Connection {
    if (connection.owner === this.owner) return connection
    const known = this.connections.get(connection.id)
    if (known?.owner === this.owner) return known
    const own = copyOf(connection, this.owner, this.portOf)
    this.table().set(own.id, own)
    return own
  }

  /** All connections, to be changed. */
  private table(): Map<number, Connection> {
    if (this.shared) {
      this.shared = false
      this.connections = new Map(this.connections)
    }
    return this.connections
  }

  /** What became of one that somebody has kept, maybe since before a fork; `null`: no end has it any more. */
  here(connection: Connection): Connection | null {
    return connection.owner === this.owner ? connection : this.connection(connection.id)
  }

  /** What the order of an event among others of its time is drawn by, and what it must stay in order with. */
  tie(event: NetworkEvent): { readonly lane: number; readonly of: Key } {
    if (event._tag === "beat") return { lane: -event.fault, of: this.faults.keyOf(event.fault) }
    const lane = event.connection
    const keys = this.connections.get(event.connection)?.keys
    // The keys of its packets, the other way round: unrelated draws of the same connection.
    return { lane, of: keys === undefined ? { a: 0, b: 0 } : { a: keys[0].b, b: keys[0].a } }
  }

  /** Whether anything was ever meant to pass from one to the other. */
  reaches(from: string, to: string): boolean {
    return this.paths.of(from, to).reachable
  }

  // ---------------------------------------------------------------------------------------------- opening

  dial(dialler: Port, acceptor: Port, attempt: number): Connection {
    const path = this.paths.of(dialler.name, acceptor.name)
    while (this.dialled.length <= path.index) this.dialled.push(0)
    const nth = ++this.dialled[path.index]!
    const connection: Connection = {
      id: ++this.made,
      owner: this.owner,
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
      paths: [path, this.paths.of(acceptor.name, dialler.name)],
      sent: [0, 0],
      arrivals: [0, 0],
      flows: [null, null],
      forgottenBy: 0
    }
    this.table().set(connection.id, connection)
    this.opening.begin(connection)
    return connection
  }

  cancel(dial: Connection): void {
    const connection = this.here(dial)
    if (connection !== null) connection.cancelled = true
  }

  /** What the acceptor may already hold is reset when it next speaks. */
  private failed(connection: Connection, reason: DialFailure): void {
    if (!connection.opening) return
    const [dialler] = connection.ports
    connection.opening = false
    this.collect(connection)
    if (!connection.cancelled) dialler.onDialFailed(connection.processes[0], connection.attempt, reason)
  }

  // ---------------------------------------------------------------------------------------------- carrying and closing

  send(to: Connection, side: Side, cargo: Cargo): void {
    const connection = this.here(to)
    if (connection?.open[side] === true) this.wire.send(connection, side, cargo)
  }

  /**
   * Bytes that this side sent and that have not arrived: of what it sent while a cut, a clog or a capacity lay on its path. What
   * is under way on a healthy path is not counted.
   */
  buffered(connection: Connection, side: Side): number {
    return (this.here(connection) ?? connection).flows[side]?.bytes ?? 0
  }

  /** Ends a connection from one side: politely behind the data, or with a reset that may be lost. */
  close(which: Connection, side: Side, abrupt: boolean): void {
    const connection = this.here(which)
    if (connection?.open[side] !== true) return
    if (abrupt) this.tear(connection, side)
    else this.wire.send(connection, side, { _tag: "fin" })
    connection.open[side] = false
    this.collect(connection)
  }

  /** All or nothing of what is under way arrives before the reset. */
  private tear(connection: Connection, side: Side): void {
    let lost = false
    for (const { id, of, rule } of this.faults.on(connection.paths[side])) {
      if (rule._tag !== "lossy-close") continue
      if (!chanceAt(both(connection.keys[side], of), CLOSE_DRAW, rule.ppm, MILLION)) continue
      this.faults.count(id, "dropped")
      lost = true
    }
    this.wire.discard(connection, side, lost)
    this.wire.send(connection, side, { _tag: "rst" })
  }

  /** The machine lost its power or its process: its ends are gone, without a word where `silent`. */
  drop(port: Port, silent: boolean): void {
    for (const one of this.connections.values()) {
      if (one.ports[0].name !== port.name && one.ports[1].name !== port.name) continue
      const connection = this.own(one)
      for (const side of SIDES) {
        if (connection.ports[side] !== port) continue
        if (connection.open[side] && !silent) this.tear(connection, side)
        connection.open[side] = false
        this.wire.discard(connection, side, false)
      }
      this.collect(connection)
    }
  }

  private collect(connection: Connection): void {
    if (!connection.opening && !connection.open[0] && !connection.open[1]) this.table().delete(connection.id)
  }

  /** This end has it no more, and its host is told. */
  private ended(connection: Connection, side: Side, reason: Ending): void {
    connection.open[side] = false
    this.collect(connection)
    connection.ports[side].onClosed(connection, side, reason)
  }

  // ---------------------------------------------------------------------------------------------- what happens

  onEvent(event: NetworkEvent): void {
    if (event._tag === "beat") return this.flush(this.faults.beat(event.fault, event.beat))
    const connection = this.connection(event.connection)
    if (connection === null) {
      if (event._tag === "copy") this.onCopy(null, event)
      return
    }
    switch (event._tag) {
      case "arrive":
        return this.onArrival(connection, event)
      case "copy":
        return this.onCopy(connection, event)
      case "reset":
        if (this.known(connection, event.at)) this.ended(connection, event.at, "reset")
        return
      case "hop":
        return this.opening.on(connection, event.hop, event.tries)
      case "failed":
        return this.failed(connection, event.reason)
      case "release":
        return this.wire.release(connection, event.from, event.n)
      case "backlog":
        if (this.known(connection, event.side))
          connection.ports[event.side].onBacklog?.(connection, event.side, event.bytes)
        return
      case "stalled": {
        const { side } = event
        if (!this.known(connection, side) || !this.wire.givesUp(connection, side, event.sinceMs)) return
        this.wire.discard(connection, side, false)
        this.wire.send(connection, side, { _tag: "rst" })
        return this.ended(connection, side, "timeout")
      }
    }
  }

  /** That end is open, in the process that opened it. */
  private known(connection: Connection, side: Side): boolean {
    return connection.open[side] && connection.processes[side] === connection.ports[side].process
  }

  private onArrival(connection: Connection, event: Extract<NetworkEvent, { readonly _tag: "arrive" }>): void {
    const { bytes, cargo, from, n } = event
    const to = other(from)
    const port = connection.ports[to]
    const flow = connection.flows[from]
    if (flow !== null) {
      if (n < flow.discarded) return
      if (bytes > 0) this.wire.arrived(connection, from, flow, bytes)
    }
    if (!port.powered) return
    if (!this.known(connection, to)) {
      // The far end does not know this connection: whoever speaks into it is told so.
      if (cargo._tag !== "fin") this.wire.send(connection, to, { _tag: "rst" })
      return
    }
    if (cargo._tag === "fin") this.ended(connection, to, "closed")
    else port.onCargo(connection, to, cargo)
  }

  private onCopy(
    connection: Connection | null,
    { cargo, from, path }: Extract<NetworkEvent, { readonly _tag: "copy" }>
  ): void {
    const to = other(from)
    if (connection !== null && this.known(connection, to)) return connection.ports[to].onCargo(connection, to, cargo)
    if (path === null) return
    // The latest one between the two, whoever dialled it.
    const latest = [...this.connections.values()].reverse()
    for (const one of latest) {
      const side = SIDES.find((side) => one.paths[side] === path)
      if (side === undefined) continue
      const candidate = this.own(one)
      if (!this.known(candidate, other(side))) continue
      return candidate.ports[other(side)].onCargo(candidate, other(side), cargo)
    }
  }

  // ---------------------------------------------------------------------------------------------- faults

  /**
   * Lays a rule on its paths from now on, or does at once what happens once. `name` keys what it draws. The number that comes
   * back names it here and in every fork made from now on.
   */
  apply(rule: Rule, name = ""): FaultId {
    const id = this.faults.apply(rule, name)
    if (rule._tag === "reset" || rule._tag === "half-open")
      for (const [from, to] of rule.pairs) this.strike(id, rule, this.paths.of(from, to))
    return id
  }

  /** The connections on which one end sends this way. */
  private strike(id: FaultId, rule: Extract<Rule, { readonly _tag: "reset" | "half-open" }>, path: Path): void {
    const now = this.carrier.nowMs()
    for (const one of this.connections.values()) {
      const side = SIDES.find((side) => one.paths[side] === path)
      if (side === undefined) continue
      const connection = this.own(one)
      if (connection.opening) {
        if (rule._tag !== "reset") continue
        this.faults.count(id, "openings")
        this.carrier.later(now, { _tag: "failed", connection: connection.id, reason: "refused" })
      } else this.faults.count(id, "connections")
      const both = rule._tag === "reset" && rule.ends === "both"
      if (rule._tag === "reset" || rule.told)
        this.carrier.later(now, { _tag: "reset", connection: connection.id, at: side })
      if (both) this.carrier.later(now, { _tag: "reset", connection: connection.id, at: other(side) })
      if (rule._tag === "half-open" && (!rule.told || rule.answer === "silence")) connection.forgottenBy = id
    }
  }

  /** Takes a rule back; once more does nothing. What is held and can pass again does. */
  undo(id: FaultId): void {
    this.flush(this.faults.undo(id))
  }

  /** Whether anybody ever told a lie. */
  get lied(): boolean {
    return this.faults.lied
  }

  /** Whether a frame of that id came out of a fault (`corrupt`, `lie`), unsigned: nothing tells it from what was said. */
  isMadeUp(frameId: string): boolean {
    return this.faults.madeUp.has(frameId)
  }

  effects(id: FaultId): Readonly<Effects> {
    return this.faults.effectsOf(id)
  }

  /** How many packets and connections a rule altered so far. */
  touched(id: FaultId): number {
    const { changed, connections, delayed, dropped, openings } = this.faults.effectsOf(id)
    return delayed + dropped + changed + openings + connections
  }

  /** One direction as it usually is: whatever lies on it is lifted, and what was in force there stays off. */
  restore(from: string, to: string): void {
    const path = this.paths.of(from, to)
    this.faults.heal(path, null)
    this.flush([path])
  }

  /** The whole network as it usually is. */
  mendAll(): void {
    this.faults.undoAll()
    this.flush(null)
  }

  /** What paths are like when nothing lies on them, from now on; what is under way arrives as it would have. */
  setUsual(usual: Usual): void {
    this.transit.setUsual(usual)
  }

  private flush(paths: ReadonlyArray<Path> | null): void {
    const all = paths ?? [null]
    for (const path of all)
      for (const connection of this.connections.values())
        for (const side of SIDES)
          // Where nothing waits there is nothing to flush.
          if ((path === null || connection.paths[side] === path) && connection.flows[side] !== null)
            this.wire.flush(this.own(connection), side)
  }

  // ---------------------------------------------------------------------------------------------- by hand, for tests

  cut(from: string, to: string): FaultId {
    return this.apply({ _tag: "cut", pairs: [[from, to]] })
  }

  /** Takes one cut of this direction away. */
  mend(from: string, to: string): void {
    const path = this.paths.of(from, to)
    this.faults.heal(path, ["cut"], 1)
    this.flush([path])
  }

  /** Another delay or loss in place of what was; `null`: the usual one. */
  shape(from: string, to: string, delayMs: Range | null, lossPpm: number | null): void {
    this.faults.heal(this.paths.of(from, to), ["slow"])
    if (delayMs === null && lossPpm === null) return
    const delay = delayMs === null ? null : ({ _tag: "uniform", ms: delayMs } as const)
    this.apply({ _tag: "slow", pairs: [[from, to]], delay, lossPpm })
  }
}

/**
 * The state of one TCP connection, as data: a fork of the world shares it, and whoever changes it first copies it field by field.
 * Ports are the world's machines.
 *
 * What only a fault makes necessary to know of a direction is in its `Flow`, which most connections never have.
 */
import type { Key } from "../../kernel/Draw.ts"
import type { LinkPath } from "../../kernel/Input.ts"
import type { Cargo, Packet } from "./Cargo.ts"
import type { Speaker } from "./Lies.ts"
import type { Path } from "./Path.ts"
import type { FaultId } from "./Rule.ts"

/** 0: the dialler's end; 1: the acceptor's. */
export type Side = 0 | 1

export const other = (side: Side): Side => (side === 0 ? 1 : 0)

export type DialFailure = "refused" | "unreachable" | "timeout"
/** `timeout`: our own transport gave up, because nothing of what waits got through. */
export type Ending = "closed" | "reset" | "timeout"

/** The host side of the network: how it hands things to a machine. */
export interface Port {
  readonly name: string
  /** Number of the running process; 0: none. A connection belongs to the process that opened it. */
  readonly process: number
  readonly powered: boolean
  readonly listening: boolean
  /** Whether it can sign as this device. */
  readonly holds: (deviceId: string) => boolean
  /** What it would lie about; absent: it never does. */
  readonly speaker?: () => Speaker
  /** What a connection with it runs over, as the other end finds it; absent or `null`: nothing lies between the two. */
  readonly path?: (connection: Connection) => LinkPath | null
  /** The nonce that it states as it accepts this connection (P5.12); absent: it waits to be asked. */
  readonly challenge?: (connection: Connection) => string | null
  readonly onOpen: (connection: Connection, side: Side, attempt: number | null) => void
  readonly onDialFailed: (process: number, attempt: number, reason: DialFailure) => void
  readonly onCargo: (connection: Connection, side: Side, cargo: Cargo) => void
  /** So many bytes wait for the far end to read; absent: nobody asks. */
  readonly onBacklog?: (connection: Connection, side: Side, bytes: number) => void
  readonly onClosed: (connection: Connection, side: Side, reason: Ending) => void
}

export interface Connection {
  readonly id: number
  /** The token of the one network that may change it in place. */
  readonly owner: object
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
  /** Packets sent from each side so far. */
  readonly sent: [number, number]
  /** No message from this side arrives before this. */
  readonly arrivals: [number, number]
  readonly flows: [Flow | null, Flow | null]
  /** The fault by which something in between has forgotten this connection; 0: it is known everywhere. */
  forgottenBy: FaultId
}

/** A packet that waits: for its sender, until it may leave (a cut), or in the network, until it may come out (a clog). */
export interface Held {
  readonly packet: Packet
  readonly where: "sender" | "network"
  readonly sinceMs: number
  /** Counted in `Flow.bytes`. */
  readonly bytes: number
}

/** A packet that was taken out of its order, and comes in again behind `places` others. */
export interface Aside {
  readonly packet: Packet
  readonly n: number
  readonly places: number
  readonly bytes: number
}

/** What one side has sent, and what became of it. */
export interface Flow {
  held: Array<Held>
  aside: ReadonlyArray<Aside>
  /** Sent and not yet arrived, of the packets whose size was asked. */
  bytes: number
  /** When something of it last arrived. */
  progressMs: number
  /** How many of the kernel's `BACKLOG_BYTES` it is above, as last told. */
  passed: number
  /** Somebody will look whether it got any further. */
  watched: boolean
  /** The Gilbert–Elliott chain is in its bad state. */
  bad: boolean
  /** Packets of lower numbers that are still under way will not arrive. */
  discarded: number
}

export const flowOf = (connection: Connection, side: Side): Flow =>
  (connection.flows[side] ??= {
    held: [],
    aside: [],
    bytes: 0,
    progressMs: 0,
    passed: 0,
    watched: false,
    bad: false,
    discarded: 0
  })

const copyOfFlow = (flow: Flow | null): Flow | null =>
  flow === null
    ? null
    : {
        held: flow.held.length === 0 ? [] : flow.held.slice(),
        aside: flow.aside,
        bytes: flow.bytes,
        progressMs: flow.progressMs,
        passed: flow.passed,
        watched: flow.watched,
        bad: flow.bad,
        discarded: flow.discarded
      }

/** An independent one in the same state, between the ports that these are elsewhere. */
export const copyOf = (
  from: Connection,
  owner: object,
  portOf: (port: Port) => Port,
  keys: Connection["keys"] = from.keys
): Connection => ({
  id: from.id,
  owner,
  ports: [portOf(from.ports[0]), portOf(from.ports[1])],
  processes: [from.processes[0], from.processes[1]],
  open: [from.open[0], from.open[1]],
  links: [from.links[0], from.links[1]],
  attempt: from.attempt,
  opening: from.opening,
  cancelled: from.cancelled,
  keys,
  paths: from.paths,
  sent: [from.sent[0], from.sent[1]],
  arrivals: [from.arrivals[0], from.arrivals[1]],
  flows: [copyOfFlow(from.flows[0]), copyOfFlow(from.flows[1])],
  forgottenBy: from.forgottenBy
})

/**
 * How a connection opens: four crossings, as TCP's handshake and the WebSocket's upgrade take, each of which may be late, blocked or
 * lost. A machine without power answers nothing; a port nobody listens on refuses.
 *
 * Does not model: the messages of TLS; a SYN that a clog keeps for later: under a clog, as under a cut, it is repeated.
 */
import type { Connection, DialFailure, Side } from "./Connection.ts"
import type { Carrier } from "./Event.ts"
import type { Faults } from "./Faults.ts"
import type { Wire } from "./Wire.ts"

/** A SYN is repeated after 1 s, doubling (RFC 6298). */
const SYN_RTO_MS = 1_000
/** The neighbour answers no ARP: three tries, one second apart. */
export const UNREACHABLE_MS = 3_000
/** A dialler's limit for opening a connection. */
export const OPENING_LIMIT_MS = 10_000

/** 0 SYN at the acceptor, 1 SYN-ACK at the dialler, 2 upgrade at the acceptor, 3 answer at the dialler. */
export type Hop = 0 | 1 | 2 | 3

/** What the network does when an opening has come to an end. */
interface Outcome {
  readonly failed: (connection: Connection, reason: DialFailure) => void
  /** The dialler is no more, or does not want it any more; the acceptor's end may be open. */
  readonly abandoned: (connection: Connection) => void
  /** The acceptor hung up before the dialler knew that it was there. */
  readonly closed: (connection: Connection) => void
}

export class Opening {
  private readonly carrier: Carrier
  private readonly faults: Faults
  private readonly wire: Wire
  private readonly outcome: Outcome

  constructor(carrier: Carrier, faults: Faults, wire: Wire, outcome: Outcome) {
    this.carrier = carrier
    this.faults = faults
    this.wire = wire
    this.outcome = outcome
  }

  begin(connection: Connection): void {
    this.hop(connection, 0, 0)
    const { id } = connection
    this.carrier.later(this.carrier.nowMs() + OPENING_LIMIT_MS, { _tag: "failed", connection: id, reason: "timeout" })
  }

  /** Sends one opening packet on its way, or repeats it later where its direction is blocked. */
  private hop(connection: Connection, hop: Hop, tries: number): void {
    const side: Side = hop === 0 || hop === 2 ? 0 : 1
    if (this.blocked(connection, side)) {
      const repeatMs = this.carrier.nowMs() + SYN_RTO_MS * 2 ** tries
      return this.carrier.later(repeatMs, { _tag: "hop", connection: connection.id, hop, tries: tries + 1 })
    }
    const arrival = this.wire.hop(connection, side)
    this.carrier.later(arrival, { _tag: "hop", connection: connection.id, hop, tries: -1 })
  }

  private blocked(connection: Connection, side: Side): boolean {
    const path = connection.paths[side]
    if (!path.reachable) return true
    return !this.faults.quiet && (this.faults.holdsBack(path, "openings") || this.faults.clogs(path, "openings"))
  }

  /** A packet has arrived; with `tries` above 0 it is sent again. */
  on(connection: Connection, hop: Hop, tries: number): void {
    if (!connection.opening) return
    if (tries > 0) return this.hop(connection, hop, tries)
    const [dialler, acceptor] = connection.ports
    const now = this.carrier.nowMs()
    if (dialler.process !== connection.processes[0]) return this.outcome.abandoned(connection)
    switch (hop) {
      case 0:
        if (acceptor.powered) return this.hop(connection, 1, 0)
        return this.carrier.later(now + UNREACHABLE_MS, {
          _tag: "failed",
          connection: connection.id,
          reason: "unreachable"
        })
      case 1:
        if (acceptor.listening) return this.hop(connection, 2, 0)
        return this.outcome.failed(connection, acceptor.powered ? "refused" : "timeout")
      case 2:
        if (!acceptor.listening) return
        connection.processes[1] = acceptor.process
        connection.open[1] = true
        acceptor.onOpen(connection, 1, null)
        return this.hop(connection, 3, 0)
      case 3:
        return this.answered(connection)
    }
  }

  private answered(connection: Connection): void {
    const [dialler, acceptor] = connection.ports
    if (connection.processes[1] !== acceptor.process)
      return this.outcome.failed(connection, acceptor.powered ? "refused" : "timeout")
    connection.opening = false
    if (connection.cancelled) {
      if (connection.open[1]) this.wire.send(connection, 0, { _tag: "rst" })
      return this.outcome.abandoned(connection)
    }
    connection.open[0] = true
    dialler.onOpen(connection, 0, connection.attempt)
    // The acceptor may have hung up already: its answer and its goodbye arrive together.
    if (!connection.open[1] && connection.open[0]) this.outcome.closed(connection)
  }
}

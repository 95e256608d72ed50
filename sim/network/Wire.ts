/**
 * What happens between a `send` on one side of a connection and its arrival at the other.
 *
 * Modelled: delay; a lost packet as TCP shows it, a later arrival with everything behind it waiting; a queue before a narrow
 * path; packets that wait at their sender (cut) or in the network (clog); a transport that gives a link up when more waits than
 * it will keep, or nothing gets through, as adapters/ws does; messages that a bug behind TLS alters; and lies beside them.
 *
 * Does not model: TCP's windows and congestion control; packets of a message: it arrives whole. Bytes are counted only where
 * they matter, for packets that were sent into a cut, a clog or a narrow path. What entered a path keeps its arrival when a rule
 * comes or goes: only what is held is released.
 */
import { at, betweenAt, chanceAt } from "../../kernel/Draw.ts"
import { passedOf } from "../../kernel/links/Lanes.ts"
import { altered } from "./Altered.ts"
import { bytesOf, textOf, type Message, type Packet } from "./Cargo.ts"
import { flowOf, other, type Aside, type Connection, type Flow, type Side } from "./Connection.ts"
import type { Carrier } from "./Event.ts"
import type { Faults, Laid } from "./Faults.ts"
import { lie } from "./Lies.ts"
import type { Path } from "./Path.ts"
import { both, RTO_MS, type Transit } from "./Transit.ts"

/** What was taken out of its order comes in again after this, if no more others come. */
export const REORDER_LIMIT_MS = 1_000
/** As adapters/ws has them: bytes that it sends ahead of what the far end has shown to have read, and all that it keeps for it. */
const AHEAD_BYTES_MAX = 32 * 16_384
const UNREAD_BYTES_MAX = 4 * 1_048_576
/** It gives up what waits behind without the far end reading any for so long; of less than this in that time it sees nothing. */
const STALL_MS = 10_000
const SEEN_BYTES = 16_384
const MILLION = 1_000_000
/** Counters of a rule's draws for one packet. */
const DRAWS = 4

export class Wire {
  private readonly carrier: Carrier
  private readonly faults: Faults
  private readonly transit: Transit

  constructor(carrier: Carrier, faults: Faults, transit: Transit) {
    this.carrier = carrier
    this.faults = faults
    this.transit = transit
  }

  // ---------------------------------------------------------------------------------------------- sending

  send(connection: Connection, side: Side, packet: Packet): void {
    if (!this.faults.quiet || connection.forgottenBy !== 0) return this.sendThrough(connection, side, packet)
    const n = connection.sent[side]
    this.deliver(connection, side, packet, n, this.hop(connection, side), 0)
  }

  /** When a packet without content, sent now, arrives. It takes its place in the order. */
  hop(connection: Connection, side: Side): number {
    const n = connection.sent[side]++
    return this.inOrder(connection, side, this.transit.arrival(connection, side, n, this.carrier.nowMs(), 0))
  }

  private inOrder(connection: Connection, side: Side, arrivalMs: number): number {
    const arrival = Math.max(arrivalMs, connection.arrivals[side])
    connection.arrivals[side] = arrival
    return arrival
  }

  private deliver({ id }: Connection, from: Side, packet: Packet, n: number, atMs: number, bytes: number): void {
    if (packet._tag === "rst") this.carrier.later(atMs, { _tag: "reset", connection: id, at: other(from) })
    else this.carrier.later(atMs, { _tag: "arrive", connection: id, from, n, cargo: packet, bytes })
  }

  private sendThrough(connection: Connection, side: Side, packet: Packet): void {
    const path = connection.paths[side]
    this.forgetIdle(connection, path)
    if (connection.forgottenBy !== 0) return this.unheard(connection, side)
    const cut = this.faults.holdsBack(path, packet._tag === "rst" ? "dropped" : "delayed")
    if (cut && packet._tag === "rst") return
    const now = this.carrier.nowMs()
    if (cut || this.faults.clogs(path, "delayed")) {
      const flow = flowOf(connection, side)
      const bytes = bytesOf(packet)
      flow.held.push({ packet, where: cut ? "sender" : "network", sinceMs: now, bytes })
      return this.counted(connection, side, flow, bytes)
    }
    const narrow = this.transit.bytesPerSecond(path) !== null
    const bytes = narrow ? bytesOf(packet) : 0
    if (narrow) this.counted(connection, side, flowOf(connection, side), bytes)
    this.transmit(connection, side, packet, now, now, bytes)
  }

  /** A packet enters the path, at `fromMs`, and arrives not before `floorMs`. */
  private transmit(
    connection: Connection,
    side: Side,
    packet: Packet,
    fromMs: number,
    floorMs: number,
    bytes: number
  ): void {
    const n = connection.sent[side]++
    const laid = this.faults.on(connection.paths[side])
    const arrival = Math.max(floorMs, this.transit.arrival(connection, side, n, fromMs, bytes))
    const inOrder = this.inOrder(connection, side, arrival)
    if (packet._tag !== "frame" && packet._tag !== "raw") {
      const ends = packet._tag === "fin" || packet._tag === "rst"
      if (ends) this.letIn(connection, side, inOrder)
      const late = packet._tag === "fin" ? this.lateness(connection, side, n, laid) : 0
      return this.deliver(connection, side, packet, n, inOrder + late, bytes)
    }
    let message: Message = packet
    let lied: string | null = null
    let places = 0
    for (const { id, of, rule } of laid) {
      const ofBoth = both(connection.keys[side], of)
      if (rule._tag === "corrupt" && chanceAt(ofBoth, DRAWS * n, rule.ppm, MILLION)) {
        this.faults.count(id, "changed")
        message = altered(message, ofBoth, DRAWS * n + 1)
        this.faults.made(textOf(message))
      } else if (rule._tag === "duplicate" && chanceAt(ofBoth, DRAWS * n, rule.ppm, MILLION)) {
        this.faults.count(id, "changed")
        const late = betweenAt(ofBoth, DRAWS * n + 1, rule.lateMs.min, rule.lateMs.max)
        const path = rule.anywhere ? connection.paths[side] : null
        this.carrier.later(inOrder + late, {
          _tag: "copy",
          connection: connection.id,
          from: side,
          cargo: message,
          path
        })
      } else if (rule._tag === "reorder" && places === 0 && chanceAt(ofBoth, DRAWS * n, rule.ppm, MILLION)) {
        this.faults.count(id, "changed")
        places = betweenAt(ofBoth, DRAWS * n + 1, 1, rule.places)
      } else if (rule._tag === "lies" && chanceAt(ofBoth, DRAWS * n, rule.ppm, MILLION)) {
        const speaker = connection.ports[side].speaker?.()
        if (speaker === undefined) continue
        this.faults.count(id, "changed")
        this.faults.lied = true
        lied = lie(speaker, packet._tag === "frame" ? packet.frame : null, rule.kind, {
          a: at(ofBoth, DRAWS * n + 1) | 0,
          b: at(ofBoth, DRAWS * n + 2) | 0
        })
        this.faults.made(lied)
      }
    }
    if (places === 0) {
      this.deliver(connection, side, message, n, inOrder, bytes)
      this.besides(connection, side, lied, inOrder)
      return this.overtaken(connection, side, n, inOrder)
    }
    this.besides(connection, side, lied, inOrder)
    const flow = flowOf(connection, side)
    flow.aside = [...flow.aside, { packet: message, n, places, bytes }]
    this.carrier.later(inOrder + REORDER_LIMIT_MS, { _tag: "release", connection: connection.id, from: side, n })
  }

  /** A lie: it has no number among the packets, since nobody sent it. */
  private besides({ id }: Connection, side: Side, text: string | null, atMs: number): void {
    if (text === null) return
    this.carrier.later(atMs, { _tag: "copy", connection: id, from: side, cargo: { _tag: "raw", text }, path: null })
  }

  private lateness(connection: Connection, side: Side, n: number, laid: ReadonlyArray<Laid>): number {
    let late = 0
    for (const { id, of, rule } of laid) {
      if (rule._tag !== "late-close") continue
      this.faults.count(id, "delayed")
      late += betweenAt(both(connection.keys[side], of), DRAWS * n, rule.lateMs.min, rule.lateMs.max)
    }
    return late
  }

  // ---------------------------------------------------------------------------------------------- order

  /** A message comes in, and has overtaken those said before it that were taken out of their order. */
  private overtaken(connection: Connection, side: Side, by: number, atMs: number): void {
    const flow = connection.flows[side]
    if (flow === null || flow.aside.length === 0) return
    flow.aside = flow.aside.map((aside) => (aside.n < by ? { ...aside, places: aside.places - 1 } : aside))
    const next = flow.aside.find(({ places }) => places <= 0)
    if (next !== undefined) this.letBack(connection, side, flow, next, atMs)
  }

  private letBack(connection: Connection, side: Side, flow: Flow, aside: Aside, atMs: number): void {
    flow.aside = flow.aside.filter((other) => other !== aside)
    this.deliver(connection, side, aside.packet, aside.n, atMs, aside.bytes)
    this.overtaken(connection, side, aside.n, atMs)
  }

  /** All that were taken out of their order come in again: nothing will come behind which they could. */
  private letIn(connection: Connection, side: Side, atMs: number): void {
    const flow = connection.flows[side]
    if (flow === null || flow.aside.length === 0) return
    const { aside } = flow
    flow.aside = []
    for (const { bytes, n, packet } of aside) this.deliver(connection, side, packet, n, atMs, bytes)
  }

  release(connection: Connection, side: Side, n: number): void {
    const flow = connection.flows[side]
    const found = flow?.aside.find((aside) => aside.n === n)
    if (flow === null || found === undefined) return
    this.letBack(connection, side, flow, found, this.carrier.nowMs())
  }

  // ---------------------------------------------------------------------------------------------- holding

  /** Lets go what nothing holds any more: from the network at once, from the sender with TCP's first repeat after now. */
  flush(connection: Connection, side: Side): void {
    const flow = connection.flows[side]
    if (flow === null) return
    const path = connection.paths[side]
    const now = this.carrier.nowMs()
    if (!this.faults.on(path).some(({ rule }) => rule._tag === "reorder"))
      this.letIn(connection, side, Math.max(now, connection.arrivals[side]))
    const { held } = flow
    if (held.length === 0) return
    if (connection.forgottenBy !== 0) {
      for (const _ of held) this.unheard(connection, side)
      flow.held = []
      flow.bytes = 0
      return
    }
    const cut = this.faults.isCut(path)
    const oldest = held.find(({ where }) => where === "sender")
    const repeatsMs = oldest === undefined ? now : nextRetransmission(oldest.sinceMs, now)
    if (this.faults.isClogged(path)) {
      if (!cut) flow.held = held.map((one) => ({ ...one, where: "network", sinceMs: Math.max(one.sinceMs, repeatsMs) }))
      return
    }
    let through = 0
    for (const { bytes, packet, sinceMs, where } of held) {
      if (where === "sender" && cut) break
      through++
      if (where === "sender") this.transmit(connection, side, packet, now, repeatsMs, bytes)
      else this.transmit(connection, side, packet, sinceMs, now, bytes)
    }
    flow.held = held.slice(through)
  }

  /** A sender's end is gone, and what waited there with it; where `all`, what was under way as well. */
  discard(connection: Connection, side: Side, all: boolean): void {
    const flow = all ? flowOf(connection, side) : connection.flows[side]
    if (flow === null) return
    const kept = all ? [] : flow.held.filter(({ where }) => where === "network")
    for (const { bytes, where } of flow.held) if (where === "sender") flow.bytes -= bytes
    flow.held = kept
    if (!all) return
    flow.bytes = 0
    flow.aside = []
    flow.discarded = connection.sent[side]
  }

  // ---------------------------------------------------------------------------------------------- forgetting

  private forgetIdle(connection: Connection, path: Path): void {
    if (connection.opening || connection.forgottenBy !== 0) return
    for (const { id, rule } of this.faults.on(path)) {
      if (rule._tag !== "idle-cut") continue
      if (this.carrier.nowMs() - Math.max(connection.arrivals[0], connection.arrivals[1]) < rule.idleMs) continue
      this.faults.count(id, "connections")
      connection.forgottenBy = id
    }
  }

  /** Sent into a connection that something in between has forgotten. */
  private unheard(connection: Connection, side: Side): void {
    const id = connection.forgottenBy
    const rule = this.faults.rule(id)
    this.faults.count(id, "dropped")
    const answers = (rule._tag === "half-open" || rule._tag === "idle-cut") && rule.answer === "reset"
    // As if it stood half way: there and back is one way.
    if (answers) this.carrier.later(this.hop(connection, side), { _tag: "reset", connection: connection.id, at: side })
  }

  // ---------------------------------------------------------------------------------------------- giving up

  private counted(connection: Connection, side: Side, flow: Flow, bytes: number): void {
    const now = this.carrier.nowMs()
    // Until now nothing waited.
    if (flow.bytes <= AHEAD_BYTES_MAX) flow.progressMs = now
    flow.bytes += bytes
    this.tellBacklog(connection, side, flow)
    if (flow.bytes <= AHEAD_BYTES_MAX) return
    if (flow.bytes > UNREAD_BYTES_MAX) this.look(connection, side, now, now)
    else if (!flow.watched) {
      flow.watched = true
      this.look(connection, side, now, now + STALL_MS)
    }
  }

  private look({ id }: Connection, side: Side, sinceMs: number, atMs: number): void {
    this.carrier.later(atMs, { _tag: "stalled", connection: id, side, sinceMs })
  }

  /** A packet whose size was counted has arrived. */
  arrived(connection: Connection, side: Side, flow: Flow, bytes: number): void {
    flow.bytes -= bytes
    flow.progressMs = this.carrier.nowMs()
    this.tellBacklog(connection, side, flow)
  }

  /** As adapters/ws does. */
  private tellBacklog({ id }: Connection, side: Side, flow: Flow): void {
    const { bytes } = flow
    const passed = passedOf(bytes, flow.passed)
    if (passed === flow.passed) return
    flow.passed = passed
    this.carrier.later(this.carrier.nowMs(), { _tag: "backlog", connection: id, side, bytes })
  }

  /** Whether the sender's transport gives the connection up; otherwise it looks again, as long as something waits. */
  givesUp(connection: Connection, side: Side, sinceMs: number): boolean {
    const flow = connection.flows[side]
    if (flow === null || flow.bytes <= AHEAD_BYTES_MAX) {
      if (flow !== null) flow.watched = false
      return false
    }
    if (flow.bytes > UNREAD_BYTES_MAX) return true
    const now = this.carrier.nowMs()
    if (now < sinceMs + STALL_MS) return false
    const trickles = this.trickles(connection.paths[side])
    if (flow.progressMs <= sinceMs && !trickles) return true
    const since = trickles ? now : flow.progressMs
    this.look(connection, side, since, since + STALL_MS)
    return false
  }

  /** A large message on a narrow path arrives late and whole, but it is seen that the far end reads. */
  private trickles(path: Path): boolean {
    const bytesPerSecond = this.transit.bytesPerSecond(path)
    if (bytesPerSecond === null || this.faults.isCut(path) || this.faults.isClogged(path)) return false
    return (bytesPerSecond * STALL_MS) / 1_000 >= SEEN_BYTES
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

/**
 * How long a packet takes over a path, with what lies on it: its delay, TCP's repeats of what is lost, a queue before a narrow
 * path.
 *
 * A lost packet is a later arrival, by TCP's retransmission timer, doubling. Every draw is keyed by the connection and the
 * number of the packet on it, and by the rule's name where a rule draws.
 *
 * Does not model: what a full queue drops. A narrow path has a queue without an end, as the ones that make pings take seconds;
 * what entered it keeps its place when the rule goes.
 */
import { betweenAt, chanceAt, type Key } from "../../kernel/Draw.ts"
import type { NetworkSpec, Quality } from "../scenario/Scenario.ts"
import { flowOf, type Connection, type Side } from "./Connection.ts"
import { delayAt, type Delay } from "./Delay.ts"
import type { Faults, Laid } from "./Faults.ts"
import type { Path } from "./Path.ts"
import type { FaultId, Rule } from "./Rule.ts"

/** What paths are like when nothing lies on them. */
export type Usual = Omit<NetworkSpec, "links">

/** TCP's least retransmission timeout (RFC 6298 allows less than its second; Linux uses 200 ms), doubling. */
export const RTO_MS = 200
/** Retransmissions of one segment before the model stops adding delay: 12.6 s of silence outlast every probe. */
const LOSSES_MAX = 6
/** Counters of one packet's draws: its delay, then whether each try is lost. */
const DRAWS = 8
const MILLION = 1_000_000
const MICROS_A_MS = 1_000

/** What a rule draws for a packet of a connection. */
export const both = (one: Key, another: Key): Key => ({ a: one.a ^ another.a, b: one.b ^ another.b })

interface Narrow {
  readonly id: FaultId
  readonly bytesPerSecond: number
}

interface Burst {
  readonly laid: Laid
  readonly rule: Extract<Rule, { readonly _tag: "burst-loss" }>
}

/** What of all that lies on a path decides about a packet's way. */
interface Weather {
  delay: { readonly id: FaultId; readonly delay: Delay } | null
  loss: { readonly id: FaultId; readonly ppm: number } | null
  burst: Burst | null
  narrow: Narrow | null
}

export class Transit {
  usual: Usual
  private readonly faults: Faults
  private siteOf: ReadonlyMap<string, string>
  /** By the index of a narrow path: when it will have sent what was queued before it, µs. */
  private readonly busyUs: Array<number>

  constructor(usual: Usual, faults: Faults, from?: Transit) {
    this.usual = usual
    this.siteOf = siteOf(usual)
    this.faults = faults
    this.busyUs = from?.busyUs.slice() ?? []
  }

  fork(faults: Faults): Transit {
    return new Transit(this.usual, faults, this)
  }

  /** When packet `n` of this side, that enters its path at `fromMs`, arrives: without regard to its order. */
  arrival(connection: Connection, side: Side, n: number, fromMs: number, bytes: number): number {
    const of = connection.keys[side]
    const path = connection.paths[side]
    if (this.faults.quiet) return this.plain(path, of, n, fromMs)
    const laid = this.faults.on(path)
    return laid.length === 0 ? this.plain(path, of, n, fromMs) : this.through(connection, side, n, fromMs, bytes, laid)
  }

  /** What paths are like when nothing lies on them, from now on. */
  setUsual(usual: Usual): void {
    this.usual = usual
    this.siteOf = siteOf(usual)
  }

  private usually({ from, to }: Path): Quality {
    const { betweenSites, withinSites } = this.usual
    if (betweenSites === undefined && withinSites === undefined) return this.usual
    const one = this.siteOf.get(from)
    const other = this.siteOf.get(to)
    if (one === undefined || other === undefined) return this.usual
    return (one === other ? withinSites : betweenSites) ?? this.usual
  }

  private plain(path: Path, of: Key, n: number, fromMs: number): number {
    const { delayMs, lossPpm } = this.usually(path)
    let arrival = fromMs + betweenAt(of, DRAWS * n, delayMs.min, delayMs.max)
    if (lossPpm === 0) return arrival
    for (let lost = 0; lost < LOSSES_MAX && chanceAt(of, DRAWS * n + 1 + lost, lossPpm, MILLION); lost++)
      arrival += RTO_MS * 2 ** lost
    return arrival
  }

  private through(
    connection: Connection,
    side: Side,
    n: number,
    fromMs: number,
    bytes: number,
    laid: ReadonlyArray<Laid>
  ): number {
    const of = connection.keys[side]
    const path = connection.paths[side]
    const usual = this.usually(path)
    const { burst, delay, loss, narrow } = weatherOf(laid)
    let waitedMs = 0
    for (let lost = 0; lost < LOSSES_MAX; lost++) {
      const usually = chanceAt(of, DRAWS * n + 1 + lost, loss?.ppm ?? usual.lossPpm, MILLION)
      if (usually && lost === 0 && loss !== null && loss.id !== delay?.id) this.faults.count(loss.id, "delayed")
      const inBurst = burst !== null && this.inBurst(connection, side, burst, DRAWS * n + lost)
      if (inBurst && lost === 0) this.faults.count(burst.laid.id, "delayed")
      if (!usually && !inBurst) break
      waitedMs += RTO_MS * 2 ** lost
    }
    const leavesMs = narrow === null ? fromMs : this.queued(path, narrow, fromMs, bytes)
    return leavesMs + this.crossingMs(usual, delay, of, DRAWS * n) + this.offsetMs(laid) + waitedMs
  }

  private crossingMs(usual: Quality, delay: Weather["delay"], of: Key, counter: number): number {
    if (delay === null) return betweenAt(of, counter, usual.delayMs.min, usual.delayMs.max)
    this.faults.count(delay.id, "delayed")
    return delayAt(delay.delay, of, counter)
  }

  private offsetMs(laid: ReadonlyArray<Laid>): number {
    let sum = 0
    for (const { id, offsetMs } of laid) {
      if (offsetMs === 0) continue
      this.faults.count(id, "delayed")
      sum += offsetMs
    }
    return sum
  }

  /** Whether a try is lost in a burst. The chain moves with each try, and stands still while the rule does not lie here. */
  private inBurst(connection: Connection, side: Side, { laid, rule }: Burst, nth: number): boolean {
    const flow = flowOf(connection, side)
    const ofBoth = both(connection.keys[side], laid.of)
    if (chanceAt(ofBoth, 2 * nth, flow.bad ? rule.leavePpm : rule.enterPpm, MILLION)) flow.bad = !flow.bad
    return chanceAt(ofBoth, 2 * nth + 1, flow.bad ? rule.badPpm : rule.goodPpm, MILLION)
  }

  /** When the last byte has left a narrow path's queue. */
  private queued(path: Path, { bytesPerSecond, id }: Narrow, fromMs: number, bytes: number): number {
    while (this.busyUs.length <= path.index) this.busyUs.push(0)
    const startsUs = Math.max(fromMs * MICROS_A_MS, this.busyUs[path.index]!)
    const endsUs = startsUs + Math.floor((bytes * MILLION) / bytesPerSecond)
    this.busyUs[path.index] = endsUs
    const leavesMs = Math.ceil(endsUs / MICROS_A_MS)
    if (leavesMs > fromMs) this.faults.count(id, "delayed")
    return leavesMs
  }

  /** What the narrowest rule lets through; `null`: there is none. */
  bytesPerSecond(path: Path): number | null {
    return this.faults.quiet ? null : (weatherOf(this.faults.on(path)).narrow?.bytesPerSecond ?? null)
  }

  /**
   * A datagram's delay, by draws of a key and two counters from `nth` on; `null`: it is lost. Of bursts it meets the average, a
   * clog loses it, and no capacity bounds it.
   */
  datagramMs(path: Path, of: Key, nth: number): number | null {
    if (!path.reachable || this.faults.holdsBack(path, "dropped") || this.faults.clogs(path, "dropped")) return null
    const laid = this.faults.on(path)
    for (const { id, of: own, rule } of laid) {
      if (rule._tag !== "datagram-loss" || !chanceAt(both(of, own), nth, rule.ppm, MILLION)) continue
      this.faults.count(id, "dropped")
      return null
    }
    const usual = this.usually(path)
    const { burst, delay, loss } = weatherOf(laid)
    if (chanceAt(of, nth + 1, loss?.ppm ?? usual.lossPpm, MILLION)) {
      if (loss !== null) this.faults.count(loss.id, "dropped")
      return null
    }
    if (burst !== null) {
      const { badPpm, enterPpm, goodPpm, leavePpm } = burst.rule
      const average = Math.floor((enterPpm * badPpm + leavePpm * goodPpm) / Math.max(1, enterPpm + leavePpm))
      if (chanceAt(both(of, burst.laid.of), nth, average, MILLION)) {
        this.faults.count(burst.laid.id, "dropped")
        return null
      }
    }
    return this.crossingMs(usual, delay, of, nth) + this.offsetMs(laid)
  }
}

const siteOf = ({ sites = [] }: Usual): ReadonlyMap<string, string> =>
  new Map(sites.flatMap(({ name, nodes }) => nodes.map((node) => [node, name] as const)))

const weatherOf = (laid: ReadonlyArray<Laid>): Weather => {
  const weather: Weather = { delay: null, loss: null, burst: null, narrow: null }
  for (const one of laid) {
    const { id, rule } = one
    if (rule._tag === "slow") {
      if (rule.delay !== null) weather.delay = { id, delay: rule.delay }
      if (rule.lossPpm !== null) weather.loss = { id, ppm: rule.lossPpm }
    } else if (rule._tag === "burst-loss") {
      weather.burst = { laid: one, rule }
    } else if (rule._tag === "capacity") {
      if (rule.bytesPerSecond < (weather.narrow?.bytesPerSecond ?? Number.POSITIVE_INFINITY))
        weather.narrow = { id, bytesPerSecond: rule.bytesPerSecond }
    }
  }
  return weather
}

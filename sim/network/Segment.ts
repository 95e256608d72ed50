/**
 * One network segment on which devices find each other by multicast, as DNS-SD over mDNS does (RFC 6762, RFC 6763): who
 * announces itself, who asks, and what each makes of it.
 *
 * Modelled, a record at a time: announcements, twice; questions at the start and then half a second to a minute apart, which
 * name what is known so that it is not repeated; answers after a moment; records that run out, and are asked for before they
 * do; goodbyes that count after a second; changes that are told once a second at most. A datagram takes a path's delay, and is
 * lost for good where the path is cut or loses it.
 *
 * Records may be planted in another's name, with anything in them. Does not model: packets and their formats, several records
 * of one device, a segment without multicast. All machines are on one segment; cuts and reach are those of the paths between them.
 */
import { betweenAt, key, type Key } from "../../kernel/Draw.ts"
import type { Happened } from "../../kernel/Input.ts"
import type { Advert } from "../../kernel/Ports.ts"
import type { Range } from "../scenario/Scenario.ts"

export type News = Extract<Happened, { readonly _tag: "Sighted" | "Lost" }>
export type Announced = Omit<Advert, "addresses"> & { readonly port: number }

/** As responders set it for what names a host. */
export const TTL_MS = 120_000
/** A record that is said to have ended lives on for a second (RFC 6762 10.1). */
const GOODBYE_MS = 1_000
const ANNOUNCED_AGAIN_MS = 1_000
const QUERY_GAP_MIN_MS = 500
export const QUERY_GAP_MAX_MS = 60_000
/** Others may answer the same question. */
const ANSWER_DELAY_MS: Range = { min: 20, max: 120 }
/** At which per cent of its life a record is asked for again (RFC 6762 5.2). */
const REFRESH_PERCENT = [80, 85, 90, 95] as const
/** News of one device that is already known, at most this often. */
const NEWS_GAP_MS = 1_000

/** Something that a station has to do. Records heard are numbered, so that what was to come of an older one is not done. */
export type Due =
  | { readonly _tag: "hear"; readonly datagram: Datagram }
  | { readonly _tag: "ask" }
  | { readonly _tag: "announce"; readonly record: Announced }
  | { readonly _tag: "answer" }
  | { readonly _tag: "refresh" | "expire"; readonly deviceId: string; readonly heard: number }
  | { readonly _tag: "settle"; readonly deviceId: string }

/** Where a station runs. What it has to do later ends with its process. */
export interface Seat {
  readonly name: string
  readonly deviceId: string
  /** The host part of where it may be dialled, at first. */
  readonly address: string
  /** `Station.on` is to be called at that time, or as soon afterwards as the process runs. */
  readonly later: (atMs: number, due: Due) => void
  readonly tell: (news: News) => void
}

/** How long a datagram takes from one to the other, by the draws of a key from `nth` on; `null`: it is lost. */
export type Way = (from: string, to: string, of: Key, nth: number) => number | null

type Datagram =
  | { readonly _tag: "announcement"; readonly record: Announced; readonly hosts: ReadonlyArray<string> }
  | { readonly _tag: "goodbye"; readonly deviceId: string }
  /** `wanted`: one device; `null`: everybody but those that are `known`. */
  | { readonly _tag: "question"; readonly wanted: string | null; readonly known: ReadonlySet<string> }

interface Known {
  readonly record: Announced
  /** Where it says that it is, best first. */
  readonly hosts: ReadonlyArray<string>
  readonly heard: number
  readonly expiresMs: number
}

const NOBODY: ReadonlySet<string> = new Set()

/** A record that its device did not announce, or not now. */
export interface Planted {
  readonly name: string
  readonly from: string
  readonly record: Announced
  readonly hosts: ReadonlyArray<string>
  readonly heardBy: ReadonlyArray<string>
  readonly copies: number
}

export class Segment {
  private seed: number
  private readonly nowMs: () => number
  private readonly way: Way
  private readonly stations = new Map<string, Station>()
  private readonly keys = new Map<string, { of: Key; sent: number }>()

  constructor(seed: number, nowMs: () => number, way: Way) {
    this.seed = seed
    this.nowMs = nowMs
    this.way = way
  }

  /** An independent one in the same state; each station runs on the seat that `seatOf` gives it in place of its own. */
  fork(nowMs: () => number, way: Way, seatOf: (seat: Seat) => Seat): Segment {
    const copy = new Segment(this.seed, nowMs, way)
    for (const [name, draws] of this.keys) copy.keys.set(name, { ...draws })
    for (const [name, station] of this.stations) {
      const seat = seatOf(station.seat)
      copy.stations.set(name, station.fork(seat, nowMs, copy.airOf(seat)))
    }
    return copy
  }

  /** What is drawn from now on comes from another seed. */
  reseed(seed: number): void {
    this.seed = seed
    for (const [name, draws] of this.keys) draws.of = key(seed, "multicast", name)
  }

  /** Who sits there now; `null`: nobody. */
  at(name: string): Station | null {
    return this.stations.get(name) ?? null
  }

  /** A process on this seat begins to ask who is there; one that was there before is no more. */
  join(seat: Seat): Station {
    const station = new Station(seat, this.nowMs, this.airOf(seat))
    this.stations.set(seat.name, station)
    station.ask()
    return station
  }

  private airOf({ name }: Seat): Air {
    return {
      say: (datagram) => this.say(name, datagram),
      answerDelayMs: (nth) => betweenAt(key(this.seed, "answer", name), nth, ANSWER_DELAY_MS.min, ANSWER_DELAY_MS.max)
    }
  }

  /** Gone without a word. */
  leave(station: Station): void {
    if (this.stations.get(station.seat.name) === station) this.stations.delete(station.seat.name)
  }

  /** To everybody but itself; each may hear it or not. */
  private say(from: string, datagram: Datagram): void {
    for (const [to, station] of this.stations) {
      if (to === from) continue
      const draws = this.drawsOf(from, to)
      const ms = this.way(from, to, draws.of, 2 * draws.sent++)
      if (ms !== null) station.seat.later(this.nowMs() + ms, { _tag: "hear", datagram })
    }
  }

  /**
   * A record that `from` seems to announce, whether it runs or not; how many datagrams get through. Only `heardBy` hear it. What
   * is drawn for it is keyed by `name`.
   */
  plant({ copies, from, heardBy, hosts, name, record }: Planted): number {
    let through = 0
    for (const [to, station] of this.stations) {
      if (to === from || !heardBy.includes(to)) continue
      const of = key(this.seed, "planted", `${name}/${from}>${to}`)
      for (let nth = 0; nth < copies; nth++) {
        const ms = this.way(from, to, of, 2 * nth)
        if (ms === null) continue
        through++
        station.seat.later(this.nowMs() + ms, { _tag: "hear", datagram: { _tag: "announcement", record, hosts } })
      }
    }
    return through
  }

  private drawsOf(from: string, to: string): { of: Key; sent: number } {
    const name = `${from}>${to}`
    const found = this.keys.get(name) ?? { of: key(this.seed, "multicast", name), sent: 0 }
    this.keys.set(name, found)
    return found
  }
}

interface Air {
  readonly say: (datagram: Datagram) => void
  readonly answerDelayMs: (nth: number) => number
}

/** One process that looks round, and may announce its device. */
export class Station {
  readonly seat: Seat
  private readonly nowMs: () => number
  private readonly air: Air
  private record: Announced | null = null
  private hosts: ReadonlyArray<string>
  private readonly known: Map<string, Known>
  private heard = 0
  private readonly told: Map<string, { readonly text: string; readonly atMs: number }>
  /** Devices whose news wait for `NEWS_GAP_MS`. */
  private readonly late: Set<string>
  private queryGapMs = QUERY_GAP_MIN_MS
  private answers = 0
  private answering = false

  constructor(seat: Seat, nowMs: () => number, air: Air, from?: Station) {
    this.seat = seat
    this.nowMs = nowMs
    this.air = air
    this.hosts = from?.hosts ?? [seat.address]
    this.known = new Map(from?.known)
    this.told = new Map(from?.told)
    this.late = new Set(from?.late)
    if (from === undefined) return
    this.record = from.record
    this.heard = from.heard
    this.queryGapMs = from.queryGapMs
    this.answers = from.answers
    this.answering = from.answering
  }

  fork(seat: Seat, nowMs: () => number, air: Air): Station {
    return new Station(seat, nowMs, air, this)
  }

  /** It is found at these from now on, and says so. */
  setHosts(hosts: ReadonlyArray<string>): void {
    this.hosts = hosts
    if (this.record !== null) this.advertise({ ...this.record })
  }

  advertise(record: Announced): void {
    this.record = record
    this.announce()
    this.after(ANNOUNCED_AGAIN_MS, { _tag: "announce", record })
  }

  /** Twice, as each datagram may be lost. */
  sayGoodbye(): void {
    if (this.record === null) return
    for (let i = 0; i < 2; i++) this.air.say({ _tag: "goodbye", deviceId: this.record.deviceId })
    this.record = null
  }

  /** Asks who is there, and will again. */
  ask(): void {
    const now = this.nowMs()
    const fresh = [...this.known].filter(([, { expiresMs }]) => expiresMs - now > TTL_MS / 2)
    this.air.say({ _tag: "question", wanted: null, known: new Set(fresh.map(([deviceId]) => deviceId)) })
    this.after(this.queryGapMs, { _tag: "ask" })
    this.queryGapMs = Math.min(2 * this.queryGapMs, QUERY_GAP_MAX_MS)
  }

  on(due: Due): void {
    switch (due._tag) {
      case "hear":
        return this.hear(due.datagram)
      case "ask":
        return this.ask()
      case "announce":
        if (this.record === due.record) this.announce()
        return
      case "answer":
        this.answering = false
        return this.announce()
      case "refresh": {
        const known = this.known.get(due.deviceId)
        if (known?.heard === due.heard) this.air.say({ _tag: "question", wanted: due.deviceId, known: NOBODY })
        return
      }
      case "expire": {
        const known = this.known.get(due.deviceId)
        if (known?.heard !== due.heard || known.expiresMs > this.nowMs()) return
        this.known.delete(due.deviceId)
        return this.settle(due.deviceId)
      }
      case "settle":
        this.late.delete(due.deviceId)
        return this.settle(due.deviceId)
    }
  }

  private hear(datagram: Datagram): void {
    switch (datagram._tag) {
      case "announcement":
        return this.onAnnouncement(datagram.record, datagram.hosts)
      case "goodbye": {
        const known = this.known.get(datagram.deviceId)
        if (known !== undefined) this.keep(datagram.deviceId, known, GOODBYE_MS)
        return
      }
      case "question": {
        const self = this.record?.deviceId
        if (self === undefined) return
        if (datagram.wanted === self) return this.announce()
        if (datagram.wanted === null && !datagram.known.has(self)) this.answer()
      }
    }
  }

  private announce(): void {
    if (this.record !== null) this.air.say({ _tag: "announcement", record: this.record, hosts: this.hosts })
  }

  /** One answer serves all who asked meanwhile. */
  private answer(): void {
    if (this.answering) return
    this.answering = true
    this.after(this.air.answerDelayMs(this.answers++), { _tag: "answer" })
  }

  private onAnnouncement(record: Announced, hosts: ReadonlyArray<string>): void {
    const { deviceId } = record
    if (deviceId === this.seat.deviceId) return
    const heard = ++this.heard
    for (const percent of REFRESH_PERCENT) this.after((TTL_MS * percent) / 100, { _tag: "refresh", deviceId, heard })
    this.keep(deviceId, { record, hosts, heard, expiresMs: Number.POSITIVE_INFINITY }, TTL_MS)
    this.settle(deviceId)
  }

  /** For so long at most. */
  private keep(deviceId: string, known: Known, ms: number): void {
    const expiresMs = Math.min(known.expiresMs, this.nowMs() + ms)
    this.known.set(deviceId, { ...known, expiresMs })
    this.after(ms, { _tag: "expire", deviceId, heard: known.heard })
  }

  /** Tells what is new of a device, if anything is. */
  private settle(deviceId: string): void {
    const now = this.nowMs()
    const known = this.known.get(deviceId)
    const told = this.told.get(deviceId)
    if (known === undefined) {
      if (this.told.delete(deviceId)) this.seat.tell({ _tag: "Lost", deviceId })
      return
    }
    const { port, ...record } = known.record
    const news: News = { _tag: "Sighted", ...record, addresses: known.hosts.map((host) => `${host}:${port}`) }
    const text = JSON.stringify(news)
    if (text === told?.text || this.late.has(deviceId)) return
    if (told !== undefined && now < told.atMs + NEWS_GAP_MS) {
      this.late.add(deviceId)
      return this.seat.later(told.atMs + NEWS_GAP_MS, { _tag: "settle", deviceId })
    }
    this.told.set(deviceId, { text, atMs: now })
    this.seat.tell(news)
  }

  private after(ms: number, due: Due): void {
    this.seat.later(this.nowMs() + ms, due)
  }
}

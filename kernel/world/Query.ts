/**
 * What a node answers about the world (PROTOCOL.md parts 8 and 14): computed when asked, never stored. Nothing here compares the
 * clocks of two devices: how old something is, is its age at its origin and how long each stayed with it that handed it on.
 */
import { type ContextFrame, keyOf, type Kind, type Tier } from "../wire/ContextFrame.ts"
import type { DeviceId, SyncQuery, WorldQuery } from "../wire/Frame.ts"
import type { Instant } from "../Time.ts"
import * as Log from "./Log.ts"
import * as Origin from "./Origin.ts"
import * as Tail from "./Tail.ts"
import type { World } from "./World.ts"

export const freshnesses = ["fresh", "aging", "stale", "expired"] as const
export type Freshness = (typeof freshnesses)[number]

export const freshnessOf = (held: Log.Held, mono: number): Freshness => {
  const missed = (mono - held.bornAt) / Log.intervalOf(held)
  const at = Log.MISSED_MAX.findIndex((max) => missed <= max)
  const freshness = at < 0 ? 3 : at
  // How long the node was away nobody knows.
  return freshnesses[held.kept ? Math.max(2, freshness) : freshness]!
}

/** Of two that came from different devices, by when they were seen. */
const isYounger = (a: Log.Held, b: Log.Held): boolean => a.bornAt > b.bornAt || (a.bornAt === b.bornAt && a.nth > b.nth)

/** The youngest observation of this metric there, of whichever device, among those that count; `null`: there is none. */
export const youngestOf = (
  { origins }: World,
  metric: string,
  zone: string | null,
  counts: (held: Log.Held) => boolean
): Log.Held | null => {
  const key = keyOf({ kind: "observation", data: { metric, ...(zone === null ? {} : { zone }) } })
  return origins.reduce<Log.Held | null>((best, origin) => {
    const held = Origin.entryAt(origin, key)
    return held !== undefined && counts(held) && (best === null || isYounger(held, best)) ? held : best
  }, null)
}

export interface Entry {
  readonly sourceDeviceId: DeviceId
  readonly kind: Kind
  readonly zone?: string
  readonly metric?: string
  readonly frameId: string
  /** Wall clock of its origin; for showing. */
  readonly timestamp: number
  readonly ageMs: number
  readonly freshness: Freshness
  readonly tier: Tier
  /** It may stand for something: signed by its origin, or heard from its own mouth. */
  readonly evidence: boolean
  readonly data: ContextFrame["data"]
}

const entryOf = (held: Log.Held, mono: number): Entry => {
  const { data, frameId, kind, sourceDeviceId, timestamp, trust } = held.frame
  return {
    sourceDeviceId,
    kind,
    ...(typeof data["zone"] === "string" ? { zone: data["zone"] } : {}),
    ...(typeof data["metric"] === "string" ? { metric: data["metric"] } : {}),
    frameId,
    timestamp,
    ageMs: Log.ageOf(held, mono),
    freshness: freshnessOf(held, mono),
    tier: trust.evidence_trust_tier,
    evidence: held.evidence,
    data
  }
}

/** Part of a log that nobody could give us any more. */
export interface Gap {
  readonly sourceDeviceId: DeviceId
  readonly incarnation: number
  readonly frames: number
}

export interface WorldAnswer {
  /** Of all entries that were asked for. */
  readonly count: number
  /** The newest `limit` of them, newest first. */
  readonly entries: ReadonlyArray<Entry>
  /** The last that came, oldest first. */
  readonly frames: ReadonlyArray<ContextFrame>
  readonly bySourceDeviceId: { readonly [deviceId: string]: number }
  readonly byKind: { readonly [kind: string]: number }
  readonly byTrustTier: { readonly [tier: string]: number }
  readonly peerTimestamp: number
  readonly gaps: ReadonlyArray<Gap>
}

/** What is answered at most, serialised; the rest is left out, the oldest first. */
const ANSWER_BYTES_MAX = 229_376

export const query = (world: World, { kind, limit, sourceDeviceId }: WorldQuery, at: Instant): WorldAnswer => {
  const wanted = ({ frame }: Log.Held): boolean => kind === undefined || frame.kind === kind
  const origins = world.origins.filter(({ deviceId }) => sourceDeviceId === undefined || deviceId === sourceDeviceId)
  const bySourceDeviceId = new Map<string, number>()
  const byKind = new Map<string, number>()
  const byTrustTier = new Map<string, number>()
  const youngest = new First(limit, youngerFirst)
  let count = 0
  for (const origin of origins) {
    const before = count
    for (const held of Origin.standing(origin)) {
      if (!wanted(held)) continue
      count++
      tally(byKind, held.frame.kind)
      tally(byTrustTier, held.frame.trust.evidence_trust_tier)
      youngest.take(held)
    }
    if (count > before) bySourceDeviceId.set(origin.deviceId, count - before)
  }
  let left = ANSWER_BYTES_MAX
  const fits = (held: Log.Held): boolean => (left -= held.bytes) >= 0
  const shown = youngest.list().filter(fits)
  const frames = newestOf(origins, limit, wanted).filter(fits).reverse()
  return {
    count,
    entries: shown.map((held) => entryOf(held, at.mono)),
    frames: frames.map((held) => Log.told(held, at.mono)),
    bySourceDeviceId: Object.fromEntries(bySourceDeviceId),
    byKind: Object.fromEntries(byKind),
    byTrustTier: Object.fromEntries(byTrustTier),
    peerTimestamp: at.wall,
    gaps: gapsOf(origins)
  }
}

const tally = (counts: Map<string, number>, word: string): void => void counts.set(word, (counts.get(word) ?? 0) + 1)

/** The first `limit` of all that are taken, in order. */
class First {
  private kept: Array<Log.Held> = []
  /** Nothing that comes after it is among them. */
  private worst: Log.Held | null = null
  private readonly limit: number
  private readonly order: (a: Log.Held, b: Log.Held) => number

  constructor(limit: number, order: (a: Log.Held, b: Log.Held) => number) {
    this.limit = limit
    this.order = order
  }

  take(held: Log.Held): void {
    if (this.worst !== null && this.order(this.worst, held) <= 0) return
    this.kept.push(held)
    if (this.kept.length >= SLACK * this.limit) this.cut()
  }

  list(): ReadonlyArray<Log.Held> {
    this.cut()
    return this.kept
  }

  private cut(): void {
    this.kept.sort(this.order)
    this.kept.length = Math.min(this.kept.length, this.limit)
    if (this.kept.length === this.limit) this.worst = this.kept.at(-1)!
  }
}

/** So many times as many as are wanted wait to be put in order together. */
const SLACK = 8

export const gapsOf = (origins: World["origins"]): ReadonlyArray<Gap> =>
  origins.flatMap(({ deviceId, logs }) =>
    logs
      .filter(({ missed }) => missed > 0)
      .map(({ incarnation, missed }) => ({ sourceDeviceId: deviceId, incarnation, frames: missed }))
  )

const youngerFirst = (a: Log.Held, b: Log.Held): number => b.bornAt - a.bornAt || b.nth - a.nth

/** Everything that stands in the world, the youngest first. */
export const standing = ({ origins }: World, mono: number): ReadonlyArray<Entry> =>
  origins
    .flatMap(Origin.entriesOf)
    .sort(youngerFirst)
    .map((held) => entryOf(held, mono))

/** The last that came, newest first. */
const newestOf = (
  origins: ReadonlyArray<Origin.Origin>,
  limit: number,
  wanted: (held: Log.Held) => boolean
): ReadonlyArray<Log.Held> => {
  const first = new First(limit, (a, b) => b.nth - a.nth)
  for (const { logs, unsigned } of origins)
    for (const tail of [unsigned, ...logs.map((log) => log.tail)]) {
      let taken = 0
      for (let n = Tail.sizeOf(tail) - 1; n >= 0 && taken < limit; n--) {
        const held = Tail.at(tail, n)!
        if (!wanted(held)) continue
        first.take(held)
        taken++
      }
    }
  return first.list()
}

/** Of how many that came last a device of generation 1 may choose (P14.14). */
const SYNC_OF = 500

/** What a device of generation 1 missed: the newest of them. */
export const sync = (world: World, { kind, limit, since, zone }: SyncQuery, at: Instant) => {
  const wanted = newestOf(world.origins, SYNC_OF, () => true).filter(
    ({ frame }) =>
      frame.timestamp > since &&
      (kind === undefined || frame.kind === kind) &&
      (zone === undefined || frame.data["zone"] === zone)
  )
  let left = ANSWER_BYTES_MAX
  const frames = wanted.slice(0, limit).filter(({ bytes }) => (left -= bytes) >= 0)
  return {
    frames: frames.map((held) => Log.told(held, at.mono)).reverse(),
    peerTimestamp: at.wall,
    totalAvailable: wanted.length
  }
}

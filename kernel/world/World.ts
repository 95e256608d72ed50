/**
 * What this node knows of the world (B38, B39): the frames of every device that it trusts, and of what came over which link.
 *
 * Data only; who changes it: Holding.ts (a frame that is good), Receiving.ts (what comes from peers, until it is found good),
 * Emitting.ts (what this device says itself), Exchanging.ts (what one end of a link lacks), Room.ts (the front).
 */
import type { ContextFrame, Kind, Plain } from "../wire/ContextFrame.ts"
import type { DeviceId, EntriesPrint, StreamHead } from "../wire/Frame.ts"
import { NEVER_MS } from "../Time.ts"
import type { Budget } from "../Budget.ts"
import * as Origin from "./Origin.ts"
import type { WorldSnapshot } from "./Snapshot.ts"
import * as Log from "./Log.ts"

/** Frames whose origin's signature is being checked. */
export interface Checking {
  readonly ticket: number
  readonly frames: ReadonlyArray<ContextFrame>
  /** Serialised, about; of each. */
  readonly bytes: ReadonlyArray<number>
  readonly link: number
  readonly peer: DeviceId
  readonly at: number
  /** They are the answer to what we asked for, and all that is held from here to there; `null`: one that came live. */
  readonly page: Page | null
}

export interface Page {
  readonly origin: DeviceId
  /** 0: not of a log, but entries, by their places among those of the one that gives them. */
  readonly incarnation: number
  readonly from: number
  readonly through: number
  readonly last: boolean
}

/** What was asked for on a link and has not come yet. */
export interface Asked {
  readonly origin: DeviceId
  /** As of a page. */
  readonly incarnation: number
  readonly from: number
  readonly at: number
  /** When we give up waiting. */
  readonly until: number
}

/** What is known of the other end of a link with a kernel peer. */
export interface Exchange {
  readonly link: number
  readonly peer: DeviceId
  /** Heartbeats in a row that said that it holds something else than we do. */
  readonly differs: number
  /** Our count of changes when we last told it what we hold; -1: never. */
  readonly told: number
  /** Where it holds more than we did when it said so. */
  readonly theirs: ReadonlyArray<StreamHead>
  /** What it said of the entries of devices, where that was not what ours are. */
  readonly prints: ReadonlyArray<EntriesPrint>
  readonly asked: Asked | null
  /** How much is asked for at once. */
  readonly quota: number
  /** It is asked for nothing before then. */
  readonly restUntil: number
  /** Frames that it gave us since we last held the same. */
  readonly given: number
  /** What it asked of us. */
  readonly budget: Budget
}

/** Something to say that is not signed yet. */
export interface Draft {
  readonly frameId: string
  readonly kind: Kind
  readonly data: Plain
  readonly note?: string
  readonly causes?: ReadonlyArray<string>
  readonly timestamp: number
  readonly bornAt: number
}

export interface World {
  /** Sorted by device id; each that ever said something. */
  readonly origins: ReadonlyArray<Origin.Origin>
  /** Of all logs. */
  readonly frames: number
  readonly bytes: number
  /** Frames found good so far. */
  readonly held: number
  /** How often a head changed. */
  readonly changes: number
  /** Fingerprint of all heads; 0: nothing is held. */
  readonly digest: number
  readonly checking: ReadonlyArray<Checking>
  /** Sorted by link. */
  readonly exchanges: ReadonlyArray<Exchange>
  /** Number of the last frame of ours. */
  readonly seq: number
  readonly drafts: ReadonlyArray<Draft>
  /** Those that are being signed. */
  readonly signing: { readonly ticket: number; readonly frames: ReadonlyArray<ContextFrame> } | null
  readonly tickets: number
  /** `held` when the snapshot was last kept, and when it is to be kept next. */
  readonly saved: number
  readonly saveAt: number
  readonly due: number
}

export const make = (): World => ({
  origins: [],
  frames: 0,
  bytes: 0,
  held: 0,
  changes: 0,
  digest: 0,
  checking: [],
  exchanges: [],
  seq: 0,
  drafts: [],
  signing: null,
  tickets: 0,
  saved: 0,
  saveAt: NEVER_MS,
  due: NEVER_MS
})

/** Above every other ticket of `Sign` and `Check`. */
export const TICKETS_FROM = 2 ** 44

/** Position in a list sorted by device id; where it is not there, -1 less the position that it would have. */
export const placeOf = (origins: ReadonlyArray<Origin.Origin>, deviceId: DeviceId): number => {
  let low = 0
  let high = origins.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const id = origins[middle]!.deviceId
    if (id === deviceId) return middle
    if (id < deviceId) low = middle + 1
    else high = middle - 1
  }
  return -1 - low
}

export const originOf = (world: World, deviceId: DeviceId): Origin.Origin | undefined =>
  world.origins[placeOf(world.origins, deviceId)]

export const logOf = (world: World, deviceId: DeviceId, incarnation: number): Log.Log | undefined => {
  const origin = originOf(world, deviceId)
  return origin === undefined ? undefined : Origin.logOf(origin, incarnation)
}

/** The highest incarnation in which it said something, by frames that it signed; 0: none is known. */
export const incarnationOf = (world: World, deviceId: DeviceId): number =>
  originOf(world, deviceId)?.logs.at(-1)?.incarnation ?? 0

/** The number below which nothing of this log is missing; 1: nothing of it is held; beyond all: it is over and forgotten. */
export const nextOf = (world: World, deviceId: DeviceId, incarnation: number): number => {
  const origin = originOf(world, deviceId)
  if (origin === undefined) return 1
  if (incarnation < origin.lowest) return NEVER_MS
  return Origin.logOf(origin, incarnation)?.next ?? 1
}

export const headsOf = (world: World): ReadonlyArray<StreamHead> =>
  world.origins.flatMap(({ logs }) => logs.filter(({ next }) => next > 1).map(Log.headOf))

/** Fingerprint of all heads and all entries. */
export const digestOf = ({ origins }: Pick<World, "origins">): number =>
  origins.reduce((sum, origin) => (sum + Origin.digestOf(origin)) >>> 0, 0)

/** What is to outlast the process. */
export const snapshotOf = (world: World, mono: number): WorldSnapshot => ({
  streams: headsOf(world),
  entries: world.origins.flatMap((origin) =>
    Origin.entriesOf(origin).map((held) => ({
      frame: held.frame,
      ageMs: Log.ageOf(held, mono),
      ...(held.frame.kernel === undefined && held.evidence ? { direct: true as const } : {})
    }))
  )
})

/** As it was kept (B40). What its owner does not trust any more is left out. */
export const restored = (snapshot: WorldSnapshot, mono: number, trusts: (deviceId: DeviceId) => boolean): World => {
  let origins: ReadonlyArray<Origin.Origin> = []
  let held = 0
  const change = (deviceId: DeviceId, to: (origin: Origin.Origin) => Origin.Origin): void => {
    if (!trusts(deviceId)) return
    const at = placeOf(origins, deviceId)
    const next = to(origins[at] ?? Origin.begun(deviceId))
    origins = at >= 0 ? origins.with(at, next) : origins.toSpliced(-1 - at, 0, next)
  }
  for (const head of snapshot.streams)
    if (head.next > 1) change(head.origin, (origin) => Origin.withLog(origin, Log.restored(head)))
  for (const { ageMs, direct, frame } of snapshot.entries)
    change(frame.sourceDeviceId, (origin) => {
      held++
      const entry: Log.Held = {
        frame,
        incarnation: frame.kernel?.incarnation ?? 0,
        seq: frame.kernel?.seq ?? frame.timestamp,
        bornAt: mono - ageMs,
        bytes: JSON.stringify(frame).length,
        nth: held,
        evidence: frame.kernel !== undefined || direct === true,
        kept: true
      }
      return frame.kernel === undefined ? Origin.withUnsigned(origin, entry) : Origin.withEntry(origin, entry)
    })
  return { ...make(), origins, held, saved: held, digest: digestOf({ origins }), changes: 1 }
}

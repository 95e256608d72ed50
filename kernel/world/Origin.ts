/**
 * What is known of one device's word: its logs by incarnation, and of each kind, zone and metric the newest frame (B38).
 *
 * Promises: what comes out depends on which frames came, not on their order or their way. Newest is by the origin's own order:
 * incarnation, then number. At most `INCARNATIONS_MAX` incarnations are kept, the highest, with the entries that they wrote, and
 * at most `ENTRIES_MAX` entries, the newest.
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { DeviceId } from "../wire/Frame.ts"
import { keyOf, type ContextFrame } from "../wire/ContextFrame.ts"
import * as Log from "./Log.ts"
import * as Tail from "./Tail.ts"

/** Incarnations of one device in which it said something. */
export const INCARNATIONS_MAX = 16
/** Entries of one device, and their bytes. */
export const ENTRIES_MAX = 1_024
export const ENTRY_BYTES_MAX = 4_194_304
/** Frames of generation 1 of one device that are known by their ids. With 32 such devices and more these are over 5,000. */
export const SEEN_MAX = 1_024

interface Seen {
  readonly frameId: string
  readonly timestamp: number
}

export interface Origin {
  readonly deviceId: DeviceId
  /** By incarnation, ascending. */
  readonly logs: ReadonlyArray<Log.Log>
  /** Lower incarnations are over and forgotten. */
  readonly lowest: number
  readonly entries: HashMap.HashMap<string, Log.Held>
  readonly entryBytes: number
  /** Fingerprint of the entries that are signed. */
  readonly print: number
  /** The world's count of changes when that last changed. */
  readonly changed: number
  /** Of generation 1: those that came last, and the highest timestamp of those that were forgotten since. */
  readonly seen: Tail.Tail<Seen>
  readonly seenIds: HashMap.HashMap<string, true>
  readonly seenFloor: number
  /** Those of generation 1 that are kept for others of it, oldest first. */
  readonly unsigned: Tail.Tail<Log.Held>
}

/** Frames of generation 1 that are kept of one device. */
export const UNSIGNED_MAX = 256

export const begun = (deviceId: DeviceId): Origin => ({
  deviceId,
  logs: [],
  lowest: 0,
  entries: HashMap.empty(),
  entryBytes: 0,
  print: 0,
  changed: 0,
  seen: Tail.empty,
  seenIds: HashMap.empty(),
  seenFloor: -1,
  unsigned: Tail.empty
})

export const indexOfLog = ({ logs }: Origin, incarnation: number): number => {
  // The newest is the one that is asked for.
  for (let i = logs.length - 1; i >= 0; i--) if (logs[i]!.incarnation === incarnation) return i
  return -1
}

export const logOf = (origin: Origin, incarnation: number): Log.Log | undefined =>
  origin.logs[indexOfLog(origin, incarnation)]

/** What stands where this frame belongs; `undefined`: nothing. */
export const entryOf = (origin: Origin | undefined, frame: ContextFrame): Log.Held | undefined =>
  origin === undefined ? undefined : entryAt(origin, keyOf(frame))

export const entryAt = ({ entries }: Origin, key: string): Log.Held | undefined =>
  Option.getOrUndefined(HashMap.get(entries, key))

/** In no order. */
export const standing = ({ entries }: Origin): Iterable<Log.Held> => HashMap.values(entries)

/** In the order of the origin. */
export const entriesOf = ({ entries }: Origin): ReadonlyArray<Log.Held> =>
  [...HashMap.values(entries)].sort(Log.compareHeld)

/** With this log in place of its older value, or as a further one. */
export const withLog = (origin: Origin, log: Log.Log): Origin => {
  const at = indexOfLog(origin, log.incarnation)
  if (at >= 0) return { ...origin, logs: origin.logs.with(at, log) }
  const logs = [...origin.logs, log].sort((a, b) => a.incarnation - b.incarnation)
  return logs.length <= INCARNATIONS_MAX ? { ...origin, logs } : withoutOldest({ ...origin, logs })
}

const withoutOldest = (origin: Origin): Origin => {
  const logs = origin.logs.slice(1)
  const lowest = logs[0]!.incarnation
  const over = entriesOf(origin).filter(({ incarnation }) => incarnation < lowest)
  return over.reduce(withoutEntry, { ...origin, logs, lowest })
}

const printOf = (origin: Origin, held: Log.Held): number => Log.entryPrintOf(held, logOf(origin, held.incarnation))

const withoutEntry = (origin: Origin, held: Log.Held): Origin => ({
  ...origin,
  entries: HashMap.remove(origin.entries, keyOf(held.frame)),
  entryBytes: origin.entryBytes - held.bytes,
  print: (origin.print - printOf(origin, held)) >>> 0
})

/** With this frame as its entry, if it is newer than what stands there. */
export const withEntry = (origin: Origin, held: Log.Held): Origin => {
  const key = keyOf(held.frame)
  const old = Option.getOrUndefined(HashMap.get(origin.entries, key))
  if (old !== undefined && Log.compareHeld(old, held) >= 0) return origin
  const entries = HashMap.set(origin.entries, key, held)
  const entryBytes = origin.entryBytes + held.bytes - (old?.bytes ?? 0)
  const print = (origin.print + printOf(origin, held) - (old === undefined ? 0 : printOf(origin, old))) >>> 0
  return bounded({ ...origin, entries, entryBytes, print })
}

const bounded = (origin: Origin): Origin => {
  let next = origin
  while (
    HashMap.size(next.entries) > ENTRIES_MAX ||
    (next.entryBytes > ENTRY_BYTES_MAX && HashMap.size(next.entries) > 1)
  ) {
    let oldest: Log.Held | undefined
    for (const held of HashMap.values(next.entries))
      if (oldest === undefined || Log.compareHeld(held, oldest) < 0) oldest = held
    next = withoutEntry(next, oldest!)
  }
  return next
}

/** It came before, or is older than what we would remember. Its own link brings nothing old. */
export const isSeen = ({ seenFloor, seenIds }: Origin, { frameId, timestamp }: Seen, direct: boolean): boolean =>
  (!direct && timestamp <= seenFloor) || HashMap.has(seenIds, frameId)

/**
 * The place of a frame of generation 1: what its own link brings is newer than all before it, though its clock was set back; what
 * others hand on can only say its timestamp.
 */
export const placeOf = ({ unsigned }: Origin, timestamp: number, direct: boolean): number =>
  direct ? Tail.listOf(unsigned).reduce((place, { seq }) => Math.max(place, seq + 1), timestamp) : timestamp

/** With a frame of generation 1, which is not held yet. */
export const withUnsigned = (origin: Origin, held: Log.Held): Origin => {
  const room = Tail.sizeOf(origin.unsigned) < UNSIGNED_MAX ? origin.unsigned : Tail.dropped(origin.unsigned, 1)
  return withEntry({ ...withSeen(origin, held.frame), unsigned: Tail.appended(room, held) }, held)
}

const withSeen = (origin: Origin, { frameId, timestamp }: Seen): Origin => {
  if (HashMap.has(origin.seenIds, frameId)) return origin
  const oldest = Tail.sizeOf(origin.seen) < SEEN_MAX ? undefined : Tail.at(origin.seen, 0)
  const kept = oldest === undefined ? origin.seen : Tail.dropped(origin.seen, 1)
  const seen = Tail.appended(kept, { frameId, timestamp })
  const ids = oldest === undefined ? origin.seenIds : HashMap.remove(origin.seenIds, oldest.frameId)
  const seenIds = HashMap.set(ids, frameId, true as const)
  const seenFloor = Math.max(origin.seenFloor, oldest?.timestamp ?? -1)
  return { ...origin, seen, seenIds, seenFloor }
}

/** Somebody else brought a frame of that name first, who can have changed it. */
export const isByHearsay = ({ unsigned }: Origin, frameId: string): boolean => {
  for (let n = Tail.sizeOf(unsigned) - 1; n >= 0; n--) {
    const { evidence, frame } = Tail.at(unsigned, n)!
    if (frame.frameId === frameId) return !evidence
  }
  return false
}

/** Without what others brought under that name: its own link has brought the true one. */
export const withoutHearsay = (origin: Origin, frameId: string): Origin => {
  const isIt = ({ frame }: Log.Held): boolean => frame.frameId === frameId
  const rest = Tail.listOf(origin.unsigned).filter((held) => !isIt(held))
  const said = [...standing(origin)].filter((held) => held.incarnation === 0 && isIt(held))
  return said.reduce(withoutEntry, { ...origin, unsigned: Tail.of(rest) })
}

/** Of its logs and its entries. */
export const digestOf = ({ logs, print }: Origin): number =>
  logs.reduce((sum, log) => (sum + Log.printOf(log)) >>> 0, print)

/** Frames in its logs, and their bytes. */
export const framesOf = ({ logs }: Origin): number => logs.reduce((sum, log) => sum + Log.countOf(log), 0)
export const bytesOf = ({ logs }: Origin): number => logs.reduce((sum, log) => sum + log.bytes, 0)

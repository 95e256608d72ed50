/**
 * What is held of the log of one device in one of its incarnations: everything from above `floor` up to `next`, and of what came
 * ahead of its turn a bounded part. The device itself is the only writer, and numbers its frames from 1 without holes.
 *
 * Promises: pure; appending and trimming take the same time however long the log is (Tail.ts).
 */
import * as Draw from "../Draw.ts"
import { compareText } from "../Order.ts"
import { relayed, type ContextFrame } from "../wire/ContextFrame.ts"
import type { DeviceId, StreamHead } from "../wire/Frame.ts"
import * as Tail from "./Tail.ts"

/** A frame that was found good. */
export interface Held {
  readonly frame: ContextFrame
  /** Its place in the order of its origin. A frame of generation 1 has none: incarnation 0, and its own timestamp. */
  readonly incarnation: number
  readonly seq: number
  /** When it was seen at its origin, by our own elapsed time: `mono` ms, before our own start too. */
  readonly bornAt: number
  /** Serialised, about. */
  readonly bytes: number
  /** It was the so-manieth that came. */
  readonly nth: number
  /** It may serve as evidence: signed by its origin, or heard from its own mouth. */
  readonly evidence: boolean
  /** It was kept over a restart: how old it is nobody knows. */
  readonly kept: boolean
}

/** The newer one of two frames of one origin is greater. */
export const compareHeld = (a: Held, b: Held): number =>
  a.incarnation - b.incarnation || a.seq - b.seq || compareText(a.frame.frameId, b.frame.frameId)

/** Between two of a kind, where the data does not say (`intervalMs`). */
export const INTERVAL_MS = 60_000
/** By how many intervals without a newer one it is fresh, aging and stale; by more it has expired (B38). */
export const MISSED_MAX = [3, 10, 60] as const
/** More than evidence may be old (proposals/Evidence.ts). */
const KEPT_MS = 3_600_001

/** How often it is said. */
export const intervalOf = ({ frame }: Held): number => {
  const said = frame.data["intervalMs"]
  return typeof said === "number" && said > 0 ? said : INTERVAL_MS
}

/** Since it was seen at its origin, ms. */
export const ageOf = ({ bornAt }: Held, mono: number): number => Math.max(0, mono - bornAt)

/** As it is told now: as old as it is by then. */
export const told = (held: Held, mono: number): ContextFrame =>
  relayed(held.frame, held.frame.hops, Math.max(ageOf(held, mono), oldestOf(held)))

/** Of what was kept nobody knows the age, and nobody is to take it for fresh: it is as old as what is stale, and as no evidence any more. */
const oldestOf = (held: Held): number =>
  held.kept && held.frame.kind === "observation"
    ? Math.max(KEPT_MS, Math.ceil(MISSED_MAX[1] * intervalOf(held)) + 1)
    : 0

export interface Log {
  readonly origin: DeviceId
  readonly incarnation: number
  /** Everything below is known: held, or given up. */
  readonly next: number
  /** Everything up to here is not held any more, or never was. */
  readonly floor: number
  readonly tail: Tail.Tail<Held>
  /** Of these, serialised. */
  readonly bytes: number
  /** Beyond `next`, sorted. */
  readonly ahead: ReadonlyArray<Held>
  /** Of those that nobody could give us any more. */
  readonly missed: number
  /** The world's count of changes when `next` last changed. */
  readonly changed: number
  /** Of its fingerprints. */
  readonly key: Draw.Key
}

/** That came before their turn. */
export const AHEAD_MAX = 256

export const begun = (origin: DeviceId, incarnation: number): Log => ({
  origin,
  incarnation,
  next: 1,
  floor: 0,
  tail: Tail.empty,
  bytes: 0,
  ahead: [],
  missed: 0,
  changed: 0,
  key: keyOf(origin, incarnation)
})

/** As it is after a restart: known, and not held. */
export const restored = ({ floor: _, incarnation, next, origin }: StreamHead): Log => ({
  ...begun(origin, incarnation),
  next,
  floor: next - 1
})

export const headOf = ({ floor, incarnation, next, origin }: Log): StreamHead => ({ origin, incarnation, next, floor })

/** Of a log that says nothing yet: 0. */
export const printOf = ({ key, next }: Log): number => (next <= 1 ? 0 : Draw.at(key, next))

const keyOf = (origin: DeviceId, incarnation: number): Draw.Key => Draw.key(incarnation, "world", origin)

/** That this frame is an entry; 0 for one without a signature, which nobody asks for. `log`: that it belongs to, if it is there. */
export const entryPrintOf = ({ frame, incarnation, seq }: Held, log: Log | undefined): number =>
  frame.kernel === undefined ? 0 : Draw.at(log?.key ?? keyOf(frame.sourceDeviceId, incarnation), -seq)

export const countOf = ({ tail }: Log): number => Tail.sizeOf(tail)

/** The one with this number; `undefined`: it is not held. */
export const heldAt = ({ ahead, floor, next, tail }: Log, seq: number): Held | undefined =>
  seq < next ? Tail.at(tail, seq - floor - 1) : ahead.find((held) => held.seq === seq)

export const isKnown = ({ ahead, next }: Log, seq: number): boolean =>
  seq < next || ahead.some((held) => held.seq === seq)

/** The held ones from the oldest to the newest, without those that came ahead. */
export const heldOf = ({ tail }: Log): ReadonlyArray<Held> => Tail.listOf(tail)

const appended = (log: Log, held: Held): Log => ({
  ...log,
  tail: Tail.appended(log.tail, held),
  bytes: log.bytes + held.bytes,
  next: held.seq + 1
})

/** With one that is not known yet. The same reference: it lies too far ahead, and has to come again. */
export const withHeld = (log: Log, held: Held): Log => {
  if (held.seq === log.next) return caughtUp(appended(log, held))
  if (log.ahead.length >= AHEAD_MAX) return log
  const at = log.ahead.findIndex((other) => other.seq > held.seq)
  return { ...log, ahead: log.ahead.toSpliced(at < 0 ? log.ahead.length : at, 0, held) }
}

/** With those that came ahead and whose turn it is. */
const caughtUp = (log: Log): Log => {
  if (log.ahead.length === 0) return log
  let next = log
  let taken = 0
  for (const held of log.ahead) {
    if (held.seq > next.next) break
    if (held.seq === next.next) next = appended(next, held)
    taken++
  }
  return taken === 0 ? next : { ...next, ahead: log.ahead.slice(taken) }
}

/** Nobody holds any more what is missing up to `floor`. What is held below goes too, so that no log has a hole. */
export const withGap = (log: Log, floor: number, missed: number): Log => {
  if (floor < log.next) return log
  const rest = { ...log, next: floor + 1, floor, tail: Tail.empty, bytes: 0, missed: log.missed + missed }
  return caughtUp(rest)
}

/** Without the oldest `count`. */
export const trimmed = (log: Log, count: number): Log => {
  const tail = Tail.dropped(log.tail, count)
  const gone = Tail.sizeOf(log.tail) - Tail.sizeOf(tail)
  let bytes = log.bytes
  for (let n = 0; n < gone; n++) bytes -= Tail.at(log.tail, n)!.bytes
  return { ...log, tail, bytes, floor: log.floor + gone }
}

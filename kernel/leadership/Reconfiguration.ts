/** What an elector holds of a list of electors that is to be, or that it is looking at (Reconfiguring.ts). */
import { NEVER_MS } from "../Time.ts"
import type { Acknowledgement, DeviceId, ShownManifest } from "../wire/Frame.ts"

/** The list that is to be in force. */
interface Successor extends ShownManifest {
  /** Of the record that it will be acknowledged by: as long as it is on its way; `null`: it is there, or there is to be none. */
  readonly ticket: number | null
  /** We are to acknowledge it, from then on; NEVER: we have, or are not asked to. */
  readonly ackAt: number
  /** When to show it to all once more: somebody may not have been able to tell that it is signed. */
  readonly tellAt: number
}

/** What somebody showed, and whose signatures are being checked. */
interface Checking {
  readonly from: DeviceId | null
  readonly shown: ShownManifest
  /** `null`: the operator's. */
  readonly open: ReadonlyArray<{ readonly ticket: number; readonly ack: Acknowledgement | null }>
  readonly good: ReadonlyArray<Acknowledgement>
}

export interface Waiting {
  readonly from: DeviceId | null
  readonly shown: ShownManifest
}

export interface Reconfiguration {
  readonly next: Successor | null
  readonly checking: Checking | null
  /** What peers showed meanwhile, the last of each that was in force and the last that was not. */
  readonly waiting: ReadonlyArray<Waiting>
  /** Checks asked for so far. */
  readonly checks: number
  /** Of the record by which a list comes into force, while that is on its way. */
  readonly entering: number | null
}

export const none: Reconfiguration = { next: null, checking: null, waiting: [], checks: 0, entering: null }

/** What was acknowledged, or may have been, before this life. */
export const restored = (successor: ShownManifest | undefined): Reconfiguration =>
  successor === undefined ? none : { ...none, next: { ...successor, ticket: null, ackAt: 0, tellAt: 0 } }

interface Owing {
  readonly promisedUntil: number
  readonly reconfiguration: Reconfiguration
  readonly silentUntil: number
}

/** When to acknowledge: nothing is owed any more. */
export const acknowledgedAt = ({ promisedUntil, reconfiguration: { next }, silentUntil }: Owing): number =>
  next === null || next.ticket !== null ? NEVER_MS : Math.max(next.ackAt, promisedUntil, silentUntil)

export const dueAt = (owing: Owing): number =>
  Math.min(acknowledgedAt(owing), owing.reconfiguration.next?.tellAt ?? NEVER_MS)

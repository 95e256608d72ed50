/** What a leader knows of its own disk (DiskWatch.ts). */
import type { Profile } from "../Profile.ts"
import { NEVER_MS } from "../Time.ts"

export const SLOW_MS = 2_000
export const HUNG_MS = 10_000
export const CALM_MS = 60_000

export interface Disk {
  /** Of the record that is out; 0: none is. */
  readonly ticket: number
  /** When the next one is due; or, while one is out, when it has taken too long. */
  readonly at: number
  /** It takes too long: we do not stand until it has come. */
  readonly slow: boolean
  /** When somebody last handed over, as far as we know. */
  readonly handedOverAt: number
}

export const make = (): Disk => ({ ticket: 0, at: NEVER_MS, slow: false, handedOverAt: -NEVER_MS })

/** Twice a heartbeat of a leader. */
export const periodMs = ({ leadMs }: Profile): number => 2 * leadMs

/** A lead begins. */
export const begin = (disk: Disk, mono: number, profile: Profile): Disk =>
  disk.ticket === 0 ? { ...disk, at: mono + periodMs(profile) } : disk

/** Of whoever leads, when there is something to look at. */
export const dueAt = ({ at, slow }: Disk): number => (slow ? NEVER_MS : at)

/**
 * Keeps strangers from filling the log and the memory of events: of refusals, which anybody who reaches the port can cause, so
 * many are told in a minute, and of the rest how many there were. What a node decides of devices that it knows is always told.
 *
 * Promises: nothing is lost without a word, and the counters of status (refusals by code) count each one anyway.
 */
import type { MeshEvent } from "../../kernel/status/MeshEvent.ts"
import type { Told } from "./Daemon.ts"

/** More than a person reads, and less than a night of knocking would make of a disk: about 10 MB a day. */
export const REFUSALS_TOLD_MAX = 30
export const WINDOW_MS = 60_000

/** Those that need no proof of anything, and the stalls of a machine that is too slow for what it does. */
const provoked: ReadonlyArray<MeshEvent["event"]> = ["frame.refused", "connection.refused", "node.stalled"]

interface Window {
  since: number
  told: number
  more: number
}

export interface Quiet {
  /** What is to be told in place of this, in order. `mono`: ms of the node's own clock. */
  readonly hear: (told: Told, mono: number) => ReadonlyArray<Told>
  /** What a window that is over still has to say. */
  readonly due: (atMs: number, mono: number) => ReadonlyArray<Told>
}

export const make = (): Quiet => {
  const windows = new Map<MeshEvent["event"], Window>()

  const summary = (event: MeshEvent["event"], { more }: Window, atMs: number): ReadonlyArray<Told> =>
    more === 0 ? [] : [{ atMs, event: { event, reason: `${more} more of them within a minute, not listed` } }]

  const due = (atMs: number, mono: number): ReadonlyArray<Told> =>
    [...windows].flatMap(([event, window]) => {
      if (mono - window.since < WINDOW_MS) return []
      windows.delete(event)
      return summary(event, window, atMs)
    })

  return {
    due,
    hear: (told, mono) => {
      const { event } = told.event
      if (!provoked.includes(event)) return [told]
      const before = due(told.atMs, mono)
      const window = windows.get(event) ?? { since: mono, told: 0, more: 0 }
      windows.set(event, window)
      if (window.told >= REFUSALS_TOLD_MAX) {
        window.more++
        return before
      }
      window.told++
      return [...before, told]
    }
  }
}

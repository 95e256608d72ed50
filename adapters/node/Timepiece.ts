/**
 * The machine's clocks as the kernel wants them: `mono` is the process's monotonic clock plus the time that the machine slept,
 * `wall` is the calendar. Integers, ms.
 *
 * The monotonic clock of a process stands still while Linux is suspended, the machine's uptime does not: what uptime grew
 * beyond the monotonic clock, by more than the two differ in resolution, was sleep. It never goes backward.
 */
import { uptime } from "node:os"
import type { Instant } from "../../kernel/Time.ts"

/** Less than this is how the two clocks differ, not sleep. */
const SLEEP_MS_MIN = 200

export interface Clocks {
  readonly monotonicMs: () => number
  readonly uptimeMs: () => number
  readonly wallMs: () => number
}

export const machine: Clocks = {
  monotonicMs: () => performance.now(),
  uptimeMs: () => uptime() * 1_000,
  wallMs: () => Date.now()
}

/** Reads the clocks; call it often, at least once between two sleeps. */
export const make = (clocks: Clocks = machine): (() => Instant) => {
  let sleptMs = 0
  let apartMs = clocks.uptimeMs() - clocks.monotonicMs()
  return () => {
    const monotonicMs = clocks.monotonicMs()
    const grownMs = clocks.uptimeMs() - monotonicMs - apartMs
    if (grownMs > SLEEP_MS_MIN) {
      sleptMs += grownMs
      apartMs += grownMs
    }
    return { mono: Math.floor(monotonicMs + sleptMs), wall: Math.floor(clocks.wallMs()) }
  }
}

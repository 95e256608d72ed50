/**
 * The machine's clocks as the kernel wants them: `mono` is the process's monotonic clock plus the time that the machine slept,
 * `wall` is the calendar. Integers, ms.
 *
 * The monotonic clock of a process stands still while Linux is suspended, the machine's uptime does not: what uptime grew
 * beyond the monotonic clock, by more than the two differ in resolution, was sleep. It never goes backward.
 *
 * Looking at the uptime opens a file, and the clocks are read for every frame. So it is looked at again only after some ms, or
 * when the calendar has moved otherwise than the monotonic clock: the system sets it right as it wakes up.
 */
import { uptime } from "node:os"
import * as Effect from "effect/Effect"
import type { Timepiece } from "../../kernel/Ports.ts"
import type { Instant } from "../../kernel/Time.ts"

/** Less than this is how the two clocks differ, not sleep. */
const SLEEP_MS_MIN = 200
/** A sleep that the calendar does not show is noticed so long after it; a sixth of the shortest lease. */
const LOOK_EVERY_MS = 200
/** Less than any sleep that counts, more than the calendar is ever slewed in the meantime. */
const CALENDAR_MOVED_MS = SLEEP_MS_MIN / 2

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
  let lookedAtMs = clocks.monotonicMs()
  let calendarApartMs = clocks.wallMs() - lookedAtMs
  let apartMs = clocks.uptimeMs() - lookedAtMs
  return () => {
    const monotonicMs = clocks.monotonicMs()
    const wallMs = clocks.wallMs()
    const moved = Math.abs(wallMs - monotonicMs - calendarApartMs) >= CALENDAR_MOVED_MS
    if (moved || monotonicMs - lookedAtMs >= LOOK_EVERY_MS) {
      const grownMs = clocks.uptimeMs() - monotonicMs - apartMs
      lookedAtMs = monotonicMs
      calendarApartMs = wallMs - monotonicMs
      if (grownMs > SLEEP_MS_MIN) {
        sleptMs += grownMs
        apartMs += grownMs
      }
    }
    return { mono: Math.floor(monotonicMs + sleptMs), wall: Math.floor(wallMs) }
  }
}

/** As long as a timer of Node can be set to; what rings later looks again then. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** The port, by clocks that were made. A machine that slept rings late: Node's timers do not count that time. */
export const portOf = (now: () => Instant): Timepiece["Service"] => ({
  now: Effect.sync(now),
  ringAt: (mono, ring) => {
    let timer: NodeJS.Timeout
    const wait = (): void => {
      timer = setTimeout(look, Math.min(Math.max(0, mono - now().mono), TIMER_MS_MAX))
    }
    // Node's timers may be a little early.
    const look = (): void => (now().mono < mono ? wait() : ring())
    wait()
    return () => clearTimeout(timer)
  }
})

/**
 * Whether the process itself is there: a beat of its own that rings late says for how long its loop stood still, also between
 * two alarms of the kernel. Told to the kernel as `Stalled`, so that it accuses nobody of its own absence.
 *
 * Told behind what the loop had taken in by then; what comes in with the same turn of the loop may be before it.
 */
import * as Effect from "effect/Effect"
import type { Happened } from "../../kernel/Input.ts"
import type { Instant } from "../../kernel/Time.ts"

const BEAT_MS = 100
/** As much as the kernel forgives its own alarms (kernel/Profile.ts). */
const LATE_MS = 150

/** Calls back each so many ms until it is stopped. A fiber that sleeps would do as well, and does more work for it. */
export type Every = (ms: number, ring: () => void) => () => void

const byTimer: Every = (ms, ring) => {
  const timer = setInterval(ring, ms)
  return () => clearInterval(timer)
}

/** Runs until it is interrupted. */
export const watch = (
  now: () => Instant,
  offer: (happened: Happened) => Effect.Effect<void>,
  every: Every = byTimer
): Effect.Effect<never> =>
  Effect.callback<never>(() => {
    let due = now().mono + BEAT_MS
    const stop = every(BEAT_MS, () => {
      const { mono } = now()
      if (mono - due > LATE_MS) Effect.runFork(offer({ _tag: "Stalled", ms: mono - due }))
      due = mono + BEAT_MS
    })
    return Effect.sync(stop)
  })

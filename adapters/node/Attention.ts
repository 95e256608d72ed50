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

/** Runs until it is interrupted. */
export const watch = (now: () => Instant, offer: (happened: Happened) => Effect.Effect<void>): Effect.Effect<never> =>
  Effect.gen(function* () {
    let due = now().mono + BEAT_MS
    while (true) {
      yield* Effect.sleep(BEAT_MS)
      const { mono } = now()
      if (mono - due > LATE_MS) yield* offer({ _tag: "Stalled", ms: mono - due })
      due = mono + BEAT_MS
    }
  })

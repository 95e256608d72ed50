/**
 * Whether the process itself is there. Each reading of the node's clock shows that its loop runs; where nothing reads it for
 * a quarter of a second, a timer does. A reading that comes later than that says for how long the loop stood still, also between two alarms of
 * the kernel, which is told of it as `Stalled`, so that it accuses nobody of its own absence.
 *
 * Told behind what the loop had taken in by then; what comes in with the same turn of the loop may be before it.
 *
 * Not a beat of its own beside the traffic: on a machine at rest it is the waking up that costs, whatever is done then.
 */
import * as Effect from "effect/Effect"
import type { Happened } from "../../kernel/Input.ts"
import type { Instant } from "../../kernel/Time.ts"

/** With what is forgiven, what goes unnoticed is shorter than any deadline by which others are judged (400 ms). */
const BEAT_MS = 250
/** As much as the kernel forgives its own alarms (kernel/Profile.ts). */
const LATE_MS = 150
/** Readings within so short a time are one. */
const GRAIN_MS = 10

/** Rings so long after it was last put off, again and again. */
export interface Timer {
  readonly putOff: () => void
  readonly stop: () => void
}
export type TimerOf = (ms: number, ring: () => void) => Timer

const nodeTimer: TimerOf = (ms, ring) => {
  const timer = setTimeout(ring, ms)
  return { putOff: () => void timer.refresh(), stop: () => clearTimeout(timer) }
}

interface Chore {
  readonly ms: number
  readonly act: () => void
  dueMono: number
}

export class Attention {
  private readonly clock: () => Instant
  private readonly chores = new Set<Chore>()
  private seenMono = 0
  private timer: Timer | null = null
  private tell: ((ms: number) => void) | null = null

  constructor(clock: () => Instant) {
    this.clock = clock
  }

  /** The clock, for everybody. */
  readonly now = (): Instant => {
    const at = this.clock()
    if (at.mono - this.seenMono >= GRAIN_MS) this.notice(at.mono)
    return at
  }

  /** Each so many ms, or up to a beat later, without a timer of its own; behind whatever reads the clock. Returns how to end it. */
  each(ms: number, act: () => void): () => void {
    const chore: Chore = { ms, act, dueMono: 0 }
    this.chores.add(chore)
    return () => void this.chores.delete(chore)
  }

  /** Runs until it is interrupted. */
  watch(offer: (happened: Happened) => Effect.Effect<void>, timerOf: TimerOf = nodeTimer): Effect.Effect<never> {
    return Effect.callback<never>(() => {
      this.seenMono = this.clock().mono
      this.tell = (ms) => void Effect.runFork(offer({ _tag: "Stalled", ms }))
      this.timer = timerOf(BEAT_MS, () => this.notice(this.clock().mono))
      return Effect.sync(() => {
        this.timer?.stop()
        this.timer = null
        this.tell = null
      })
    })
  }

  private notice(mono: number): void {
    const lateMs = mono - this.seenMono - BEAT_MS
    this.seenMono = mono
    if (this.timer === null) return
    this.timer.putOff()
    if (lateMs > LATE_MS) this.tell?.(lateMs)
    for (const chore of this.chores) {
      if (chore.dueMono > mono) continue
      chore.dueMono = mono + chore.ms
      queueMicrotask(chore.act)
    }
  }
}

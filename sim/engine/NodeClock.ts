/**
 * A node's own clocks in terms of true time: a monotonic one from an arbitrary origin per boot, and a calendar one. Both may
 * run fast or slow by a constant rate; the calendar may be off by a skew. Integers only.
 *
 * Does not model: clocks that jump or change their rate while they run (a later fault), or time asleep.
 */
import type { Instant } from "../../kernel/Time.ts"

/** The calendar's reading at true time 0, without skew: an arbitrary day in 2023. */
export const EPOCH_MS = 1_700_000_000_000

const MILLION = 1_000_000

export class NodeClock {
  readonly originMs: number
  readonly skewMs: number
  readonly ratePpm: number

  /** @param originMs what the monotonic clock shows at true time 0 */
  constructor(originMs: number, skewMs: number, ratePpm: number) {
    this.originMs = originMs
    this.skewMs = skewMs
    this.ratePpm = ratePpm
  }

  private elapsed(trueMs: number): number {
    return this.ratePpm === 0 ? trueMs : trueMs + Math.floor((trueMs * this.ratePpm) / MILLION)
  }

  mono(trueMs: number): number {
    return this.originMs + this.elapsed(trueMs)
  }

  instant(trueMs: number): Instant {
    const elapsed = this.elapsed(trueMs)
    return { mono: this.originMs + elapsed, wall: EPOCH_MS + elapsed + this.skewMs }
  }

  /** The first true ms at which the monotonic clock shows `mono` or more. */
  trueMs(mono: number): number {
    const elapsed = mono - this.originMs
    if (this.ratePpm === 0) return elapsed
    let guess = Math.floor((elapsed * MILLION) / (MILLION + this.ratePpm)) - 2
    while (this.elapsed(guess) < elapsed) guess++
    return guess
  }
}

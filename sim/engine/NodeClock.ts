/**
 * A node's own clocks in terms of true time: a monotonic one from an arbitrary origin per boot, and a calendar one. Both run
 * fast or slow at a rate that may change; the calendar may be off by a skew that may jump. Integers only.
 *
 * Never changes itself: a clock that jumped, changed its rate or booted is another one, which knows the pieces before it. What
 * lies in the present piece costs the same however many there were. The monotonic clock never goes back, and runs on while the
 * machine sleeps, as that of the daemon does.
 *
 * Does not model: rates that drift by themselves.
 */
import type { Instant } from "../../kernel/Time.ts"

/** The calendar's reading at true time 0, without skew: an arbitrary day in 2023. */
export const EPOCH_MS = 1_700_000_000_000

const MILLION = 1_000_000

/** Elapsed time from true time `sinceMs` on, at one rate. */
interface Piece {
  readonly sinceMs: number
  /** What had elapsed at its beginning. */
  readonly passedMs: number
  readonly ratePpm: number
  /** The slowest rate up to now. */
  readonly slowestPpm: number
  /** `null`: it reaches back to the start of the world and beyond. */
  readonly before: Piece | null
}

/** What elapses from its beginning on. */
const passed = ({ ratePpm, sinceMs }: Piece, trueMs: number): number => {
  const spanMs = trueMs - sinceMs
  return ratePpm === 0 ? spanMs : spanMs + Math.floor((spanMs * ratePpm) / MILLION)
}

const elapsed = (last: Piece, trueMs: number): number => {
  let piece = last
  while (trueMs < piece.sinceMs && piece.before !== null) piece = piece.before
  return piece.passedMs + passed(piece, trueMs)
}

/** The first true ms at which so much has elapsed. */
const reached = (last: Piece, elapsedMs: number): number => {
  let piece = last
  while (elapsedMs <= piece.passedMs && piece.before !== null) piece = piece.before
  const spanMs = elapsedMs - piece.passedMs
  if (piece.ratePpm === 0) return piece.sinceMs + spanMs
  let guess = piece.sinceMs + Math.floor((spanMs * MILLION) / (MILLION + piece.ratePpm)) - 2
  while (piece.passedMs + passed(piece, guess) < elapsedMs) guess++
  return guess
}

export class NodeClock {
  readonly skewMs: number
  private readonly originMs: number
  private readonly piece: Piece

  /** @param originMs what the monotonic clock would show when nothing has elapsed */
  private constructor(originMs: number, skewMs: number, piece: Piece) {
    this.originMs = originMs
    this.skewMs = skewMs
    this.piece = piece
  }

  static make(skewMs: number, ratePpm: number): NodeClock {
    return new NodeClock(0, skewMs, { sinceMs: 0, passedMs: 0, ratePpm, slowestPpm: ratePpm, before: null })
  }

  /** The same oscillator and calendar under another boot, at true time `trueMs`: its monotonic clock shows `monoMs` then. */
  booted(trueMs: number, monoMs: number): NodeClock {
    return new NodeClock(monoMs - elapsed(this.piece, trueMs), this.skewMs, this.piece)
  }

  /** The calendar jumps; nothing else does. */
  jumped(byMs: number): NodeClock {
    return new NodeClock(this.originMs, this.skewMs + byMs, this.piece)
  }

  /** From true time `sinceMs` on, at another rate. */
  rated(sinceMs: number, ratePpm: number): NodeClock {
    const before = this.piece
    const slowestPpm = Math.min(before.slowestPpm, ratePpm)
    const piece = { sinceMs, passedMs: elapsed(before, sinceMs), ratePpm, slowestPpm, before }
    return new NodeClock(this.originMs, this.skewMs, piece)
  }

  /** How much faster than true time it runs now, parts per million. */
  get ratePpm(): number {
    return this.piece.ratePpm
  }

  /** The slowest that it ever ran. */
  get slowestPpm(): number {
    return this.piece.slowestPpm
  }

  mono(trueMs: number): number {
    return this.originMs + elapsed(this.piece, trueMs)
  }

  instant(trueMs: number): Instant {
    const elapsedMs = elapsed(this.piece, trueMs)
    return { mono: this.originMs + elapsedMs, wall: EPOCH_MS + elapsedMs + this.skewMs }
  }

  /** The first true ms at which the monotonic clock shows `mono` or more. */
  trueMs(mono: number): number {
    return reached(this.piece, mono - this.originMs)
  }
}

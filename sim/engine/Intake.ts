/**
 * When a process gets round to what comes in: at once, not while it stands still, and one after another, each late, while its
 * processor is slow. In order in every case.
 */
import type { Range } from "../scenario/Scenario.ts"

/** What it asks of its machine. */
export interface Desk<Work> {
  /** True time. */
  readonly nowMs: () => number
  /** `turn` so much later, unless the process ends first. */
  readonly turnIn: (ms: number) => void
  readonly work: (work: Work) => void
  /** How long the n-th piece of work takes that is done slowly. */
  readonly takesMs: (pace: Range, n: number) => number
}

export class Intake<Work> {
  /** How many pieces of work were taken up late because the processor is slow. */
  slowed = 0
  private readonly desk: Desk<Work>
  /** How many hold it. */
  private holds = 0
  private pace: Range | null = null
  private waiting: Array<Work> = []
  /** A turn is to come. */
  private turning = false
  /** When it last became open, true time. */
  openedMs = 0

  constructor(desk: Desk<Work>, from?: Intake<Work>) {
    this.desk = desk
    if (from === undefined) return
    this.slowed = from.slowed
    this.holds = from.holds
    this.pace = from.pace
    this.waiting = from.waiting.slice()
    this.turning = from.turning
    this.openedMs = from.openedMs
  }

  /** The same at the desk of another machine. */
  fork(desk: Desk<Work>): Intake<Work> {
    return new Intake(desk, this)
  }

  get frozen(): boolean {
    return this.holds > 0
  }

  /** Whether the next thaw lets it go on. */
  get heldOnce(): boolean {
    return this.holds === 1
  }

  /** Whether what comes in now can be done now. */
  get open(): boolean {
    return !this.frozen && this.pace === null
  }

  /** When it was last not open, true time: now, while it is not. */
  private get lastShutMs(): number {
    return this.open ? this.openedMs : this.desk.nowMs()
  }

  /** While it is not open. */
  queue(work: Work): void {
    this.waiting.push(work)
    this.next()
  }

  /** Before everything that waits. */
  first(work: Work): void {
    this.waiting.unshift(work)
  }

  /** From now on each piece of work takes so long; `null`: no time, and what waits is done. */
  paceAt(pace: Range | null): void {
    const shutMs = this.lastShutMs
    this.pace = pace
    if (pace !== null) return
    this.openedMs = shutMs
    this.catchUp()
  }

  freeze(): void {
    this.holds++
  }

  /** Of several that hold it the last lets it go on. */
  thaw(): void {
    const shutMs = this.lastShutMs
    if (this.holds > 0) this.holds--
    this.openedMs = shutMs
    if (this.pace === null) this.catchUp()
    else this.next()
  }

  /** Nothing holds it and nothing slows it any more, however many did. */
  release(): void {
    const shutMs = this.lastShutMs
    this.holds = 0
    this.pace = null
    this.openedMs = shutMs
    this.catchUp()
  }

  /** The process is gone. */
  clear(): void {
    this.openedMs = this.lastShutMs
    this.holds = 0
    this.pace = null
    this.waiting = []
    this.turning = false
  }

  turn(): void {
    this.turning = false
    if (this.frozen || this.pace === null) return
    const work = this.waiting.shift()
    if (work === undefined) return
    this.desk.work(work)
    this.next()
  }

  private catchUp(): void {
    const waiting = this.waiting
    this.waiting = []
    for (const work of waiting) {
      if (this.open) this.desk.work(work)
      else this.waiting.push(work)
    }
  }

  private next(): void {
    if (this.turning || this.frozen || this.pace === null || this.waiting.length === 0) return
    this.turning = true
    this.desk.turnIn(this.desk.takesMs(this.pace, this.slowed++))
  }
}

/**
 * A run of which any moment can be come back to. It is gone through once, and forked every so many inputs on its way; from the fork
 * before a moment it is a short way to it. What comes back is a run of its own: it may be looked at, forked, and gone on with.
 *
 * Moments are the places between two events: what several inputs of one event left behind is seen when it is over. Whoever
 * listened to the run is not told again.
 */
import type { Run } from "../run.ts"

/** Where the run becomes another one: a branch turns off. */
export interface Turn {
  /** Behind the event with which so many inputs were taken up. */
  readonly after: number
  readonly turn: (run: Run) => Run
}

/** Of ten nodes so many are gone through in a few ms. */
const EVERY_EVENTS = 256

export class Rewind {
  /** The run at its end, and how many inputs it took up. */
  readonly end: Run
  readonly events: number
  readonly #marks: ReadonlyArray<Run>

  /** `run`: at its beginning. It is gone through to its end. */
  constructor(run: Run, turns: ReadonlyArray<Turn> = [], everyEvents = EVERY_EVENTS) {
    const marks = [run.fork()]
    let now = run
    let next = everyEvents
    const mark = (): void => {
      marks.push(now.fork())
      next = now.world.events + everyEvents
    }
    /** Goes on until so many inputs were taken up; `false`: it was over before. */
    const goTo = (events: number): boolean => {
      while (now.world.events < events) {
        const stop = Math.min(events, next)
        if (now.go(() => now.world.events >= stop) === "over") return false
        if (now.world.events >= next) mark()
      }
      return true
    }
    for (const { after, turn } of turns) {
      if (!goTo(after)) break
      now = turn(now)
      // From here on nobody comes by way of the run that it left.
      mark()
    }
    goTo(Number.POSITIVE_INFINITY)
    this.#marks = marks
    this.end = now
    this.events = now.world.events
  }

  /** How many places are kept. */
  get marks(): number {
    return this.#marks.length
  }

  /** The run right behind the event with which input `event` was taken up; 0: before anything happened. At the latest, its end. */
  at(event: number): Run {
    let low = 0
    let high = this.#marks.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.#marks[middle]!.world.events <= event) low = middle
      else high = middle - 1
    }
    const run = this.#marks[low]!.fork()
    if (run.world.events < event) run.go(() => run.world.events >= event)
    return run
  }
}

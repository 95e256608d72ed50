/**
 * Judges the expectations of a scenario while the run goes by. It sees only what an observer outside the mesh could see.
 *
 * The world promises to call `observe` after every instant at which something visible changed (a happening is a visible
 * change), and at every `dueMs` even if nothing did. Between two calls the world is taken to be as it was.
 *
 * The tenses, each for the state at the *end* of an instant, whatever was so in the middle of it:
 * - `at T`: so at T. `eventually`: so at the end of the run.
 * - `within D after T`: so at T + D. The margin is how long after T it became so for good; what was so before T counts from T.
 * - `always`, `never`: from `from` up to, and not including, `until`, because a step at `until` already belongs to what comes
 *   after; the end of the run is included. Here also the states in the middle of an instant are judged, except in the
 *   first: a law that begins with a step begins when the step is done. Broken at the first instant, and then judged no more.
 * - `sometimes`: at one instant at least of the same window, its instants looked at in the same way. It cannot break: what is
 *   never so has shown that the scenario does not get where its author thinks, and leaves the run undecided.
 *
 * An expectation whose moment the run did not reach, and a law over an empty window, is `not-reached`: neither held nor broken.
 */
import type { Happening, WorldView } from "../engine/View.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import { question } from "./Facts.ts"
import { Tally } from "./Tally.ts"
import { Deadline, Law, Once, type Outcome, type Watch } from "./Watches.ts"

export type { Outcome } from "./Watches.ts"

export class Judge {
  readonly #scenario: Scenario
  readonly #tally: Tally
  readonly #watches: ReadonlyArray<Watch>
  readonly #checkpoints: ReadonlyArray<number>
  readonly #dependsOnLeases: boolean
  /** In order of `fromMs`. */
  #waiting: ReadonlyArray<Watch>
  #waitingAt = 0
  #active: Array<Watch> = []
  #observedMs = -1
  #checkpointAt = 0
  #leaseEndMs = Number.POSITIVE_INFINITY

  constructor(scenario: Scenario, from?: Judge) {
    this.#scenario = scenario
    if (from !== undefined) {
      const { seenIn, tally } = from.#tally.fork()
      const copies = new Map(from.#watches.map((watch) => [watch, watch.fork(seenIn(watch.seen))]))
      this.#tally = tally
      this.#watches = [...copies.values()]
      this.#checkpoints = from.#checkpoints
      this.#dependsOnLeases = from.#dependsOnLeases
      this.#waiting = from.#waiting.map((watch) => copies.get(watch)!)
      this.#waitingAt = from.#waitingAt
      this.#active = from.#active.map((watch) => copies.get(watch)!)
      this.#observedMs = from.#observedMs
      this.#checkpointAt = from.#checkpointAt
      this.#leaseEndMs = from.#leaseEndMs
      return
    }
    this.#tally = new Tally()
    const moments = new Set([scenario.lastsMs])
    let dependsOnLeases = false
    this.#watches = scenario.expect.map((expectation) => {
      const { facts, when } = expectation
      const asking = question(facts, when._tag === "never" ? "of anybody" : "of all")
      dependsOnLeases ||= asking.dependsOnLeases
      switch (when._tag) {
        case "at":
        case "eventually":
          moments.add(when.atMs)
          return new Deadline(expectation, asking, this.#tally.watch(facts, 0), when.atMs, when.atMs)
        case "within": {
          const deadlineMs = when.afterMs + when.withinMs
          moments.add(when.afterMs).add(deadlineMs)
          return new Deadline(expectation, asking, this.#tally.watch(facts, when.afterMs), when.afterMs, deadlineMs)
        }
        case "always":
        case "never":
        case "sometimes": {
          const { fromMs, untilMs } = when
          moments.add(fromMs).add(untilMs)
          const open = untilMs >= scenario.lastsMs ? Number.POSITIVE_INFINITY : untilMs
          const offMs = fromMs > untilMs ? fromMs : open
          const seen = this.#tally.watch(facts, fromMs)
          return when._tag === "sometimes"
            ? new Once(expectation, asking, seen, { fromMs, offMs, untilMs: Math.min(untilMs, scenario.lastsMs) })
            : new Law(expectation, asking, seen, fromMs, offMs)
        }
      }
    })
    this.#dependsOnLeases = dependsOnLeases
    this.#waiting = this.#watches.toSorted((a, b) => a.fromMs - b.fromMs)
    this.#checkpoints = [...moments].filter((ms) => ms <= scenario.lastsMs).sort((a, b) => a - b)
  }

  /** One that has seen the same, for a fork of the world. */
  fork(): Judge {
    return new Judge(this.#scenario, this)
  }

  /** True times, ascending, at which it must be asked even when nothing changes. */
  checkpoints(): ReadonlyArray<number> {
    return this.#checkpoints
  }

  /**
   * The next true time, later than the last call of `observe`, at which it must be asked even when nothing changes: the next
   * checkpoint, or the end of a lease, which changes the number of leaders without any event. `Infinity`: none.
   */
  dueMs(): number {
    return Math.min(this.#checkpoints[this.#checkpointAt] ?? Number.POSITIVE_INFINITY, this.#leaseEndMs)
  }

  happened(happening: Happening): void {
    this.#tally.happened(happening)
  }

  observe(view: WorldView): void {
    const nowMs = view.nowMs
    if (nowMs !== this.#observedMs) {
      this.#observedMs = nowMs
      for (let next = this.#checkpoints[this.#checkpointAt]; next !== undefined && next <= nowMs;) {
        next = this.#checkpoints[++this.#checkpointAt]
      }
      for (let next = this.#waiting[this.#waitingAt]; next !== undefined && next.fromMs <= nowMs;) {
        this.#active.push(next)
        next = this.#waiting[++this.#waitingAt]
      }
    }
    if (this.#dependsOnLeases) this.#leaseEndMs = nextLeaseEnd(view)
    let kept = 0
    for (const watch of this.#active) {
      if (watch.observe(view)) this.#active[kept++] = watch
    }
    this.#active.length = kept
  }

  /** The outcomes, in the order of the scenario. `view` is the last instant of the run. */
  finish(view: WorldView): ReadonlyArray<Outcome> {
    this.observe(view)
    return this.#watches.map((watch) => watch.outcome(view.nowMs))
  }
}

const nextLeaseEnd = (view: WorldView): number => {
  let next = Number.POSITIVE_INFINITY
  for (const node of view.nodes) {
    if (node.running && node.leaseEndsMs > view.nowMs && node.leaseEndsMs < next) next = node.leaseEndsMs
  }
  return next
}

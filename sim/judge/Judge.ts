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
 *
 * An expectation whose moment the run did not reach, and a law over an empty window, is `not-reached`: neither held nor broken.
 */
import type { Happening, WorldView } from "../engine/View.ts"
import type { Expectation, Scenario } from "../scenario/Scenario.ts"
import type { Question, Seen } from "./Facts.ts"
import { question } from "./Facts.ts"
import { Tally } from "./Tally.ts"

export interface Outcome {
  readonly expectation: Expectation
  readonly status: "held" | "broken" | "not-reached"
  /** Broken: the instant at which. Held: of `within` the instant since which it is so, of `at` and `eventually` the moment asked. */
  readonly atMs?: number
  /** Of `within`, held: how long after its start the facts became so for good. */
  readonly marginMs?: number
  /** Of `within`: how long it had. */
  readonly limitMs?: number
  /** Broken: what was instead, in words. */
  readonly witness?: string
}

interface Watch {
  readonly fromMs: number
  /** False: it needs to see no more. */
  readonly observe: (view: WorldView) => boolean
  /** `endedMs`: the last instant of the run; it has been observed. */
  readonly outcome: (endedMs: number) => Outcome
}

/** `at`, `within`, `eventually`: so at the end of the instant `deadlineMs`. */
class Deadline implements Watch {
  readonly #expectation: Expectation
  readonly #question: Question
  readonly #seen: Seen
  readonly fromMs: number
  readonly #deadlineMs: number
  #askedMs = -1
  #so = false
  /** The instant since whose end it has been so, up to the instant before `#askedMs`. */
  #soSinceMs: number | null = null
  #witness = ""

  constructor(expectation: Expectation, asking: Question, seen: Seen, fromMs: number, deadlineMs: number) {
    this.#expectation = expectation
    this.#question = asking
    this.#seen = seen
    this.fromMs = fromMs
    this.#deadlineMs = deadlineMs
  }

  observe(view: WorldView): boolean {
    if (view.nowMs > this.#deadlineMs) return false
    if (view.nowMs !== this.#askedMs) {
      this.#soSinceMs = this.#since()
      this.#askedMs = view.nowMs
    }
    this.#so = this.#question.holds(view, this.#seen)
    if (view.nowMs === this.#deadlineMs && !this.#so) {
      this.#witness = this.#question.witness(view, this.#seen, "missing")
    }
    return true
  }

  #since(): number | null {
    return this.#so ? (this.#soSinceMs ?? this.#askedMs) : null
  }

  outcome(endedMs: number): Outcome {
    const expectation = this.#expectation
    const limit = expectation.when._tag === "within" ? { limitMs: expectation.when.withinMs } : {}
    if (endedMs < this.#deadlineMs || this.#askedMs < 0) return { expectation, status: "not-reached", ...limit }
    const sinceMs = this.#since()
    if (sinceMs === null) {
      return { expectation, status: "broken", atMs: this.#deadlineMs, ...limit, witness: this.#witness }
    }
    return expectation.when._tag === "within"
      ? { expectation, status: "held", atMs: sinceMs, marginMs: sinceMs - this.fromMs, ...limit }
      : { expectation, status: "held", atMs: this.#deadlineMs }
  }
}

/** `always`, `never`. */
class Law implements Watch {
  readonly #expectation: Expectation
  readonly #question: Question
  readonly #seen: Seen
  readonly #demanded: boolean
  readonly fromMs: number
  /** The first ms at which it is not judged any more. */
  readonly #offMs: number
  #judged = false
  /** Broken in the first instant, unless the rest of that instant mends it. */
  #tentative: string | null = null
  #brokenMs: number | null = null
  #witness = ""

  constructor(expectation: Expectation, asking: Question, seen: Seen, fromMs: number, offMs: number) {
    this.#expectation = expectation
    this.#question = asking
    this.#seen = seen
    this.#demanded = expectation.when._tag === "always"
    this.fromMs = fromMs
    this.#offMs = offMs
  }

  observe(view: WorldView): boolean {
    const first = view.nowMs === this.fromMs
    if (!first && this.#tentative !== null) {
      this.#break(this.fromMs, this.#tentative)
      return false
    }
    if (view.nowMs >= this.#offMs) return false
    this.#judged = true
    const kept = this.#question.holds(view, this.#seen) === this.#demanded
    const witness = kept ? null : this.#question.witness(view, this.#seen, this.#demanded ? "missing" : "present")
    if (first) {
      this.#tentative = witness
      return true
    }
    if (witness === null) return true
    this.#break(view.nowMs, witness)
    return false
  }

  #break(atMs: number, witness: string): void {
    this.#brokenMs = atMs
    this.#witness = witness
    this.#tentative = null
  }

  outcome(): Outcome {
    const expectation = this.#expectation
    if (this.#tentative !== null) this.#break(this.fromMs, this.#tentative)
    if (this.#brokenMs !== null) {
      return { expectation, status: "broken", atMs: this.#brokenMs, witness: this.#witness }
    }
    return { expectation, status: this.#judged ? "held" : "not-reached" }
  }
}

export class Judge {
  readonly #tally = new Tally()
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

  constructor(scenario: Scenario) {
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
        case "never": {
          moments.add(when.fromMs).add(when.untilMs)
          const offMs = when.untilMs >= scenario.lastsMs ? Number.POSITIVE_INFINITY : when.untilMs
          const empty = when.fromMs > when.untilMs
          return new Law(
            expectation,
            asking,
            this.#tally.watch(facts, when.fromMs),
            when.fromMs,
            empty ? when.fromMs : offMs
          )
        }
      }
    })
    this.#dependsOnLeases = dependsOnLeases
    this.#waiting = this.#watches.toSorted((a, b) => a.fromMs - b.fromMs)
    this.#checkpoints = [...moments].filter((ms) => ms <= scenario.lastsMs).sort((a, b) => a - b)
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

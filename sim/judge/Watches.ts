/**
 * The tenses, each a watch over one expectation: it looks on from `fromMs` until it has seen enough, and says in the end what
 * came of it. What each tense means stands in `Judge.ts`, which calls them.
 */
import type { WorldView } from "../engine/View.ts"
import type { Expectation } from "../scenario/Scenario.ts"
import type { Seen } from "./Clause.ts"
import type { Question } from "./Facts.ts"

export interface Outcome {
  readonly expectation: Expectation
  /** `never`: of `sometimes`, its window went by without an instant at which it was so. */
  readonly status: "held" | "broken" | "not-reached" | "never"
  /**
   * Broken: the instant at which. Held: of `within` the instant since which it is so, of `at` and `eventually` the moment asked,
   * of `sometimes` the first instant at which it was so.
   */
  readonly atMs?: number
  /** Of `within`, held: how long after its start the facts became so for good. */
  readonly marginMs?: number
  /** Of `within`: how long it had. */
  readonly limitMs?: number
  /** Broken: what was instead, in words. */
  readonly witness?: string
}

export interface Watch {
  readonly fromMs: number
  /** False: it needs to see no more. */
  readonly observe: (view: WorldView) => boolean
  /** `endedMs`: the last instant of the run; it has been observed. */
  readonly outcome: (endedMs: number) => Outcome
  /** The same with counts of its own. */
  readonly fork: (seen: Seen) => Watch
  readonly seen: Seen
}

/** `at`, `within`, `eventually`: so at the end of the instant `deadlineMs`. */
export class Deadline implements Watch {
  readonly #expectation: Expectation
  readonly #question: Question
  readonly seen: Seen
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
    this.seen = seen
    this.fromMs = fromMs
    this.#deadlineMs = deadlineMs
  }

  fork(seen: Seen): Deadline {
    const copy = new Deadline(this.#expectation, this.#question, seen, this.fromMs, this.#deadlineMs)
    copy.#askedMs = this.#askedMs
    copy.#so = this.#so
    copy.#soSinceMs = this.#soSinceMs
    copy.#witness = this.#witness
    return copy
  }

  observe(view: WorldView): boolean {
    if (view.nowMs > this.#deadlineMs) return false
    if (view.nowMs !== this.#askedMs) {
      this.#soSinceMs = this.#since()
      this.#askedMs = view.nowMs
    }
    this.#so = this.#question.holds(view, this.seen)
    if (view.nowMs === this.#deadlineMs && !this.#so) {
      this.#witness = this.#question.witness(view, this.seen, "missing")
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
export class Law implements Watch {
  readonly #expectation: Expectation
  readonly #question: Question
  readonly seen: Seen
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
    this.seen = seen
    this.#demanded = expectation.when._tag === "always"
    this.fromMs = fromMs
    this.#offMs = offMs
  }

  fork(seen: Seen): Law {
    const copy = new Law(this.#expectation, this.#question, seen, this.fromMs, this.#offMs)
    copy.#judged = this.#judged
    copy.#tentative = this.#tentative
    copy.#brokenMs = this.#brokenMs
    copy.#witness = this.#witness
    return copy
  }

  observe(view: WorldView): boolean {
    const first = view.nowMs === this.fromMs
    if (!first && this.#tentative !== null) {
      this.#break(this.fromMs, this.#tentative)
      return false
    }
    if (view.nowMs >= this.#offMs) return false
    this.#judged = true
    const kept = this.#question.holds(view, this.seen) === this.#demanded
    const witness = kept ? null : this.#question.witness(view, this.seen, this.#demanded ? "missing" : "present")
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

/** `sometimes`. */
export class Once implements Watch {
  readonly #expectation: Expectation
  readonly #question: Question
  readonly seen: Seen
  readonly fromMs: number
  /** The first ms at which it is not looked for any more. */
  readonly #offMs: number
  /** The run has to get here before it can be said that it never was so. */
  readonly #lastMs: number
  #looked = false
  /** So in the first instant, unless the rest of that instant undoes it. */
  #tentative = false
  #soMs: number | null = null

  constructor(
    expectation: Expectation,
    asking: Question,
    seen: Seen,
    { fromMs, offMs, untilMs }: { readonly fromMs: number; readonly offMs: number; readonly untilMs: number }
  ) {
    this.#expectation = expectation
    this.#question = asking
    this.seen = seen
    this.fromMs = fromMs
    this.#offMs = offMs
    this.#lastMs = untilMs
  }

  fork(seen: Seen): Once {
    const { fromMs } = this
    const window = { fromMs, offMs: this.#offMs, untilMs: this.#lastMs }
    const copy = new Once(this.#expectation, this.#question, seen, window)
    copy.#looked = this.#looked
    copy.#tentative = this.#tentative
    copy.#soMs = this.#soMs
    return copy
  }

  observe(view: WorldView): boolean {
    const first = view.nowMs === this.fromMs
    if (!first && this.#tentative) {
      this.#soMs = this.fromMs
      return false
    }
    if (view.nowMs >= this.#offMs) return false
    this.#looked = true
    const so = this.#question.holds(view, this.seen)
    if (first) this.#tentative = so
    else if (so) this.#soMs = view.nowMs
    return this.#soMs === null
  }

  outcome(endedMs: number): Outcome {
    const expectation = this.#expectation
    const soMs = this.#tentative ? this.fromMs : this.#soMs
    if (soMs !== null) return { expectation, status: "held", atMs: soMs }
    return { expectation, status: this.#looked && endedMs >= this.#lastMs ? "never" : "not-reached" }
  }
}

/**
 * Counts happenings for the `events:` facts of all expectations, one look at each happening.
 *
 * A fact counts from the moment its expectation speaks of: `after` of a `within`, `from` of a law, else the start of the run.
 * A happening at that very ms counts.
 */
import type { Happening } from "../engine/View.ts"
import type { Facts } from "../scenario/Scenario.ts"
import type { Seen, Sightings } from "./Clause.ts"

/** Enough for a witness to point at; the count goes on. */
const TIMES_KEPT_MAX = 4

type EventFact = NonNullable<Facts["events"]>[number]

interface Counter extends Sightings {
  readonly fact: EventFact
  readonly sinceMs: number
  count: number
  readonly timesMs: Array<number>
}

const matches = (fact: EventFact, happening: Happening): boolean =>
  (fact.about === null || fact.about === happening.about) &&
  (fact.to === null || fact.to === happening.about) &&
  (fact.from === null || fact.from === happening.node) &&
  (fact.reason === null || fact.reason === happening.detail.code || fact.reason === happening.detail.reason)

export class Tally {
  readonly #byEvent: Map<string, Array<Counter>>

  constructor(byEvent: Map<string, Array<Counter>> = new Map()) {
    this.#byEvent = byEvent
  }

  /** One that goes on counting by itself, and what each live count is in it. */
  fork(): { readonly tally: Tally; readonly seenIn: (seen: Seen) => Seen } {
    const copies = new Map<Sightings, Counter>()
    const byEvent = new Map<string, Array<Counter>>()
    for (const [event, counters] of this.#byEvent) {
      const own = counters.map((counter): Counter => ({ ...counter, timesMs: counter.timesMs.slice() }))
      own.forEach((copy, place) => copies.set(counters[place]!, copy))
      byEvent.set(event, own)
    }
    return { tally: new Tally(byEvent), seenIn: (seen) => seen.map((counter) => copies.get(counter) ?? counter) }
  }

  /** Counts from now on whatever `facts.events` ask for, and gives the live counts. */
  watch(facts: Facts, sinceMs: number): Seen {
    return (facts.events ?? []).map((fact) => {
      const counter: Counter = { fact, sinceMs, count: 0, timesMs: [] }
      const counters = this.#byEvent.get(fact.event)
      if (counters === undefined) this.#byEvent.set(fact.event, [counter])
      else counters.push(counter)
      return counter
    })
  }

  happened(happening: Happening): void {
    const counters = this.#byEvent.get(happening.event)
    if (counters === undefined) return
    for (const counter of counters) {
      if (happening.atMs < counter.sinceMs || !matches(counter.fact, happening)) continue
      counter.count++
      if (counter.timesMs.length < TIMES_KEPT_MAX) counter.timesMs.push(happening.atMs)
    }
  }
}

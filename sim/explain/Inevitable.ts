/**
 * From when on a failure was inevitable: the run is stopped at moments on its way, other futures are run from each, and how many of them
 * fail in the same way is counted. Where that number jumps, the moment is narrowed down to the input behind which it did.
 *
 * A future differs in what is drawn: delays, losses, ties, and in a drawn run the random faults to come. What is under way already
 * has been drawn: a jump shows where a message was sent whose delay decided, not where it arrived. What the script says happens in all.
 *
 * Does not promise exact numbers: each is a share of some futures. It is a function of its arguments all the same.
 */
import { u32 } from "../../kernel/Draw.ts"
import type { Run, RunOptions } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import { goTo, turnOff, type OnItsWay } from "../search/Branch.ts"
import { begin, type Subject } from "../search/Subject.ts"
import { type Break, breaksOf, isSame } from "./Breaks.ts"

export interface Moment {
  readonly atMs: number
  /** Inputs that nodes had taken up. */
  readonly events: number
  readonly failed: number
  readonly of: number
}

export interface Jump {
  /** Just before, and just after the input behind which it jumped. */
  readonly before: Moment
  readonly after: Moment
}

export interface Inevitability {
  readonly curve: ReadonlyArray<Moment>
  /** In order of time; of many the steepest. */
  readonly jumps: ReadonlyArray<Jump>
  /** From here on every future failed; `null`: of none is that known before the failure itself. */
  readonly from: Moment | null
}

/** How closely is looked: moments of the curve, futures from each, futures where a jump is narrowed down, and how many jumps are. */
interface Plan {
  readonly moments: number
  readonly futures: number
  readonly narrow: number
  readonly jumps: number
}

const plans: ReadonlyArray<Plan> = [
  { moments: 24, futures: 16, narrow: 32, jumps: 3 },
  { moments: 24, futures: 8, narrow: 16, jumps: 2 },
  { moments: 16, futures: 8, narrow: 12, jumps: 1 },
  { moments: 12, futures: 6, narrow: 8, jumps: 1 },
  { moments: 8, futures: 4, narrow: 0, jumps: 0 }
]
/** Inputs that all futures together may take up, some ten seconds; and what is tried at most, with the coarsest plan. */
const BUDGET = 2_000_000
const BUDGET_MAX = 5_000_000
/** Moments that narrowing one jump takes, about. */
const HALVINGS = 12
/** A smaller rise may be chance. */
const JUMP_MIN = 0.25
/** A rise is one of the moments around, not of two alone. */
const AROUND = 3

/** The closest look that a run of so many inputs allows; `null`: none. */
export const planOf = (totalEvents: number): Plan | null => {
  const cost = ({ futures, jumps, moments, narrow }: Plan): number =>
    ((moments * futures + HALVINGS * narrow * jumps) * totalEvents) / 2
  const last = plans.at(-1)!
  return plans.find((plan) => cost(plan) <= BUDGET) ?? (cost(last) <= BUDGET_MAX ? last : null)
}

const share = ({ failed, of }: Moment): number => failed / of

/** What is judged at one moment needs no run behind it. */
const decidedMs = ({ id, kind }: Break, { expect }: Scenario): number => {
  const when = expect.find(({ name }) => kind === "expectation" && name === id)?.when
  if (when?._tag === "at") return when.atMs
  return when?._tag === "within" ? when.afterMs + when.withinMs : Number.POSITIVE_INFINITY
}

class Futures {
  readonly #subject: Subject
  readonly #failure: Break
  readonly #names: ReadonlyArray<string>

  constructor(subject: Subject, failure: Break) {
    this.#subject = subject
    this.#failure = failure
    this.#names = subject.scenario.nodes.map(({ name }) => name)
  }

  #turned(from: OnItsWay, n: number): Run {
    const { fuzzed, scenario, seed } = this.#subject
    const { events } = from.run.world
    if (fuzzed === null) return from.run.fork({ seed: u32(seed, "explain", String(events), n) })
    return turnOff(scenario, from, [...fuzzed.points, { after: events, future: n + 1 }], fuzzed.swarm, {}).run
  }

  /** How many of so many other futures from here fail in the same way. */
  count(from: OnItsWay, of: number): Moment {
    const decided = decidedMs(this.#failure, from.drawn.scenario)
    let failed = 0
    for (let n = 0; n < of; n++) {
      const run = this.#turned(from, n)
      run.go(() => run.world.nowMs > decided)
      if (breaksOf(run.finish(), this.#names).some((other) => isSame(other, this.#failure))) failed++
    }
    const { events, nowMs } = from.run.world
    return { atMs: nowMs, events, failed, of }
  }
}

/** A moment with the run as it was then. */
interface Held {
  readonly moment: Moment
  readonly at: OnItsWay
}

const held = ({ drawn, run }: OnItsWay): OnItsWay => ({ drawn, run: run.fork() })

/** Halves the inputs between the two until one is left; `null`: looked at closely, there is no jump. */
const narrowed = (low: Held, high: Held, futures: Futures, of: number): Jump | null => {
  let before = { ...low, moment: futures.count(low.at, of) }
  let after = futures.count(high.at, of)
  const middle = (share(before.moment) + share(after)) / 2
  const rises = share(before.moment) < middle
  while (after.events - before.moment.events > 1) {
    const at = held(before.at)
    const target = Math.floor((before.moment.events + after.events) / 2)
    // Several inputs in one event of the world are not to be parted.
    if (!goTo(at, target) || at.run.world.events >= after.events) break
    const moment = futures.count(at, of)
    if (share(moment) < middle === rises) before = { moment, at }
    else after = moment
  }
  return Math.abs(share(after) - share(before.moment)) < JUMP_MIN ? null : { before: before.moment, after }
}

const mean = (moments: ReadonlyArray<Held>): number =>
  moments.reduce((sum, { moment }) => sum + share(moment), 0) / moments.length

/** Places in the curve before which it rises or falls most, far enough from one another. */
const steepest = (holds: ReadonlyArray<Held>, most: number): ReadonlyArray<number> => {
  const rise = (i: number): number =>
    Math.abs(mean(holds.slice(i, i + AROUND)) - mean(holds.slice(Math.max(0, i - AROUND), i)))
  const own = (i: number): number => Math.abs(share(holds[i]!.moment) - share(holds[i - 1]!.moment))
  const chosen: Array<number> = []
  const places = holds.map((_, i) => i).slice(1)
  for (const i of places.toSorted((a, b) => rise(b) + own(b) - rise(a) - own(a)))
    if (chosen.length < most && rise(i) >= JUMP_MIN && chosen.every((other) => Math.abs(other - i) >= AROUND))
      chosen.push(i)
  return chosen.toSorted((a, b) => a - b)
}

/** `kernel`: another than ours. `totalEvents`: inputs of the whole run. `onProgress`: how many moments of how many are done. */
export const inevitability = (
  subject: Subject,
  failure: Break,
  {
    kernel,
    onProgress,
    totalEvents
  }: Pick<RunOptions, "kernel"> & {
    readonly totalEvents: number
    readonly onProgress?: (done: number, of: number) => void
  }
): Inevitability | null => {
  const plan = planOf(totalEvents)
  if (plan === null) return null
  const { futures: of, moments, narrow } = plan
  const futures = new Futures(subject, failure)
  const trunk = begin(subject, kernel === undefined ? {} : { kernel })
  const { world } = trunk.run
  const holds: Array<Held> = []
  const startMs = world.nowMs
  for (let i = 0; i < moments; i++) {
    const atMs = startMs + Math.floor(((failure.atMs - startMs) * i) / moments)
    if (i > 0 && trunk.run.go(() => world.nowMs >= atMs) === "over") break
    if (i > 0 && world.nowMs >= failure.atMs) break
    if (holds.at(-1)?.moment.events !== world.events || i === 0)
      holds.push({ moment: futures.count(trunk, of), at: held(trunk) })
    onProgress?.(i + 1, moments)
  }
  const jumps = steepest(holds, plan.jumps).flatMap((i) => narrowed(holds[i - 1]!, holds[i]!, futures, narrow) ?? [])
  const last = narrow === 0 ? null : lastStretch(holds, failure, futures, narrow)
  const all = last === null ? jumps : [...jumps, last]
  const known = [...holds.map(({ moment }) => moment), ...all.flatMap(({ after, before }) => [before, after])].toSorted(
    (a, b) => a.events - b.events || a.of - b.of
  )
  const unsure = known.findLastIndex((moment) => moment.failed < moment.of)
  return { curve: holds.map(({ moment }) => moment), jumps: all, from: known[unsure + 1] ?? null }
}

/** Between the last moment of the curve and the failure, behind which it is certain. */
const lastStretch = (holds: ReadonlyArray<Held>, failure: Break, futures: Futures, of: number): Jump | null => {
  const last = holds.at(-1)
  if (last === undefined || share(last.moment) > 1 - JUMP_MIN) return null
  const at = held(last.at)
  const { world } = at.run
  at.run.go(() => world.nowMs >= failure.atMs)
  return world.events === last.moment.events ? null : narrowed(last, { ...last, at }, futures, of)
}

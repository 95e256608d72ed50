/**
 * Makes a failing run small: freezes it into a schedule (Freeze.ts), and takes out of that whatever the failure can do without,
 * until nothing single can be taken out any more. Nodes, faults by what made them and then one by one (delta debugging),
 * what is not as usual, then less of each fault (Weaken.ts), then time (Times.ts); again as long as a single thing can be taken
 * out of what is left.
 *
 * Promises: synchronous, a function of its arguments; whatever comes out failed in the very same way, read back from its text.
 * The certificate says which single removals were run, each of which passed; it is complete unless `runsMax` came first.
 *
 * Does not promise the smallest schedule that there is: two steps that can only go together stay.
 *
 * Source: A. Zeller, R. Hildebrandt, "Simplifying and isolating failure-inducing input" (2002).
 */
import type { Kernel } from "../engine/Host.ts"
import { type RunOptions, runScenario } from "../run.ts"
import { flow } from "../scenario/Flow.ts"
import type { Scenario, Step } from "../scenario/Scenario.ts"
import { stepWords } from "../scenario/WriteSteps.ts"
import { type Failure, isAfterwards, isOfTheEnd, sameIn } from "./Failure.ts"
import { drawsByKey, endingAt, endOf, freeze, type Origin } from "./Freeze.ts"
import { decisionsOf, faultsIn, removable, repairsOf, withoutNode, withoutSteps, withStep } from "./Parts.ts"
import { closer, mayMove, rounder, shorter } from "./Times.ts"
import { weaker } from "./Weaken.ts"

export interface ShrinkOptions {
  readonly kernel?: Kernel
  /** No more runs than this. */
  readonly runsMax?: number
  /** Asked after each run: enough now? */
  readonly stop?: () => boolean
  readonly onRun?: (runs: number, scenario: Scenario) => void
}

/** What was taken out by itself, in words, and the run passed. */
export interface Certificate {
  readonly steps: ReadonlyArray<string>
  readonly nodes: ReadonlyArray<string>
  readonly decisions: ReadonlyArray<string>
  /** All that can be taken out by itself is in it. */
  readonly complete: boolean
}

export interface Size {
  readonly faults: number
  readonly nodes: number
  readonly lastsMs: number
}

export interface Shrunk {
  readonly scenario: Scenario
  readonly failure: Failure
  readonly certificate: Certificate
  readonly from: Size
  readonly to: Size
  readonly runs: number
  /** Inputs that nodes took up in all of them. */
  readonly events: number
}

const RUNS_MAX = 4_000
/** Of the time that a mesh has to get well in, while candidates are tried: most that get well do so in a tenth of it. */
const PATIENCE = 1 / 8
const MOMENT_MS = 1_000

export const sizeOf = (scenario: Scenario): Size => ({
  faults: faultsIn(scenario),
  nodes: scenario.nodes.length,
  lastsMs: scenario.lastsMs
})

/** Every step that draws has a key of its own, so that one step less moves no other's draws. */
const keyed = (scenario: Scenario): Scenario => ({
  ...scenario,
  timeline: scenario.timeline.map((step, place) =>
    drawsByKey(step) && step.key === undefined ? { ...step, key: String(place) } : step
  )
})

/** A key that says what the place says anyway is not written. */
const unkeyed = (scenario: Scenario): Scenario => ({
  ...scenario,
  timeline: scenario.timeline.map((step, place) => {
    if (step.key !== String(place)) return step
    const { key: _, ...rest } = step
    return rest
  })
})

/** Whose random faults a step is one of: the rule that its key names, or else its verb. */
const familyOf = ({ key, verb }: Step): string => key?.replace(/\/\d+$/u, "") ?? verb._tag

/** When the last step is over. */
const lastEndOf = ({ lastsMs, timeline }: Scenario): number =>
  Math.min(lastsMs, Math.max(0, ...timeline.map(({ atMs, forMs }) => atMs + (forMs ?? 0))))

class Shrinker {
  readonly #options: ShrinkOptions
  readonly #passed = new Set<string>()
  /** Each candidate is run under all oracles, and not only under the one that counts, and with all the patience that there is. */
  readonly #careful: boolean
  /** The oracle that broke, where it was one. */
  readonly #needed: ReadonlySet<string>
  /** From the end of the last step to the end of the run: what is asked of the end needs its time. */
  readonly #calmMs: number
  now: Scenario
  failure: Failure
  runs = 0
  events = 0
  /** Neither time nor runs are left. */
  spent = false

  constructor(scenario: Scenario, failure: Failure, options: ShrinkOptions, careful: boolean) {
    this.#careful = careful
    this.now = scenario
    this.#needed = new Set(failure._tag === "invariant" ? [failure.oracle] : [])
    this.#calmMs = scenario.lastsMs - lastEndOf(scenario)
    this.failure = failure
    this.#options = options
  }

  /** How it fails in the same way; `null`: it does not. */
  #failing(candidate: Scenario): Failure | null {
    // Of a day of faults each candidate is a text of megabytes.
    if (this.spent) return null
    const { kernel, onRun, runsMax = RUNS_MAX, stop } = this.#options
    const { file: _, text: __, title: ___, ...rest } = candidate
    const name = JSON.stringify(rest)
    if (this.#passed.has(name)) return null
    if (this.runs >= runsMax || stop?.() === true) {
      this.spent = true
      return null
    }
    this.runs++
    onRun?.(this.runs, candidate)
    const ours = kernel === undefined ? {} : { kernel }
    const found = this.#run(candidate, this.#careful ? ours : { ...ours, only: this.#needed, patience: PATIENCE })
    if (found === null) this.#passed.add(name)
    return found
  }

  #run(candidate: Scenario, options: RunOptions): Failure | null {
    try {
      const result = runScenario(candidate, options)
      this.events += result.events
      return sameIn(this.failure, result)
    } catch (error) {
      // Without oracles nobody catches what a kernel throws: an oracle would have ended the run there.
      if (options.only === undefined) throw error
      return null
    }
  }

  /** Goes on with it, if it fails in the same way. */
  accepts(candidate: Scenario | null): boolean {
    if (candidate === null) return false
    const failure = this.#failing(candidate)
    if (failure === null) return false
    this.failure = failure
    const { liveness: _, ...before } = candidate
    const asked = isAfterwards(failure) ? candidate : before
    this.now = endingAt(asked, endOf(failure, asked))
    return true
  }

  /** Takes out as many of these groups of steps as it can do without: halves first, at last one by one. */
  #without(groups: ReadonlyArray<ReadonlyArray<Step>>): boolean {
    let left = groups
    let any = false
    for (let size = Math.max(1, left.length); size >= 1 && left.length > 0;) {
      let removed = false
      for (let at = 0; at < left.length;) {
        const chunk = new Set(left.slice(at, at + size).flat())
        const places = new Set(this.now.timeline.flatMap((step, place) => (chunk.has(step) ? [place] : [])))
        if (places.size > 0 && this.accepts(withoutSteps(this.now, places))) {
          left = left.toSpliced(at, size)
          removed = any = true
        } else at += size
      }
      if (size === 1 && !removed) break
      size = size === 1 ? 1 : size >> 1
    }
    return any
  }

  steps(): boolean {
    const groupsOf = (name: (step: Step, place: number) => string): ReadonlyArray<ReadonlyArray<Step>> => {
      const groups = new Map<string, Array<Step>>()
      for (const place of removable(this.now, this.failure)) {
        const step = this.now.timeline[place]!
        groups.set(name(step, place), [...(groups.get(name(step, place)) ?? []), step])
      }
      return [...groups.values()]
    }
    const families = this.#without(groupsOf(familyOf))
    return this.#without(groupsOf((_, place) => String(place))) || families
  }

  nodes(): boolean {
    let any = false
    for (const { name } of this.now.nodes.toReversed())
      if (this.accepts(withoutNode(this.now, name, this.failure))) any = true
    return any
  }

  decisions(): boolean {
    let any = false
    for (const { usual } of decisionsOf(this.now)) if (this.accepts(usual(this.now))) any = true
    return any
  }

  /** When something that nothing undoes is undone after all: by a repair, or the end. */
  #untilMs(place: number): number {
    const repairs = repairsOf(this.now)
    const next = this.now.timeline.findIndex((_, other) => other > place && repairs.has(other))
    return next === -1 ? this.now.lastsMs : this.now.timeline[next]!.atMs
  }

  /** Each step in turn by the first of its smaller forms that will do, as often as there is one. */
  #smaller(forms: (place: number) => ReadonlyArray<Scenario>): boolean {
    let any = false
    for (let place = 0; place < this.now.timeline.length; place++)
      while (forms(place).some((candidate) => this.accepts(candidate))) {
        any = true
        if (place >= this.now.timeline.length) break
      }
    return any
  }

  #fixed(step: Step): boolean {
    return step.id !== null
  }

  weaken(): boolean {
    return this.#smaller((place) => {
      const step = this.now.timeline[place]
      return step === undefined || this.#fixed(step)
        ? []
        : weaker(step, this.now, this.#untilMs(place)).map((one) => keyed(withStep(this.now, place, one)))
    })
  }

  times(): boolean {
    const lengths = this.#smaller((place) => {
      const step = this.now.timeline[place]
      return step === undefined || this.#fixed(step) ? [] : shorter(step).map((one) => withStep(this.now, place, one))
    })
    const end = this.#ends()
    const gaps = mayMove(this.failure) && this.#smaller((place) => closer(this.now, place))
    return lengths || end || gaps
  }

  /** Where the end is what counts, it comes as soon after the last step as it did. */
  #ends(): boolean {
    if (!isOfTheEnd(this.failure) && !isAfterwards(this.failure)) return false
    const lastsMs = lastEndOf(this.now) + (isAfterwards(this.failure) ? MOMENT_MS : this.#calmMs)
    return lastsMs < this.now.lastsMs && this.accepts(endingAt(this.now, lastsMs))
  }

  /** For whoever reads it. Changes nothing that counts, so it is no reason for another round. */
  round(): void {
    for (let place = 0; place < this.now.timeline.length; place++) {
      const step = this.now.timeline[place]!
      if (this.#fixed(step)) continue
      const same = (one: Scenario): boolean => JSON.stringify(one.timeline) === JSON.stringify(this.now.timeline)
      for (const candidate of rounder(this.now, place)) if (same(candidate) || this.accepts(candidate)) break
    }
    const plain = {
      ...this.now,
      timeline: this.now.timeline.map(({ key: _, ...step }): Step => step)
    }
    if (this.now.timeline.some(({ key }) => key !== undefined) && this.accepts(plain)) this.now = keyed(this.now)
  }

  /** Takes out each thing by itself. `null`: one of them was not needed after all, and is gone. */
  certify(): Certificate | null {
    const { now } = this
    const steps: Array<string> = []
    for (const place of removable(now, this.failure)) {
      if (this.accepts(withoutSteps(now, new Set([place])))) return null
      const { key: _, ...step } = now.timeline[place]!
      if (!this.spent) steps.push(flow(stepWords(step, now)))
    }
    const nodes: Array<string> = []
    for (const { name } of now.nodes) {
      const candidate = withoutNode(now, name, this.failure)
      if (this.accepts(candidate)) return null
      if (candidate !== null && !this.spent) nodes.push(name)
    }
    const decisions: Array<string> = []
    for (const { name, usual } of decisionsOf(now)) {
      if (this.accepts(usual(now))) return null
      if (!this.spent) decisions.push(name)
    }
    return { steps, nodes, decisions, complete: !this.spent }
  }

  run(): Certificate {
    for (;;) {
      // Each node less makes all runs that follow cheaper, and what is as usual is cheaper to ask once most faults are gone.
      this.nodes()
      this.steps()
      this.decisions()
      do {
        this.steps()
        this.#ends()
        if (this.nodes()) this.steps()
        this.decisions()
        // What is weaker now may do without others.
      } while (this.weaken() && (this.steps() || this.nodes()))
      this.times()
      this.round()
      const certificate = this.certify()
      if (certificate !== null) return certificate
    }
  }
}

/**
 * `null`: no schedule of this run fails as the run did. Candidates are run under the oracle that counts and with less patience, which
 * is quicker; should what comes out of that break another one first, or get well after all, all is done again under all of them
 * and with all patience.
 */
export const shrink = (origin: Origin, failure: Failure, options: ShrinkOptions = {}): Shrunk | null => {
  let runs = 0
  let events = 0
  for (const careful of [false, true])
    for (const schedule of freeze(origin, failure)) {
      const shrinker = new Shrinker(keyed(schedule), failure, options, careful)
      shrinker.runs = runs
      shrinker.events = events
      const from = shrinker.accepts(shrinker.now) ? sizeOf(shrinker.now) : null
      const certificate = from === null ? null : shrinker.run()
      runs = shrinker.runs
      events = shrinker.events
      if (from === null || certificate === null) continue
      const scenario = unkeyed(shrinker.now)
      const { kernel } = options
      const whole = sameIn(failure, runScenario(scenario, kernel === undefined ? {} : { kernel }))
      if (whole === null) continue
      return { scenario, failure: whole, certificate, from, to: sizeOf(scenario), runs, events }
    }
  return null
}

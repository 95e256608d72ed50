/**
 * What a campaign has come to so far. Reports are added in the order of the plan, so that the sum, and the hash over all, are the
 * same for any number of threads.
 *
 * Two seeds are one finding when the same expectation of the same scenario broke, or the same invariant. The first of them is
 * kept; the others are counted.
 */
import type { Scenario } from "../scenario/Scenario.ts"
import * as Hash from "../../adapters/recorded/Hash.ts"
import { pointsText, type Points } from "./Points.ts"
import type { RunClass } from "./Drawn.ts"
import type { Judged, SeedReport } from "./OneSeed.ts"
import type { Task } from "./Plan.ts"

/** How often one expectation of a file was judged in the campaign, and what came of it. */
export interface ExpectationTally {
  held: number
  broken: number
  notReached: number
  /** Of `sometimes`: runs in which it was not so once. */
  never: number
}

export interface EffectTally {
  /** Runs in which it struck, and in which it touched something. */
  struck: number
  touched: number
  /** Runs that were tried again without it, and those that were another run then. */
  tried: number
  mattered: number
}

export interface ScenarioTally {
  readonly scenario: Scenario
  runs: number
  failed: number
  events: number
  readonly seeds: { first: number | null; last: number | null }
  readonly classes: { [run in RunClass]: number }
  /** By place in the file. */
  readonly expectations: ReadonlyArray<ExpectationTally>
  readonly effects: Map<string, EffectTally>
  /** In which the mesh as a whole was in any run. */
  readonly situations: Set<number>
  /** The `within` that came nearest to its limit, of those that held. */
  tightest: {
    readonly place: number
    readonly marginMs: number
    readonly limitMs: number
    readonly seed: number
  } | null
}

/** Why a seed is one to look at. */
export type Fault =
  | { readonly _tag: "expectation"; readonly judged: Judged }
  | { readonly _tag: "invariant"; readonly oracle: string; readonly message: string; readonly atMs: number }
  /** The simulator threw. */
  | { readonly _tag: "defect"; readonly stack: string }
  /** Two runs of the seed parted. */
  | { readonly _tag: "parted"; readonly first: string; readonly second: string; readonly words: ReadonlyArray<string> }
  /** A thread died with the seed in hand. */
  | { readonly _tag: "death"; readonly reason: string }

export interface Finding {
  readonly scenario: number
  readonly fault: Fault
  /** The first seed. */
  readonly seed: number
  /** Where its run turned off; none: it is the run of the seed. */
  readonly points: Points
  readonly hash: string | null
  /** Seeds with this finding, the first one included. */
  seeds: number
  /** Where the first seed's run is kept; `null`: not (yet). */
  trace: string | null
  /** Of two runs that parted the other one, where it is another one again. */
  otherTrace: string | null
}

const keyOf = (scenario: number, fault: Fault): string => {
  switch (fault._tag) {
    case "expectation":
      return `${scenario} expectation ${fault.judged.place}`
    case "invariant":
      return `${scenario} invariant ${fault.oracle}`
    case "defect":
      return `${scenario} defect ${fault.stack.split("\n")[0]}`
    case "parted":
      return `${scenario} parted`
    case "death":
      return `${scenario} death`
  }
}

/** A law without a time in its margin; `within` has one. */
const tighter = (a: number, aLimit: number, b: number, bLimit: number): boolean => a * bLimit > b * aLimit

export class Tally {
  readonly scenarios: ReadonlyArray<ScenarioTally>
  readonly findings: Array<Finding> = []
  /** In how many runs each mark was reached. */
  readonly reached = new Map<string, number>()
  runs = 0
  events = 0
  /** Of the runs and inputs those of branches, with what was run once more to get there. */
  branches = 0
  branchEvents = 0
  /** Runs that were done twice. */
  checked = 0
  readonly #byKey = new Map<string, Finding>()
  readonly #hash = Hash.make()

  constructor(scenarios: ReadonlyArray<Scenario>) {
    this.scenarios = scenarios.map((scenario) => ({
      scenario,
      runs: 0,
      failed: 0,
      events: 0,
      seeds: { first: null, last: null },
      classes: { scripted: 0, varied: 0, everywhere: 0 },
      expectations: scenario.expect.map(() => ({ held: 0, broken: 0, notReached: 0, never: 0 })),
      effects: new Map(),
      situations: new Set(),
      tightest: null
    }))
  }

  /** The same for the same runs, in whichever threads they ran. */
  outcome(): string {
    return Hash.hex(this.#hash)
  }

  /** Findings that are new with this report. */
  add({ scenario, seed }: Task, report: SeedReport): ReadonlyArray<Finding> {
    const tally = this.scenarios[scenario]!
    this.#count(tally, seed, report.events)
    tally.classes[report.class]++
    const { points } = report
    const branch = points.length === 0 ? {} : { branch: pointsText(points) }
    if (points.length > 0) {
      this.branches++
      this.branchEvents += report.events
    }
    for (const [situation] of report.situations) tally.situations.add(situation)
    Hash.absorb(this.#hash, 0, scenario, { seed, hash: report.hash, ...branch })
    for (const judged of report.judged) this.#judge(tally, judged, seed)
    for (const { mattered, source, strikes, touched } of report.effects) {
      const effect = tally.effects.get(source) ?? { struck: 0, touched: 0, tried: 0, mattered: 0 }
      tally.effects.set(source, effect)
      if (strikes > 0) effect.struck++
      if (touched > 0) effect.touched++
      if (mattered !== null) effect.tried++
      if (mattered === true) effect.mattered++
    }
    for (const mark of report.reached) this.reached.set(mark, (this.reached.get(mark) ?? 0) + 1)
    const broken = report.judged.filter(({ status }) => status === "broken")
    const oracles = report.violations.filter(
      ({ oracle }, i) => report.violations.findIndex((other) => other.oracle === oracle) === i
    )
    if (broken.length + oracles.length > 0) tally.failed++
    const found = (fault: Fault) => this.find(scenario, seed, report.hash, fault, points)
    return [
      ...broken.flatMap((judged) => found({ _tag: "expectation", judged })),
      ...oracles.flatMap(({ atMs, message, oracle }) => found({ _tag: "invariant", oracle, message, atMs }))
    ]
  }

  /** A run that did not come to its end. */
  addDefect({ scenario, seed }: Task, stack: string): ReadonlyArray<Finding> {
    const tally = this.scenarios[scenario]!
    this.#count(tally, seed, 0)
    tally.failed++
    Hash.absorb(this.#hash, 0, scenario, { seed, hash: null })
    return this.find(scenario, seed, null, { _tag: "defect", stack })
  }

  /** It, if it is new. */
  find(scenario: number, seed: number, hash: string | null, fault: Fault, points: Points = []): ReadonlyArray<Finding> {
    const key = keyOf(scenario, fault)
    const known = this.#byKey.get(key)
    if (known !== undefined) {
      known.seeds++
      return []
    }
    const finding: Finding = { scenario, fault, seed, points, hash, seeds: 1, trace: null, otherTrace: null }
    this.#byKey.set(key, finding)
    this.findings.push(finding)
    return [finding]
  }

  #count(tally: ScenarioTally, seed: number, events: number): void {
    this.runs++
    this.events += events
    tally.runs++
    tally.events += events
    tally.seeds.first ??= seed
    tally.seeds.last = seed
  }

  #judge(tally: ScenarioTally, { limitMs, marginMs, place, status }: Judged, seed: number): void {
    const expectation = tally.expectations[place]!
    if (status === "held") expectation.held++
    else if (status === "broken") expectation.broken++
    else if (status === "never") expectation.never++
    else expectation.notReached++
    if (status !== "held" || marginMs === undefined || limitMs === undefined) return
    const { tightest } = tally
    if (tightest === null || tighter(marginMs, limitMs, tightest.marginMs, tightest.limitMs))
      tally.tightest = { place, marginMs, limitMs, seed }
  }
}

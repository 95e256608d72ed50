/**
 * One seed of a campaign, from the draw to what the campaign needs to know of it: the outcome, what each fault touched, where
 * the run has been. Plain data, so that it crosses threads. Synchronous, and a function of its arguments.
 */
import type { Happening } from "../engine/View.ts"
import type { Kernel } from "../engine/Host.ts"
import type { Outcome } from "../judge/Judge.ts"
import { verdictOf } from "../judge/Verdict.ts"
import { type Run, runScenario, type RunOptions, type RunResult, type Violation } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import * as Hash from "../../adapters/recorded/Hash.ts"
import { goTo, turnOff, type Listening } from "./Branch.ts"
import type { Points } from "./Points.ts"
import { draw } from "./Draw.ts"
import type { Drawn, RunClass } from "./Drawn.ts"
import { Reach } from "./Reach.ts"
import { begin, beginAsDrawn, drawnOptions } from "./Subject.ts"

/** An expectation that was judged, by its place in the file. */
export interface Judged extends Pick<Outcome, "status" | "atMs" | "marginMs" | "limitMs" | "witness"> {
  readonly place: number
}

/** What one fault of a file, or one kind of the mix, came to in a run. */
export interface Effect {
  readonly source: string
  /** How often it struck, and how many of those strikes touched something. */
  readonly strikes: number
  readonly touched: number
  /** Whether what nodes tell would differ without it; `null`: not tried in this seed. */
  readonly mattered: boolean | null
}

export interface SeedReport {
  readonly seed: number
  /** Where it turned off; none: it is the run of the seed. */
  readonly points: Points
  readonly class: RunClass
  readonly events: number
  readonly hash: string
  readonly judged: ReadonlyArray<Judged>
  readonly violations: ReadonlyArray<Violation>
  readonly effects: ReadonlyArray<Effect>
  readonly reached: ReadonlyArray<string>
  /** Places and situations with how many inputs had been taken up when each was first so: of a branch, behind its last point. */
  readonly firsts: ReadonlyArray<readonly [mark: string, after: number]>
  readonly situations: ReadonlyArray<readonly [situation: number, after: number]>
}

export interface SeedOptions {
  readonly swarm: boolean
  /** Try the run again without each fault that touched something. */
  readonly ledger: boolean
  readonly kernel?: Kernel
}

/**
 * A drawn scenario, run. Whether its faults touched anything is no question to one seed: a random crash may find its node dead
 * already. No more is what it has to come to sometimes. The campaign asks both of all seeds.
 */
export const runDrawn = (
  { liveness, scenario, seed, ties }: Drawn,
  options: Omit<RunOptions, "seed" | "ties"> = {}
): RunResult => ofOneSeed(runScenario(scenario, { ...drawnOptions({ liveness, seed, ties }), ...options }))

/** What one seed of a campaign is judged by. */
export const ofOneSeed = (result: RunResult): RunResult => ({
  ...result,
  faultsWithoutEffect: [],
  verdict: verdictOf({
    ...result,
    expectations: result.expectations.filter(({ status }) => status !== "never"),
    faultsWithoutEffect: []
  })
})

/** A branch from its beginning: the run of the seed, turned off at each of its points in turn. Ends before one that it does not reach. */
export const runBranch = (
  scenario: Scenario,
  seed: number,
  swarm: boolean,
  points: Points,
  options: Omit<RunOptions, "seed" | "ties"> = {}
): { readonly drawn: Drawn; readonly result: RunResult; readonly run: Run } => {
  const now = begin({ scenario, seed, fuzzed: { swarm, points } }, options)
  now.run.go()
  return { drawn: now.drawn, result: { ...ofOneSeed(now.run.finish()), seed }, run: now.run }
}

/** As it was drawn once, whatever is drawn by now. */
export const runAsDrawn = (
  drawn: Parameters<typeof beginAsDrawn>[0],
  options: Omit<RunOptions, "seed" | "ties"> = {}
): RunResult => {
  const run = beginAsDrawn(drawn, options)
  run.go()
  return { ...ofOneSeed(run.finish()), seed: drawn.seed }
}

/** Everything that nodes told, in one number: two runs with the same one had the same facts and transitions. */
const digestOf = (happenings: ReadonlyArray<Happening>): string => {
  const hash = Hash.make()
  for (const { about, atMs, detail, event, node } of happenings)
    if (node !== null) Hash.absorb(hash, atMs, 0, { about, event, node, detail })
  return Hash.hex(hash)
}

const effectsOf = (drawn: Drawn, result: RunResult): ReadonlyArray<Effect> => {
  const bySource = new Map<string, { strikes: number; touched: number }>()
  drawn.sources.forEach((source, step) => {
    const effect = result.effects[step] ?? null
    if (source === null || effect === null) return
    const so = bySource.get(source) ?? { strikes: 0, touched: 0 }
    bySource.set(source, { strikes: so.strikes + 1, touched: so.touched + (effect > 0 ? 1 : 0) })
  })
  return [...bySource].map(([source, so]) => ({ source, ...so, mattered: null }))
}

/** Of a branch only what is behind its last point is told of where it has been, and counted. */
const reportOf = (drawn: Drawn, result: RunResult, reach: Reach, fromEvents: number): SeedReport => {
  const behind = <A>(firsts: ReadonlyMap<A, number>) => [...firsts].filter(([, after]) => after > fromEvents)
  return {
    seed: drawn.seed,
    points: drawn.points,
    class: drawn.class,
    events: result.events - fromEvents,
    hash: result.hash,
    judged: result.expectations.map(({ atMs, limitMs, marginMs, status, witness }, i) => ({
      place: drawn.expectations[i]!,
      status,
      ...(atMs === undefined ? {} : { atMs }),
      ...(marginMs === undefined ? {} : { marginMs }),
      ...(limitMs === undefined ? {} : { limitMs }),
      ...(witness === undefined ? {} : { witness })
    })),
    violations: result.violations,
    effects: effectsOf(drawn, result),
    reached: reach.marks(),
    firsts: behind(reach.firsts()),
    situations: behind(reach.situations())
  }
}

/**
 * The futures of a run from one moment on: it is run up to there once, and forked for each. `base`: where it turned off before.
 * The inputs up to there are counted with the first future, since they were taken up once more.
 */
export const runFutures = (
  scenario: Scenario,
  seed: number,
  { after, base, futures }: { readonly after: number; readonly base: Points; readonly futures: number },
  { kernel, swarm }: Pick<SeedOptions, "kernel" | "swarm">
): ReadonlyArray<SeedReport> => {
  const watched = (reach: Reach): Listening => ({
    watchers: [reach],
    onHappening: (happening) => reach.happened(happening)
  })
  const reach = new Reach()
  const options = { ...watched(reach), ...(kernel === undefined ? {} : { kernel }) }
  const trunk = begin({ scenario, seed, fuzzed: { swarm, points: base } }, options)
  if (!goTo(trunk, after)) return []
  const { events } = trunk.run.world
  return Array.from({ length: futures }, (_, i): SeedReport => {
    const own = reach.fork()
    const points = [...base, { after, future: i + 1 }]
    const { drawn: turned, run } = turnOff(scenario, trunk, points, swarm, watched(own))
    run.go()
    const report = reportOf(turned, ofOneSeed(run.finish()), own, events)
    return i === 0 ? { ...report, events: report.events + events } : report
  })
}

export const runSeed = (scenario: Scenario, seed: number, { kernel, ledger, swarm }: SeedOptions): SeedReport => {
  const drawn = draw(scenario, seed, { swarm })
  const reach = new Reach()
  const kernelOption = kernel === undefined ? {} : { kernel }
  const result = runDrawn(drawn, {
    ...kernelOption,
    watchers: [reach],
    onHappening: (happening) => reach.happened(happening)
  })
  const digest = ledger ? digestOf(result.happenings) : ""
  const matters = (source: string): boolean => {
    const without = new Set(drawn.sources.flatMap((other, step) => (other === source ? [step] : [])))
    return digestOf(runDrawn(drawn, { ...kernelOption, without, liveness: false }).happenings) !== digest
  }
  const report = reportOf(drawn, result, reach, 0)
  return {
    ...report,
    effects: report.effects.map((effect) =>
      ledger && effect.touched > 0 ? { ...effect, mattered: matters(effect.source) } : effect
    )
  }
}

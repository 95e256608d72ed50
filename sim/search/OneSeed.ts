/**
 * One seed of a campaign, from the draw to what the campaign needs to know of it: the outcome, what each fault touched, where
 * the run has been. Plain data, so that it crosses threads. Synchronous, and a function of its arguments.
 */
import type { Happening } from "../engine/View.ts"
import type { Kernel } from "../engine/Host.ts"
import type { Outcome } from "../judge/Judge.ts"
import { verdictOf } from "../judge/Verdict.ts"
import { runScenario, type RunOptions, type RunResult, type Violation } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import * as Hash from "../trace/Hash.ts"
import { draw } from "./Draw.ts"
import type { Drawn, RunClass } from "./Drawn.ts"
import { Reach } from "./Reach.ts"

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
  readonly class: RunClass
  readonly events: number
  readonly hash: string
  readonly judged: ReadonlyArray<Judged>
  readonly violations: ReadonlyArray<Violation>
  readonly effects: ReadonlyArray<Effect>
  readonly reached: ReadonlyArray<string>
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
): RunResult => {
  const result = runScenario(scenario, { liveness, ...options, seed, ties })
  return {
    ...result,
    faultsWithoutEffect: [],
    verdict: verdictOf({
      ...result,
      expectations: result.expectations.filter(({ status }) => status !== "never"),
      faultsWithoutEffect: []
    })
  }
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
  return {
    seed,
    class: drawn.class,
    events: result.events,
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
    effects: effectsOf(drawn, result).map((effect) =>
      ledger && effect.touched > 0 ? { ...effect, mattered: matters(effect.source) } : effect
    ),
    reached: reach.marks()
  }
}

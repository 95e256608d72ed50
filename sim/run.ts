/**
 * Runs one scenario with one seed: builds the world, lets it go by under the eyes of the oracles and the judge, and says what
 * came of it. Synchronous; nothing outside the arguments has any influence (checked by the poisoned globals while it runs).
 */
import { withPoison } from "./engine/Poison.ts"
import type { Happening } from "./engine/View.ts"
import { World, type MakeHost, type Violation, type WorldOptions } from "./engine/World.ts"
import type { Kernel } from "./engine/Host.ts"
import { Judge, type Outcome } from "./judge/Judge.ts"
import { verdictOf, type Verdict } from "./judge/Verdict.ts"
import { everyOracle } from "./oracles/all.ts"
import { judgeLiveness } from "./oracles/Liveness.ts"
import type { Oracle } from "./oracles/Oracle.ts"
import type { Scenario, Step } from "./scenario/Scenario.ts"

export type { Violation } from "./engine/World.ts"

export interface RunOptions {
  /** In place of the scenario's own. */
  readonly seed?: number
  /** Stop at this true time instead of at the scenario's end. */
  readonly untilMs?: number
  readonly onHappening?: (happening: Happening) => void
  /** A broken kernel, for showing that an oracle fires. */
  readonly kernel?: Kernel
  readonly makeHost?: MakeHost
  /** The order of what is due in the same millisecond; absent: as it was made. */
  readonly ties?: "fifo" | "drawn"
  /** Places in the timeline of steps that do not happen: the same run without them. */
  readonly without?: ReadonlySet<number>
  /** Afterwards the faults stop in a part of the mesh, and it has to get well (L1, L3, L5, L6); the rest is as without it. */
  readonly liveness?: boolean
  /** Others who look on beside the oracles. */
  readonly watchers?: ReadonlyArray<Oracle>
  readonly onStep?: WorldOptions["onStep"]
}

export interface RunResult {
  readonly seed: number
  /** Inputs that nodes took up. */
  readonly events: number
  /** True time at which the run ended. */
  readonly endedMs: number
  /** 16 hex digits, rolled over every input and every command. */
  readonly hash: string
  readonly expectations: ReadonlyArray<Outcome>
  readonly violations: ReadonlyArray<Violation>
  readonly happenings: ReadonlyArray<Happening>
  /** What each step of the timeline touched; `null`: it did not strike, or is no fault. */
  readonly effects: ReadonlyArray<number | null>
  /** Faults that were declared, struck, and touched nothing. */
  readonly faultsWithoutEffect: ReadonlyArray<Step>
  readonly verdict: Verdict
}

export const runScenario = (scenario: Scenario, options: RunOptions = {}): RunResult =>
  withPoison(() => {
    const seed = options.seed ?? scenario.seed
    const judge = new Judge(scenario)
    const happenings: Array<Happening> = []
    const { onStep } = options
    // What happens in the calm afterwards is no part of the run.
    let over = false
    const world = new World({
      scenario,
      seed,
      oracles: [...everyOracle(), ...(options.watchers ?? [])],
      onHappening: (happening) => {
        if (over) return
        happenings.push(happening)
        judge.happened(happening)
        options.onHappening?.(happening)
      },
      ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
      ...(options.makeHost === undefined ? {} : { makeHost: options.makeHost }),
      ...(options.ties === undefined ? {} : { ties: options.ties }),
      ...(options.without === undefined ? {} : { without: options.without }),
      ...(onStep === undefined ? {} : { onStep: (...step) => (over ? undefined : onStep(...step)) })
    })
    const untilMs = Math.min(options.untilMs ?? scenario.lastsMs, scenario.lastsMs)
    world.run(untilMs, { dueMs: () => judge.dueMs(), observe: (view) => judge.observe(view) })
    const expectations = judge.finish(world.view)
    const { events, nowMs: endedMs } = world
    const hash = world.traceHash()
    const effects = world.script.effects()
    over = true
    const unwell = options.liveness === true && world.violations.length === 0 ? judgeLiveness(world, seed) : null
    const violations = unwell === null ? world.violations : [unwell]
    const faultsWithoutEffect = scenario.timeline.filter((_, place) => effects[place] === 0)
    return {
      seed,
      events,
      endedMs,
      hash,
      expectations,
      violations,
      happenings,
      effects,
      faultsWithoutEffect,
      verdict: verdictOf({ expectations, faultsWithoutEffect, violations })
    }
  })

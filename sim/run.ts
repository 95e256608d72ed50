/**
 * Runs one scenario with one seed: builds the world, lets it go by under the eyes of the oracles and the judge, and says what
 * came of it. Synchronous; nothing outside the arguments has any influence (checked by the poisoned globals while it runs).
 * A run may be forked on its way: world, oracles and judge go on twice.
 */
import { withPoison } from "./engine/Poison.ts"
import type { Happening, WorldView } from "./engine/View.ts"
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
  /** The order of what is due in the same millisecond; absent: the scenario's. */
  readonly ties?: "fifo" | "drawn"
  /** Places in the timeline of steps that do not happen: the same run without them. */
  readonly without?: ReadonlySet<number>
  /** Afterwards the faults stop in a part of the mesh, and it has to get well (L1, L3, L5, L6); the rest is as without it. Absent: as the scenario says. */
  readonly liveness?: boolean
  /** Of the time that a mesh has to get well in afterwards only this share is waited for, to try out what comes of a run; absent: all of it. */
  readonly patience?: number
  /** Of the oracles only these look on, by their ids, and no hash is made (it says nothing then): to try out what comes of a run. */
  readonly only?: ReadonlySet<string>
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

/** What may be another in a fork of a run. Watchers have to be its own. */
export interface ForkOptions extends Pick<RunOptions, "watchers" | "onHappening" | "onStep"> {
  /** What is drawn from now on comes from this seed; absent: the fork is the run that this one would have been. */
  readonly seed?: number
}

/** A run on its way: it may be stopped between two events, forked, and gone on with. */
export class Run {
  readonly world: World
  readonly #scenario: Scenario
  readonly #options: RunOptions
  readonly #judge: Judge
  readonly #happenings: Array<Happening>
  /** What happens in the calm afterwards is no part of the run. */
  #over = false

  constructor(scenario: Scenario, options: RunOptions = {}, from?: Run) {
    const seed = options.seed ?? scenario.seed
    this.#scenario = scenario
    this.#options = options
    this.#judge = from === undefined ? new Judge(scenario) : from.#judge.fork()
    this.#happenings = from === undefined ? [] : from.#happenings.slice()
    const { onStep } = options
    const ties = options.ties ?? scenario.ties
    const listening = {
      onHappening: (happening: Happening): void => {
        if (this.#over) return
        this.#happenings.push(happening)
        this.#judge.happened(happening)
        options.onHappening?.(happening)
      },
      ...(onStep === undefined
        ? {}
        : { onStep: (...step: Parameters<typeof onStep>) => (this.#over ? undefined : onStep(...step)) })
    }
    this.world =
      from === undefined
        ? new World({
            scenario,
            seed,
            oracles: [
              ...everyOracle().filter(({ id }) => options.only?.has(id) !== false),
              ...(options.watchers ?? [])
            ],
            ...(options.only === undefined ? {} : { withoutHash: true }),
            ...listening,
            ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
            ...(options.makeHost === undefined ? {} : { makeHost: options.makeHost }),
            ...(ties === undefined ? {} : { ties }),
            ...(options.without === undefined ? {} : { without: options.without })
          })
        : from.world.fork({
            seed,
            // Watchers come after the oracles, and are replaced by those of the fork.
            oracles: [...from.#oracles().map((oracle) => oracle.fork()), ...(options.watchers ?? [])],
            ...listening
          })
  }

  #oracles(): ReadonlyArray<Oracle> {
    const { oracles } = this.world
    return oracles.slice(0, oracles.length - (this.#options.watchers?.length ?? 0))
  }

  /** Goes on until it is over, or `pause` says so after an event. */
  go(pause?: () => boolean): "over" | "paused" {
    const untilMs = Math.min(this.#options.untilMs ?? this.#scenario.lastsMs, this.#scenario.lastsMs)
    const observer = {
      dueMs: () => this.#judge.dueMs(),
      observe: (view: WorldView) => this.#judge.observe(view)
    }
    return withPoison(() => this.world.run(untilMs, observer, pause))
  }

  /** An independent run in the same state; throws where the world cannot be forked (`World.whyNoFork`). */
  fork(options: ForkOptions = {}): Run {
    const { onHappening: _, onStep: __, watchers: ___, ...own } = this.#options
    return new Run(this.#scenario, { ...own, seed: this.world.seed, ...options }, this)
  }

  /** What came of it, once it is over. */
  finish(): RunResult {
    return withPoison(() => this.#finish())
  }

  #finish(): RunResult {
    const { world } = this
    const expectations = this.#judge.finish(world.view)
    const { events, nowMs: endedMs, seed } = world
    const hash = world.traceHash()
    const effects = world.script.effects()
    this.#over = true
    const asked = this.#options.liveness ?? this.#scenario.liveness === true
    const unwell = asked && world.violations.length === 0 ? judgeLiveness(world, seed, this.#options.patience) : null
    const violations = unwell === null ? world.violations : [unwell]
    const faultsWithoutEffect = this.#scenario.timeline.filter((_, place) => effects[place] === 0)
    return {
      seed,
      events,
      endedMs,
      hash,
      expectations,
      violations,
      happenings: this.#happenings,
      effects,
      faultsWithoutEffect,
      verdict: verdictOf({ expectations, faultsWithoutEffect, violations })
    }
  }
}

export const runScenario = (scenario: Scenario, options: RunOptions = {}): RunResult => {
  const run = withPoison(() => new Run(scenario, options))
  run.go()
  return run.finish()
}

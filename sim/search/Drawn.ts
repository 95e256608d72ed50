/**
 * A scenario as one seed of a campaign runs it: plain data, as if somebody had written it, and what was drawn, to be shown.
 */
import { below, between } from "../../kernel/Draw.ts"
import type { Expectation, Range, Scenario, Step } from "../scenario/Scenario.ts"
import type { Points } from "./Points.ts"

/**
 * `scripted`: as written, with another seed; `varied`: values of `fuzz.vary` are drawn, and nothing strikes that the file does not
 * say; `everywhere`: random faults struck as well. What an expectation says in `judge:` is the last of these in which it is judged.
 */
export type RunClass = Expectation["judge"]

const order: ReadonlyArray<RunClass> = ["scripted", "varied", "everywhere"]

export const judgedIn = (expectation: Expectation, run: RunClass): boolean =>
  order.indexOf(expectation.judge) >= order.indexOf(run)

/** A value in place of the file's. */
export interface Setting {
  /** As in `fuzz.vary`: `timeline.power-cut.at`, `network.loss`, `nodes.laptop.clock-skew`; or `nodes.laptop.boots-in`. */
  readonly path: string
  /** In ms, or in parts per million for loss and clock rates, or a year; the upper end, where it is a range from the file's lower one. */
  readonly value: number
}

export interface Drawn {
  readonly seed: number
  readonly class: RunClass
  readonly scenario: Scenario
  readonly ties: "fifo" | "drawn"
  /** It ends amid its faults, and then a part of the mesh has to get well (L1, L3, L5, L6), in place of the calm of the file. */
  readonly liveness: boolean
  readonly settings: ReadonlyArray<Setting>
  /** Of each expectation that is judged, its place among those of the file. */
  readonly expectations: ReadonlyArray<number>
  /** Of each step, whose fault it is: a place in the file's timeline or its `fuzz.faults`, or a kind of the mix; `null`: nobody's. */
  readonly sources: ReadonlyArray<string | null>
  /** Until when random faults strike. */
  readonly calmMs: number
  /** Where it turned off into another future; none: it is the run of its seed. */
  readonly points: Points
  /** What it turned into at each of them. */
  readonly turns: ReadonlyArray<Turned>
}

/** Another future, as it was drawn. */
export interface Turned {
  /** Behind the event with which so many inputs were taken up. */
  readonly after: number
  /** From which all the rest is drawn. */
  readonly seed: number
  /** Places in the timeline of what does not strike any more. */
  readonly without: ReadonlyArray<number>
  /** What strikes in its place; it stands at the end of the timeline. */
  readonly more: ReadonlyArray<Step>
}

/** Draws for one seed. Each is keyed by what it is for and a number of its own, so that one draw more moves no other. */
export class Dice {
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed
  }

  below(what: string, n: number, limit: number): number {
    return below(this.#seed, "fuzz", what, n, limit)
  }

  within(what: string, n: number, { max, min }: Range): number {
    return between(this.#seed, "fuzz", what, n, min, max)
  }

  /** `odds` of `of`. */
  chance(what: string, odds: number, of: number): boolean {
    return this.below(what, 0, of) < odds
  }

  one<A>(what: string, n: number, list: ReadonlyArray<A>): A {
    return list[this.below(what, n, list.length)]!
  }
}

/**
 * The timeline of a scenario, done to the world: each step at its time, and undone after its `for:`. What a step does is a rule
 * in sim/faults.
 *
 * What a fault touched is counted, so that a run in which a declared fault touched nothing can say so. A fork may go on with other
 * steps than its origin.
 */
import type { Frame } from "../../kernel/wire/Frame.ts"
import { strikeWith } from "../faults/all.ts"
import { type Meant, Strike } from "../faults/Fault.ts"
import { Kept } from "../faults/Replay.ts"
import { Operators } from "../faults/Trust.ts"
import type { Connection, Side } from "../network/Connection.ts"
import { ON_THE_NETWORK } from "../scenario/OnTheNetwork.ts"
import type { Scenario, Step } from "../scenario/Scenario.ts"
import { Delays } from "./Delays.ts"
import { Emitted } from "./Emitted.ts"
import type { Machine } from "./Machine.ts"
import type { World } from "./World.ts"

export interface ScriptEvent {
  readonly _tag: "script"
  readonly step: number
  readonly undo: boolean
}

/** How many steps hold each machine down, by its index: it starts again when the last of them is taken back. */
class Ends {
  private readonly held: Map<number, number>

  constructor(from?: Ends) {
    this.held = new Map(from?.held)
  }

  add(machine: number): void {
    this.held.set(machine, (this.held.get(machine) ?? 0) + 1)
  }

  /** Whether nothing holds it down any more. */
  takeBack(machine: number): boolean {
    const left = (this.held.get(machine) ?? 0) - 1
    this.held.set(machine, Math.max(0, left))
    return left === 0
  }

  /** It was started by hand. */
  forget(machine: number): void {
    this.held.delete(machine)
  }
}

export class Script {
  readonly ends: Ends
  /** Frames that a `replay` step may deliver again. */
  readonly kept: Kept
  readonly delays: Delays
  readonly emitted: Emitted
  readonly operators: Operators
  private readonly world: World
  private steps: ReadonlyArray<Step>
  /** What each step, by index, touched so far; only faults that struck are in it. */
  private readonly touched: Map<number, (world: World) => number>
  /** Those that touch nothing any more once they are taken back. */
  private readonly whileInForce: Set<number>
  private readonly undo: Map<number, (world: World) => void>
  /** Whom each step that struck meant then. */
  private readonly meant: Map<number, Meant>
  /** Steps to come that will not happen. */
  private dropped: ReadonlySet<number>
  private over = false

  /** `without`: places in the timeline of steps that do not happen. `from`: of the world that this one is forked from. */
  constructor(world: World, scenario: Scenario, without: ReadonlySet<number> = new Set(), from?: Script) {
    this.world = world
    this.steps = from?.steps ?? scenario.timeline
    this.ends = new Ends(from?.ends)
    this.kept = new Kept(this.steps, from?.kept)
    this.delays = new Delays(scenario, from?.delays)
    this.emitted = new Emitted(from?.emitted)
    this.operators = new Operators(from?.operators)
    this.touched = new Map(from?.touched)
    this.whileInForce = new Set(from?.whileInForce)
    this.undo = new Map(from?.undo)
    this.meant = new Map(from?.meant)
    this.dropped = from?.dropped ?? without
    if (from !== undefined) this.over = from.over
    else this.scheduleAll(this.steps, 0)
  }

  /** Of what ends at one moment the first to begin ends first, in whichever order the steps stand. */
  private scheduleAll(steps: ReadonlyArray<Step>, from: number): void {
    const placed = steps.map((step, place) => ({ step, index: from + place }))
    for (const { index, step } of placed.toSorted((a, b) => a.step.atMs - b.step.atMs)) this.schedule(step, index)
  }

  private schedule({ atMs, forMs }: Step, index: number): void {
    if (this.dropped.has(index)) return
    this.world.agenda.push(atMs, { _tag: "script", step: index, undo: false })
    if (forMs !== null) this.world.agenda.push(atMs + forMs, { _tag: "script", step: index, undo: true })
  }

  /** From now on without these steps, by their places, and with more, whose places follow; all of them are still to come. */
  change(without: ReadonlySet<number>, more: ReadonlyArray<Step>): void {
    this.dropped = new Set([...this.dropped, ...without])
    const known = this.steps.length
    this.steps = [...this.steps, ...more]
    this.scheduleAll(more, known)
  }

  /** What each step touched so far, by its place in the timeline; `null`: it has not struck, or is no fault. */
  effects(): ReadonlyArray<number | null> {
    return this.steps.map((_, index) => this.touched.get(index)?.(this.world) ?? null)
  }

  /** Whom the step meant when it struck, list by list as its verb has them; `null`: it did not strike. */
  meantBy(index: number): Meant | null {
    return this.meant.get(index) ?? null
  }

  sent(machine: Machine, connection: Connection, side: Side, frame: Frame): void {
    this.kept.sent(machine, connection, side, frame)
    this.delays.sent(connection, side, frame, this.world.nowMs)
  }

  opened(connection: Connection, side: Side, link: number): void {
    this.kept.opened(connection, side, link)
  }

  /** What is in force on the network now is undone by nothing any more; whoever is frozen still thaws. */
  forgetUndoing(): void {
    for (const index of this.undo.keys()) if (ON_THE_NETWORK.has(this.steps[index]!.verb._tag)) this.undo.delete(index)
  }

  /** Nothing more of it happens, and what is in force stays. */
  end(): void {
    this.over = true
  }

  onEvent({ step: index, undo }: ScriptEvent): void {
    if (this.over || this.dropped.has(index)) return
    if (undo) return this.takeBack(index)
    const { key, verb } = this.steps[index]!
    const strike = new Strike(this.world, key ?? String(index))
    const struck = strikeWith(verb, strike)
    this.meant.set(index, strike.meant)
    if (struck.touched !== null) this.touched.set(index, struck.touched)
    if (struck.undo !== null) this.undo.set(index, struck.undo)
    if (struck.whileInForce === true) this.whileInForce.add(index)
  }

  private takeBack(index: number): void {
    const undo = this.undo.get(index)
    if (undo === undefined) return
    if (this.whileInForce.has(index)) {
      const touched = this.touched.get(index)!(this.world)
      this.touched.set(index, () => touched)
    }
    this.undo.delete(index)
    undo(this.world)
  }
}

/**
 * The timeline of a scenario, done to the world: each step at its time, and undone after its `for:`. What a step does is a rule
 * in sim/faults.
 *
 * What a fault touched is counted, so that a run in which a declared fault touched nothing can say so.
 */
import type { Frame } from "../../kernel/wire/Frame.ts"
import { strikeWith } from "../faults/all.ts"
import { Strike } from "../faults/Fault.ts"
import { Kept } from "../faults/Replay.ts"
import type { Connection, Side } from "../network/Network.ts"
import type { Scenario, Step } from "../scenario/Scenario.ts"
import type { Machine } from "./Machine.ts"
import type { World } from "./World.ts"

export interface ScriptEvent {
  readonly _tag: "script"
  readonly step: number
  readonly undo: boolean
}

export class Script {
  /** Frames that a `replay` step may deliver again. */
  readonly kept: Kept
  private readonly world: World
  private readonly steps: ReadonlyArray<Step>
  /** What each step, by index, touched so far; only faults that struck are in it. */
  private readonly touched = new Map<number, (world: World) => number>()
  private readonly undo = new Map<number, (world: World) => void>()

  constructor(world: World, scenario: Scenario) {
    this.world = world
    this.steps = scenario.timeline
    this.kept = new Kept(this.steps)
    this.steps.forEach(({ atMs, forMs }, index) => {
      world.agenda.push(atMs, { _tag: "script", step: index, undo: false })
      if (forMs !== null) world.agenda.push(atMs + forMs, { _tag: "script", step: index, undo: true })
    })
  }

  /** Faults that struck and touched nothing. */
  withoutEffect(): ReadonlyArray<Step> {
    return this.steps.filter((_, index) => this.touched.get(index)?.(this.world) === 0)
  }

  sent(machine: Machine, connection: Connection, side: Side, frame: Frame): void {
    this.kept.sent(machine, connection, side, frame)
  }

  /** Whatever is in force now is undone by nothing any more. */
  forgetUndoing(): void {
    this.undo.clear()
  }

  onEvent({ step: index, undo }: ScriptEvent): void {
    if (undo) {
      this.undo.get(index)?.(this.world)
      this.undo.delete(index)
      return
    }
    const struck = strikeWith(this.steps[index]!.verb, new Strike(this.world, index))
    if (struck.touched !== null) this.touched.set(index, struck.touched)
    if (struck.undo !== null) this.undo.set(index, struck.undo)
  }
}

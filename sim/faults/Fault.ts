/**
 * A fault as a rule of its own: what one verb of the timeline does to the world, how it is taken back, and what it altered.
 *
 * A rule translates names to machines and pairs, and leaves the doing to whoever owns the state: machine, network, clock, disk.
 * Targets are resolved when it strikes, and what they were is told, so that a recorded run names machines and no relations.
 *
 * What is left of a rule that struck must hold for a fork of its world as well: it is handed the world that it is asked in, and
 * finds its machines there by `inWorld`, its links by their names.
 */
import type { Happening, WorldHappening } from "../engine/View.ts"
import type { Machine } from "../engine/Machine.ts"
import type { World } from "../engine/World.ts"
import type { Target, Verb } from "../scenario/Scenario.ts"
import { resolve, resolveApart } from "./Targets.ts"

/** Lists of names of nodes. */
export type Meant = ReadonlyArray<ReadonlyArray<string>>

export interface Struck {
  /**
   * How many messages, timers, writes and clock readings it altered, or processes it ended, so far; `null`: it is no fault,
   * and nothing needs to come of it.
   */
  readonly touched: ((world: World) => number) | null
  /** What it touches after it was taken back is none of its doing. */
  readonly whileInForce?: true
  /** Takes it back, at the end of its `for:`; `null`: there is nothing to take back. */
  readonly undo: ((world: World) => void) | null
}

/** These machines as they are in `world`. */
export const inWorld = (world: World, machines: ReadonlyArray<Machine>): ReadonlyArray<Machine> =>
  machines.map(({ index }) => world.machines[index]!)

/** What happens to the world, in the words of the story. */
export const tell = (
  world: World,
  event: WorldHappening,
  about: string | null,
  reason: string,
  detail: Partial<Happening["detail"]> = {}
): void => world.happened({ atMs: world.nowMs, node: null, event, about, detail: { reason, ...detail } })

/** The name of the one machine where it is one. */
export const oneOf = (machines: ReadonlyArray<Machine>): string | null =>
  machines.length === 1 ? machines[0]!.name : null

/** Where and when a rule strikes. */
export class Strike {
  readonly world: World
  /** What the step's draws are keyed by. */
  readonly key: string
  /** Whom it meant, list by list as the verb has them, once it struck. */
  meant: Meant = []

  constructor(world: World, key: string) {
    this.world = world
    this.key = key
  }

  resolve(targets: ReadonlyArray<Target>): ReadonlyArray<Machine> {
    const machines = resolve(this.world, targets, this.key)
    this.meant = [machines.map(({ name }) => name)]
    return machines
  }

  /** Several lists that are not to overlap. */
  resolveApart(lists: ReadonlyArray<ReadonlyArray<Target>>): ReadonlyArray<ReadonlyArray<Machine>> {
    const apart = resolveApart(this.world, lists, this.key)
    this.meant = apart.map((machines) => machines.map(({ name }) => name))
    return apart
  }

  tell(event: WorldHappening, about: string | null, reason: string, detail: Partial<Happening["detail"]> = {}): void {
    tell(this.world, event, about, reason, detail)
  }

  /** About the one machine where it is one. */
  tellOf(event: WorldHappening, machines: ReadonlyArray<Machine>, detail: Partial<Happening["detail"]> = {}): void {
    const all = machines.length === this.world.machines.length
    this.tell(event, oneOf(machines), all ? "everyone" : names(machines), detail)
  }
}

export type Fault<V extends Verb["_tag"]> = (verb: Extract<Verb, { readonly _tag: V }>, strike: Strike) => Struck

/** No fault, and nothing to take back. */
export const DONE: Struck = { touched: null, undo: null }

/** One direction, by the names of its ends. */
export type Pair = readonly [from: string, to: string]

export const pairs = (from: ReadonlyArray<Machine>, to: ReadonlyArray<Machine>): ReadonlyArray<Pair> =>
  from.flatMap((a) => to.filter((b) => b !== a).map((b): Pair => [a.name, b.name]))

export const names = (machines: ReadonlyArray<Machine>): string => machines.map((machine) => machine.name).join(", ")

/**
 * The timeline of a scenario, done to the world: each step at its time, and undone after its `for:`.
 *
 * Targets are resolved when the step strikes. What a fault touched is counted (messages held back or slowed, processes that
 * ended), so that a run in which a declared fault touched nothing can say so.
 */
import { below } from "../../kernel/Draw.ts"
import * as Leadership from "../../kernel/leadership/Leadership.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"
import type { Connection, Side } from "../network/Network.ts"
import type { Scenario, Step, Target, Verb } from "../scenario/Scenario.ts"
import type { Machine } from "./Machine.ts"
import type { World } from "./World.ts"

export interface ScriptEvent {
  readonly _tag: "script"
  readonly step: number
  readonly undo: boolean
}

/** A frame that a `replay` step may deliver again. */
interface Sent {
  readonly connection: Connection
  readonly to: Side
  readonly frame: Frame
}

/** `replay: all` delivers at most so many, the last ones. */
const REPLAY_MAX = 64

type Pair = readonly [from: Machine, to: Machine]

export class Script {
  private readonly world: World
  private readonly steps: ReadonlyArray<Step>
  /** What each step, by index, touched so far; only faults are in it. */
  private readonly touched = new Map<number, () => number>()
  private readonly undo = new Map<number, () => void>()
  private readonly kept = new Map<string, Array<Sent>>()

  constructor(world: World, scenario: Scenario) {
    this.world = world
    this.steps = scenario.timeline
    this.steps.forEach(({ atMs, forMs, verb }, index) => {
      if (verb._tag === "replay") this.kept.set(`${verb.from}>${verb.to}`, [])
      world.agenda.push(atMs, { _tag: "script", step: index, undo: false })
      if (forMs !== null) world.agenda.push(atMs + forMs, { _tag: "script", step: index, undo: true })
    })
  }

  /** Faults that struck and touched nothing. */
  withoutEffect(): ReadonlyArray<Step> {
    return this.steps.filter((_, index) => this.touched.get(index)?.() === 0)
  }

  sent(machine: Machine, connection: Connection, side: Side, frame: Frame): void {
    if (this.kept.size === 0) return
    const to: Side = side === 0 ? 1 : 0
    const kept = this.kept.get(`${machine.name}>${connection.ports[to].name}`)
    if (kept === undefined) return
    // The first one, and the last of the rest.
    if (kept.length >= REPLAY_MAX) kept.splice(1, 1)
    kept.push({ connection, to, frame })
  }

  onEvent({ step: index, undo }: ScriptEvent): void {
    const step = this.steps[index]!
    if (undo) {
      this.undo.get(index)?.()
      this.undo.delete(index)
      return
    }
    this.strike(index, step.verb)
  }

  private strike(index: number, verb: Verb): void {
    switch (verb._tag) {
      case "start":
      case "restart":
      case "stop":
      case "crash":
      case "freeze":
        return this.strikeNodes(index, verb._tag, this.resolve(index, verb.who))
      case "cut": {
        const from = this.resolve(index, verb.from)
        const to = this.resolve(index, verb.to)
        const forth = pairs(from, to)
        const both = verb.oneWay ? forth : [...forth, ...pairs(to, from)]
        const arrow = verb.oneWay ? " → " : " – "
        return this.cut(index, "world.cut", both, `${names(from)}${arrow}${names(to)}`)
      }
      case "partition": {
        const groups = verb.groups.map((group) => this.resolve(index, group))
        const apart = groups.flatMap((a) => groups.flatMap((b) => (a === b ? [] : pairs(a, b))))
        return this.cut(index, "world.partition", apart, groups.map(names).join(" | "))
      }
      case "slow": {
        const between = this.resolve(index, verb.between)
        const all = pairs(between, between)
        const { network } = this.world
        for (const [a, b] of all) network.shape(a.name, b.name, verb.delayMs, verb.lossPpm)
        this.track(index, all)
        this.undo.set(index, () => {
          for (const [a, b] of all) network.shape(a.name, b.name, null, null)
          this.tell("world.undo", null, `${names(between)} as fast as before`)
        })
        return this.tell("world.slow", null, names(between))
      }
      case "heal":
        return this.heal(index, verb.what)
      case "replay":
        return this.replay(index, verb)
    }
  }

  private strikeNodes(
    index: number,
    verb: "start" | "restart" | "stop" | "crash" | "freeze",
    machines: ReadonlyArray<Machine>
  ): void {
    let touched = 0
    for (const machine of machines) {
      if (verb !== "start" && verb !== "restart" && machine.running) touched++
      if (verb === "restart" && machine.running) machine.crash(false)
    }
    if (verb !== "start" && verb !== "restart") this.touched.set(index, () => touched)
    const one = machines.length === 1 ? machines[0]! : null
    const incarnation = verb === "restart" && one !== null ? { incarnation: one.durable.incarnation + 1 } : {}
    this.tell(`world.${verb}`, one?.name ?? null, this.wordsFor(machines), incarnation)
    for (const machine of machines) {
      if (verb === "start" || verb === "restart") machine.start()
      if (verb === "stop") machine.leave()
      if (verb === "crash") machine.crash(true)
      if (verb === "freeze" && machine.running) machine.frozen = true
    }
    this.world.visible()
    if (verb === "start" || verb === "restart") return
    this.undo.set(index, () => {
      if (verb === "freeze") {
        this.tell("world.thaw", one?.name ?? null, names(machines))
        for (const machine of machines) machine.thaw()
        return
      }
      const again = one === null ? {} : { incarnation: one.durable.incarnation + 1 }
      this.tell("world.restart", one?.name ?? null, names(machines), again)
      for (const machine of machines) machine.start()
    })
  }

  private wordsFor(machines: ReadonlyArray<Machine>): string {
    return machines.length === this.world.machines.length ? "everyone" : names(machines)
  }

  private cut(index: number, event: "world.cut" | "world.partition", cuts: ReadonlyArray<Pair>, words: string): void {
    const { network } = this.world
    for (const [a, b] of cuts) network.cut(a.name, b.name)
    this.track(index, cuts)
    this.undo.set(index, () => {
      for (const [a, b] of cuts) network.mend(a.name, b.name)
      this.tell("world.undo", null, `${words} together again`)
    })
    this.tell(event, null, words)
  }

  private track(index: number, over: ReadonlyArray<Pair>): void {
    const { network } = this.world
    const sum = (): number => over.reduce((n, [a, b]) => n + network.touched(a.name, b.name), 0)
    const before = sum()
    this.touched.set(index, () => sum() - before)
  }

  private heal(index: number, what: "everything" | ReadonlyArray<Target>): void {
    const { network } = this.world
    if (what === "everything") {
      network.mendAll()
      // What was undone by hand is not undone again by its `for:`.
      this.undo.clear()
      return this.tell("world.heal", null, "everything")
    }
    const machines = this.resolve(index, what)
    for (const [a, b] of pairs(machines, machines)) network.restore(a.name, b.name)
    this.tell("world.heal", null, names(machines))
  }

  private replay(index: number, verb: Extract<Verb, { readonly _tag: "replay" }>): void {
    const kept = this.kept.get(`${verb.from}>${verb.to}`) ?? []
    const chosen = verb.message === "first" ? kept.slice(0, 1) : verb.message === "last" ? kept.slice(-1) : kept
    const receiver = this.world.machines.find((machine) => machine.name === verb.to)
    // Only the process that had the connection can be shown a frame of it.
    const deliverable = chosen.filter(({ connection, to }) => receiver?.process === connection.processes[to])
    this.touched.set(index, () => deliverable.length)
    this.tell("world.replay", verb.from, `${deliverable.length} of ${chosen.length} old frames to ${verb.to}`)
    for (const { connection, frame, to } of deliverable) receiver?.replay(connection.links[to], frame)
  }

  private tell(
    event: `world.${string}`,
    about: string | null,
    reason: string,
    detail: { incarnation?: number } = {}
  ): void {
    this.world.happened({ atMs: this.world.nowMs, node: null, event, about, detail: { reason, ...detail } })
  }

  private resolve(index: number, targets: ReadonlyArray<Target>): ReadonlyArray<Machine> {
    const { machines, seed } = this.world
    const found = targets.flatMap((target): ReadonlyArray<Machine> => {
      if (typeof target === "string") return machines.filter((machine) => machine.name === target)
      if (target.word === "everyone") return machines
      if (target.word !== "any") return machines.filter((machine) => this.leads(machine))
      const { role } = target
      const candidates = machines.filter((machine) => machine.running && machine.spec.role === role)
      return candidates.length === 0 ? [] : [candidates[below(seed, "target", String(index), 0, candidates.length)]!]
    })
    return machines.filter((machine) => found.includes(machine))
  }

  private leads(machine: Machine): boolean {
    const state = machine.state()
    return state !== null && Leadership.leaseRuns(state.leadership, machine.clock.mono(this.world.nowMs))
  }
}

const pairs = (from: ReadonlyArray<Machine>, to: ReadonlyArray<Machine>): ReadonlyArray<Pair> =>
  from.flatMap((a) => to.filter((b) => b !== a).map((b): Pair => [a, b]))

const names = (machines: ReadonlyArray<Machine>): string => machines.map((machine) => machine.name).join(", ")

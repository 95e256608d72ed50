/**
 * A world: machines, the network between them, true time, and the script of what befalls them. One agenda orders everything;
 * nothing in here waits, and nothing but the agenda moves time.
 *
 * The run of a world is a function of its options: same scenario, seed and kernel, same hash. The hash rolls over every input
 * that a node took up and every command that it gave.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Input } from "../../kernel/Input.ts"
import * as Leadership from "../../kernel/leadership/Leadership.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { MeshEvent } from "../../kernel/status/MeshEvent.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"
import { FakeKeys } from "../keys/FakeKeys.ts"
import type { Connection, Port, Side } from "../network/Connection.ts"
import type { NetworkEvent } from "../network/Event.ts"
import { Network } from "../network/Network.ts"
import { leaseEndsMs } from "../oracles/S1OneLeader.ts"
import { guarded } from "../oracles/S10Bounds.ts"
import type { Observation, Oracle } from "../oracles/Oracle.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import * as Hash from "../trace/Hash.ts"
import { Agenda, type Handle } from "./Agenda.ts"
import { fastHost, kernel as realKernel, type Host, type HostContext, type Kernel } from "./Host.ts"
import type { Config } from "../../kernel/Config.ts"
import { isKernel, Machine, type MachineEvent } from "./Machine.ts"
import { populate } from "./Population.ts"
import { Script, type ScriptEvent } from "./Script.ts"
import { Ties } from "./Ties.ts"
import type { Happening, NodeView, PeerWord, WorldView } from "./View.ts"
import { peerState } from "../../kernel/status/Status.ts"

export type WorldEvent =
  | NetworkEvent
  | MachineEvent
  | ScriptEvent
  /** Something that only looks different from now on: a lease or a promise has run out. */
  | { readonly _tag: "look"; readonly machine: Machine }
  /** Test code's own. */
  | { readonly _tag: "call"; readonly run: () => void }

export type MakeHost = (kernel: Kernel, config: Config, context: HostContext, machine: Machine) => Host

export interface Violation {
  readonly oracle: string
  readonly atMs: number
  readonly node: string
  readonly message: string
}

export interface WorldOptions {
  readonly scenario: Scenario
  readonly seed: number
  readonly kernel?: Kernel
  readonly makeHost?: MakeHost
  readonly oracles?: ReadonlyArray<Oracle>
  /** Called with each happening, in order. */
  readonly onHappening?: (happening: Happening) => void
  /** Called with each step of a node, before its commands are performed. */
  readonly onStep?: (machine: Machine, input: Input, commands: ReadonlyArray<Command>) => void
  /** Leave the hash out: only for measuring what it costs. */
  readonly withoutHash?: boolean
  /** The order of events that are due in the same millisecond; absent: `fifo`, as they were made. */
  readonly ties?: "fifo" | "drawn"
  /** Places in the timeline of steps that do not happen. */
  readonly without?: ReadonlySet<number>
}

/** Whoever looks on while the world runs. */
export interface Observer {
  /** True time at which it wants to look next even if nothing changes. */
  readonly dueMs: () => number
  readonly observe: (view: WorldView) => void
}

const BLIND: Observer = { dueMs: () => Number.POSITIVE_INFINITY, observe: () => {} }

/** Events of one instant beyond this are a loop without time: a bug, said so. */
const EVENTS_PER_MS_MAX = 1_000_000

export class World {
  readonly seed: number
  readonly kernel: Kernel
  readonly makeHost: MakeHost
  readonly agenda = new Agenda<WorldEvent>()
  readonly keys = new FakeKeys()
  readonly network: Network
  readonly machines: ReadonlyArray<Machine>
  readonly script: Script
  readonly view: WorldView
  readonly violations: Array<Violation> = []
  /** True time since the start, ms. */
  nowMs = 0
  /** Inputs that nodes took up. */
  events = 0

  private readonly hash = Hash.make()
  private readonly options: WorldOptions
  private readonly choose: ((due: ReadonlyArray<WorldEvent>) => number) | null
  private readonly oracles: ReadonlyArray<Oracle>
  private readonly names = new Map<string, string>()
  private readonly ports = new Map<string, Port>()
  private readonly looks = new Map<Machine, Handle>()
  private readonly termHolders = new Map<string, Set<string>>()
  private leadersPerTerm = 0
  private changed = true

  constructor(options: WorldOptions) {
    const { scenario, seed } = options
    this.options = options
    this.seed = seed
    const kernel = options.kernel ?? realKernel
    this.oracles = options.oracles ?? []
    this.kernel =
      this.oracles.length === 0
        ? kernel
        : guarded(kernel, (node, message) => {
            this.violations.push({ oracle: "S10", atMs: this.nowMs, node, message })
          })
    this.makeHost = options.makeHost ?? fastHost
    const carrier = {
      nowMs: () => this.nowMs,
      later: (atMs: number, event: NetworkEvent) => {
        this.agenda.push(atMs, event)
      }
    }
    const people = populate(scenario, seed, this.keys)
    this.network = new Network(carrier, seed, scenario.network, people.reachable)
    const ties = options.ties === "drawn" ? new Ties(seed, this.network) : null
    this.choose = ties === null ? null : (due) => ties.choose(due)
    this.machines = people.configs.map(({ config, keys, spec }, index) => new Machine(this, index, spec, keys, config))
    for (const machine of this.machines) this.admit(machine, machine.config.deviceId)
    this.script = new Script(this, scenario, options.without)
    this.view = this.makeView()
  }

  /** Makes a port reachable under its name, and its device id readable in happenings. */
  admit(port: Port, deviceId: string): void {
    this.ports.set(port.name, port)
    this.names.set(deviceId, port.name)
  }

  byAddress(address: string): Port | undefined {
    return this.ports.get(address)
  }

  nameOf(deviceId: string): string {
    return this.names.get(deviceId) ?? deviceId.slice(0, 8)
  }

  // ---------------------------------------------------------------------------------------------- running

  /** Runs on until true time `untilMs`, included, or until an oracle fires. */
  run(untilMs: number, observer: Observer = BLIND): void {
    let inThisMs = 0
    for (;;) {
      const next = this.agenda.peekMs()
      const target = Math.min(next, untilMs)
      for (let due = observer.dueMs(); due < target; due = observer.dueMs()) {
        this.nowMs = Math.max(this.nowMs, due)
        observer.observe(this.view)
      }
      if (next > untilMs) break
      inThisMs = next === this.nowMs ? inThisMs + 1 : 0
      if (inThisMs > EVENTS_PER_MS_MAX)
        throw new Error(`the world does not get past ${this.nowMs} ms: a loop without time`)
      if (this.choose === null) this.agenda.next()
      else this.agenda.nextBy(this.choose)
      this.nowMs = this.agenda.atMs
      this.handle(this.agenda.payload!)
      if (this.changed) {
        this.changed = false
        observer.observe(this.view)
      }
      if (this.violations.length > 0) return
    }
    this.nowMs = Math.max(this.nowMs, untilMs)
    if (observer.dueMs() <= untilMs) observer.observe(this.view)
  }

  private handle(event: WorldEvent): void {
    switch (event._tag) {
      case "alarm":
      case "input":
      case "synced":
      case "process":
      case "turn":
      case "power-cut":
        return event.machine.onEvent(event)
      case "script":
        return this.script.onEvent(event)
      case "look":
        this.looks.delete(event.machine)
        this.changed = true
        return
      case "call":
        return event.run()
      default:
        return this.network.onEvent(event)
    }
  }

  traceHash(): string {
    return Hash.hex(this.hash)
  }

  // ---------------------------------------------------------------------------------------------- what machines tell

  /** Something that an observer can see has changed. */
  visible(): void {
    this.changed = true
  }

  stepped(machine: Machine, before: NodeState, input: Input, after: NodeState, commands: ReadonlyArray<Command>): void {
    const { nowMs, options } = this
    this.events++
    if (options.withoutHash !== true) {
      Hash.absorb(this.hash, nowMs, machine.index, input)
      for (let i = 0; i < commands.length; i++) Hash.absorb(this.hash, nowMs, machine.index, commands[i])
    }
    options.onStep?.(machine, input, commands)
    if (after !== before) {
      if (after.leadership !== before.leadership) this.leadershipChanged(machine, before, after)
      if (!this.changed && after.membership.members !== before.membership.members) {
        const a = before.membership.members
        const b = after.membership.members
        for (let i = 0; i < b.length; i++) if (a[i] !== b[i] && a[i]?.state !== b[i]!.state) this.changed = true
      }
    }
    // What neither changes the node nor makes it do anything tells no oracle anything, but that a record is stored.
    if (this.oracles.length > 0 && (after !== before || commands.length > 0 || input._tag === "Stored"))
      this.judge({ nowMs, machines: this.machines, machine, before, input, after, commands })
  }

  private judge(seen: Observation): void {
    for (let i = 0; i < this.oracles.length; i++) {
      const oracle = this.oracles[i]!
      const message = isKernel(seen.machine) ? oracle.stepped(seen) : (oracle.ofGen1?.(seen) ?? null)
      if (message !== null) this.violated(oracle, seen.machine, message)
    }
  }

  private violated({ id }: Oracle, machine: Machine, message: string): void {
    this.violations.push({ oracle: id, atMs: this.nowMs, node: machine.name, message })
  }

  private leadershipChanged(machine: Machine, before: NodeState, after: NodeState): void {
    const { config } = after
    const mono = machine.clock.mono(this.nowMs)
    const named = Leadership.named(after.leadership, config, mono)
    if (named !== Leadership.named(before.leadership, config, mono) || after.leadership.term !== before.leadership.term)
      this.changed = true
    if (after.leadership.standing._tag === "Leading" && before.leadership.standing._tag !== "Leading") {
      const { counter, manifest } = after.leadership.term
      const holders = this.termHolders.get(`${manifest}.${counter}`) ?? new Set()
      this.termHolders.set(`${manifest}.${counter}`, holders.add(machine.name))
      this.leadersPerTerm = Math.max(this.leadersPerTerm, holders.size)
      this.changed = true
    }
    this.lookAgain(machine, after)
  }

  /** Its clocks are others: what it knows runs out at other times. */
  reclocked(machine: Machine): void {
    this.changed = true
    const state = machine.state()
    if (state !== null) this.lookAgain(machine, state)
  }

  /** When the lease or the promise of this state ends. */
  private lookAgain(machine: Machine, after: NodeState): void {
    const { config } = after
    const mono = machine.clock.mono(this.nowMs)
    const named = Leadership.named(after.leadership, config, mono)
    const look = this.looks.get(machine)
    if (look !== undefined) this.agenda.cancel(look)
    this.looks.delete(machine)
    const { heardAt, standing } = after.leadership
    const endsAt =
      standing._tag === "Leading" ? standing.leaseUntil : named === null ? 0 : heardAt + config.profile.promiseMs
    if (endsAt <= mono) return
    this.looks.set(machine, this.agenda.push(machine.clock.trueMs(endsAt), { _tag: "look", machine }))
  }

  noted(machine: Machine, event: MeshEvent): void {
    const { about, event: name, ...detail } = event
    this.happened({
      atMs: this.nowMs,
      node: machine.name,
      event: name,
      about: about === undefined ? null : this.nameOf(about),
      detail:
        detail.witnesses === undefined
          ? detail
          : { ...detail, witnesses: detail.witnesses.map((id) => this.nameOf(id)) }
    })
  }

  happened(happening: Happening): void {
    this.changed = true
    this.options.onHappening?.(happening)
  }

  sent(machine: Machine, connection: Connection, side: Side, frame: Frame): void {
    this.script.sent(machine, connection, side, frame)
    if (!isKernel(machine)) return
    for (let i = 0; i < this.oracles.length; i++) {
      const oracle = this.oracles[i]!
      const message = oracle.sent?.(machine, connection.ports[side === 0 ? 1 : 0], frame, this.nowMs) ?? null
      if (message !== null) this.violated(oracle, machine, message)
    }
  }

  // ---------------------------------------------------------------------------------------------- what can be seen

  private makeView(): WorldView {
    const nodes = this.machines.filter(isKernel).map((machine) => this.nodeView(machine))
    const world = this
    return {
      get nowMs() {
        return world.nowMs
      },
      nodes,
      get leadersPerTerm() {
        return world.leadersPerTerm
      }
    }
  }

  private nodeView(machine: Machine): NodeView {
    const world = this
    const named = (): string | null => {
      const state = machine.state()
      if (state === null) return null
      const deviceId = Leadership.named(state.leadership, state.config, machine.clock.mono(world.nowMs))
      return deviceId === null ? null : world.nameOf(deviceId)
    }
    return {
      name: machine.name,
      role: machine.spec.role,
      get running() {
        return machine.running
      },
      get leader() {
        return named()
      },
      get term() {
        return machine.state()?.leadership.term.counter ?? 0
      },
      get leads() {
        const state = machine.state()
        return state !== null && Leadership.leaseRuns(state.leadership, machine.clock.mono(world.nowMs))
      },
      get leaseEndsMs() {
        return leaseEndsMs(machine)
      },
      peer: (name): PeerWord => {
        const state = machine.state()
        const other = world.machines.find((candidate) => candidate.name === name)
        return state === null || other === undefined ? "unknown" : peerState(state, other.config.deviceId)
      },
      sessions: (name) => {
        const deviceId = world.machines.find((candidate) => candidate.name === name)?.config.deviceId
        const links = machine.state()?.links.links ?? []
        return links.filter((link) => link._tag === "Session" && link.peer === deviceId).length
      }
    }
  }
}

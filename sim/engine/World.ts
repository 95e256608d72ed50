/**
 * A world: machines, the network between them, true time, and the script of what befalls them. One agenda orders everything;
 * nothing in here waits, and nothing but the agenda moves time.
 *
 * The run of a world is a function of its options: same scenario, seed and kernel, same hash. The hash rolls over every input
 * that a node took up and every command that it gave.
 *
 * Between two events it can be forked: both go on by themselves, and the fork's run is the run that this one would have had.
 * What either of them does not touch, they share.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Input } from "../../kernel/Input.ts"
import * as Leadership from "../../kernel/leadership/Leadership.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { MeshEvent } from "../../kernel/status/MeshEvent.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"
import type { Rule } from "../../kernel/planning/Rule.ts"
import { FakeKeys, type KeyPair } from "../keys/FakeKeys.ts"
import type { Connection, Port, Side } from "../network/Connection.ts"
import type { NetworkEvent } from "../network/Event.ts"
import { Network } from "../network/Network.ts"
import { Visitor } from "../network/Visitor.ts"
import { guarded } from "../oracles/S10Bounds.ts"
import { demands } from "../oracles/Demands.ts"
import type { Observation, Oracle } from "../oracles/Oracle.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import * as Hash from "../../adapters/recorded/Hash.ts"
import { Agenda, type Handle } from "./Agenda.ts"
import { fastHost, kernel as realKernel, type Host, type HostContext, type Kernel } from "./Host.ts"
import type { Config } from "../../kernel/Config.ts"
import * as Hardware from "./Hardware.ts"
import { Farm, type Metric } from "../hardware/Farm.ts"
import { Machine, type MachineEvent } from "./Machine.ts"
import { isKernel } from "./Present.ts"
import { seatOf } from "./Nearby.ts"
import { noted } from "./Noted.ts"
import { populate } from "./Population.ts"
import { Script, type ScriptEvent } from "./Script.ts"
import { Ties } from "./Ties.ts"
import type { Happening, WorldView } from "./View.ts"
import { viewOf } from "./WorldView.ts"

export type WorldEvent =
  | NetworkEvent
  | MachineEvent
  | ScriptEvent
  /** Something that only looks different from now on: a lease or a promise has run out. */
  | { readonly _tag: "look"; readonly machine: number }
  /** Test code's own. A world in which one waits cannot be forked. */
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

/** What may be another in a fork; what is left out is as in its origin, and oracles and listeners have to be its own. */
export interface ForkOptions extends Pick<WorldOptions, "oracles" | "onHappening" | "onStep"> {
  /** What is drawn from now on comes from this seed. Nodes keep theirs. */
  readonly seed?: number
}

/** Whoever looks on while the world runs. */
export interface Observer {
  /** True time at which it wants to look next even if nothing changes. */
  readonly dueMs: () => number
  readonly observe: (view: WorldView) => void
}

const BLIND: Observer = { dueMs: () => Number.POSITIVE_INFINITY, observe: () => {} }
const NEVER = (): boolean => false
const NO_HANDLE = -1

/** Events of one instant beyond these are a loop without time: a node that does not let time pass, or a bug of the simulator. */
const EVENTS_PER_MS_MAX = 50_000
/** And for each machine so many: of a thousand all may meet at once. */
const EVENTS_PER_MS_AND_MACHINE = 1_000

export class World {
  readonly seed: number
  readonly kernel: Kernel
  readonly makeHost: MakeHost
  readonly agenda: Agenda<WorldEvent>
  readonly keys: FakeKeys
  /** Keys of people, by their names. */
  readonly persons: ReadonlyMap<string, KeyPair>
  /** What its planners propose by themselves. */
  readonly rules: ReadonlyArray<Rule>
  /** What lies under it; `null`: nothing that could be measured. */
  readonly farm: Farm | null
  /** The key that made the mesh. */
  readonly operator: KeyPair
  readonly network: Network
  readonly machines: ReadonlyArray<Machine>
  readonly script: Script
  /** Devices that are more than one machine. */
  readonly doubles: ReadonlySet<string>
  /** Whoever comes from outside the mesh. */
  readonly visitor: Visitor
  readonly view: WorldView
  readonly violations: Array<Violation>
  /** Constants in place of those of the nodes' profile. */
  readonly timing: Scenario["timing"]
  /** What carries this token is shared with no other world: it may be changed in place. */
  owner: object = {}
  /** True time since the start, ms. */
  nowMs = 0
  /** Inputs that nodes took up. */
  events = 0

  private readonly hash: Hash.Hash
  private readonly options: WorldOptions
  private readonly ties: Ties | null
  private readonly choose: ((due: ReadonlyArray<WorldEvent>) => number) | null
  readonly oracles: ReadonlyArray<Oracle>
  /** Names by device id, and places of machines by name: who is here from the beginning is the same in every fork. */
  private names: ReadonlyMap<string, string>
  private readonly places: ReadonlyMap<string, number>
  /** Whom test code put into the place of a machine, or beside them all. */
  private readonly strangers = new Map<string, Port>()
  /** By the index of the machine; `NO_HANDLE`: none. */
  private readonly looks: Array<Handle>
  private readonly termHolders: Map<string, ReadonlySet<string>>
  private leadersPerTerm = 0
  private changed = true

  /** `from`: the world that this one is forked from. */
  constructor(options: WorldOptions, from?: World) {
    const { scenario, seed } = options
    this.options = options
    this.seed = seed
    this.timing = scenario.timing
    const kernel = options.kernel ?? realKernel
    this.oracles = options.oracles ?? []
    this.kernel =
      this.oracles.length === 0
        ? kernel
        : guarded(kernel, (node, message) => {
            this.violations.push({ oracle: "S10", atMs: this.nowMs, node, message })
          })
    this.rules = scenario.rules ?? []
    this.farm = scenario.farm === undefined ? null : new Farm(scenario.farm, from?.farm ?? undefined)
    this.makeHost = options.makeHost ?? fastHost
    this.violations = from?.violations.slice() ?? []
    this.hash = from === undefined ? Hash.make() : Hash.fork(from.hash)
    this.agenda = from?.agenda.fork() ?? new Agenda()
    this.keys = from?.keys ?? new FakeKeys()
    const carrier = {
      nowMs: () => this.nowMs,
      later: (atMs: number, event: NetworkEvent) => {
        this.agenda.push(atMs, event)
      }
    }
    if (from === undefined) {
      const people = populate(scenario, seed, this.keys)
      this.network = new Network(carrier, seed, scenario.network, people.reachable)
      this.persons = people.persons
      this.operator = people.operator
      this.machines = people.configs.map(
        ({ config, keys, spec }, index) => new Machine(this, index, spec, keys, config)
      )
      this.doubles = new Set(
        people.configs.flatMap(({ keys, spec }) => (spec.sameKeyAs === undefined ? [] : [keys.deviceId]))
      )
      for (const { nearby } of this.machines) nearby.enabled = scenario.network.discovery !== undefined
      this.visitor = new Visitor(this)
      // Of two with one key the first is whom people mean.
      const named = [
        ...this.machines.map(({ config, name }) => [config.deviceId, name] as const),
        [this.visitor.keys.deviceId, this.visitor.name] as const
      ]
      this.names = new Map(named.toReversed())
      this.places = new Map(this.machines.map(({ name }, index) => [name, index]))
      this.looks = this.machines.map(() => NO_HANDLE)
      this.termHolders = new Map()
    } else {
      this.machines = from.machines.map((machine) => machine.fork(this))
      this.persons = from.persons
      this.operator = from.operator
      this.names = from.names
      this.doubles = from.doubles
      this.visitor = from.visitor.fork(this)
      this.places = from.places
      this.looks = from.looks.slice()
      this.termHolders = new Map(from.termHolders)
      this.network = from.network.fork(
        carrier,
        (port) => this.here(port),
        ({ name }) => seatOf(this.machines[this.places.get(name)!]!)
      )
      this.nowMs = from.nowMs
      this.events = from.events
      this.leadersPerTerm = from.leadersPerTerm
      this.changed = from.changed
      if (seed !== from.seed) this.network.reseed(seed)
    }
    this.ties =
      options.ties === "drawn"
        ? new Ties(seed, this.network, (machine) => this.machines[machine]!.name, from?.ties ?? undefined)
        : null
    const { ties } = this
    this.choose = ties === null ? null : (due) => ties.choose(due)
    this.script = new Script(this, scenario, options.without, from?.script)
    this.view = viewOf(this)
  }

  // ---------------------------------------------------------------------------------------------- forks

  /** Why it cannot be forked now; `null`: it can, between two events. */
  whyNoFork(): string | null {
    const whole = this.machines.find((machine) => !machine.forkable)
    if (whole !== undefined)
      return `${whole.name} runs on a host that cannot be copied, such as a whole shell: fibers have no second half. Run it on fastHost`
    const [stranger] = this.strangers.keys()
    if (stranger !== undefined) return `${stranger} is played by test code, which is not part of the world`
    return this.agenda.some(({ _tag }) => _tag === "call") ? "a call of test code is still to come" : null
  }

  /**
   * An independent world in the same state. Throws, and changes nothing, where `whyNoFork` has an answer. Not to be called by
   * whoever is told of a step or a happening: the event is not over then.
   */
  fork(options: ForkOptions = {}): World {
    const why = this.whyNoFork()
    if (why !== null) throw new Error(`this world cannot be forked: ${why}`)
    const { onHappening: _, onStep: __, ...own } = this.options
    const oracles = options.oracles ?? this.oracles.map((oracle) => oracle.fork())
    const fork = new World({ ...own, seed: this.seed, ...options, oracles }, this)
    this.owner = {}
    return fork
  }

  /** Makes a port reachable under its name, and its device id readable in happenings. */
  admit(port: Port, deviceId: string): void {
    this.strangers.set(port.name, port)
    // Of two with one key the first is whom people mean.
    if (!this.names.has(deviceId)) this.names = new Map(this.names).set(deviceId, port.name)
  }

  byAddress(address: string): Port | undefined {
    const stranger = this.strangers.get(address)
    if (stranger !== undefined) return stranger
    const place = this.places.get(address)
    return place === undefined ? undefined : this.machines[place]
  }

  /** A port as it is in this world: what was made before a fork names it as it is in another. */
  here(port: Port): Port {
    if (port instanceof Machine) return this.machines[port.index]!
    return port instanceof Visitor ? this.visitor : port
  }

  nameOf(deviceId: string): string {
    return this.names.get(deviceId) ?? deviceId.slice(0, 8)
  }

  // ---------------------------------------------------------------------------------------------- running

  /**
   * Runs on until true time `untilMs`, included, or until an oracle fires: then it is over. `pause` is asked after each event; if
   * it says so the run is not over, and to be gone on with by another call.
   */
  run(untilMs: number, observer: Observer = BLIND, pause: () => boolean = NEVER): "over" | "paused" {
    let inThisMs = 0
    const most = EVENTS_PER_MS_MAX + EVENTS_PER_MS_AND_MACHINE * this.machines.length
    for (;;) {
      const next = this.agenda.peekMs()
      const target = Math.min(next, untilMs)
      for (let due = observer.dueMs(); due < target; due = observer.dueMs()) {
        this.nowMs = Math.max(this.nowMs, due)
        observer.observe(this.view)
      }
      if (next > untilMs) break
      inThisMs = next === this.nowMs ? inThisMs + 1 : 0
      if (inThisMs > most) return this.stuck(this.agenda.payload!, most)
      if (this.choose === null) this.agenda.next()
      else this.agenda.nextBy(this.choose)
      this.nowMs = this.agenda.atMs
      this.handle(this.agenda.payload!)
      if (this.changed) {
        this.changed = false
        observer.observe(this.view)
      }
      if (this.violations.length > 0) return "over"
      if (pause()) return "paused"
    }
    this.nowMs = Math.max(this.nowMs, untilMs)
    if (observer.dueMs() <= untilMs) observer.observe(this.view)
    return "over"
  }

  /** What a node asks for comes at once, over and over; without a node in it, the simulator is to blame. */
  private stuck(last: WorldEvent, events: number): "over" {
    const index = "machine" in last ? last.machine : null
    if (index === null) throw new Error(`the world does not get past ${this.nowMs} ms: a loop without time`)
    const message = `one event after another in one millisecond, ${events} by now: a loop without time`
    this.violations.push({ oracle: "S10", atMs: this.nowMs, node: this.machines[index]!.name, message })
    return "over"
  }

  private handle(event: WorldEvent): void {
    switch (event._tag) {
      case "alarm":
      case "input":
      case "synced":
      case "process":
      case "turn":
      case "ask":
      case "sense":
      case "hardware":
      case "power-cut":
        return this.machines[event.machine]!.onEvent(event)
      case "script":
        return this.script.onEvent(event)
      case "look":
        this.looks[event.machine] = NO_HANDLE
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

  // ---------------------------------------------------------------------------------------------- the farm

  private readonly isOpen = (valve: string): boolean => Hardware.isOpen(this.machines, valve)

  /** Something moves, or somebody looks: until now it was as it was. */
  farmPasses(): void {
    this.farm?.pass(this.nowMs, this.isOpen)
  }

  measured(place: string, metric: Metric): number | null {
    return this.farm?.measure(this.nowMs, this.isOpen, place, metric) ?? null
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
    if (input._tag === "Signed" || input._tag === "Sensed") this.script.emitted.stepped(before, input, after, commands)
    if (after !== before) {
      if (after.world.held !== before.world.held) this.changed = true
      if (after.leadership !== before.leadership) this.leadershipChanged(machine, before, after)
      if (!this.changed && after.membership.members !== before.membership.members) {
        const a = before.membership.members
        const b = after.membership.members
        for (let i = 0; i < b.length; i++) if (a[i] !== b[i] && a[i]?.state !== b[i]!.state) this.changed = true
      }
    }
    // What neither changes the node nor makes it do anything tells an oracle something only if it should have.
    if (this.oracles.length > 0 && (after !== before || commands.length > 0 || demands(before, input)))
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
      const term = `${manifest}.${counter}`
      const holders = new Set(this.termHolders.get(term)).add(machine.name)
      this.termHolders.set(term, holders)
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
    const { index } = machine
    const look = this.looks[index]!
    if (look !== NO_HANDLE) this.agenda.cancel(look)
    this.looks[index] = NO_HANDLE
    const { heardAt, standing } = after.leadership
    const endsAt =
      standing._tag === "Leading" ? standing.leaseUntil : named === null ? 0 : heardAt + config.profile.promiseMs
    if (endsAt <= mono) return
    this.looks[index] = this.agenda.push(machine.clock.trueMs(endsAt), { _tag: "look", machine: index })
  }

  noted(machine: Machine, event: MeshEvent): void {
    this.happened(noted(this.nowMs, machine.name, event, (deviceId) => this.nameOf(deviceId)))
  }

  happened(happening: Happening): void {
    this.changed = true
    this.options.onHappening?.(happening)
  }

  sent(machine: Machine, connection: Connection, side: Side, frame: Frame): void {
    this.script.sent(machine, connection, side, frame)
    if (!isKernel(machine)) return
    const receiver = this.here(connection.ports[side === 0 ? 1 : 0])
    for (let i = 0; i < this.oracles.length; i++) {
      const oracle = this.oracles[i]!
      const message = oracle.sent?.(machine, receiver, frame, this.nowMs) ?? null
      if (message !== null) this.violated(oracle, machine, message)
    }
  }

  /** The largest number of different nodes that ever held one term. */
  get mostLeadersOfATerm(): number {
    return this.leadersPerTerm
  }
}

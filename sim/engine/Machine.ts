/**
 * One simulated machine: power, a process that runs a kernel, clocks, a disk that keeps what was synced, a key.
 *
 * A crash is a power cut: no goodbye, and what the disk had not synced is kept, lost or torn as drawn. A frozen process keeps
 * its connections; what comes in waits and is taken up, late, when it thaws. A process that cannot store ends, and one whose
 * disk cannot be used, or has lost its journal, does not start, as on a real device. With discovery it looks round from its
 * start, and announces itself once its incarnation is stored. Everything that the kernel asks for is performed here.
 *
 * Does not model: a processor so slow that it cannot boot.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Config } from "../../kernel/Config.ts"
import { base64url, between } from "../../kernel/Draw.ts"
import type { Durable, Record } from "../../kernel/Durable.ts"
import type { Happened, Input } from "../../kernel/Input.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { StoreFailed } from "../../kernel/Ports.ts"
import type { MeshEvent } from "../../kernel/status/MeshEvent.ts"
import { NEVER_MS } from "../../kernel/Time.ts"
import { decode, encode } from "../../kernel/wire/Codec.ts"
import { SimVault, type DiskFate, type Through } from "../disk/SimVault.ts"
import type { Waiting } from "../disk/VaultPort.ts"
import type { FakeKeys, KeyPair } from "../keys/FakeKeys.ts"
import type { Cargo } from "../network/Cargo.ts"
import type { Connection, Ending, Port, Side } from "../network/Connection.ts"
import type { Due } from "../network/Segment.ts"
import type { NodeSpec } from "../scenario/Scenario.ts"
import type { Handle } from "./Agenda.ts"
import { gen1 } from "../gen1/Gen1.ts"
import { tomorrow } from "../gen1/Tomorrow.ts"
import type { Host, Kernel } from "./Host.ts"
import { Intake } from "./Intake.ts"
import { Nearby } from "./Nearby.ts"
import { NodeClock } from "./NodeClock.ts"
import type { WorldHappening } from "./View.ts"
import type { World } from "./World.ts"

/** A monotonic clock starts anywhere, so that no two nodes' instants can be compared by accident. */
const MONO_ORIGIN_MAX_MS = 1_000_000_000

type Persist = Extract<Command, { readonly _tag: "Persist" }>

/** Who waits for a record: a kernel's command, or a fiber of its shell. */
type Asker = Persist | Waiting

export type MachineEvent =
  | { readonly _tag: "alarm"; readonly machine: Machine; readonly process: number }
  | { readonly _tag: "input"; readonly machine: Machine; readonly process: number; readonly happened: Happened }
  /** The oldest record asked for is through. */
  | { readonly _tag: "synced"; readonly machine: Machine; readonly process: number }
  /** Something that a process of this machine waits for. */
  | { readonly _tag: "process"; readonly machine: Machine; readonly process: number; readonly run: Awaited }
  /** A slow processor has done a piece of work. */
  | { readonly _tag: "turn"; readonly machine: Machine; readonly process: number }
  /** A trap that was set for a write. */
  | { readonly _tag: "power-cut"; readonly machine: Machine; readonly process: number }

type Awaited = (() => void) | Due

/** What a process takes up, now or later. */
type Work =
  | { readonly _tag: "happened"; readonly happened: Happened }
  | { readonly _tag: "cargo"; readonly connection: Connection; readonly side: Side; readonly cargo: Cargo }
  | { readonly _tag: "closed"; readonly connection: Connection; readonly side: Side; readonly reason: Ending }
  | { readonly _tag: "through"; readonly through: Through<Asker> }
  | { readonly _tag: "awaited"; readonly run: Awaited }

/** A fiber of the shell that sleeps. */
interface Wake {
  readonly mono: number
  readonly run: () => void
  handle: Handle
}

/** It runs a kernel, of whatever generation, and not the program of a device of generation 1. */
export const isKernel = ({ spec }: Machine): boolean => spec.generation !== 1

/** What a machine runs where the world runs `kernel`. */
const programOf = ({ generation }: NodeSpec, kernel: Kernel): Kernel =>
  generation === 1 ? gen1() : generation === 2 ? tomorrow(kernel) : kernel

export class Machine implements Port {
  readonly index: number
  readonly spec: NodeSpec
  readonly name: string
  readonly keys: KeyPair
  readonly config: Config
  readonly world: World
  /** `sign`: the key refuses; `check`: every check comes back negative. */
  keysFail: "sign" | "check" | null = null

  powered = false
  listening = false
  /** Number of the running process; 0: none. Processes are counted from 1. */
  process = 0
  clock: NodeClock
  /** Instants that its processes read. */
  readings = 0
  readonly intake: Intake<Work>
  /** How often the power went in the middle of a write because of a trap. */
  trapsSprung = 0
  host: Host | null = null
  /** Its disk; broken and mended there. */
  readonly vault: SimVault<Asker>
  readonly nearby: Nearby

  private processes = 0
  private linksGiven = 0
  private readonly links = new Map<number, { readonly connection: Connection; readonly side: Side }>()
  private readonly dials = new Map<number, Connection>()
  private alarm: Handle | null = null
  private alarmAt = NEVER_MS
  /** In how many records from now the power goes; 0: in none. */
  private trap = 0
  private readonly wakes = new Set<Wake>()

  constructor(world: World, index: number, spec: NodeSpec, keys: KeyPair, config: Config) {
    this.world = world
    this.index = index
    this.spec = spec
    this.name = spec.name
    this.keys = keys
    this.config = config
    this.nearby = new Nearby(this)
    this.clock = NodeClock.make(spec.clockSkewMs, spec.clockRatePpm)
    this.intake = new Intake({
      nowMs: () => world.nowMs,
      turnIn: (ms) => void world.agenda.push(world.nowMs + ms, { _tag: "turn", machine: this, process: this.process }),
      work: (work) => {
        if (this.running) this.work(work)
      },
      takesMs: ({ max, min }, n) => between(world.seed, "turn", this.boot(), n, min, max)
    })
    this.vault = new SimVault(world.seed, spec.name, {
      nowMs: () => world.nowMs,
      later: (atMs) => void world.agenda.push(atMs, { _tag: "synced", machine: this, process: this.process })
    })
  }

  /** What is stored: acknowledged, or to be found by the next process. */
  get durable(): Durable {
    return this.vault.durable
  }

  get running(): boolean {
    return this.process !== 0
  }

  get frozen(): boolean {
    return this.intake.frozen
  }

  state(): NodeState | null {
    return this.host?.state() ?? null
  }

  /** The world's name for one boot of this machine, for its draws. */
  private boot(): string {
    return `${this.name}/${this.processes}`
  }

  holds(deviceId: string): boolean {
    return deviceId === this.keys.deviceId
  }

  /** Who is at the other end of one of our links; `null`: that link is gone. */
  farEnd(link: number): Port | null {
    const found = this.links.get(link)
    return found === undefined ? null : found.connection.ports[found.side === 0 ? 1 : 0]
  }

  /** What the other end calls one of our links; 0: nothing any more. */
  farLink(link: number): number {
    const found = this.links.get(link)
    return found === undefined ? 0 : found.connection.links[found.side === 0 ? 1 : 0]
  }

  // ---------------------------------------------------------------------------------------------- power

  start(): void {
    if (this.running) return
    const { seed } = this.world
    this.powered = true
    const found = this.vault.open()
    if (found._tag === "Unusable") return this.tell("world.refused", found.why)
    if (found.amnesia) {
      this.vault.close()
      return this.tell("world.refused", "its journal is gone: it has forgotten what it promised")
    }
    this.process = ++this.processes
    const origin = between(seed, "mono-origin", this.boot(), 0, 1, MONO_ORIGIN_MAX_MS)
    this.clock = this.clock.booted(origin - this.world.nowMs)
    if (this.spec.bootsIn1970) this.clock = this.clock.jumped(-this.clock.instant(this.world.nowMs).wall)
    const process = this.process
    this.host = this.world.makeHost(
      programOf(this.spec, this.world.kernel),
      this.config,
      {
        instant: () => {
          this.readings++
          return this.clock.instant(this.world.nowMs)
        },
        perform: (command) => {
          if (this.process === process) this.perform(command)
        },
        stepped: (before, input, after, commands) => {
          this.nearby.stepped(before, after)
          this.world.stepped(this, before, input, after, commands)
        },
        failed: (error) => {
          if (this.process === process) this.fail(error)
        }
      },
      this
    )
    this.nearby.start()
    const bootId = base64url(seed, "boot-id", this.boot(), 0, 12)
    this.deliver({ _tag: "Started", bootId, durable: found.durable })
  }

  /**
   * `silent`: a power cut. Otherwise the process is killed on a machine that lives: its peers get resets. Tells whether the disk
   * suffered what was asked for.
   */
  crash(silent: boolean, disk: DiskFate = "keep"): boolean {
    const struck = this.vault.crash(silent, disk)
    if (this.running) this.stop(silent)
    return struck
  }

  /** The power goes in the middle of the `nth` record from now on; 0: not. */
  setTrap(nth: number): void {
    this.trap = nth
  }

  store(record: Record, asker: Asker): void {
    this.vault.store(record, asker)
    if (this.trap === 0 || --this.trap > 0) return
    this.world.agenda.push(this.world.nowMs, { _tag: "power-cut", machine: this, process: this.process })
  }

  private sprung(): void {
    this.trapsSprung++
    this.world.script.ends.add(this.index)
    this.tell("world.crash", "in the middle of a write")
    this.crash(true)
  }

  /** The process is gone. */
  private stop(silent: boolean): void {
    this.host?.kill()
    this.host = null
    this.process = 0
    this.powered = !silent
    this.listening = false
    this.intake.clear()
    this.nearby.stop()
    this.world.network.drop(this, silent)
    this.links.clear()
    this.dials.clear()
    if (this.alarm !== null) this.world.agenda.cancel(this.alarm)
    this.alarm = null
    this.wakes.clear()
    this.world.visible()
  }

  /** What must not be forgotten could not be stored: the process ends, as a real one does. */
  private fail(error: StoreFailed): void {
    this.tell("world.failed", error.message)
    this.nearby.sayGoodbye()
    this.crash(false)
  }

  private tell(event: WorldHappening, reason: string): void {
    this.world.happened({ atMs: this.world.nowMs, node: null, event, about: this.name, detail: { reason } })
  }

  leave(): void {
    if (this.running) this.deliver({ _tag: "Leave", reason: "asked to" })
  }

  freeze(): void {
    if (this.running) this.intake.freeze()
  }

  thaw(): void {
    this.intake.thaw()
  }

  /** The machine's clocks are these from now on: what it waits for comes when they show it. */
  reclock(clock: NodeClock): void {
    this.clock = clock
    if (this.alarm !== null) this.setAlarm(this.alarmAt)
    for (const wake of this.wakes) {
      this.world.agenda.cancel(wake.handle)
      wake.handle = this.pushWake(wake)
    }
    this.world.reclocked(this)
  }

  // ---------------------------------------------------------------------------------------------- inputs

  deliver(happened: Happened): void {
    if (this.host === null) return
    if (this.intake.open) this.host.deliver(happened)
    else this.intake.queue({ _tag: "happened", happened })
  }

  /** What is taken up is done whether more is waiting or not. */
  private work(work: Work): void {
    switch (work._tag) {
      case "happened":
        return this.host?.deliver(work.happened)
      case "cargo":
        return this.onRead(work.connection, work.side, work.cargo)
      case "closed":
        return this.onEnd(work.connection, work.side, work.reason)
      case "through":
        return this.onThrough(work.through)
      case "awaited":
        if (typeof work.run === "function") work.run()
        else this.nearby.on(work.run)
    }
  }

  onEvent(event: MachineEvent): void {
    if (event.process !== this.process) return
    switch (event._tag) {
      case "alarm":
        this.alarm = null
        return this.deliver({ _tag: "Woke" })
      case "input":
        return this.deliver(event.happened)
      case "synced":
        return this.synced()
      case "process":
        return this.take({ _tag: "awaited", run: event.run })
      case "turn":
        return this.intake.turn()
      case "power-cut":
        return this.sprung()
    }
  }

  private take(work: Work): void {
    if (this.intake.open) this.work(work)
    else this.intake.queue(work)
  }

  /** The disk finished even if the process cannot look: a frozen one learns of it when it thaws. */
  private synced(): void {
    const through = this.vault.through()
    if (through !== null) this.take({ _tag: "through", through })
  }

  private onThrough({ asker, error }: Through<Asker>): void {
    if (typeof asker === "function") return asker(error)
    if (error !== null) return this.fail(error)
    for (const next of asker.then) this.perform(next)
    this.host?.deliver({ _tag: "Stored", ticket: asker.ticket })
  }

  onOpen(connection: Connection, side: Side, attempt: number | null): void {
    const link = ++this.linksGiven
    connection.links[side] = link
    this.links.set(link, { connection, side })
    if (attempt !== null) this.dials.delete(attempt)
    const nonce = base64url(this.world.seed, "nonce", this.boot(), link, 24)
    this.deliver({ _tag: "LinkUp", link, attempt, nonce, exporter: null })
  }

  onDialFailed(process: number, attempt: number, reason: "refused" | "unreachable" | "timeout"): void {
    if (process !== this.process) return
    this.dials.delete(attempt)
    this.deliver({ _tag: "DialFailed", attempt, reason })
  }

  onCargo(connection: Connection, side: Side, cargo: Cargo): void {
    if (this.intake.open) this.onRead(connection, side, cargo)
    else this.intake.queue({ _tag: "cargo", connection, side, cargo })
  }

  private onRead(connection: Connection, side: Side, cargo: Cargo): void {
    const link = connection.links[side]
    if (!this.links.has(link)) return
    switch (cargo._tag) {
      case "frame":
        return this.host?.deliver({ _tag: "Received", link, frame: cargo.frame })
      case "raw":
        return this.onText(link, cargo.text)
      case "ping":
        return this.world.network.send(connection, side, { _tag: "pong", probe: cargo.probe })
      case "pong":
        return this.host?.deliver({ _tag: "Ponged", link, probe: cargo.probe })
      case "fin":
    }
  }

  /** Text from the wire passes the real codec. */
  private onText(link: number, text: string): void {
    const decoded = decode(text)
    if (decoded._tag === "Frame") return this.host?.deliver({ _tag: "Received", link, frame: decoded.frame })
    if (decoded._tag === "Ignored") return this.host?.deliver({ _tag: "Ignored", link, event: decoded.event })
    if (decoded._tag === "Refused")
      this.host?.deliver({ _tag: "Malformed", link, code: decoded.code, id: decoded.id, method: decoded.method })
  }

  /** What came before it is read before it, however late that is. */
  onClosed(connection: Connection, side: Side, reason: Ending): void {
    this.take({ _tag: "closed", connection, side, reason })
  }

  private onEnd(connection: Connection, side: Side, reason: Ending): void {
    const link = connection.links[side]
    if (this.links.delete(link)) this.host?.deliver({ _tag: "LinkDown", link, reason })
  }

  /** A frame of the past, handed to the process as if its connection still brought it. */
  replay(link: number, input: Extract<Input, { readonly _tag: "Received" }>["frame"]): void {
    this.deliver({ _tag: "Received", link, frame: input })
  }

  // ---------------------------------------------------------------------------------------------- commands

  perform(command: Command): void {
    const { network } = this.world
    switch (command._tag) {
      case "Send": {
        const link = this.links.get(command.link)
        if (link === undefined) return
        this.world.sent(this, link.connection, link.side, command.frame)
        // What no kernel says passes the codec, as it would on a wire.
        const cargo: Cargo = isKernel(this)
          ? { _tag: "frame", frame: command.frame }
          : { _tag: "raw", text: encode(command.frame) }
        return network.send(link.connection, link.side, cargo)
      }
      case "Ping": {
        const link = this.links.get(command.link)
        if (link !== undefined) network.send(link.connection, link.side, { _tag: "ping", probe: command.probe })
        return
      }
      case "SetAlarm":
        return this.setAlarm(command.at)
      case "Hangup": {
        const link = this.links.get(command.link)
        if (link === undefined) return
        this.links.delete(command.link)
        return network.close(link.connection, link.side, command.abrupt)
      }
      case "Dial": {
        const target = this.world.byAddress(command.address) ?? this.nearby.at(command.address)
        if (target === undefined)
          return this.later({ _tag: "DialFailed", attempt: command.attempt, reason: "unreachable" })
        this.dials.set(command.attempt, network.dial(this, target, command.attempt))
        return
      }
      case "CancelDial": {
        const dial = this.dials.get(command.attempt)
        if (dial !== undefined) network.cancel(dial)
        this.dials.delete(command.attempt)
        return
      }
      case "Persist":
        return this.store(command.record, command)
      case "Check":
        return this.later({ _tag: "Checked", ticket: command.ticket, ...this.check(command.publicKey, command.proofs) })
      case "Sign":
        return this.later({ _tag: "Signed", ticket: command.ticket, signatures: this.sign(command.payloads) })
      case "Note":
        return this.note(command.event)
      case "Listen":
        this.listening = true
        return
      case "Halt":
        return this.halt()
    }
  }

  /** Ring at this `mono`; NEVER: not at all. */
  setAlarm(mono: number): void {
    const { agenda } = this.world
    if (this.alarm !== null) agenda.cancel(this.alarm)
    this.alarm = null
    this.alarmAt = mono
    if (mono === NEVER_MS) return
    const at = Math.max(this.world.nowMs, this.clock.trueMs(mono))
    this.alarm = agenda.push(at, { _tag: "alarm", machine: this, process: this.process })
  }

  /** Calls back at this `mono` or now, if the process still runs; what comes back takes it back. */
  wakeAt(mono: number, run: () => void): () => void {
    const wake: Wake = {
      mono,
      run: () => {
        this.wakes.delete(wake)
        run()
      },
      handle: 0
    }
    wake.handle = this.pushWake(wake)
    this.wakes.add(wake)
    return () => {
      this.wakes.delete(wake)
      this.world.agenda.cancel(wake.handle)
    }
  }

  private pushWake({ mono, run }: Wake): Handle {
    const at = Math.max(this.world.nowMs, this.clock.trueMs(mono))
    return this.world.agenda.push(at, { _tag: "process", machine: this, process: this.process, run })
  }

  /** An answer that comes at once, but after what is being done now. */
  later(happened: Happened): void {
    this.world.agenda.push(this.world.nowMs, { _tag: "input", machine: this, process: this.process, happened })
  }

  note(event: MeshEvent): void {
    this.world.noted(this, event)
  }

  check(publicKey: string, proofs: Parameters<FakeKeys["check"]>[1]): ReturnType<FakeKeys["check"]> {
    return this.keysFail === "check" ? { deviceId: null, valid: [] } : this.world.keys.check(publicKey, proofs)
  }

  sign(payloads: ReadonlyArray<string>): ReadonlyArray<string> | null {
    return this.keysFail === "sign" ? null : this.world.keys.sign(this.keys, payloads)
  }

  private halt(): void {
    for (const { connection, side } of this.links.values()) this.world.network.close(connection, side, false)
    this.links.clear()
    this.vault.close()
    this.nearby.sayGoodbye()
    this.stop(false)
  }
}

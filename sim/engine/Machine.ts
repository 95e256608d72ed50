/**
 * One simulated machine: power, a process that runs a kernel, clocks, a disk that keeps what was synced, a key.
 *
 * A crash is a power cut: no goodbye, and what the disk had not synced is kept, lost or torn as drawn. A frozen process keeps
 * its connections; what comes in waits and is taken up, late, when it thaws. A process that cannot store ends, and one whose
 * disk cannot be used does not start, as on a real device. With discovery it looks round from its start, and announces itself
 * once its incarnation is stored. What the kernel asks for is done in Performing.ts.
 *
 * What changes of it is its `Life`; this is who it is in one world. In a fork of the world it is another one with the same life,
 * until either of them changes: whatever changes a life asks for `mine()` first, and who only looks asks what is in Present.ts.
 *
 * Does not model: a processor so slow that it cannot boot.
 */
import * as Hardware from "./Hardware.ts"
import * as Models from "./Models.ts"
import type { Prompt } from "../../kernel/wire/Inference.ts"
import type { ForwardParams } from "../../kernel/wire/Frame.ts"
import type { Command } from "../../kernel/Command.ts"
import type { Config } from "../../kernel/Config.ts"
import { base64url, between, u32 } from "../../kernel/Draw.ts"
import type { Record } from "../../kernel/Durable.ts"
import type { Happened, Input } from "../../kernel/Input.ts"
import type { Link } from "../../kernel/links/Link.ts"
import type { StoreFailed } from "../../kernel/Ports.ts"
import type { Outcome } from "../../kernel/routing/Outcome.ts"
import { NEVER_MS } from "../../kernel/Time.ts"
import { decode, encode } from "../../kernel/wire/Codec.ts"
import type { WorldSnapshot } from "../../kernel/world/Snapshot.ts"
import { SimVault, type Carrier, type DiskFate, type Through } from "../disk/SimVault.ts"
import type { FakeKeys, KeyPair } from "../keys/FakeKeys.ts"
import type { Cargo } from "../network/Cargo.ts"
import type { Connection, Ending, Port, Side } from "../network/Connection.ts"
import type { NodeSpec } from "../scenario/Scenario.ts"
import type { Handle } from "./Agenda.ts"
import { gen1 } from "../gen1/Gen1.ts"
import { tomorrow } from "../gen1/Tomorrow.ts"
import type { Host, HostContext, Kernel } from "./Host.ts"
import { Intake, type Desk } from "./Intake.ts"
import { Life, type Asker, type Awaited, type Sensing, type Wake, type Work } from "./Life.ts"
import { loginUnderWay } from "./Login.ts"
import { Nearby } from "./Nearby.ts"
import { NodeClock } from "./NodeClock.ts"
import { perform } from "./Performing.ts"
import { isKernel, Present } from "./Present.ts"
import type { Decided, Wanted } from "./Programs.ts"
import * as Programs from "./Programs.ts"
import type { WorldHappening } from "./View.ts"
import type { World } from "./World.ts"

/** A channel for whose messages there is no handler anywhere. */
const UNHANDLED = "nobody"

/**
 * Kernels hand each other frames as values; over one link of so many they pass the codec all the same, as on a wire. Where it
 * is right nothing tells the two apart.
 */
const AS_TEXT_ONE_IN = 64

/** A monotonic clock starts anywhere, so that no two nodes' instants can be compared by accident. */
const MONO_ORIGIN_MAX_MS = 1_000_000_000

/** The daemon's own (adapters/node/Attention.ts); a stall just after a beat is found so much shorter. */
const ATTENTION_BEAT_MS = 100

/** Machines by their index: an event is the same in a fork of its world. */
export type MachineEvent =
  | { readonly _tag: "alarm"; readonly machine: number; readonly process: number }
  | { readonly _tag: "input"; readonly machine: number; readonly process: number; readonly happened: Happened }
  /** The oldest record asked for is through. */
  | { readonly _tag: "synced"; readonly machine: number; readonly process: number }
  /** Something that a process of this machine waits for. */
  | { readonly _tag: "process"; readonly machine: number; readonly process: number; readonly run: Awaited }
  /** A slow processor has done a piece of work. */
  | { readonly _tag: "turn"; readonly machine: number; readonly process: number }
  /** A program of its asks somebody. */
  | { readonly _tag: "ask"; readonly machine: number; readonly process: number; readonly asking: number }
  /** An actuator of its has been in a state for as long as it may. */
  | {
      readonly _tag: "hardware"
      readonly machine: number
      readonly process: number
      readonly actuator: string
      readonly nth: number
    }
  /** A model of its says the next piece, or is done. */
  | { readonly _tag: "model"; readonly machine: number; readonly process: number; readonly number: number }
  /** A program of its has something to say. */
  | { readonly _tag: "sense"; readonly machine: number; readonly process: number; readonly sensing: number }
  /** A trap that was set for a write. */
  | { readonly _tag: "power-cut"; readonly machine: number; readonly process: number }

/** What a machine runs where the world runs `kernel`. */
export const programOf = (generation: NodeSpec["generation"], kernel: Kernel): Kernel =>
  generation === 1 ? gen1() : generation === 2 ? tomorrow(kernel) : kernel

export class Machine extends Present implements Port {
  protected life: Life

  /** `life`: of the same machine in the world that this one is forked from. */
  constructor(world: World, index: number, spec: NodeSpec, keys: KeyPair, config: Config, life?: Life) {
    super(world, index, spec, keys, config)
    this.life =
      life ??
      new Life(world.owner, NodeClock.make(spec.clockSkewMs, spec.clockRatePpm), {
        intake: new Intake(this.desk()),
        vault: new SimVault(world.seed, spec.name, this.drive()),
        nearby: new Nearby(this),
        host: null
      })
  }

  // ---------------------------------------------------------------------------------------------- forks

  /** The same machine in a fork of its world. */
  fork(world: World): Machine {
    return new Machine(world, this.index, this.spec, this.keys, this.config, this.life)
  }

  /** Whether its process, if it runs, can be copied. */
  get forkable(): boolean {
    return this.life.host === null || this.life.host.fork !== undefined
  }

  /** Its life, to be changed. */
  private mine(): Life {
    const { life } = this
    if (life.owner === this.world.owner) return life
    const host =
      life.host?.fork?.(programOf(this.spec.generation, this.world.kernel), this.contextOf(life.process)) ?? null
    this.life = new Life(
      this.world.owner,
      life.clock,
      {
        intake: life.intake.fork(this.desk()),
        vault: life.vault.fork(this.world.seed, this.drive()),
        nearby: life.nearby.fork(this),
        host
      },
      life
    )
    return this.life
  }

  private desk(): Desk<Work> {
    const { index, world } = this
    return {
      nowMs: () => world.nowMs,
      turnIn: (ms) => void world.agenda.push(world.nowMs + ms, { _tag: "turn", machine: index, process: this.process }),
      work: (work) => {
        if (this.running) this.work(work)
      },
      takesMs: ({ max, min }, n) => between(world.seed, "turn", this.boot(), n, min, max)
    }
  }

  private drive(): Carrier {
    const { index, world } = this
    return {
      nowMs: () => world.nowMs,
      later: (atMs) => void world.agenda.push(atMs, { _tag: "synced", machine: index, process: this.process })
    }
  }

  private contextOf(process: number): HostContext {
    return {
      instant: () => {
        this.life.readings++
        return this.life.clock.instant(this.world.nowMs)
      },
      perform: (command) => {
        if (this.life.process === process) this.perform(command)
      },
      stepped: (before, input, after, commands) => {
        this.life.nearby.stepped(before, after)
        this.world.stepped(this, before, input, after, commands)
        if (this.life.loginTrap !== 0) this.inLogin(loginUnderWay(before, after))
      },
      failed: (error) => {
        if (this.life.process === process) this.fail(error)
      }
    }
  }

  // ---------------------------------------------------------------------------------------------- what may be changed

  get keysFail(): Life["keysFail"] {
    return this.life.keysFail
  }
  set keysFail(how: Life["keysFail"]) {
    this.mine().keysFail = how
  }

  get host(): Host | null {
    return this.life.host
  }
  set host(host: Host | null) {
    this.mine().host = host
  }

  /** Its queue, which may be changed; whoever only looks asks `open` and `slowed`. */
  get intake(): Intake<Work> {
    return this.mine().intake
  }

  /** Its disk, to be broken and mended; whoever only looks asks `durable`, `wipes` and `harmed`. */
  get vault(): SimVault<Asker> {
    return this.mine().vault
  }

  get nearby(): Nearby {
    return this.mine().nearby
  }

  // ---------------------------------------------------------------------------------------------- power

  start(): void {
    if (this.running) return
    const { seed } = this.world
    const life = this.mine()
    life.powered = true
    const found = life.vault.open()
    if (found._tag === "Unusable") return this.tell("world.refused", found.why)
    life.process = ++life.processes
    const origin = between(seed, "mono-origin", this.boot(), 0, 1, MONO_ORIGIN_MAX_MS)
    life.clock = life.clock.booted(this.world.nowMs, origin)
    if (this.spec.bootsIn1970) life.clock = life.clock.jumped(-life.clock.instant(this.world.nowMs).wall)
    life.host = this.world.makeHost(
      programOf(this.spec.generation, this.world.kernel),
      this.config,
      this.contextOf(life.process),
      this
    )
    life.nearby.start()
    const bootId = base64url(seed, "boot-id", this.boot(), 0, 12)
    const { amnesia, durable } = found
    const world = this.keptWorld
    this.deliver({
      _tag: "Started",
      bootId,
      durable,
      ...(amnesia ? { amnesia } : {}),
      ...(world === null ? {} : { world })
    })
    this.world.script.operators.started(this)
    if (!this.plans) this.deliver({ _tag: "Engine", runs: false })
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
    this.mine().trap = nth
  }

  store(record: Record, asker: Asker): void {
    const life = this.mine()
    life.vault.store(record, asker)
    if (life.trap === 0 || --life.trap > 0) return
    this.world.agenda.push(this.world.nowMs, { _tag: "power-cut", machine: this.index, process: life.process })
  }

  keepWorld(snapshot: WorldSnapshot): void {
    this.vault.keepWorld(snapshot)
  }

  private sprung(): void {
    this.mine().trapsSprung++
    this.world.script.ends.add(this.index)
    this.tell("world.crash", "in the middle of a write")
    // Half of the time within its bytes; else also before it, behind it, or between two of its steps.
    const within = u32(this.world.seed, "trap", this.name, this.life.trapsSprung) % 2 === 0
    this.crash(true, within ? "torn" : "keep")
  }

  /** The process is gone. */
  private stop(silent: boolean): void {
    const life = this.mine()
    life.host?.kill()
    life.host = null
    life.process = 0
    life.powered = !silent
    life.listening = false
    life.intake.clear()
    life.nearby.stop()
    this.world.network.drop(this, silent)
    life.links.clear()
    life.dials.clear()
    if (life.alarm !== null) this.world.agenda.cancel(life.alarm)
    life.alarm = null
    life.wakes.clear()
    Models.end(life)
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
    if (!this.running) return
    const life = this.mine()
    if (!this.frozen) life.frozenMono = life.clock.mono(this.world.nowMs)
    this.intake.freeze()
  }

  /** It stands still after so many steps of logins from now, in the middle of one; 0: it does not. */
  setLoginTrap(nth: number): void {
    this.mine().loginTrap = nth
  }

  /** What the step asked for is still done. */
  private inLogin(login: Link | null): void {
    if (login === null || --this.mine().loginTrap > 0) return
    this.mine().loginsFrozen++
    const side = "peer" in login ? "dialler" : "acceptor"
    this.tell("world.freeze", `in a login with ${this.farEnd(login.link)?.name ?? "somebody"}, as ${side}`)
    this.freeze()
    this.world.visible()
  }

  /** The first thing that a process finds is that it was not there: as the daemon does, by a beat of its own that rings late. */
  thaw(): void {
    const { clock, frozenMono, intake } = this.mine()
    const lateMs = clock.mono(this.world.nowMs) - frozenMono - ATTENTION_BEAT_MS
    if (intake.heldOnce && lateMs > this.config.profile.stallMs)
      intake.first({ _tag: "happened", happened: { _tag: "Stalled", ms: lateMs } })
    intake.thaw()
  }

  /** The machine's clocks are these from now on: what it waits for comes when they show it. */
  reclock(clock: NodeClock): void {
    const life = this.mine()
    life.clock = clock
    if (life.alarm !== null) this.setAlarm(life.alarmAt)
    for (const wake of life.wakes) {
      this.world.agenda.cancel(wake.handle)
      wake.handle = this.pushWake(wake)
    }
    this.world.reclocked(this)
  }

  // ---------------------------------------------------------------------------------------------- inputs

  deliver(happened: Happened): void {
    const { host, intake } = this.mine()
    if (host === null) return
    if (intake.open) host.deliver(happened)
    else intake.queue({ _tag: "happened", happened })
  }

  /** What is taken up is done whether more is waiting or not. */
  private work(work: Work): void {
    const { host, nearby } = this.mine()
    switch (work._tag) {
      case "happened":
        return host?.deliver(work.happened)
      case "cargo":
        return this.onRead(work.link, work.cargo)
      case "closed":
        return this.onEnd(work.link, work.reason)
      case "through":
        return this.onThrough(work.through)
      case "awaited":
        if (typeof work.run === "function") work.run()
        else nearby.on(work.run)
    }
  }

  onEvent(event: MachineEvent): void {
    if (event.process !== this.life.process && event._tag !== "sense" && event._tag !== "hardware") return
    switch (event._tag) {
      case "alarm":
        this.mine().alarm = null
        return this.deliver({ _tag: "Woke" })
      case "input":
        return this.deliver(event.happened)
      case "synced":
        return this.synced()
      case "process":
        return this.take({ _tag: "awaited", run: event.run })
      case "turn":
        return this.intake.turn()
      case "ask":
        return Programs.askOnce(this, this.mine(), event.asking)
      case "hardware":
        return Hardware.ends(this, this.mine(), event.actuator, event.nth)
      case "model":
        return Models.goOn(this, this.mine(), event.number)
      case "sense":
        return Programs.senseOnce(this, this.mine(), event.sensing)
      case "power-cut":
        return this.sprung()
    }
  }

  private take(work: Work): void {
    const { intake } = this.mine()
    if (intake.open) this.work(work)
    else intake.queue(work)
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
    this.life.host?.deliver({ _tag: "Stored", ticket: asker.ticket })
  }

  onOpen(connection: Connection, side: Side, attempt: number | null): void {
    const life = this.mine()
    const link = ++life.linksGiven
    connection.links[side] = link
    life.links.set(link, { connection, side })
    this.world.script.opened(connection, side, link)
    if (attempt !== null) life.dials.delete(attempt)
    const far = this.world.here(connection.ports[side === 0 ? 1 : 0])
    const path = far.path?.(connection) ?? null
    const challenge = side === 0 ? (far.challenge?.(connection) ?? null) : null
    this.deliver({
      _tag: "LinkUp",
      link,
      attempt,
      nonce: this.nonce(link),
      exporter: null,
      ...(path === null ? {} : { path }),
      ...(challenge === null ? {} : { challenge })
    })
  }

  private nonce(link: number): string {
    return base64url(this.world.seed, "nonce", this.boot(), link, 24)
  }

  challenge(connection: Connection): string | null {
    const link = connection.links[1]
    // Older versions wait to be asked: one link in four is as with one of them.
    const states = isKernel(this) && u32(this.world.seed, "states-nonce", this.boot(), link) % 4 !== 0
    return states ? this.nonce(link) : null
  }

  onDialFailed(process: number, attempt: number, reason: "refused" | "unreachable" | "timeout"): void {
    if (process !== this.life.process) return
    this.mine().dials.delete(attempt)
    this.deliver({ _tag: "DialFailed", attempt, reason })
  }

  onCargo(connection: Connection, side: Side, cargo: Cargo): void {
    const { intake } = this.mine()
    const link = connection.links[side]
    if (intake.open) this.onRead(link, cargo)
    else intake.queue({ _tag: "cargo", link, cargo })
  }

  private onRead(link: number, cargo: Cargo): void {
    const { host, links } = this.life
    const line = links.get(link)
    if (line === undefined) return
    switch (cargo._tag) {
      case "frame":
        this.world.script.delays.taken(line.connection, line.side, cargo.frame, this.world.nowMs)
        if ((link + this.index) % AS_TEXT_ONE_IN === 0) return this.onText(link, encode(cargo.frame))
        return host?.deliver({ _tag: "Received", link, frame: cargo.frame })
      case "raw":
        return this.onText(link, cargo.text)
      case "ping":
        return this.world.network.send(line.connection, line.side, { _tag: "pong", probe: cargo.probe })
      case "pong":
        return host?.deliver({ _tag: "Ponged", link, probe: cargo.probe })
      case "fin":
    }
  }

  /** Text from the wire passes the real codec. */
  private onText(link: number, text: string): void {
    const { host } = this.life
    const decoded = decode(text)
    if (decoded._tag === "Frame") return host?.deliver({ _tag: "Received", link, frame: decoded.frame })
    if (decoded._tag === "Ignored") return host?.deliver({ _tag: "Ignored", link, event: decoded.event })
    if (decoded._tag === "Refused")
      host?.deliver({ _tag: "Malformed", link, code: decoded.code, id: decoded.id, method: decoded.method })
  }

  onBacklog(connection: Connection, side: Side, bytes: number): void {
    this.deliver({ _tag: "Backlog", link: connection.links[side], bytes })
  }

  /** What came before it is read before it, however late that is. */
  onClosed(connection: Connection, side: Side, reason: Ending): void {
    this.take({ _tag: "closed", link: connection.links[side], reason })
  }

  private onEnd(link: number, reason: Ending): void {
    const { host, links } = this.mine()
    if (links.delete(link)) host?.deliver({ _tag: "LinkDown", link, reason })
  }

  /** The number of the program. */
  ask(deviceId: string, eachMs: number): number {
    return Programs.ask(this, this.mine(), deviceId, eachMs)
  }

  stopAsking(asking: number): void {
    const { asks } = this.mine()
    asks.set(asking, { ...asks.get(asking)!, stopped: true })
  }

  /** The number of the program. */
  sense(sensing: Omit<Sensing, "said" | "stopped">): number {
    return Programs.sense(this, this.mine(), sensing)
  }

  /** One of its programs, or all. */
  stopSensing(number?: number): void {
    const { senses } = this.mine()
    for (const [each, program] of senses)
      if (number === undefined || number === each) senses.set(each, { ...program, stopped: true })
  }

  /** A program of its has a message for somebody. */
  say(to: string, channel: string, key: string, message: { readonly [key: string]: string } = { text: key }): void {
    const originGatewayId = this.config.deviceId
    this.askNode({ channel, to, originGatewayId, idempotencyKey: key, message })
  }

  /** Whoever handles messages on this machine takes all but those of a channel that nobody handles. */
  handle(channel: string): { readonly ok: boolean; readonly reason?: string } {
    const handled = channel !== UNHANDLED
    this.tell("world.message", handled ? `a message on ${channel}` : "a message that nobody handles")
    return handled ? { ok: true } : { ok: false, reason: "nobody handles this channel" }
  }

  /** A program of its wants something moved. */
  command(wanted: Wanted): void {
    Programs.command(this, this.mine(), wanted)
  }

  /** A planner of its would have something moved, for the last frames of these names that its node has. */
  propose(wanted: Omit<Extract<Happened, { readonly _tag: "Propose" }>, "_tag" | "call">): void {
    const named = wanted.because.flatMap((name) => Programs.lately(this, name))
    const because = wanted.because.length > 0 ? named : Programs.newest(this)
    const call = ++this.mine().calls
    this.deliver({ _tag: "Propose", call, ...wanted, because })
  }

  /** A person at it decides. */
  decide(wanted: Omit<Extract<Happened, { readonly _tag: "Decide" }>, "_tag" | "call">): void {
    const call = ++this.mine().calls
    this.deliver({ _tag: "Decide", call, ...wanted })
  }

  /** A person at it says yes, and signs that. */
  approve(wanted: Decided): void {
    if (this.running) Programs.approve(this, this.mine(), wanted)
  }

  /** A program of its asks its node. */
  askNode(params: ForwardParams): number {
    const call = ++this.mine().calls
    this.deliver({ _tag: "Asked", call, params })
    return call
  }

  /** A program of its asks a model of another. */
  infer(request: string, to: string | null, model: string): void {
    Models.ask(this, this.mine(), request, to, model)
  }

  /** And does without. */
  callOff(request: string): void {
    Models.callOff(this, this.mine(), request)
  }

  /** The shell asks a model of this machine; the number stops it. */
  askModel(prompt: Prompt, hears: (said: Models.Said) => void): number {
    return Models.begin(this, this.mine(), prompt, 0, hears)
  }

  stopModel(number: number): void {
    Models.stop(this, this.mine(), number)
  }

  /** A person at this machine holds what it moves, or lets go. */
  hold(on: boolean): void {
    if (this.running) this.deliver({ _tag: "Hold", group: null, on })
  }

  /** What it moves is stuck, or free again. */
  jam(on: boolean): void {
    this.mine().jams += on ? 1 : -1
  }

  /** What it moves does not move, and says that it did; or is coupled again. */
  uncouple(on: boolean): void {
    this.mine().uncoupled += on ? 1 : -1
  }

  /** Its planner works no more, or again. */
  stopEngine(off: boolean): void {
    const life = this.mine()
    const worked = life.enginesOff === 0
    life.enginesOff += off ? 1 : -1
    if (this.running && worked !== (life.enginesOff === 0)) this.deliver({ _tag: "Engine", runs: !off })
  }

  /** Its planner works, as far as a step says. */
  get plans(): boolean {
    return this.life.enginesOff === 0
  }

  get vainDrives(): number {
    return this.life.vainDrives
  }

  get failedDrives(): number {
    return this.life.failedDrives
  }

  hardware(actuator: string): Hardware.Moved | undefined {
    return this.life.hardware.get(actuator)
  }

  tellMoved(what: string): void {
    this.tell("world.moved", what)
  }

  /** What came of a message of its own. */
  answered(call: number, outcome: Outcome): void {
    if (Programs.answered(this, this.mine(), call, outcome)) return
    const inferred = Models.answered(this, this.mine(), call, outcome)
    if (inferred !== null) return this.tell("world.answer", inferred)
    this.tell("world.answer", outcome.ok ? `taken by ${this.world.nameOf(outcome.by)}` : outcome.code)
  }

  /** A frame of the past, handed to the process as if its connection still brought it. */
  replay(link: number, input: Extract<Input, { readonly _tag: "Received" }>["frame"]): void {
    this.deliver({ _tag: "Received", link, frame: input })
  }

  // ---------------------------------------------------------------------------------------------- commands

  perform(command: Command): void {
    perform(this, this.mine(), command)
  }

  /** Ring at this `mono`; NEVER: not at all. */
  setAlarm(mono: number): void {
    const life = this.mine()
    const { agenda } = this.world
    if (life.alarm !== null) agenda.cancel(life.alarm)
    life.alarm = null
    life.alarmAt = mono
    if (mono === NEVER_MS) return
    const at = Math.max(this.world.nowMs, life.clock.trueMs(mono))
    life.alarm = agenda.push(at, { _tag: "alarm", machine: this.index, process: life.process })
  }

  /** Calls back at this `mono` or now, if the process still runs; what comes back takes it back. Not to be forked. */
  wakeAt(mono: number, run: () => void): () => void {
    const { wakes } = this.mine()
    const wake: Wake = {
      mono,
      run: () => {
        wakes.delete(wake)
        run()
      },
      handle: 0
    }
    wake.handle = this.pushWake(wake)
    wakes.add(wake)
    return () => {
      wakes.delete(wake)
      this.world.agenda.cancel(wake.handle)
    }
  }

  private pushWake({ mono, run }: Wake): Handle {
    const at = Math.max(this.world.nowMs, this.clock.trueMs(mono))
    return this.world.agenda.push(at, { _tag: "process", machine: this.index, process: this.process, run })
  }

  /** An answer that comes at once, but after what is being done now. */
  later(happened: Happened): void {
    this.world.agenda.push(this.world.nowMs, { _tag: "input", machine: this.index, process: this.process, happened })
  }

  /** Its own interface says so, once the process that runs now has looked at it. */
  carrier(up: boolean, inMs: number): void {
    if (!this.running) return
    const { index, process } = this
    const happened = { _tag: "Carrier", up } as const
    this.world.agenda.push(this.world.nowMs + inMs, { _tag: "input", machine: index, process, happened })
  }

  check(publicKey: string, proofs: Parameters<FakeKeys["check"]>[1]): ReturnType<FakeKeys["check"]> {
    if (this.keysFail !== "check") return this.world.keys.check(publicKey, proofs)
    this.mine().keyFailures++
    return { deviceId: null, valid: [] }
  }

  sign(payloads: ReadonlyArray<string>): ReadonlyArray<string> | null {
    if (this.keysFail !== "sign") return this.world.keys.sign(this.keys, payloads)
    this.mine().keyFailures++
    return null
  }

  /** The process has said that it ends. */
  halt(): void {
    const { links, nearby, vault } = this.mine()
    for (const { connection, side } of links.values()) this.world.network.close(connection, side, false)
    links.clear()
    vault.close()
    nearby.sayGoodbye()
    this.stop(false)
  }
}

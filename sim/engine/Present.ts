/**
 * What a machine is now, for those who look and change nothing: its process, clock, disk and address, and who is at the other
 * ends of its links. Nothing in here asks for a life of its own (`Machine.mine`), so that to look at a fork costs no copy.
 */
import type { Config } from "../../kernel/Config.ts"
import type { Durable } from "../../kernel/Durable.ts"
import { mayLead } from "../../kernel/leadership/Leadership.ts"
import { restored } from "../../kernel/leadership/Manifest.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { WorldSnapshot } from "../../kernel/world/Snapshot.ts"
import type { KeyPair } from "../keys/FakeKeys.ts"
import type { Port } from "../network/Connection.ts"
import type { Speaker } from "../network/Lies.ts"
import type { NodeSpec } from "../scenario/Scenario.ts"
import type { Life } from "./Life.ts"
import { type Inquiry, runningOn } from "./Models.ts"
import type { NodeClock } from "./NodeClock.ts"
import type { World } from "./World.ts"

export abstract class Present {
  readonly index: number
  readonly spec: NodeSpec
  readonly name: string
  readonly keys: KeyPair
  readonly config: Config
  readonly world: World
  /** May be that of the same machine in another world. */
  protected abstract life: Life

  constructor(world: World, index: number, spec: NodeSpec, keys: KeyPair, config: Config) {
    this.world = world
    this.index = index
    this.spec = spec
    this.name = spec.name
    this.keys = keys
    this.config = config
  }

  /** How often its keys failed. */
  get keyFailures(): number {
    return this.life.keyFailures
  }

  get powered(): boolean {
    return this.life.powered
  }

  get listening(): boolean {
    return this.life.listening
  }

  /** It has run at some time. */
  get everRan(): boolean {
    return this.life.processes > 0
  }

  /** Number of the running process; 0: none. Processes are counted from 1. */
  get process(): number {
    return this.life.process
  }

  get clock(): NodeClock {
    return this.life.clock
  }

  /** Instants that its processes read. */
  get readings(): number {
    return this.life.readings
  }

  /** How often the power went in the middle of a write because of a trap. */
  get trapsSprung(): number {
    return this.life.trapsSprung
  }

  /** How often it stood still in the middle of a login because of a trap. */
  get loginsFrozen(): number {
    return this.life.loginsFrozen
  }

  /** When it last took nothing up at once, true time: now, while that is so. */
  get lastShutMs(): number {
    return this.open ? this.life.intake.openedMs : this.world.nowMs
  }

  /** Whether what comes in now is taken up now. */
  get open(): boolean {
    return this.life.intake.open
  }

  /** How many pieces of work were taken up late because its processor is slow. */
  get slowed(): number {
    return this.life.intake.slowed
  }

  get wipes(): number {
    return this.life.vault.wipes
  }

  get harmed(): number {
    return this.life.vault.harmed
  }

  /** Its host on the segment of discovery. */
  get address(): string {
    return this.life.nearby.address
  }

  /** Whether it is at another address than at first. */
  get moved(): boolean {
    return this.life.nearby.moves !== 0
  }

  /** What it last kept of the world. */
  get keptWorld(): WorldSnapshot | null {
    return this.life.vault.keptWorld
  }

  /** What is stored: acknowledged, or to be found by the next process. */
  get durable(): Durable {
    return this.life.vault.durable
  }

  get running(): boolean {
    return this.life.process !== 0
  }

  get frozen(): boolean {
    return this.life.intake.frozen
  }

  state(): NodeState | null {
    return this.life.host?.state() ?? null
  }

  /** The world's name for one boot of this machine, for its draws. */
  protected boot(): string {
    return `${this.name}/${this.life.processes}`
  }

  holds(deviceId: string): boolean {
    return deviceId === this.keys.deviceId
  }

  /** What it would lie about. */
  speaker(): Speaker {
    const { config, world } = this
    return {
      deviceId: config.deviceId,
      mayLead: mayLead(config, config.deviceId),
      manifest: config.manifest.version,
      devices: world.machines.map((machine) => machine.config.deviceId)
    }
  }

  /** Who is at the other end of one of our links; `null`: that link is gone. */
  farEnd(link: number): Port | null {
    const found = this.life.links.get(link)
    return found === undefined ? null : this.world.here(found.connection.ports[found.side === 0 ? 1 : 0])
  }

  /** Its links with that node, and the bytes of each that wait for it (`Network.buffered`). */
  linksWith(name: string): ReadonlyArray<{ readonly link: number; readonly buffered: number }> {
    return [...this.life.links].flatMap(([link, { connection, side }]) =>
      connection.ports[side === 0 ? 1 : 0].name === name
        ? [{ link, buffered: this.world.network.buffered(connection, side) }]
        : []
    )
  }

  /** What came of what a program of it asked a model of another; `undefined`: it asked nothing that is called so. */
  inquired(request: string): Inquiry | undefined {
    return this.life.inquiries.get(request)
  }

  /** How many inferences its models are at that nobody has stopped. */
  get inferring(): number {
    return runningOn(this.life)
  }

  /** How often a program of it has asked. */
  asked(asking: number): number {
    return this.life.asks.get(asking)?.said ?? 0
  }

  /** How often a program of it has said something. */
  said(sensing: number): number {
    return this.life.senses.get(sensing)?.said ?? 0
  }

  /** What the other end calls one of our links; 0: nothing any more. */
  farLink(link: number): number {
    const found = this.life.links.get(link)
    const connection = found === undefined ? null : this.world.network.here(found.connection)
    return connection?.links[found?.side === 0 ? 1 : 0] ?? 0
  }
}

/** Who elects, by the newest list that one of these has in force. */
export const manifestAmong = (machines: ReadonlyArray<Present>): Config["manifest"] =>
  machines
    .map((machine) => machine.state()?.config.manifest ?? restored(machine.config, machine.durable).manifest)
    .reduce((newest, manifest) => (manifest.version > newest.version ? manifest : newest))

/** It runs a kernel, of whatever generation, and not the program of a device of generation 1. */
export const isKernel = ({ spec }: Present): boolean => spec.generation !== 1

/** A second machine with a node's key, put beside the scenario: no word of a file means it. */
export const isCopy = ({ spec }: Present): boolean => spec.beside === true && spec.sameKeyAs !== undefined

/**
 * A machine's part in discovery, as the daemon plays it: from its start a process looks round, once its incarnation is stored
 * it announces itself, and a process that ends by itself says goodbye.
 */
import type { NodeState } from "../../kernel/Node.ts"
import type { Announced, Due, Seat, Station } from "../network/Segment.ts"
import type { Machine } from "./Machine.ts"

const PORT = 18_789
/** As the daemon announces it. */
const ANNOUNCED_GEN = 1

/** The host of a machine in adverts: a private address, by its place in the scenario. */
const addressOf = (index: number): string => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`

/** Where the present process of a machine takes part. */
export const seatOf = (machine: Machine): Seat => {
  const { config, index, name, process, world } = machine
  return {
    name,
    deviceId: config.deviceId,
    address: addressOf(index),
    later: (atMs, run) => void world.agenda.push(atMs, { _tag: "process", machine: index, process, run }),
    tell: (news) => machine.deliver(news)
  }
}

export class Nearby {
  /** Whether the next process takes part. */
  enabled = false
  /** What its adverts say in place of the truth. */
  claims: Partial<Announced> = {}
  private readonly machine: Machine
  private station: Station | null = null

  constructor(machine: Machine, from?: Nearby) {
    this.machine = machine
    if (from === undefined) return
    this.enabled = from.enabled
    this.claims = from.claims
    this.station = from.station === null ? null : machine.world.network.segment.at(machine.name)
  }

  /** The same on another machine, on whose segment its station is as well. */
  fork(machine: Machine): Nearby {
    return new Nearby(machine, this)
  }

  /** A process of the machine begins. */
  start(): void {
    if (!this.enabled) return
    const { machine } = this
    this.station = machine.world.network.segment.join(seatOf(machine))
  }

  /** After each step of the node. */
  stepped(before: NodeState, after: NodeState): void {
    if (this.station === null || before.phase === after.phase || after.phase !== "running") return
    const { deviceId, displayName, meshId, role } = this.machine.config
    this.station.advertise({
      deviceId,
      name: displayName,
      meshId,
      role,
      incarnation: after.incarnation,
      gen: ANNOUNCED_GEN,
      port: PORT,
      ...this.claims
    })
  }

  on(due: Due): void {
    this.station?.on(due)
  }

  sayGoodbye(): void {
    this.station?.sayGoodbye()
  }

  /** The process is gone. */
  stop(): void {
    if (this.station !== null) this.machine.world.network.segment.leave(this.station)
    this.station = null
  }

  /** The machine that a URL found by discovery leads to. */
  at(url: string): Machine | undefined {
    const host = /^wss?:\/\/([^:/]+)/u.exec(url)?.[1]
    return host === undefined ? undefined : this.machine.world.machines.find(({ index }) => addressOf(index) === host)
  }
}

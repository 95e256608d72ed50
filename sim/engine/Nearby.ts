/**
 * A machine's part in discovery, as the daemon plays it: from its start a process looks round, once its incarnation is stored
 * it announces itself, and a process that ends by itself says goodbye.
 */
import type { NodeState } from "../../kernel/Node.ts"
import type { Announced, Due, Station } from "../network/Segment.ts"
import type { Machine } from "./Machine.ts"

const PORT = 18_789
/** As the daemon announces it. */
const ANNOUNCED_GEN = 1

export class Nearby {
  /** Whether the next process takes part. */
  enabled = false
  /** What its adverts say in place of the truth. */
  claims: Partial<Announced> = {}
  /** Its host in adverts: a private address, by the machine's place in the scenario. */
  readonly address: string
  private readonly machine: Machine
  private station: Station | null = null

  constructor(machine: Machine) {
    const { index } = machine
    this.machine = machine
    this.address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`
  }

  /** A process of the machine begins. */
  start(): void {
    if (!this.enabled) return
    const { machine } = this
    const { process, world } = machine
    this.station = world.network.segment.join({
      name: machine.name,
      deviceId: machine.config.deviceId,
      address: this.address,
      later: (atMs, run) => void world.agenda.push(atMs, { _tag: "process", machine, process, run }),
      tell: (news) => machine.deliver(news)
    })
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
    return host === undefined ? undefined : this.machine.world.machines.find(({ nearby }) => nearby.address === host)
  }
}

/**
 * A machine's part in discovery, as the daemon plays it: from its start a process looks round, once its incarnation is stored
 * it announces itself, and a process that ends by itself says goodbye.
 */
import type { NodeState } from "../../kernel/Node.ts"
import type { Port } from "../network/Connection.ts"
import { NOBODY } from "../network/Nobody.ts"
import type { Announced, Due, Seat, Station } from "../network/Segment.ts"
import type { Machine } from "./Machine.ts"

const PORT = 18_789
/** As the daemon announces it. */
const ANNOUNCED_GEN = 1

const hostOf = (index: number, moves: number): string => `10.${moves & 255}.${(index >> 8) & 255}.${index & 255}`

const isMachine = (port: Port): port is Machine => "nearby" in port

/** Where the present process of a machine takes part. */
export const seatOf = (machine: Machine): Seat => {
  const { address, config, index, name, process, world } = machine
  return {
    name,
    deviceId: config.deviceId,
    address,
    later: (atMs, run) => void world.agenda.push(atMs, { _tag: "process", machine: index, process, run }),
    tell: (news) => machine.deliver(news)
  }
}

export class Nearby {
  /** Whether the next process takes part. */
  enabled = false
  /** What its adverts say in place of the truth. */
  claims: Partial<Announced> = {}
  /** How often it got another address, less how often it got the one before back. */
  moves = 0
  /** Dials that went to an address that it does not have any more. */
  missed = 0
  private readonly machine: Machine
  private station: Station | null = null

  constructor(machine: Machine, from?: Nearby) {
    this.machine = machine
    if (from === undefined) return
    this.enabled = from.enabled
    this.claims = from.claims
    this.moves = from.moves
    this.missed = from.missed
    this.station = from.station === null ? null : machine.world.network.segment.at(machine.name)
  }

  /** The same on another machine, on whose segment its station is as well. */
  fork(machine: Machine): Nearby {
    return new Nearby(machine, this)
  }

  /** Its host in adverts: a private address, by the machine's place in the scenario and its moves. */
  get address(): string {
    return hostOf(this.machine.index, this.moves)
  }

  /** All that its adverts name: addresses of its own that lead nowhere (a bridge, a VPN) stand round the right one. */
  private hosts(): ReadonlyArray<string> {
    const { index, spec } = this.machine
    const wrong = Array.from(
      { length: spec.wrongAddresses ?? 0 },
      (_, n) => `172.${17 + n}.${index >> 8}.${index & 255}`
    )
    const before = (wrong.length + 1) >> 1
    return [...wrong.slice(0, before), this.address, ...wrong.slice(before)]
  }

  /** Another address, or the one before: whoever runs says so. */
  move(by: 1 | -1): void {
    this.moves += by
    this.station?.setHosts(this.hosts())
  }

  /** What it announces, or would, in this incarnation. */
  record(incarnation: number): Announced {
    const { deviceId, displayName, meshId, role } = this.machine.config
    return { deviceId, name: displayName, meshId, role, incarnation, gen: ANNOUNCED_GEN, port: PORT, ...this.claims }
  }

  /** A process of the machine begins. */
  start(): void {
    if (!this.enabled) return
    const { machine } = this
    this.station = machine.world.network.segment.join(seatOf(machine))
    this.station.setHosts(this.hosts())
  }

  /** After each step of the node. */
  stepped(before: NodeState, after: NodeState): void {
    if (this.station === null || before.phase === after.phase || after.phase !== "running") return
    this.station.advertise(this.record(after.incarnation))
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

  /**
   * Who answers where this machine dials: a machine by its name, as long as it is where it was at first, or by the address that
   * discovery found; `undefined`: nobody is called so.
   */
  at(address: string): Port | undefined {
    const { world } = this.machine
    const host = /^wss?:\/\/([^:/]+)/u.exec(address)?.[1]
    if (host !== undefined) return world.machines.find((machine) => machine.address === host) ?? NOBODY
    const named = world.byAddress(address)
    if (named === undefined || !isMachine(named) || !named.moved) return named
    named.nearby.missed++
    return NOBODY
  }
}

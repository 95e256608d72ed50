/** What can be seen of a world: nothing is kept, everything is asked of it when somebody looks. */
import { proposalCalled } from "./Called.ts"
import * as Leadership from "../../kernel/leadership/Leadership.ts"
import { proposalsOf, type Proposal } from "../../kernel/proposals/Proposal.ts"
import { routes } from "../../kernel/routing/Routes.ts"
import { peerState } from "../../kernel/status/Status.ts"
import type { Role } from "../../kernel/wire/Frame.ts"
import { leaseEndsMs } from "../oracles/S1OneLeader.ts"
import { ACTUATOR } from "../../kernel/actuation/Actuator.ts"
import * as Hardware from "./Hardware.ts"
import { has, known, stands } from "./Emitted.ts"
import type { Machine } from "./Machine.ts"
import { isCopy, isKernel } from "./Present.ts"
import type { NodeView, PeerWord, WorldView } from "./View.ts"
import type { World } from "./World.ts"

class MachineView implements NodeView {
  readonly name: string
  readonly role: Role
  private readonly machine: Machine

  constructor(machine: Machine) {
    this.name = machine.name
    this.role = machine.spec.role
    this.machine = machine
  }

  get running(): boolean {
    return this.machine.running
  }

  get leader(): string | null {
    const { machine } = this
    const state = machine.state()
    if (state === null) return null
    const deviceId = Leadership.named(state.leadership, state.config, machine.clock.mono(machine.world.nowMs))
    return deviceId === null ? null : machine.world.nameOf(deviceId)
  }

  get term(): number {
    return this.machine.state()?.leadership.term.counter ?? 0
  }

  get leads(): boolean {
    const { machine } = this
    const state = machine.state()
    return state !== null && Leadership.leaseRuns(state.leadership, machine.clock.mono(machine.world.nowMs))
  }

  get leaseEndsMs(): number {
    return leaseEndsMs(this.machine)
  }

  peer(name: string): PeerWord {
    const state = this.machine.state()
    const other = this.other(name)
    return state === null || other === undefined ? "unknown" : peerState(state, other.config.deviceId)
  }

  trusts(name: string): Role | "nothing" {
    const deviceId = this.other(name)?.config.deviceId
    return this.machine.state()?.config.trusted.find((device) => device.deviceId === deviceId)?.role ?? "nothing"
  }

  sessions(name: string): number {
    const deviceId = this.other(name)?.config.deviceId
    const links = this.machine.state()?.links.links ?? []
    return links.filter((link) => link._tag === "Session" && link.peer === deviceId).length
  }

  heartbeatsMs(name: string): number | null {
    const { network, nowMs, script } = this.machine.world
    return script.delays.most(name, this.name, nowMs, (connection) => network.has(connection))
  }

  unreadBytes(name: string): number {
    const lines = this.machine.state()?.links.lines ?? []
    return this.machine.linksWith(name).reduce((sum, { buffered, link }) => {
      const waiting = lines.find((line) => line.link === link)?.waiting ?? []
      return sum + buffered + waiting.reduce((all, { bytes }) => all + bytes, 0)
    }, 0)
  }

  frames(name: string): boolean | null {
    const state = this.machine.state()
    const frames = this.machine.world.script.emitted.of(name)
    if (state === null || frames.length === 0) return null
    return frames.every(({ last }) => has(state, last))
  }

  stands(name: string): boolean {
    const state = this.machine.state()
    return state !== null && this.machine.world.script.emitted.of(name).some(({ last }) => stands(state, last))
  }

  route(capability: string): string | null {
    const state = this.machine.state()
    const best = state === null ? undefined : routes(state, capability)[0]
    return best === undefined ? null : this.machine.world.nameOf(best.deviceId)
  }

  proposal(name: string) {
    const { clock, world } = this.machine
    const state = this.machine.state()
    const one = state === null ? null : proposalCalled(state, name, world.rules, clock.mono(world.nowMs))
    if (one === null) return null
    return { status: one.status, owner: this.machine.world.nameOf(one.owner), level: one.level }
  }

  get proposals(): string {
    return this.allProposals()
      .map(({ body, id, owner, status }) => `${body.request ?? id} ${status} of ${this.machine.world.nameOf(owner)}`)
      .toSorted()
      .join(", ")
  }

  private allProposals(): ReadonlyArray<Proposal> {
    const { machine } = this
    const state = machine.state()
    return state === null ? [] : proposalsOf(state.world, state.config, machine.clock.mono(machine.world.nowMs))
  }

  get world(): string {
    const state = this.machine.state()
    return state === null ? "" : known(state)
  }

  private other(name: string): Machine | undefined {
    return this.machine.world.machines.find((candidate) => candidate.name === name)
  }
}

/** `nodes` are made when somebody first looks: most forks are never looked at. */
export const viewOf = (world: World): WorldView => {
  let nodes: ReadonlyArray<NodeView> | null = null
  return {
    get nowMs() {
      return world.nowMs
    },
    get nodes() {
      return (nodes ??= world.machines
        .filter((machine) => isKernel(machine) && !isCopy(machine))
        .map((machine) => new MachineView(machine)))
    },
    get leadersPerTerm() {
      return world.mostLeadersOfATerm
    },
    actuator: (name) => Hardware.seen(world.machines, `${ACTUATOR}${name}`),
    inference: (request) =>
      world.machines.map((machine) => machine.inquired(request)?.outcome).find((one) => one !== undefined) ?? null,
    measured: (place, metric) => world.measured(place, metric)
  }
}

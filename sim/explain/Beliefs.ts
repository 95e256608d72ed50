/**
 * What each node took for true, from when on: what can be asked of any moment of a run afterwards. Only what changed is kept.
 */
import type { NodeState } from "../../kernel/Node.ts"
import type { Machine } from "../engine/Machine.ts"
import { isKernel } from "../engine/Present.ts"
import type { World } from "../engine/World.ts"
import { leaseEndsMs } from "../oracles/S1OneLeader.ts"

/** From `atMs` on; what is absent is as before. Times are true times. */
export interface Belief {
  readonly atMs: number
  readonly node: string
  readonly running?: boolean
  /** The counter of the highest term that it knows of. */
  readonly term?: number
  readonly standing?: NodeState["leadership"]["standing"]["_tag"]
  /** Whose heartbeats it follows, and until when it names that one; `null`: nobody. */
  readonly leader?: string | null
  readonly leaderUntilMs?: number
  /** 0: it holds no lease. */
  readonly leaseEndsMs?: number
  readonly incarnation?: number
  /** Only those that changed. */
  readonly peers?: { readonly [name: string]: string }
}

type Known = { -readonly [K in keyof Belief]: Belief[K] }

export class Beliefs {
  readonly all: Array<Belief> = []
  readonly #now = new Map<string, Known>()
  /** When each was last heard of. */
  readonly #lastMs = new Map<string, number>()

  /** Whoever runs no more believes nothing any more. `endedMs`: since when, if that is known better than by looking now. */
  look(world: World, nowMs: number, endedMs: (name: string) => number | null): void {
    for (const { name, running } of world.machines) {
      const known = this.#now.get(name)
      if (known?.running === running || (known === undefined && !running)) continue
      const atMs = running ? nowMs : Math.max(this.#lastMs.get(name) ?? 0, endedMs(name) ?? nowMs)
      this.#now.set(name, { atMs, node: name, running })
      this.all.push({ atMs, node: name, running })
    }
  }

  stepped(machine: Machine, { incarnation, leadership, membership }: NodeState, nowMs: number): void {
    this.#lastMs.set(machine.name, nowMs)
    if (!isKernel(machine)) return
    const { clock, config, name, world } = machine
    const known: Known = this.#now.get(name) ?? { atMs: nowMs, node: name }
    this.#now.set(name, known)
    const { heardAt, leader, standing, term } = leadership
    const follows = leader !== null && leader !== config.deviceId
    const fields = {
      running: true,
      term: term.counter,
      standing: standing._tag,
      leader: follows ? world.nameOf(leader) : null,
      leaderUntilMs: follows ? clock.trueMs(heardAt + config.profile.promiseMs) : 0,
      leaseEndsMs: leaseEndsMs(machine),
      incarnation
    }
    const changed = Object.fromEntries(
      Object.entries(fields).filter(([field, value]) => known[field as keyof typeof fields] !== value)
    )
    const peers = Object.fromEntries(
      membership.members
        .map(({ deviceId, state }) => [world.nameOf(deviceId), state] as const)
        .filter(([peer, state]) => known.peers?.[peer] !== state)
    )
    const some = Object.keys(peers).length > 0
    if (Object.keys(changed).length === 0 && !some) return
    Object.assign(known, changed, some ? { peers: { ...known.peers, ...peers } } : {})
    this.all.push({ atMs: nowMs, node: name, ...changed, ...(some ? { peers } : {}) })
  }
}

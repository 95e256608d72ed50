/**
 * What an observer outside the mesh can see at one instant of true time: the global truth, and what each node would say.
 * Facts of scenarios are judged on this; nothing in it is known to any node as a whole.
 */
import type { Level } from "../../kernel/actuation/Actuator.ts"
import type { Status } from "../../kernel/proposals/Proposal.ts"
import type { MeshEvent } from "../../kernel/status/MeshEvent.ts"
import type { Metric } from "../hardware/Farm.ts"
import type { Role } from "../../kernel/wire/Frame.ts"

/** `unknown` is a peer that the node has never met in this boot. */
export type PeerWord = "unknown" | "up" | "suspect" | "down" | "left"

/** The role in which a node trusts another; `nothing`: not at all. */
export type TrustWord = Role | "nothing"

export interface NodeView {
  readonly name: string
  readonly role: Role
  readonly running: boolean
  /** The name of the node that this one names as leader; itself, when it believes that it leads; `null`: it names none. */
  readonly leader: string | null
  /** Counter of the highest term that this node knows of. */
  readonly term: number
  /** It believes that it leads, rightly or not. */
  readonly leads: boolean
  /** True time at which its lease ends by its own clock, as the world knows it; 0: it holds none. */
  readonly leaseEndsMs: number
  readonly peer: (name: string) => PeerWord
  /** How many sessions it has with that node. */
  readonly sessions: (name: string) => number
  readonly trusts: (name: string) => TrustWord
  /** Of the heartbeats that it got from that node 99 in 100 took no longer, ms; `null`: it got none, or nobody asks. */
  readonly heartbeatsMs: (name: string) => number | null
  /** Bytes that it keeps for that node to read, in its lanes, in its transport and on the way. */
  readonly unreadBytes: (name: string) => number
  /** It has every frame of that name, or has had it; `null`: nobody has said one yet. */
  readonly frames: (name: string) => boolean | null
  /** One frame of that name is the newest of its kind there. */
  readonly stands: (name: string) => boolean
  /** Who does that, as far as it knows, the best first; `null`: nobody. */
  readonly route: (capability: string) => string | null
  /** What it says of the proposal that a step called so; `null`: it knows none. */
  readonly proposal: (
    name: string
  ) => { readonly status: Status; readonly owner: string; readonly level: Level | null } | null
  /** What it says of all proposals, as a text. */
  readonly proposals: string
  /** All that it knows of the world, as a text. */
  readonly world: string
}

/** What moves, by what the hardware did. */
export interface ActuatorView {
  /** How often it was driven out of its safe state. */
  readonly runs: number
  /** How it stands, at each of its owners. */
  readonly positions: ReadonlyArray<string>
  /** By whose order it last ran; `null`: it did not. */
  readonly lastRunBy: string | null
}

export interface WorldView {
  /** True time since the start of the run, integer ms. */
  readonly nowMs: number
  /** In the order of the scenario; without devices of generation 1, which are talked about and have nothing to say. */
  readonly nodes: ReadonlyArray<NodeView>
  /** The largest number of different nodes that ever held one term. */
  readonly leadersPerTerm: number
  /** By its name without the prefix: `pump-1`. */
  readonly actuator: (name: string) => ActuatorView
  /** What came of what a program asked a model, as a step called it; `null`: no program has asked that. */
  readonly inference: (request: string) => string | null
  /** How it is on the farm; `null`: there is nothing to measure. */
  readonly measured: (place: string, metric: Metric) => number | null
}

/** What the world itself tells: each names the verb that struck, or what a machine came to by itself. */
export const worldEvents = [
  "world.start",
  "world.restart",
  "world.stop",
  "world.crash",
  "world.freeze",
  "world.thaw",
  "world.suspend",
  "world.wake",
  "world.slow-cpu",
  "world.disk",
  "world.skew",
  "world.cut",
  "world.partition",
  "world.isolate",
  "world.unplug",
  "world.slow",
  "world.detour",
  "world.clog",
  "world.flap",
  "world.swizzle",
  "world.throttle",
  "world.burst-loss",
  "world.reset",
  "world.half-open",
  "world.idle-cut",
  "world.duplicate",
  "world.reorder",
  "world.corrupt",
  "world.lie",
  "world.late-close",
  "world.lossy-close",
  "world.lose-adverts",
  "world.move",
  "world.advertise",
  "world.trust",
  "world.revoke",
  "world.appoint",
  "world.keys-fail",
  "world.connect",
  "world.ask",
  "world.sense",
  "world.infer",
  "world.call-off",
  "world.propose",
  "world.approve",
  "world.reject",
  "world.send",
  "world.message",
  "world.answer",
  "world.moved",
  "world.hold",
  "world.jam",
  "world.uncouple",
  "world.stop-engine",
  "world.undo",
  "world.heal",
  "world.replay",
  "world.refused",
  "world.failed"
] as const
export type WorldHappening = (typeof worldEvents)[number]

/** A `Note` of a node, or something that the world itself did, with names in place of device ids. */
export interface Happening {
  readonly atMs: number
  /** The node that says so; `null`: the world. */
  readonly node: string | null
  readonly event: MeshEvent["event"] | WorldHappening
  /** Name of the node that it is about. */
  readonly about: string | null
  readonly detail: Omit<MeshEvent, "event" | "about">
}

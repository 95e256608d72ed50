/**
 * Where a run has been: states and transitions of nodes, codes they gave, events they told, recoveries. A campaign that never
 * went somewhere has tested nothing there, however green it is.
 *
 * The universe comes from the kernel's own types and tables, so that what is new in the kernel is missed here at once: a record
 * by a union's tags does not compile when a tag is missing. Of transitions all ordered pairs of states are listed but those that
 * the kernel rules out, of codes those that it can give to a simulated link: what cannot be is no hole in the scenarios.
 */
import type { Standing } from "../../kernel/leadership/Leadership.ts"
import type { Link } from "../../kernel/links/Link.ts"
import type { NodeState } from "../../kernel/Node.ts"
import { MeshEvent } from "../../kernel/status/MeshEvent.ts"
import { allCodes } from "../../kernel/wire/Codes.ts"
import type { Machine } from "../engine/Machine.ts"
import { worldEvents, type Happening, type PeerWord } from "../engine/View.ts"
import type { Observation, Oracle } from "../oracles/Oracle.ts"

type Tags<T extends string> = { readonly [_ in T]: true }

const peerStates: Tags<PeerWord> = { unknown: true, up: true, suspect: true, down: true, left: true }
const standings: Tags<Standing["_tag"]> = { Following: true, Sounding: true, Standing: true, Leading: true }
const phases: Tags<NodeState["phase"]> = {
  off: true,
  recalling: true,
  booting: true,
  running: true,
  leaving: true,
  left: true
}
const links: Tags<Link["_tag"]> = {
  Asking: true,
  SigningLogin: true,
  Proving: true,
  CheckingServer: true,
  Offered: true,
  CheckingClient: true,
  SigningAnswer: true,
  Held: true,
  Session: true
}
const recoveries = [
  "down→up",
  "left→up",
  "suspect→up",
  "led→led again",
  "crashed→running",
  "frozen→thawed",
  "asleep→awake"
] as const

/**
 * A dead device is never merely suspected back to life; one that left is judged anew only once it is back, which is a good edge;
 * and a session is a good edge, without which nobody can say goodbye.
 */
const PEERS_NEVER: ReadonlyArray<string> = ["down→suspect", "left→suspect", "left→down", "unknown→left"]
/** Nobody leads before the own vote is stored, and a leader follows before it stands again. */
const STANDINGS_NEVER: ReadonlyArray<string> = [
  "Following→Leading",
  "Sounding→Leading",
  "Leading→Sounding",
  "Leading→Standing"
]

const pairs = (states: ReadonlyArray<string>, never: ReadonlyArray<string>): ReadonlyArray<string> =>
  states
    .flatMap((from) => states.flatMap((to) => (from === to ? [] : [`${from}→${to}`])))
    .filter((pair) => !never.includes(pair))

/**
 * Codes of what is not built yet, of a driver's own, of what ends an inference or comes of one's own question, which is no refusal, and of
 * transports, which simulated links do not have.
 */
const CODES_NEVER: ReadonlyArray<string> = [
  "APPROVAL_REQUIRED",
  "REMOTE_PLANNER_ERROR",
  "LLM_TIMEOUT",
  "LLM_BACKPRESSURE",
  "LLM_CANCELLED",
  "NOT_CONNECTED",
  "SEND_FAILED",
  "PEER_DISCONNECTED",
  "INSECURE_TRANSPORT",
  "UNPINNED_TRANSPORT",
  "PIN_MISMATCH"
]

/** What the world does that is no fault: it goes on, or takes something back. */
const NO_FAULT: ReadonlyArray<string> = [
  "world.start",
  "world.restart",
  "world.thaw",
  "world.wake",
  "world.undo",
  "world.moved",
  "world.heal",
  "world.refused",
  "world.failed"
]

export interface Territory {
  /** In words for people, plural. */
  readonly name: string
  readonly places: ReadonlyArray<string>
}

/** Everywhere that a run can be, by kind. */
export const universe: { readonly [kind: string]: Territory } = {
  peer: { name: "peer states", places: Object.keys(peerStates) },
  turn: { name: "peer transitions", places: pairs(Object.keys(peerStates), PEERS_NEVER) },
  standing: { name: "standings", places: Object.keys(standings) },
  course: { name: "leadership transitions", places: pairs(Object.keys(standings), STANDINGS_NEVER) },
  link: { name: "link states", places: Object.keys(links) },
  phase: { name: "phases", places: Object.keys(phases) },
  event: { name: "events", places: MeshEvent.fields.event.literals },
  code: { name: "codes", places: allCodes.filter((code) => !CODES_NEVER.includes(code)) },
  fault: {
    name: "faults",
    places: worldEvents.filter((event) => !NO_FAULT.includes(event)).map((event) => event.slice("world.".length))
  },
  recovery: { name: "recoveries", places: recoveries }
}

/** A word of 32 bits; of no meaning but that different situations rarely have the same. */
type Situation = number

/**
 * What a node is in, without saying which node it is: its phase, its standing, whom it follows, how many peers it has in which
 * state, and how many sessions and handshakes.
 */
const codeOf = ({ leadership, links, membership, phase }: NodeState, deviceId: string): number => {
  const { leader, standing } = leadership
  let code = Object.keys(phases).indexOf(phase)
  const add = (n: number): void => {
    code = Math.imul(code ^ n, 0x01000193) ^ (code >>> 15)
  }
  add(Object.keys(standings).indexOf(standing._tag))
  add(leader === null ? 0 : leader === deviceId ? 1 : 2)
  for (const state of Object.keys(peerStates)) add(membership.members.filter((member) => member.state === state).length)
  add(links.links.filter(({ _tag }) => _tag === "Session").length)
  add(links.links.filter(({ _tag }) => _tag !== "Session").length)
  return Math.imul(code ^ (code >>> 13), 0x21f0aaad) | 0
}

/** Marks as `kind:place`, and situations of the mesh as a whole, each once, with when it was first so. */
export class Reach implements Oracle {
  readonly id = "reach"
  /** How many inputs had been taken up. */
  readonly #marks: First<string>
  readonly #situations: First<Situation>
  readonly #codes: Array<number>
  readonly #crashed: Set<string>
  #led = false

  constructor(from?: Reach) {
    this.#marks = new First(from === undefined ? undefined : from.#marks)
    this.#situations = new First(from === undefined ? undefined : from.#situations)
    this.#codes = from === undefined ? [] : from.#codes.slice()
    this.#crashed = new Set(from === undefined ? [] : from.#crashed)
    this.#led = from !== undefined && from.#led
  }

  fork(): Reach {
    return new Reach(this)
  }

  /** In the order of the alphabet, so that it does not depend on the run's order. */
  marks(): ReadonlyArray<string> {
    return [...this.#marks.at.keys()].sort()
  }

  /** When each mark was reached for the first time, in inputs taken up. */
  firsts(): ReadonlyMap<string, number> {
    return this.#marks.at
  }

  /** As `firsts`. */
  situations(): ReadonlyMap<Situation, number> {
    return this.#situations.at
  }

  /** The sum over all nodes, so that it does not matter which is in what. */
  #look(machine: Machine, node: NodeState): void {
    this.#codes[machine.index] = codeOf(node, machine.config.deviceId)
    let situation = 0
    for (const { index, running } of machine.world.machines)
      situation = (situation + (running ? (this.#codes[index] ?? 0) : 1)) | 0
    this.#situations.add(situation)
  }

  stepped({ after, before, machine }: Observation): null {
    const { events } = machine.world
    this.#marks.now = events
    this.#situations.now = events
    if (after === before) return null
    if (
      after.phase !== before.phase ||
      after.membership.members !== before.membership.members ||
      after.leadership.standing._tag !== before.leadership.standing._tag ||
      after.leadership.leader !== before.leadership.leader ||
      after.links.links !== before.links.links
    )
      this.#look(machine, after)
    if (after.phase !== before.phase) this.#marks.add(`phase:${before.phase}`).add(`phase:${after.phase}`)
    if (after.membership.members !== before.membership.members) this.#members(before, after)
    if (after.leadership.standing !== before.leadership.standing) this.#standing(before, after)
    if (after.links.links !== before.links.links)
      for (const link of after.links.links) this.#marks.add(`link:${link._tag}`)
    if (after.refusals !== before.refusals)
      for (const [i, code] of allCodes.entries())
        if (after.refusals[i] !== before.refusals[i]) this.#marks.add(`code:${code}`)
    return null
  }

  #members({ membership: { members: was } }: NodeState, { membership: { members: is } }: NodeState): void {
    for (let i = 0; i < is.length; i++) {
      const to = is[i]!.state
      const from = was[i]?.deviceId === is[i]!.deviceId ? was[i]!.state : "unknown"
      if (from === to) continue
      this.#marks.add(`peer:${from}`).add(`peer:${to}`).add(`turn:${from}→${to}`)
      if (to === "up" && from !== "unknown") this.#marks.add(`recovery:${from}→up`)
    }
  }

  #standing(before: NodeState, after: NodeState): void {
    const from = before.leadership.standing._tag
    const to = after.leadership.standing._tag
    this.#marks.add(`standing:${from}`).add(`standing:${to}`)
    if (from !== to) this.#marks.add(`course:${from}→${to}`)
  }

  happened({ about, event }: Happening): void {
    if (!event.startsWith("world.")) this.#marks.add(`event:${event}`)
    else if (!NO_FAULT.includes(event)) this.#marks.add(`fault:${event.slice("world.".length)}`)
    switch (event) {
      case "leader.elected":
        if (this.#led) this.#marks.add("recovery:led→led again")
        this.#led = true
        return
      case "world.crash":
        if (about !== null) this.#crashed.add(about)
        return
      case "node.started":
        if (about !== null && this.#crashed.has(about)) this.#marks.add("recovery:crashed→running")
        return
      case "world.thaw":
        this.#marks.add("recovery:frozen→thawed")
        return
      case "world.wake":
        this.#marks.add("recovery:asleep→awake")
    }
  }
}

/** What was so, each with the first time. */
class First<A> {
  readonly at: Map<A, number>
  now = 0

  constructor(from?: First<A>) {
    this.at = new Map(from?.at)
    this.now = from?.now ?? 0
  }

  add(what: A): this {
    if (!this.at.has(what)) this.at.set(what, this.now)
    return this
  }
}

/** What of the universe is not among `marks`, by kind. */
export const neverReached = (marks: ReadonlySet<string>): { readonly [kind: string]: ReadonlyArray<string> } =>
  Object.fromEntries(
    Object.entries(universe).map(([kind, { places }]) => [
      kind,
      places.filter((place) => !marks.has(`${kind}:${place}`))
    ])
  )

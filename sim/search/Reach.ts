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
import { allCodes, codes } from "../../kernel/wire/Codes.ts"
import { worldEvents, type Happening, type PeerWord } from "../engine/View.ts"
import type { Observation, Oracle } from "../oracles/Oracle.ts"

type Tags<T extends string> = { readonly [_ in T]: true }

const peerStates: Tags<PeerWord> = { unknown: true, up: true, suspect: true, down: true, left: true }
const standings: Tags<Standing["_tag"]> = { Following: true, Sounding: true, Standing: true, Leading: true }
const phases: Tags<NodeState["phase"]> = { off: true, recalling: true, booting: true, running: true, left: true }
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

/** Codes of what is not built yet, of a driver's own, and of transports, which simulated links do not have. */
const CODES_NEVER: ReadonlyArray<string> = [
  ...codes.trust,
  ...codes.actuation,
  ...codes.planner,
  ...codes.llm,
  "DATA_TOO_LARGE",
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

/** Marks as `kind:place`, each once. */
export class Reach implements Oracle {
  readonly id = "reach"
  readonly #marks: Set<string>
  readonly #crashed: Set<string>
  #led = false

  constructor(from?: Reach) {
    this.#marks = new Set(from === undefined ? [] : from.#marks)
    this.#crashed = new Set(from === undefined ? [] : from.#crashed)
    this.#led = from !== undefined && from.#led
  }

  fork(): Reach {
    return new Reach(this)
  }

  /** In the order of the alphabet, so that it does not depend on the run's order. */
  marks(): ReadonlyArray<string> {
    return [...this.#marks].sort()
  }

  stepped({ after, before }: Observation): null {
    if (after === before) return null
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

/** What of the universe is not among `marks`, by kind. */
export const neverReached = (marks: ReadonlySet<string>): { readonly [kind: string]: ReadonlyArray<string> } =>
  Object.fromEntries(
    Object.entries(universe).map(([kind, { places }]) => [
      kind,
      places.filter((place) => !marks.has(`${kind}:${place}`))
    ])
  )

/**
 * Facts of a scenario, asked of one instant of the world.
 *
 * Promises: a fact needs somebody who says it. A node that does not run is not asked, and where nobody is left to ask, the
 * fact is not so (the one exception is `leader: none`: nobody names one). Asking does not change anything and keeps nothing.
 * A witness says what was instead, in the scenario's words.
 *
 * Does not model time: which instants are asked, and since when happenings count, is the business of `Judge.ts`.
 */
import type { NodeView, PeerWord, WorldView } from "../engine/View.ts"
import type {
  ActuatorFact,
  AgreedWord,
  Count,
  Facts,
  FarmFact,
  InferenceFact,
  ProposalFact
} from "../scenario/Scenario.ts"
import { type Clause, fits, NEVER_SEEN, NOBODY_RUNS, runningIn, sayings, type Seen } from "./Clause.ts"
import { heartbeatClause, peerClause, peerSayings, sessionClause, trustClause, unreadClause } from "./Pairs.ts"
import { countWords, enumerate, moment } from "./Words.ts"

export interface Question {
  readonly holds: (view: WorldView, seen: Seen) => boolean
  /** What was instead, where the facts had to hold (`"missing"`); what was, where they must not (`"present"`). */
  readonly witness: (view: WorldView, seen: Seen, which: "missing" | "present") => string
  /** The facts as a sentence, near to how the author wrote them. */
  readonly told: string
  /** Lease ends change the answer without any event. */
  readonly dependsOnLeases: boolean
}

const namesOf = (nodes: ReadonlyArray<NodeView>): ReadonlyArray<string> => nodes.map((node) => node.name)

const leaderSayings = (running: number, nodes: ReadonlyArray<NodeView>): string =>
  sayings(
    running,
    nodes,
    (node) => node.leader ?? "nobody",
    (names, plural, what) => `${names} ${plural ? "name" : "names"} ${what}`
  )

/** A law that forbids (`never`) is broken as soon as anybody says so; every other tense wants all who speak to say it. */
export type Asked = "of all" | "of anybody"

const leaderClause = (
  wanted: "none" | ReadonlyArray<string>,
  seenBy: ReadonlyArray<string> | undefined,
  from: Asked
): Clause => {
  const asked = (view: WorldView) =>
    seenBy === undefined ? runningIn(view) : view.nodes.filter((node) => node.running && seenBy.includes(node.name))
  const by = seenBy === undefined ? "" : `, seen by ${enumerate(seenBy)}`
  return {
    key: "leader",
    told: `leader ${wanted === "none" ? "none" : wanted.join(" or ")}${by}`,
    holds: (view) => {
      if (from === "of anybody" && wanted !== "none")
        return asked(view).some((node) => node.leader !== null && wanted.includes(node.leader))
      let named: string | null = null
      for (const node of view.nodes) {
        if (!node.running || (seenBy !== undefined && !seenBy.includes(node.name))) continue
        if (node.leader === null) {
          // Abstaining is for those who were not asked by name.
          if (seenBy !== undefined && wanted !== "none") return false
          continue
        }
        if (wanted === "none" || (named !== null && node.leader !== named)) return false
        named = node.leader
      }
      return wanted === "none" ? true : named !== null && wanted.includes(named)
    },
    now: (view) => {
      const nodes = asked(view)
      if (nodes.length === 0) return seenBy === undefined ? NOBODY_RUNS : `${enumerate(seenBy)}: not running`
      const heard = seenBy === undefined ? nodes.filter((node) => node.leader !== null) : nodes
      return heard.length === 0 ? "nobody names a leader" : leaderSayings(runningIn(view).length, heard)
    }
  }
}

const countClause = (
  key: string,
  count: Count,
  n: (view: WorldView) => number,
  who: (view: WorldView) => string
): Clause => ({
  key,
  told: `${key} ${countWords(count)}`,
  holds: (view) => fits(count, n(view)),
  now: (view) => {
    const names = who(view)
    return `now ${n(view)}${names === "" ? "" : `: ${names}`}`
  }
})

const holdsLease = (view: WorldView) => (node: NodeView) => node.running && node.leaseEndsMs > view.nowMs
const believes = (node: NodeView) => node.running && node.leads
const highestTerm = (view: WorldView) =>
  view.nodes.reduce((highest, node) => (node.running && node.term > highest ? node.term : highest), 0)

const countIf = (nodes: ReadonlyArray<NodeView>, test: (node: NodeView) => boolean): number => {
  let n = 0
  for (const node of nodes) if (test(node)) n++
  return n
}

/** Every one of `nodes` says the same; nobody to ask is no agreement. */
const unanimous = <A>(view: WorldView, says: (node: NodeView) => A): boolean => {
  let first: { readonly word: A } | null = null
  for (const node of view.nodes) {
    if (!node.running) continue
    const word = says(node)
    if (first === null) first = { word }
    else if (first.word !== word) return false
  }
  return first !== null
}

/** Whoever only looks may hold what nobody else has kept, and gives it to nobody. */
const withoutViewers = (view: WorldView): WorldView => ({
  ...view,
  nowMs: view.nowMs,
  leadersPerTerm: view.leadersPerTerm,
  nodes: view.nodes.filter(({ role }) => role !== "viewer")
})

/** All running nodes but the subject have one word for it. A subject whom nobody is left to describe divides nobody. */
const agreedAbout = (view: WorldView, subject: string): boolean => {
  let first: PeerWord | null = null
  for (const node of view.nodes) {
    if (!node.running || node.name === subject) continue
    const word = node.peer(subject)
    if (first === null) first = word
    else if (first !== word) return false
  }
  return true
}

const agreementClause = (topic: AgreedWord): Clause => {
  const head = { key: "agree-on", told: `all agree on ${topic}` }
  const say = (view: WorldView, disagreement: (nodes: ReadonlyArray<NodeView>) => string) => {
    const nodes = runningIn(view)
    return nodes.length === 0 ? NOBODY_RUNS : disagreement(nodes)
  }
  switch (topic) {
    case "leader":
      return {
        ...head,
        holds: (view) => unanimous(view, (node) => node.leader),
        now: (view) => say(view, (nodes) => leaderSayings(nodes.length, nodes))
      }
    case "term":
      return {
        ...head,
        holds: (view) => unanimous(view, (node) => node.term),
        now: (view) =>
          say(view, (nodes) =>
            sayings(
              nodes.length,
              nodes,
              (node) => String(node.term),
              (names, plural, what) => `${names} ${plural ? "are" : "is"} in term ${what}`
            )
          )
      }
    case "proposals":
      return {
        ...head,
        holds: (view) => unanimous(withoutViewers(view), (node) => node.proposals),
        now: (view) =>
          say(withoutViewers(view), (nodes) =>
            sayings(
              nodes.length,
              nodes,
              (node) => node.proposals,
              (names, plural, what) => `${names} ${plural ? "have" : "has"} ${what === "" ? "none" : what}`
            )
          )
      }
    case "frames":
      return {
        ...head,
        holds: (view) => unanimous(view, (node) => node.world),
        now: (view) =>
          say(view, (nodes) =>
            sayings(
              nodes.length,
              nodes,
              (node) => node.world,
              (names, plural) => `${names} ${plural ? "know" : "knows"} one world`
            )
          )
      }
    case "peers":
      return {
        ...head,
        holds: (view) =>
          view.nodes.some((node) => node.running) && view.nodes.every((node) => agreedAbout(view, node.name)),
        now: (view) =>
          say(view, (nodes) => {
            const disputed = view.nodes.filter((subject) => !agreedAbout(view, subject.name))
            const [first] = disputed
            if (first === undefined) return "all have the same word for every peer"
            const witnesses = nodes.filter((node) => node.name !== first.name)
            const rest = disputed.length === 1 ? "" : `; and about ${enumerate(namesOf(disputed.slice(1)))}`
            return `${peerSayings(witnesses, first.name)}${rest}`
          })
      }
  }
}

type FrameFact = NonNullable<Facts["frames"]>[number]

/** Of nodes that are named each has to run; where everybody is meant, those that run are asked. */
const frameClause = ({ at, frame, who }: FrameFact, from: Asked): Clause => {
  const asked = (view: WorldView): ReadonlyArray<NodeView> =>
    who === "everyone" ? runningIn(view) : view.nodes.filter(({ name }) => who.includes(name))
  const so = (node: NodeView): boolean =>
    node.running && (at === "reached" ? node.frames(frame) === true : node.stands(frame))
  const verb = at === "reached" ? "has reached" : "stands at"
  return {
    key: "frames",
    told: `${frame} ${verb} ${who === "everyone" ? who : enumerate(who)}`,
    holds: (view) => {
      const nodes = asked(view)
      return from === "of anybody" ? nodes.some(so) : nodes.length > 0 && nodes.every(so)
    },
    now: (view) => {
      const nodes = asked(view)
      if (nodes.length === 0) return NOBODY_RUNS
      const those = nodes.filter(so)
      return those.length === 0
        ? `${frame} ${verb} nobody`
        : `${frame} ${verb} ${those.length === nodes.length ? "all" : enumerate(namesOf(those))}`
    }
  }
}

/** What all that run are to say alike. `what` each says, and the sentence of those that say the same. */
const ofEverybody = (
  key: Clause["key"],
  told: string,
  so: (node: NodeView) => boolean,
  what: (node: NodeView) => string,
  says: (names: string, plural: boolean, what: string) => string
): Clause => ({
  key,
  told,
  holds: (view) => {
    const nodes = runningIn(view)
    return nodes.length > 0 && nodes.every(so)
  },
  now: (view) => {
    const nodes = runningIn(view)
    return nodes.length === 0 ? NOBODY_RUNS : sayings(nodes.length, nodes, what, says)
  }
})

const proposalClause = ({ level, owner, proposal, status }: ProposalFact): Clause => {
  const told = [
    ...(status === undefined ? [] : [status]),
    ...(owner === undefined ? [] : [`of ${owner}`]),
    ...(level === undefined ? [] : [`at ${level}`])
  ]
  return ofEverybody(
    "proposals",
    `${proposal} is ${told.join(" ")}`,
    (node) => {
      const said = node.proposal(proposal)
      return (
        said !== null &&
        (status === undefined || said.status === status) &&
        (owner === undefined || said.owner === owner) &&
        (level === undefined || said.level === level)
      )
    },
    (node) => {
      const said = node.proposal(proposal)
      return said === null
        ? "as unknown"
        : `as ${said.status} of ${said.owner}${level === undefined ? "" : ` at ${said.level ?? "no level"}`}`
    },
    (names, plural, what) => `${names} ${plural ? "have" : "has"} ${proposal} ${what}`
  )
}

type RouteFact = NonNullable<Facts["routes"]>[number]

const routeClause = ({ capability, to }: RouteFact): Clause =>
  ofEverybody(
    "routes",
    `${capability} leads to ${to ?? "nobody"}`,
    (node) => node.route(capability) === to,
    (node) => node.route(capability) ?? "nobody",
    (names, plural, what) => `${names} would ${plural ? "all " : ""}ask ${what} for ${capability}`
  )

const actuatorClause = ({ actuator, lastRunBy, position, runs }: ActuatorFact): Clause => {
  const told = [
    ...(runs === undefined ? [] : [`has run ${countWords(runs)}`]),
    ...(position === undefined ? [] : [`is ${position}`]),
    ...(lastRunBy === undefined ? [] : [`last ran by order of ${lastRunBy}`])
  ]
  return {
    key: "actuators",
    told: `${actuator} ${told.join(" and ")}`,
    holds: (view) => {
      const moved = view.actuator(actuator)
      return (
        (runs === undefined || fits(runs, moved.runs)) &&
        (position === undefined || moved.positions.every((one) => one === position)) &&
        (lastRunBy === undefined || moved.lastRunBy === lastRunBy)
      )
    },
    now: (view) => {
      const moved = view.actuator(actuator)
      const by = moved.lastRunBy === null ? "" : `, last by order of ${moved.lastRunBy}`
      return `${actuator} is ${enumerate([...new Set(moved.positions)])}, and has run ${timesWord(moved.runs)}${by}`
    }
  }
}

const farmClause = ({ is, metric, place }: FarmFact): Clause => {
  const what = `${metric} of ${place}`
  return {
    key: "farm",
    told: `${what} is ${countWords(is)}`,
    holds: (view) => {
      const value = view.measured(place, metric)
      return value !== null && fits(is, value)
    },
    now: (view) => `${what} is ${view.measured(place, metric)?.toFixed(1) ?? "not there"}`
  }
}

const inferenceClause = ({ outcome, request }: InferenceFact): Clause => ({
  key: "inferences",
  told: `${request} is ${outcome}`,
  holds: (view) => view.inference(request) === outcome,
  now: (view) => `${request} is ${view.inference(request) ?? "not asked yet"}`
})

const timesWord = (n: number): string => (n === 1 ? "once" : `${n} times`)

const eventClause = (fact: NonNullable<Facts["events"]>[number], index: number): Clause => {
  const qualifiers = [
    fact.about === null ? "" : ` about ${fact.about}`,
    fact.from === null ? "" : ` from ${fact.from}`,
    fact.to === null ? "" : ` to ${fact.to}`,
    fact.reason === null ? "" : ` because of ${fact.reason}`
  ].join("")
  return {
    key: fact.event,
    told: `${fact.event}${qualifiers} seen ${countWords(fact.seen)}`,
    holds: (_view, seen) => fits(fact.seen, (seen[index] ?? NEVER_SEEN).count),
    now: (_view, seen) => {
      const { count, timesMs } = seen[index] ?? NEVER_SEEN
      if (count === 0) return "never seen"
      const times = timesMs.map((ms) => `at ${moment(ms)}`)
      const more = count > timesMs.length ? [`${count - timesMs.length} more`] : []
      return `now ${count}: ${enumerate([...times, ...more])}`
    }
  }
}

const clausesOf = (facts: Facts, from: Asked): ReadonlyArray<Clause> => {
  const clauses: Array<Clause> = []
  if (facts.leader !== undefined) clauses.push(leaderClause(facts.leader, facts.seenBy, from))
  if (facts.leaders !== undefined) {
    clauses.push(
      countClause(
        "leaders",
        facts.leaders,
        (view) => countIf(view.nodes, holdsLease(view)),
        (view) => enumerate(namesOf(view.nodes.filter(holdsLease(view))))
      )
    )
  }
  if (facts.leadersBelieved !== undefined) {
    clauses.push(
      countClause(
        "leaders-believed",
        facts.leadersBelieved,
        (view) => countIf(view.nodes, believes),
        (view) => enumerate(namesOf(view.nodes.filter(believes)))
      )
    )
  }
  if (facts.leadersPerTerm !== undefined) {
    clauses.push(
      countClause(
        "leaders-per-term",
        facts.leadersPerTerm,
        (view) => view.leadersPerTerm,
        () => ""
      )
    )
  }
  if (facts.term !== undefined) {
    clauses.push(
      countClause("term", facts.term, highestTerm, (view) => {
        const highest = highestTerm(view)
        const running = runningIn(view)
        const those = running.filter((node) => highest > 0 && node.term === highest)
        return those.length === running.length ? "" : enumerate(namesOf(those))
      })
    )
  }
  for (const peer of facts.peers ?? []) clauses.push(peerClause(peer))
  for (const session of facts.sessions ?? []) clauses.push(sessionClause(session))
  for (const one of facts.trusts ?? []) clauses.push(trustClause(one))
  for (const one of facts.heartbeats ?? []) clauses.push(heartbeatClause(one))
  for (const one of facts.unread ?? []) clauses.push(unreadClause(one))
  for (const fact of facts.frames ?? []) clauses.push(frameClause(fact, from))
  for (const fact of facts.routes ?? []) clauses.push(routeClause(fact))
  for (const fact of facts.actuators ?? []) clauses.push(actuatorClause(fact))
  for (const fact of facts.farm ?? []) clauses.push(farmClause(fact))
  for (const fact of facts.proposals ?? []) clauses.push(proposalClause(fact))
  for (const fact of facts.inferences ?? []) clauses.push(inferenceClause(fact))
  for (const topic of facts.agreeOn ?? []) clauses.push(agreementClause(topic))
  for (const [index, event] of (facts.events ?? []).entries()) clauses.push(eventClause(event, index))
  return clauses
}

/** Prepares facts for being asked many times. */
export const question = (facts: Facts, from: Asked = "of all"): Question => {
  const clauses = clausesOf(facts, from)
  return {
    holds: (view, seen) => {
      for (const clause of clauses) if (!clause.holds(view, seen)) return false
      return true
    },
    witness: (view, seen, which) => {
      const guilty = which === "present" ? clauses : clauses.filter((clause) => !clause.holds(view, seen))
      // With one fact the reader knows what is spoken of; with several the key has to say it.
      const speaksForItself = clauses.length === 1
      return guilty
        .map((clause) =>
          speaksForItself ||
          [
            "peers",
            "sessions",
            "trusts",
            "leader",
            "heartbeats",
            "unread",
            "frames",
            "routes",
            "actuators",
            "farm",
            "proposals",
            "inferences"
          ].includes(clause.key)
            ? clause.now(view, seen)
            : `${clause.key} ${clause.now(view, seen)}`
        )
        .join("; ")
    },
    told: clauses.map((clause) => clause.told).join(", "),
    dependsOnLeases: facts.leaders !== undefined
  }
}

/** One question, once. Where facts are asked again and again, keep a `question`. */
export const holds = (facts: Facts, view: WorldView, seen: Seen = []): boolean => question(facts).holds(view, seen)

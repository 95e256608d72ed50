/**
 * What one step changed in a node, in words: what of it can be a reason for what comes later. Renewed leases, heartbeats and counters
 * are none.
 */
import type { Command } from "../../kernel/Command.ts"
import { type Record, subject } from "../../kernel/Durable.ts"
import type { NodeState } from "../../kernel/Node.ts"

/**
 * What a change is about: `phase`, `leadership`, `journal`, `trust`, `peer:NAME`, `session:NAME`, `refusal`. Whoever writes one is a
 * reason for the next one who writes the same.
 */
export type Aspect = string

export interface Change {
  readonly aspect: Aspect
  readonly text: string
}

export const NO_CHANGES: ReadonlyArray<Change> = []

type NameOf = (deviceId: string) => string

const phases: { readonly [phase in NodeState["phase"]]: string } = {
  off: "is off",
  recalling: "asks which incarnation it had",
  booting: "boots",
  running: "runs",
  leaving: "leaves",
  left: "has left"
}

const standingChange = ({ leadership }: NodeState, before: NodeState): ReadonlyArray<Change> => {
  const { standing, term } = leadership
  const was = before.leadership.standing
  const announced = standing._tag === "Leading" && standing.announced
  if (standing._tag === was._tag && announced === (was._tag === "Leading" && was.announced)) return NO_CHANGES
  if (standing._tag === "Leading" && was._tag === "Leading" && !announced)
    return [{ aspect: "leadership", text: `no longer has a lease, term ${term.counter}` }]
  const text = {
    Following: `no longer ${was._tag === "Leading" ? "leads" : "stands"}`,
    Sounding: `asks whether it would win term ${"term" in standing ? standing.term.counter : term.counter}`,
    Standing: `stands for term ${"term" in standing ? standing.term.counter : term.counter}`,
    Leading: announced ? `leads, term ${term.counter}` : `wins term ${term.counter}`
  }[standing._tag]
  return [{ aspect: "leadership", text }]
}

const leadershipChanges = (after: NodeState, before: NodeState, nameOf: NameOf): ReadonlyArray<Change> => {
  // What a boot finds in its journal is nothing new.
  if (after.leadership === before.leadership || before.phase !== "running") return NO_CHANGES
  const { leader, term, votedFor, votedTerm } = after.leadership
  const was = before.leadership
  const changes = [...standingChange(after, before)]
  const say = (text: string): void => void changes.push({ aspect: "leadership", text })
  if (votedFor !== null && (votedTerm.counter !== was.votedTerm.counter || votedFor !== was.votedFor))
    say(`votes for ${votedFor === after.config.deviceId ? "itself" : nameOf(votedFor)} in term ${votedTerm.counter}`)
  if (leader !== was.leader && leader !== null && leader !== after.config.deviceId)
    say(`follows ${nameOf(leader)}, term ${term.counter}`)
  if (leader !== was.leader && leader === null) say("has no leader")
  // Said by what it does with the term, where it does something.
  if (changes.length === 0 && (term.counter !== was.term.counter || term.manifest !== was.term.manifest))
    say(`goes from term ${was.term.counter} to term ${term.counter}`)
  return changes
}

const peerChanges = (after: NodeState, before: NodeState, nameOf: NameOf): ReadonlyArray<Change> => {
  const { members } = after.membership
  const was = before.membership.members
  if (members === was) return NO_CHANGES
  return members.flatMap(({ deviceId, state }, i) => {
    const known = was[i]?.deviceId === deviceId ? was[i] : was.find((other) => other.deviceId === deviceId)
    if (known?.state === state) return []
    const name = nameOf(deviceId)
    return [{ aspect: `peer:${name}`, text: `has ${name} as ${state}` }]
  })
}

const sessionsOf = ({ links }: NodeState): ReadonlyArray<string> =>
  links.links.flatMap((link) => (link._tag === "Session" ? [link.peer] : []))

const sessionChanges = (after: NodeState, before: NodeState, nameOf: NameOf): ReadonlyArray<Change> => {
  if (after.links.links === before.links.links) return NO_CHANGES
  const now = sessionsOf(after)
  const then = sessionsOf(before)
  if (now.length === then.length && now.every((peer, i) => peer === then[i])) return NO_CHANGES
  const change = (peer: string, text: string): Change => ({ aspect: `session:${nameOf(peer)}`, text })
  return [
    ...now.filter((peer) => !then.includes(peer)).map((peer) => change(peer, `has a session with ${nameOf(peer)}`)),
    ...then.filter((peer) => !now.includes(peer)).map((peer) => change(peer, `has no session with ${nameOf(peer)}`))
  ]
}

const trustChanges = (after: NodeState, before: NodeState, nameOf: NameOf): ReadonlyArray<Change> => {
  const { trusted } = after.config
  const was = before.config.trusted
  if (trusted === was) return NO_CHANGES
  const change = (deviceId: string, text: string): Change => ({
    aspect: "trust",
    text: `${text} ${nameOf(deviceId)}`
  })
  return [
    ...trusted
      .filter(({ deviceId, role }) => !was.some((other) => other.deviceId === deviceId && other.role === role))
      .map(({ deviceId }) => change(deviceId, "trusts")),
    ...was
      .filter(({ deviceId }) => !trusted.some((other) => other.deviceId === deviceId))
      .map(({ deviceId }) => change(deviceId, "no longer trusts"))
  ]
}

/** Of whom it is; empty: of nobody. */
const deviceOf = (record: Record): string => {
  switch (record._tag) {
    case "Trust":
      return record.device.deviceId
    case "Distrust":
    case "Pin":
      return record.deviceId
    default:
      return ""
  }
}

const commandChanges = (commands: ReadonlyArray<Command>, nameOf: NameOf): ReadonlyArray<Change> =>
  commands.flatMap((command): ReadonlyArray<Change> => {
    if (command._tag === "Persist") {
      const words = subject(command.record).replace(/\b[0-9a-f]{12}$/u, () => nameOf(deviceOf(command.record)))
      return [{ aspect: "journal", text: `writes ${words} to its journal` }]
    }
    if (command._tag !== "Note") return NO_CHANGES
    const { about, code, event, reason } = command.event
    const why = code ?? reason
    if (event === "frame.refused" || event === "connection.refused")
      return [
        {
          aspect: "refusal",
          text: `refuses ${event === "frame.refused" ? "a frame" : "a connection"}${
            about === undefined ? "" : ` of ${nameOf(about)}`
          }${why === undefined ? "" : `: ${why}`}`
        }
      ]
    return event === "node.stalled" ? [{ aspect: "phase", text: `was not there for ${command.event.ms ?? 0} ms` }] : []
  })

/** In the order in which a person would tell them. */
export const changesOf = (
  before: NodeState,
  after: NodeState,
  commands: ReadonlyArray<Command>,
  nameOf: NameOf
): ReadonlyArray<Change> => {
  if (after === before && commands.length === 0) return NO_CHANGES
  const changes = [
    ...(after.phase === before.phase ? [] : [{ aspect: "phase", text: phases[after.phase] }]),
    ...leadershipChanges(after, before, nameOf),
    ...peerChanges(after, before, nameOf),
    ...sessionChanges(after, before, nameOf),
    ...trustChanges(after, before, nameOf),
    ...commandChanges(commands, nameOf)
  ]
  return changes.length === 0 ? NO_CHANGES : changes
}

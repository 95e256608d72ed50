/**
 * K3: what happens to a node is told, and nothing is told that did not happen. Each change of what it has a peer as, of its session
 * with one, of its own lease and of whom it follows has its note in the same step, and each such note its change; each
 * refusal that is told is counted under its code then, each that is answered by then; and whoever asks how it is is told so.
 *
 * Asked of nodes that run. Does not judge: in which words, nor notes of liars.
 */
import type { Command } from "../../kernel/Command.ts"
import { indexOfContact, indexOfLink } from "../../kernel/links/Link.ts"
import { indexOfMember, type Member } from "../../kernel/membership/Member.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { MeshEvent } from "../../kernel/status/MeshEvent.ts"
import type { NodeStatus } from "../../kernel/status/Status.ts"
import { allCodes } from "../../kernel/wire/Codes.ts"
import { leftBy } from "./Demands.ts"
import type { MakeOracle, Observation } from "./Oracle.ts"

/** Notes, and codes of answers, in all that is asked for, also of what waits for the disk. */
interface Said {
  readonly notes: Array<MeshEvent>
  readonly answered: Array<string>
}

const listen = (commands: ReadonlyArray<Command>, said: Said): Said => {
  for (const command of commands)
    if (command._tag === "Note") said.notes.push(command.event)
    else if (command._tag === "Persist") listen(command.then, said)
    else if (command._tag === "Send" && command.frame.type === "res" && !command.frame.ok)
      said.answered.push(command.frame.error.code)
  return said
}

const STATES: ReadonlySet<string> = new Set(["peer.up", "peer.suspect", "peer.down", "peer.left"])

const memberIn = ({ membership: { members } }: NodeState, peer: string): Member | undefined =>
  members[indexOfMember(members, peer)]

const peersTold = ({ after, before }: Observation, { notes }: Said): string | null => {
  const stateIn = (state: NodeState, peer: string): string | undefined => memberIn(state, peer)?.state
  if (after.membership.members !== before.membership.members)
    for (const [place, member] of after.membership.members.entries()) {
      const { deviceId, state } = member
      const there = before.membership.members[place]
      if (there === member) continue
      const was = there?.deviceId === deviceId ? there.state : stateIn(before, deviceId)
      if (was === undefined || was === state || state === "unknown") continue
      if (!notes.some(({ about, event }) => about === deviceId && event === `peer.${state}`))
        return `has a peer as ${state} that was ${was}, and does not say so`
    }
  if (notes.length === 0) return null
  // Of several in one step the last one holds.
  const last = new Map(
    notes.flatMap(({ about, event }) => (STATES.has(event) && about !== undefined ? [[about, event]] : []))
  )
  for (const [about, event] of last) {
    const is = stateIn(after, about)
    if (is !== event.slice("peer.".length)) return `says ${event} of a peer that is ${is ?? "unknown"}`
  }
  return null
}

const sessionsTold = ({ after, before }: Observation, { notes }: Said): string | null => {
  if (after.links.contacts === before.links.contacts) return null
  const { contacts } = before.links
  for (const { peer, session } of after.links.contacts) {
    const was = contacts[indexOfContact(contacts, peer)]?.session ?? null
    if (was === session) continue
    const has = (event: MeshEvent["event"]) => notes.some((told) => told.about === peer && told.event === event)
    // One that takes the place of another is told as a new one.
    if (session === null && !has("peer.disconnect")) return "lost a session, and does not say so"
    if (session !== null && !has("peer.connect")) return "made a session, and does not say so"
  }
  return null
}

const holds = ({ leadership: { standing } }: NodeState): boolean => standing._tag === "Leading" && standing.announced

const leadersTold = ({ after, before, input }: Observation, { notes }: Said): string | null => {
  const was = before.leadership.leader
  const { leader } = after.leadership
  const left = was === null ? null : leftBy(before, input)
  // A goodbye of an earlier life than the one in which it was heard leading, which a device that was distrusted meanwhile hears again, is none.
  const gone =
    left !== null &&
    left.peer === was &&
    memberIn(after, was)?.incarnation === left.incarnation &&
    left.incarnation >= before.leadership.leaderIn
  if (gone && leader === was) return "is told that its leader has left, and follows it still"
  if (after.leadership === before.leadership) return null
  const { deviceId } = after.config
  const about = (who: string, ...events: ReadonlyArray<MeshEvent["event"]>) =>
    notes.some((told) => told.about === who && events.includes(told.event))
  if (!holds(before) && holds(after) && !about(deviceId, "leader.elected")) return "has a lease, and does not say so"
  if (holds(before) && !holds(after) && !about(deviceId, "leader.lost", "leader.stepped-down"))
    return "has no lease any more, and does not say so"
  const led = before.leadership.standing._tag === "Leading" && after.leadership.standing._tag !== "Leading"
  if (led && !about(deviceId, "leader.stepped-down")) return "leads no more, and does not say so"
  const released = input._tag === "Received" && input.frame.type === "event" && input.frame.event === "mesh.release"
  if ((released || gone) && was !== null && leader === null && !about(was, "leader.lost", "leader.stepped-down"))
    return "is told that its leader hands over, and does not say so"
  if (leader !== was && leader !== null && leader !== deviceId && !about(leader, "leader.followed"))
    return "follows another leader, and does not say so"
  return null
}

/** Stalls, as long as one is not over; and why a node thinks that it is cut off. */
const ownTold = ({ after, before }: Observation, { notes }: Said): string | null => {
  const { attentiveAt, stalls } = before.membership
  const stalled = after.membership.stalls.count > stalls.count && attentiveAt === 0
  if (stalled !== notes.some(({ event }) => event === "node.stalled"))
    return stalled ? "was not there, and does not say so" : "says that it was not there, and was"
  const why = notes.find(({ event }) => event === "node.isolated")?.reason
  const reason = after.membership.carrierLostAt === null ? "every peer is down" : "no carrier"
  return why === undefined || why === reason ? null : `is cut off for another reason than it says: ${why}`
}

const refusalsCounted = ({ after, before }: Observation, { answered, notes }: Said): string | null => {
  const told = notes.flatMap(({ code, event }) =>
    code !== undefined && (event === "connection.refused" || event === "frame.refused") ? [code] : []
  )
  const countIn = ({ refusals }: NodeState, code: string): number =>
    refusals[allCodes.findIndex((one) => one === code)] ?? 0
  for (const code of told)
    if (countIn(after, code) <= countIn(before, code)) return `refuses with ${code}, and does not count it`
  // An answer may have waited for its lane.
  for (const code of answered) if (countIn(after, code) === 0) return `answers with ${code}, and never counted it`
  return null
}

/** What does not read is told, whoever said it. */
const unreadTold = ({ before, input }: Observation, { notes }: Said): string | null => {
  if (input._tag !== "Malformed" || indexOfLink(before.links.links, input.link) === -1) return null
  return notes.some(({ code }) => code !== undefined) ? null : "hears what does not read, and does not say so"
}

/** Who asks how it is is told what is so: of itself, of its refusals, and of each peer. */
const answersTrue = ({ before, commands, input }: Observation): string | null => {
  if (input._tag !== "Received" || input.frame.type !== "req") return null
  const { id, method } = input.frame
  if (method !== "mesh.status" && method !== "mesh.peers") return null
  const answer = commands.find(
    (command) =>
      command._tag === "Send" && command.link === input.link && command.frame.type === "res" && command.frame.id === id
  )
  if (answer?._tag !== "Send" || answer.frame.type !== "res" || !answer.frame.ok) return null
  const said = answer.frame.payload as Partial<NodeStatus>
  if (method === "mesh.status") {
    const { incarnation, localDeviceId, refusals = {} } = said
    if (localDeviceId !== before.config.deviceId || incarnation !== before.incarnation) return "says that it is another"
    for (const [index, code] of allCodes.entries())
      if ((refusals[code] ?? 0) !== before.refusals[index]) return `says that it refused ${refusals[code] ?? 0} ${code}`
  }
  const { members } = before.membership
  if (said.peers?.length !== members.length) return "tells of other peers than it has"
  for (const { deviceId, linked, state } of said.peers) {
    const member = members[indexOfMember(members, deviceId)]
    if (member?.state !== state) return `says that a peer is ${state}, and has it as ${member?.state ?? "nobody"}`
    const { contacts } = before.links
    const session = contacts[indexOfContact(contacts, deviceId)]?.session ?? null
    if (linked !== (session !== null)) return `says that a peer is ${linked ? "" : "not "}linked`
  }
  return null
}

export const told: MakeOracle = () => ({
  id: "K3",
  fork: told,
  stepped: (seen) => {
    const { after, before, commands, input, machine } = seen
    if (before.phase !== "running" || after.phase !== "running" || after.incarnation !== before.incarnation) return null
    // What an operator thinks of a device is told by the operator.
    if (input._tag === "Trust" || input._tag === "Distrust") return null
    const said = listen(commands, { notes: [], answered: [] })
    const why =
      ownTold(seen, said) ??
      peersTold(seen, said) ??
      sessionsTold(seen, said) ??
      leadersTold(seen, said) ??
      refusalsCounted(seen, said) ??
      unreadTold(seen, said) ??
      answersTrue(seen)
    return why === null ? null : `${machine.name} ${why}`
  }
})

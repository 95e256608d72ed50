/**
 * Inputs that a node may not pass over: it has to do something, or be another one afterwards. Oracles watch steps in which
 * something happened; a step in which nothing did is of interest only for these.
 */
import type { Input } from "../../kernel/Input.ts"
import { indexOfLink, type Session } from "../../kernel/links/Link.ts"
import type { NodeState } from "../../kernel/Node.ts"
import { ANSWERED_TERM_LEAP_MAX } from "../../kernel/Profile.ts"
import type { DeviceId, LinkEpoch, Term } from "../../kernel/wire/Frame.ts"

const ANSWERS: ReadonlySet<string> = new Set(["mesh.lead.answer", "mesh.prevote.answer", "mesh.vote.answer"])

/** The session that an input came over; `null`: it came over none. */
export const sessionOf = ({ links: { links } }: NodeState, input: Input): Session | null => {
  if (!("link" in input)) return null
  const link = links[indexOfLink(links, input.link)]
  return link?._tag === "Session" ? link : null
}

/** It may stand, or lead: nobody else has asked anything that could be refused. */
const mayAsk = ({ config: { deviceId, manifest, role }, leadership }: NodeState): boolean =>
  !leadership.abstains && manifest.electors.includes(deviceId) && (role === "planner" || role === "standby-planner")

/** The higher term of which an elector's refusal tells (PROTOCOL.md P7.6), if it can be one (P7.8); `null`: none. */
export const higherTerm = (before: NodeState, input: Input): Term | null => {
  if (input._tag !== "Received" || input.frame.type !== "event" || !ANSWERS.has(input.frame.event)) return null
  const { payload } = input.frame
  const agrees = ("granted" in payload && payload.granted) || ("promised" in payload && payload.promised)
  if (agrees || !("term" in payload) || !mayAsk(before)) return null
  const { counter, manifest } = payload.term
  const { electors, version } = before.config.manifest
  const known = before.leadership.term.counter
  if (manifest !== version || counter <= known || counter > known + ANSWERED_TERM_LEAP_MAX) return null
  const peer = sessionOf(before, input)?.peer
  return peer !== undefined && electors.includes(peer) ? payload.term : null
}

/** Which link a heartbeat belongs to, beside the session that it came over, as the receiver sees both; `null`: it is none. */
const heartbeatOver = (
  before: NodeState,
  input: Input
): { readonly session: Session; readonly said: LinkEpoch } | null => {
  if (input._tag !== "Received" || input.frame.type !== "event" || input.frame.event !== "mesh.heartbeat") return null
  const session = sessionOf(before, input)
  const [theirs, their, ours, our] = input.frame.payload.epoch
  // Of generation 1 there are no heartbeats: what it says so is passed over (P11).
  return session === null || !session.proven.kernel ? null : { session, said: [ours, our, theirs, their] }
}

/** The life of one end, or its link in the same life, comes before that of the other epoch. */
const isOlder = ([a, b, c, d]: LinkEpoch, [e, f, g, h]: LinkEpoch): boolean =>
  a < e || c < g || (a === e && b < f) || (c === g && d < h)

/** The session over which a heartbeat came that belongs to a later link (P7.1); `null`: there is none. */
export const partedFrom = (before: NodeState, input: Input): Session | null => {
  const heard = heartbeatOver(before, input)
  if (heard === null || isOlder(heard.said, heard.session.epoch)) return null
  return heard.said.every((part, place) => part === heard.session.epoch[place]) ? null : heard.session
}

/** The session over which a heartbeat came that belongs to an older link (P7.1); `null`: there is none. */
export const lateOver = (before: NodeState, input: Input): Session | null => {
  const heard = heartbeatOver(before, input)
  return heard !== null && isOlder(heard.said, heard.session.epoch) ? heard.session : null
}

/**
 * Who has left, and in which incarnation, by a word of its own that this input proves: a goodbye whose signature holds, or what it
 * says itself on its session (P7.9, P7.16); `null`: nobody.
 */
export const leftBy = (
  before: NodeState,
  input: Input
): { readonly peer: DeviceId; readonly incarnation: number } | null => {
  if (input._tag === "Checked") {
    const asked = before.membership.checking.find(({ ticket }) => ticket === input.ticket)?.goodbye
    const holds = asked !== undefined && asked.deviceId === input.deviceId && input.valid[0] === true
    return holds ? { peer: asked.deviceId, incarnation: asked.incarnation } : null
  }
  if (input._tag !== "Received" || input.frame.type !== "event" || input.frame.event !== "peer.leaving") return null
  const session = sessionOf(before, input)
  const { deviceId, incarnation } = input.frame.payload
  if (session === null || session.peer !== deviceId) return null
  const own = session.proven.incarnation
  return incarnation === undefined || incarnation === own ? { peer: deviceId, incarnation: own } : null
}

export const demands = (before: NodeState, input: Input): boolean =>
  input._tag === "Stored" || partedFrom(before, input) !== null || higherTerm(before, input) !== null

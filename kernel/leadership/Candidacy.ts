/**
 * The candidate's side: sound out, stand, lead (mesh protocol, leadership). Sounding out asks for votes without spending a
 * term, so that a node that nobody would follow disturbs nobody.
 */
import type { Links } from "../links/Link.ts"
import { NEVER_MS } from "../Time.ts"
import type { Turn } from "../Turn.ts"
import type { Command } from "../Command.ts"
import type { DeviceId, Term } from "../wire/Frame.ts"
import { FOLLOWING, isMajority, leaseRuns, standLater, type Leadership } from "./Leadership.ts"
import * as Leading from "./Leading.ts"
import { compareTerms } from "./Term.ts"
import { onHigherTerm, toElectors, vote, wouldVote } from "./Voting.ts"

/** Nothing was heard of a leader for long enough. */
export const stand = (leadership: Leadership, turn: Turn, links: Links): Leadership => {
  const { config } = turn
  const term = nextTerm(leadership, turn)
  const idle: Leadership = { ...leadership, standAt: NEVER_MS, standing: FOLLOWING }
  if (!wouldVote(idle, turn, config.deviceId, term))
    return standLater(idle, turn, Math.max(idle.silentUntil, idle.promisedUntil) - turn.at.mono)
  const endsAt = turn.at.mono + config.profile.candidacyMs
  const sounding: Leadership = {
    ...idle,
    standing: { _tag: "Sounding", term, granted: [config.deviceId], endsAt }
  }
  toElectors(turn, links, (link) => ({
    _tag: "Send",
    link,
    frame: { type: "event", event: "mesh.prevote", payload: { term } }
  }))
  return isMajority(config, 1) ? campaign(sounding, turn, links, term) : sounding
}

const nextTerm = (leadership: Leadership, turn: Turn): Term => {
  const { version } = turn.config.manifest
  const highest = compareTerms(leadership.term, leadership.votedTerm) < 0 ? leadership.votedTerm : leadership.term
  return { manifest: version, counter: highest.manifest === version ? highest.counter + 1 : 1 }
}

/** Votes for itself, durably, and asks the others only then. */
const campaign = (leadership: Leadership, turn: Turn, links: Links, term: Term): Leadership => {
  const { config } = turn
  const endsAt = turn.at.mono + config.profile.candidacyMs
  const requests: Array<Command> = []
  const ask = (link: number): Command => ({
    _tag: "Send",
    link,
    frame: { type: "event", event: "mesh.vote", payload: { term } }
  })
  toElectors(turn, links, ask, requests)
  const [voted, ticket] = vote(leadership, turn, config.deviceId, term, turn.incarnation, requests)
  // Our own vote counts once it is durable: `onStored`.
  return { ...voted, standing: { _tag: "Standing", term, granted: [], endsAt, ticket } }
}

/** Our vote for ourselves is on stable storage. */
export const onStored = (leadership: Leadership, turn: Turn, ticket: number): Leadership => {
  const { standing } = leadership
  return standing._tag === "Standing" && standing.ticket === ticket
    ? granted(leadership, turn, turn.config.deviceId)
    : leadership
}

export const onPrevoteAnswer = (
  leadership: Leadership,
  turn: Turn,
  links: Links,
  from: DeviceId,
  term: Term,
  yes: boolean
): Leadership => {
  const { standing } = leadership
  if (!yes) return onHigherTerm(leadership, turn, term, turn.config.profile.candidacyMs)
  if (standing._tag !== "Sounding" || compareTerms(term, standing.term) !== 0) return leadership
  if (standing.granted.includes(from) || !turn.config.manifest.electors.includes(from)) return leadership
  const next: Leadership = { ...leadership, standing: { ...standing, granted: [...standing.granted, from] } }
  return isMajority(turn.config, standing.granted.length + 1) && wouldVote(next, turn, turn.config.deviceId, term)
    ? campaign(next, turn, links, term)
    : next
}

export const onVoteAnswer = (
  leadership: Leadership,
  turn: Turn,
  from: DeviceId,
  term: Term,
  yes: boolean
): Leadership => {
  const { standing } = leadership
  if (!yes) return onHigherTerm(leadership, turn, term, turn.config.profile.candidacyMs)
  if (standing._tag !== "Standing" || compareTerms(term, standing.term) !== 0) return leadership
  return turn.config.manifest.electors.includes(from) ? granted(leadership, turn, from) : leadership
}

const granted = (leadership: Leadership, turn: Turn, from: DeviceId): Leadership => {
  const { standing } = leadership
  if (standing._tag !== "Standing" || standing.granted.includes(from)) return leadership
  const votes = [...standing.granted, from]
  const next: Leadership = { ...leadership, standing: { ...standing, granted: votes } }
  // Ours must be among them: only then is it certain that we vote for nobody else in this term.
  return isMajority(turn.config, votes.length) && votes.includes(turn.config.deviceId)
    ? Leading.begin(next, turn)
    : next
}

/** A candidacy ran out: again, later each time. */
export const giveUp = (leadership: Leadership, turn: Turn): Leadership => {
  const { candidacyMaxMs, candidacyMs } = turn.config.profile
  const wait = Math.min(candidacyMaxMs, candidacyMs * (1 << Math.min(leadership.rounds, 8)))
  const idle: Leadership = { ...leadership, standing: FOLLOWING, rounds: leadership.rounds + 1 }
  return standLater(idle, turn, wait - candidacyMs)
}

/** A session with an elector came up: what could not be won before may be won now. */
export const encouraged = (leadership: Leadership, turn: Turn): Leadership =>
  leadership.rounds === 0 || leadership.standing._tag !== "Following" || leaseRuns(leadership, turn.at.mono)
    ? leadership
    : standLater({ ...leadership, rounds: 0 }, turn, leadership.promisedUntil - turn.at.mono)

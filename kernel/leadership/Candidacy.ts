/**
 * The candidate's side: sound out, stand, lead (mesh protocol, leadership). Sounding out asks for votes without spending a
 * term, so that a node that nobody would follow disturbs nobody.
 */
import type { Links } from "../links/Link.ts"
import { NEVER_MS } from "../Time.ts"
import { note, type Turn } from "../Turn.ts"
import type { Command } from "../Command.ts"
import type { DeviceId, Event, Term } from "../wire/Frame.ts"
import { FOLLOWING, isMajority, leaseRuns, mayLead, standLater, type Leadership, type Standing } from "./Leadership.ts"
import * as Leading from "./Leading.ts"
import { compareTerms } from "./Term.ts"
import { onHigherTerm, toElectors, vote, wouldVote } from "./Voting.ts"

type PrevoteAnswer = Extract<Event, { readonly event: "mesh.prevote.answer" }>["payload"]

/** Nothing was heard of a leader for long enough. */
export const stand = (leadership: Leadership, turn: Turn, links: Links): Leadership => {
  const { config } = turn
  const term = nextTerm(leadership, turn)
  const idle: Leadership = { ...leadership, standAt: NEVER_MS, standing: FOLLOWING }
  if (!wouldVote(idle, turn, config.deviceId, term))
    return standLater(idle, turn, Math.max(idle.silentUntil, idle.promisedUntil) - turn.at.mono)
  const endsAt = turn.at.mono + config.profile.candidacyMs
  const ask = leadership.draws
  const asked = toElectors(turn, links, (link) => ({
    _tag: "Send",
    link,
    frame: { type: "event", event: "mesh.prevote", payload: { term, ask } }
  }))
  const sounding: Leadership = {
    ...idle,
    standing: {
      _tag: "Sounding",
      term,
      granted: [config.deviceId],
      asked,
      ask,
      askedAt: turn.at.mono,
      refused: [],
      owedUntil: 0,
      endsAt
    }
  }
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
  { granted: yes, promised, term }: PrevoteAnswer
): Leadership => {
  const { standing } = leadership
  if (!yes) {
    const next = onHigherTerm(leadership, turn, term, turn.config.profile.candidacyMs)
    return standing._tag === "Sounding" ? refusedBy(next, standing, turn, from, term, promised) : next
  }
  if (standing._tag !== "Sounding" || compareTerms(term, standing.term) !== 0) return leadership
  if (standing.granted.includes(from) || !turn.config.manifest.electors.includes(from)) return leadership
  const next: Leadership = { ...leadership, standing: { ...standing, granted: [...standing.granted, from] } }
  return isMajority(turn.config, standing.granted.length + 1) && wouldVote(next, turn, turn.config.deviceId, term)
    ? campaign(next, turn, links, term)
    : next
}

/**
 * We asked, and the answer is no. Where a leader that we may not hear ourselves is the reason (P7.21) we know by that who leads, and
 * when to ask again; and ask no longer where those who are left could not elect us.
 */
const refusedBy = (
  leadership: Leadership,
  asked: Extract<Standing, { readonly _tag: "Sounding" }>,
  turn: Turn,
  from: DeviceId,
  term: Term,
  promised: PrevoteAnswer["promised"]
): Leadership => {
  if (promised?.ask !== asked.ask || asked.refused.includes(from)) return leadership
  const { config } = turn
  // It was said after we asked: longer than from then on nobody may owe it.
  const until = asked.askedAt + Math.min(promised.ms, config.profile.promiseMs)
  const refused = [...asked.refused, from]
  const owedUntil = Math.max(asked.owedUntil, until)
  const knows = heardOf(leadership, turn, term, promised.to, until)
  // It learned of a higher term by that, and asks no more.
  if (knows.standing._tag !== "Sounding") return askAgain(knows, turn, until)
  const next: Leadership = { ...knows, standing: { ...knows.standing, refused, owedUntil } }
  return isMajority(config, 1 + asked.asked - refused.length) ? next : giveUp(next, turn)
}

/** A little before that is over, so that one knows of a leader that goes on; and then when it is. */
const askAgain = (leadership: Leadership, turn: Turn, until: number): Leadership => {
  const { leadMs } = turn.config.profile
  const ms = until - turn.at.mono
  return standLater({ ...leadership, standing: FOLLOWING, rounds: 0 }, turn, ms > 2 * leadMs ? ms - leadMs : ms)
}

/** An elector says who leads: whom we name, too, for as long as that elector owes its vote, unless we hear another ourselves. */
const heardOf = (leadership: Leadership, turn: Turn, term: Term, leader: DeviceId, until: number): Leadership => {
  const { config } = turn
  const heardAt = until - config.profile.promiseMs
  const isOurs =
    compareTerms(term, leadership.term) === 0 && (leadership.leader === null || leadership.leader === leader)
  if (!isOurs || !mayLead(config, leader) || leader === config.deviceId || heardAt <= leadership.heardAt)
    return leadership
  if (leadership.leader === null) note(turn, { event: "leader.followed", about: leader, term: term.counter })
  return { ...leadership, leader, heardAt }
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
  const { standing } = leadership
  // Somebody leads, and those who say so say when that could be over.
  if (standing._tag === "Sounding" && standing.owedUntil > 0) return askAgain(leadership, turn, standing.owedUntil)
  const wait = Math.min(candidacyMaxMs, candidacyMs * (1 << Math.min(leadership.rounds, 8)))
  const idle: Leadership = { ...leadership, standing: FOLLOWING, rounds: leadership.rounds + 1 }
  return standLater(idle, turn, wait - candidacyMs)
}

/** A session with an elector came up: what could not be won before may be won now. */
export const encouraged = (leadership: Leadership, turn: Turn): Leadership =>
  leadership.rounds === 0 || leadership.standing._tag !== "Following" || leaseRuns(leadership, turn.at.mono)
    ? leadership
    : standLater({ ...leadership, rounds: 0 }, turn, leadership.promisedUntil - turn.at.mono)

/**
 * The voter's side: what we promise to a leader, and to whom we give our vote.
 *
 * A vote is answered only once it is on stable storage. A promise is kept in memory: a boot forgets it, and makes up for it
 * by silence.
 */
import { incarnationAt, indexOfContact, kernelLink, type Links } from "../links/Link.ts"
import { note, send, type Turn } from "../Turn.ts"
import type { Command } from "../Command.ts"
import type { DeviceId, Event, Term } from "../wire/Frame.ts"
import { signing } from "./Certificate.ts"
import { FOLLOWING, isElector, leaseRuns, mayLead, named, standLater, type Leadership } from "./Leadership.ts"
import { compareTerms } from "./Term.ts"

/** Would we vote for this candidate in this term now? */
export const wouldVote = (leadership: Leadership, turn: Turn, candidate: DeviceId, term: Term): boolean => {
  const now = turn.at.mono
  if (!isElector(turn.config, turn.config.deviceId) || !mayLead(turn.config, candidate)) return false
  if (leadership.abstains || now < leadership.silentUntil || leaseRuns(leadership, now)) return false
  if (now < leadership.promisedUntil && leadership.promisedTo !== candidate) return false
  if (compareTerms(term, leadership.term) < 0 || compareTerms(term, leadership.votedTerm) < 0) return false
  if (compareTerms(term, leadership.votedTerm) === 0) return leadership.votedFor === candidate
  // A term that somebody already leads is taken.
  return compareTerms(term, leadership.term) > 0 || leadership.leader === null
}

/** Votes, durably, and only then performs `then`, and signs; `incarnation` of the candidate. The ticket is that of the record. */
export const vote = (
  leadership: Leadership,
  turn: Turn,
  candidate: DeviceId,
  term: Term,
  incarnation: number,
  then: ReadonlyArray<Command>
): readonly [Leadership, ticket: number] => {
  const [signs, sign] = signing(leadership, turn, candidate, incarnation, term)
  const ticket = turn.persist({ _tag: "Vote", term, votedFor: candidate }, [...then, sign])
  const leader = compareTerms(term, leadership.term) > 0 ? null : leadership.leader
  return [{ ...signs, term, votedTerm: term, votedFor: candidate, leader, proofs: [] }, ticket]
}

export const onPrevote = (
  leadership: Leadership,
  turn: Turn,
  from: DeviceId,
  link: number,
  { ask, term }: Extract<Event, { readonly event: "mesh.prevote" }>["payload"]
): Leadership => {
  const granted = wouldVote(leadership, turn, from, term)
  const promised = granted || ask === undefined ? null : owed(leadership, turn)
  send(turn, link, "mesh.prevote.answer", {
    term: granted ? term : leadership.term,
    granted,
    ...(promised === null ? {} : { promised: { ...promised, ask: ask! } })
  })
  return leadership
}

/** Whom we promised our vote, who leads the term that we know, and for how long yet; `null`: nobody. */
const owed = (
  { leader, promisedTo, promisedUntil }: Leadership,
  { at }: Turn
): { readonly to: DeviceId; readonly ms: number } | null =>
  promisedTo !== null && promisedTo === leader && promisedUntil > at.mono
    ? { to: promisedTo, ms: Math.ceil(promisedUntil - at.mono) }
    : null

export const onVote = (
  leadership: Leadership,
  turn: Turn,
  links: Links,
  from: DeviceId,
  link: number,
  term: Term
): Leadership => {
  if (!wouldVote(leadership, turn, from, term)) {
    send(turn, link, "mesh.vote.answer", { term: leadership.term, granted: false })
    return leadership
  }
  const answer: Command = {
    _tag: "Send",
    link,
    frame: { type: "event", event: "mesh.vote.answer", payload: { term, granted: true } }
  }
  const free = stepDown(leadership, turn, "it voted for another")
  const [voted] = vote(free, turn, from, term, incarnationAt(links, link), [answer])
  // Give the one we voted for time to lead before we stand ourselves.
  return standLater(voted, turn, turn.config.profile.candidacyMs)
}

/** A heartbeat of a leader. Its term decides; an elector's acknowledgement is a promise. */
export const onLead = (
  leadership: Leadership,
  turn: Turn,
  from: DeviceId,
  link: number,
  term: Term,
  beat: number,
  incarnation: number
): Leadership => {
  const { config } = turn
  if (!mayLead(config, from)) {
    turn.facts.push({ _tag: "Refused", code: "NOT_AUTHORIZED" })
    return leadership
  }
  const now = turn.at.mono
  const elector = isElector(config, config.deviceId) && !leadership.abstains
  // Nobody would hear from a node without a say that a false term, told to it alone, has deafened it (P7.6).
  const takesAny = !elector && named(leadership, config, now) === null
  const order = compareTerms(term, leadership.term)
  const stale = order < 0 ? !takesAny : order === 0 && leadership.leader !== null && leadership.leader !== from
  if (stale) {
    if (elector) send(turn, link, "mesh.lead.answer", { term: leadership.term, beat, promised: false })
    return leadership
  }
  const isNews = order !== 0 || leadership.leader !== from
  const follower = isNews ? stepDown(leadership, turn, "another leads a higher term") : leadership
  if (isNews) note(turn, { event: "leader.followed", about: from, term: term.counter })
  let next: Leadership = { ...follower, term, leader: from, leaderIn: incarnation, heardAt: now, rounds: 0 }
  if (elector) {
    next = { ...next, promisedTo: from, promisedUntil: now + config.profile.promiseMs }
    send(turn, link, "mesh.lead.answer", { term, beat, promised: true })
  }
  return standLater(next, turn, config.profile.promiseMs)
}

/** The leader ended its own term: we owe it nothing any more. */
export const onRelease = (leadership: Leadership, turn: Turn, from: DeviceId, term: Term): Leadership =>
  compareTerms(term, leadership.term) === 0 ? released(leadership, turn, from) : leadership

/**
 * The leader ended its term, by its own word. Whoever takes its leave did so before, and others may bring that goodbye sooner than
 * its own link brings the release (P7.6). A goodbye of an earlier life, which somebody whom it was forgotten by hears again, frees nobody.
 */
export const released = (
  leadership: Leadership,
  turn: Turn,
  from: DeviceId,
  incarnation = Number.POSITIVE_INFINITY
): Leadership => {
  if (leadership.leader !== from || incarnation < leadership.leaderIn) return leadership
  note(turn, { event: "leader.lost", about: from, term: leadership.term.counter, reason: "it handed over" })
  const disk = { ...leadership.disk, handedOverAt: turn.at.mono }
  const free: Leadership = { ...leadership, leader: null, heardAt: 0, disk }
  const owesNothing = free.promisedTo === from ? { ...free, promisedTo: null, promisedUntil: 0 } : free
  return standLater(owesNothing, turn, 0)
}

/** Stops leading or standing, if we do. */
export const stepDown = (leadership: Leadership, turn: Turn, reason: string): Leadership => {
  if (leadership.standing._tag === "Following") return leadership
  if (leadership.standing._tag === "Leading") {
    note(turn, {
      event: "leader.stepped-down",
      about: turn.config.deviceId,
      term: leadership.term.counter,
      reason
    })
  }
  const leader = leadership.leader === turn.config.deviceId ? null : leadership.leader
  return { ...leadership, standing: FOLLOWING, leader }
}

/**
 * Somebody knows a higher term: what we stand for or lead is over. We stand again in `afterMs` at the earliest. Whoever never
 * stands asked for nothing, and would follow nobody below that term, true or not, without a say by which the others learn of it.
 */
export const onHigherTerm = (leadership: Leadership, turn: Turn, term: Term, afterMs: number): Leadership => {
  if (!mayLead(turn.config, turn.config.deviceId) || leadership.abstains) return leadership
  if (compareTerms(term, leadership.term) <= 0) return leadership
  const follower = stepDown(leadership, turn, "there is a higher term")
  return standLater({ ...follower, term, leader: null }, turn, afterMs)
}

/** Sends an event to every elector that we have a session with; how many. */
export const toElectors = (
  turn: Turn,
  links: Links,
  make: (link: number) => Command,
  out: Array<Command> = turn.out
): number => {
  let count = 0
  for (const elector of turn.config.manifest.electors) {
    const contact = links.contacts[indexOfContact(links.contacts, elector)]
    const link = contact === undefined ? null : kernelLink(contact)
    if (link === null) continue
    out.push(make(link))
    count++
  }
  return count
}

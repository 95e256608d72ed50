/**
 * One edge: probing the link to one device, and what its silence means (mesh protocol, membership 2 and 8).
 *
 * A probe is a transport ping, pinged again while it is not answered. Any frame since it was sent is a sign of life as good as
 * its answer; but of ten probes five have to be answered, for a device that is heard and does not hear is of no use. A device
 * without a link misses its probes too, where we report on it.
 *
 * An edge that was bad is good again with the next sign of life, as long as the device is not down: links that stall now and
 * then do not add up to a death. Once it is down, its edges have to hold for a probation (docs/decisions/0014).
 */
import { NEVER_MS } from "../Time.ts"
import type { Fact, Turn } from "../Turn.ts"
import type { Event } from "../wire/Frame.ts"

import { countOf, hearsUs, type Member } from "./Member.ts"

export type Heartbeat = Extract<Event, { readonly event: "mesh.heartbeat" }>

/** On so many beats the round trip is measured anew, by a probe. */
const MEASURED_BEATS = 60
/** And on each of the first of a link: from one sample the deadline would be three times the round trip, for minutes. */
const SETTLING_BEATS = 10

/** By our beat: whoever sends us its heartbeats is probed when one of them does not come, or takes no notice of ours. */
export const onBeat = (member: Member, watched: boolean, beats: number, turn: Turn): Member => {
  const { doubtedSince, good, heardAt, kernel, link, linkedAt, probeAt } = member
  // Nobody probes it, and it is not heard either: what its edge was like says nothing any more.
  if (link === null && good && !watched && heardAt + turn.config.profile.coverAfterMs <= turn.at.mono)
    return declareBad(member)
  // While others have it as bad it has to answer each time.
  if (!kernel || link === null || doubtedSince !== NEVER_MS || !(watched || isSteady(member)))
    return probe(unawaited(member), watched, turn)
  const settling = turn.at.mono - linkedAt < SETTLING_BEATS * turn.config.profile.beatMs
  const measures = settling || beats % MEASURED_BEATS === 0
  return probeAt !== NEVER_MS && !measures ? member : probeByItself(member, watched, turn)
}

/** Nothing speaks against it. */
export const isSteady = ({ good, misses, state }: Member): boolean => misses === 0 && good && state !== "down"

/** No heartbeat of it is missed: it is probed by our beat. */
export const unawaited = (member: Member): Member =>
  member.probeAt === NEVER_MS ? member : { ...member, probeAt: NEVER_MS }

/** And again after as long as its heartbeats take, unless one of them puts that off. */
const probeByItself = (member: Member, watched: boolean, turn: Turn): Member => ({
  ...probe(member, watched, turn),
  probeAt: turn.at.mono + heartbeatMs(watched, turn)
})

const heartbeatMs = (watched: boolean, { config: { profile } }: Turn): number =>
  watched ? profile.beatMs : profile.slowBeats * profile.beatMs

/** What the judgement of a link rests on besides what came over it. */
export interface Watch {
  /** We report on it. */
  readonly watched: boolean
  readonly missesToBad: number
}

export interface Attention extends Watch {
  /** What we miss is to be blamed on others. */
  readonly attentive: boolean
}

/**
 * A heartbeat came. If it acknowledges ours, the link works both ways, as if a probe had been answered: the next one is due only
 * once the next heartbeat is late. If it does not, though ours had the time to arrive, a probe finds out; and if none of ours
 * came from one of its heartbeats to the next, that is as much as if nothing had come from it.
 */
export const onHeartbeat = (
  member: Member,
  { ack, seq }: Heartbeat["payload"],
  { attentive, missesToBad, watched }: Attention,
  turn: Turn
): Member => {
  if (seq < member.theirs) return member
  const now = turn.at.mono
  const next: Member = { ...member, theirs: seq + 1, heardAt: now }
  if (ack === undefined) return next
  const isUnderWay = ack === next.seq - 1 && now - next.saidAt <= graceMs(next, turn)
  if (ack !== next.seq && !isUnderWay) {
    const unheard = unacknowledged(next, ack, attentive, turn)
    const probed = next.probeAt !== NEVER_MS && next.probe === 0 ? probeByItself(unheard, watched, turn) : unheard
    return unheard.deaf < missesToBad ? probed : declareBad(probed)
  }
  const acknowledged = recovering({ ...next, acked: ack, deaf: 0 }, turn)
  if (next.probeAt === NEVER_MS || !isSteady(acknowledged) || next.state !== "up" || next.doubtedSince !== NEVER_MS)
    return acknowledged
  const probeAt = now + heartbeatMs(watched, turn) + graceMs(next, turn)
  return { ...acknowledged, history: shifted(next.history, 0), probeAt }
}

/**
 * Whether it hears us is older news than the heartbeat where that was held up: of those that come at once, after a stall of
 * ours or of the network, all but the first say nothing.
 */
const unacknowledged = (member: Member, ack: number, attentive: boolean, turn: Turn): Member => {
  const now = turn.at.mono
  if (ack > member.acked) return { ...member, acked: ack, deaf: 0 }
  const isNews = member.deaf === 0 || now - member.deafAt >= turn.config.profile.beatMs / 2
  return attentive && isNews ? { ...member, deaf: member.deaf + 1, deafAt: now } : member
}

/** Heartbeats may be so late: as much as a node may be without being stalled, and what the link does to their round trips. */
const graceMs = ({ rttvar4 }: Member, { config }: Turn): number =>
  Math.min(config.profile.stallMs + rttvar4, config.profile.probeDeadlineMinMs)

/** Sends a probe, unless one is out or there is nobody to hear of. `watched`: we report on it, linked or not. */
export const probe = (member: Member, watched: boolean, turn: Turn): Member => {
  if (member.probe !== 0 || (member.link === null && !(watched && member.wasGood))) return member
  const number = member.probes + 1
  if (member.link !== null) turn.out.push({ _tag: "Ping", link: member.link, probe: number })
  return {
    ...member,
    probe: number,
    probes: number,
    repeats: 0,
    probedAt: turn.at.mono,
    probeDeadline: turn.at.mono + deadlineMs(member, turn)
  }
}

/** When there is something to do: the next probe, the next ping of the one that is out, or its end. */
export const dueAt = (member: Member, repeatMs: ReadonlyArray<number>): number =>
  Math.min(member.probeAt, pingDueAt(member, repeatMs))

const pingDueAt = (member: Member, repeatMs: ReadonlyArray<number>): number => {
  if (member.probe === 0) return NEVER_MS
  const { heardAt, link, probeDeadline, probedAt, repeats } = member
  if (link === null || repeats >= repeatMs.length || heardAt >= probedAt) return probeDeadline
  return Math.min(probeDeadline, probedAt + repeatMs[repeats]!)
}

const deadlineMs = (member: Member, turn: Turn): number => {
  const { probeDeadlineMaxMs, probeDeadlineMinMs, probeDeadlineMs } = turn.config.profile
  if (member.srtt8 === 0) return probeDeadlineMs
  return Math.min(probeDeadlineMaxMs, Math.max(probeDeadlineMinMs, (member.srtt8 >> 3) + member.rttvar4))
}

/** A frame (`answered` < 0) or a pong came over the link. The same reference where that is no news. */
export const heard = (member: Member, answered: number, turn: Turn): Member => {
  const now = turn.at.mono
  if (answered > 0 && answered === member.probe) {
    // An answer to one of several pings could be to any of them (Karn).
    const measured = member.repeats === 0 ? withRoundTrip(member, now - member.probedAt) : member
    return recovering(
      { ...measured, probe: 0, misses: 0, history: shifted(member.history, 0), deaf: 0, heardAt: now },
      turn
    )
  }
  // Late, and before the next probe: answered all the same.
  if (answered > 0 && member.probe === 0 && answered === member.probes && (member.history & 1) === 1)
    return recovering({ ...member, misses: 0, history: member.history & ~1, deaf: 0, heardAt: now, pongAt: now }, turn)
  const isNews = member.probe !== 0 && member.heardAt < member.probedAt
  const answersAnother = answered > 0 && member.probe !== 0 && member.pongAt < member.probedAt
  if (!isNews && !answersAnother && member.misses === 0) return member
  return recovering({ ...member, misses: 0, heardAt: now, pongAt: answersAnother ? now : member.pongAt }, turn)
}

const HISTORY_PROBES = 10

const shifted = (history: number, missed: 0 | 1): number => ((history << 1) | missed) & ((1 << HISTORY_PROBES) - 1)

/** RFC 6298, in the integers of Jacobson's original: srtt scaled by 8, the variance by 4. */
const withRoundTrip = (member: Member, sampleMs: number): Member => {
  const rtt = Math.max(1, sampleMs)
  if (member.srtt8 === 0) return { ...member, srtt8: rtt << 3, rttvar4: rtt << 1 }
  const error = rtt - (member.srtt8 >> 3)
  return {
    ...member,
    srtt8: Math.max(8, member.srtt8 + error),
    rttvar4: Math.max(0, member.rttvar4 + (Math.abs(error) - (member.rttvar4 >> 2)))
  }
}

/** A bad edge that shows life on a live link is good again, or begins its probation where the device is down. */
const recovering = (member: Member, turn: Turn): Member => {
  if (member.good || member.link === null) return member
  if (member.state === "down") return member.probationEnds === NEVER_MS ? onProbation(member, turn) : member
  const works = member.deaf === 0 && (answersEnough(member, turn) || answersAgain(member))
  return works ? well(member) : member
}

const well = (member: Member): Member => ({ ...member, good: true, wasGood: true, probationEnds: NEVER_MS })

const answersEnough = ({ history }: Member, { config }: Turn): boolean =>
  countOf(history) < config.profile.missesOfTenToBad

/** Its last two probes were answered: a long stall is over. */
const answersAgain = ({ history }: Member): boolean => (history & 3) === 0

/** By the number of flaps: how often the device was down, one forgiven for each quiet span. */
const onProbation = (member: Member, turn: Turn): Member => {
  const { probationMs } = turn.config.profile
  const step = Math.min(Math.max(0, flapsLeft(member, turn) - 1), probationMs.length - 1)
  return { ...member, probationEnds: turn.at.mono + (probationMs[step] ?? 0) }
}

const flapsLeft = (member: Member, turn: Turn): number => {
  const forgiven = Math.floor((turn.at.mono - member.flappedAt) / turn.config.profile.flapForgivenMs)
  return Math.max(0, member.flaps - forgiven)
}

/** What the time brought: another ping, a missed probe, the end of a probation. Only the attentive miss anything. */
export const onDeadlines = (member: Member, { attentive, missesToBad, watched }: Attention, turn: Turn): Member => {
  const now = turn.at.mono
  const { beatMs, ownWordMs, repeatMs } = turn.config.profile
  let next = member
  if (next.probeAt <= now) next = probeByItself(next, watched, turn)
  if (next.probe !== 0 && next.probeDeadline <= now) {
    if (next.link !== null && next.pongAt >= next.probedAt)
      next = { ...next, probe: 0, history: shifted(next.history, 0) }
    else if (!attentive) next = voided(next)
    else if (next.link !== null && next.heardAt >= next.probedAt) next = unanswered(next, turn)
    else next = missed(next, missesToBad, turn)
  } else if (pingDueAt(next, repeatMs) <= now) {
    turn.out.push({ _tag: "Ping", link: next.link!, probe: next.probe })
    next = { ...next, repeats: next.repeats + 1 }
  }
  if (next.probationEnds <= now)
    next =
      hearsUs(next) && answersEnough(next, turn)
        ? { ...well(next), sureAt: now + ownWordMs }
        : // One probe was missed just now, or too many lately: the next ones decide.
          { ...next, probationEnds: now + beatMs }
  return next.sureAt !== 0 && next.sureAt <= now ? { ...next, sureAt: 0 } : next
}

/** It is heard, and does not answer: most of what we send is lost, or comes late. */
const unanswered = (member: Member, turn: Turn): Member => {
  const next: Member = { ...unsure(member, turn), probe: 0, history: shifted(member.history, 1) }
  return answersEnough(next, turn) ? next : declareBad(next)
}

/** Who is to outweigh all others has to be answered each time. */
const unsure = (member: Member, turn: Turn): Member =>
  member.good && member.state === "down" ? { ...member, sureAt: turn.at.mono + turn.config.profile.ownWordMs } : member

const missed = (member: Member, missesToBad: number, turn: Turn): Member => {
  const { missesToTerminate } = turn.config.profile
  const misses = member.misses + 1
  // Without a link there is nothing to answer over: that says nothing of how well links work.
  const history = member.link === null ? member.history : shifted(member.history, 1)
  let next: Member = { ...unsure(member, turn), probe: 0, misses, history, askers: [] }
  if (misses >= missesToBad || !answersEnough(next, turn)) next = declareBad(next)
  if (misses >= missesToTerminate && next.link !== null) {
    turn.facts.push({ _tag: "Terminate", peer: next.deviceId, link: next.link, reason: `${misses} probes missed` })
    next = { ...next, link: null, epoch: null, probationEnds: NEVER_MS, probeAt: NEVER_MS }
  }
  return next
}

/** Bad from now on, and no longer on probation. */
export const declareBad = (member: Member): Member =>
  member.good || member.probationEnds !== NEVER_MS
    ? { ...member, good: false, probationEnds: NEVER_MS, sureAt: 0 }
    : member

/** It is up, by the word of the others: a probation of ours ends with that. */
export const returned = (member: Member): Member =>
  member.probationEnds === NEVER_MS || member.link === null ? member : well(member)

/** It is down: a flap, and whatever is heard of it from now on has to hold. */
export const fallen = (member: Member, turn: Turn): Member => ({
  ...declareBad(member),
  flaps: flapsLeft(member, turn) + 1,
  flappedAt: turn.at.mono
})

/** We were not attentive ourselves: what is out proves nothing. */
export const voided = (member: Member): Member => (member.probe === 0 ? member : { ...member, probe: 0, askers: [] })

/** Nor does a heartbeat that did not come: our next beat probes. */
export const begun = (member: Member): Member => unawaited(voided(member))

/** A newer incarnation: what we knew of the edge was about the older one. */
export const reborn = (member: Member, incarnation: number): Member => ({
  ...member,
  incarnation,
  wasGood: false,
  good: false,
  broken: false,
  misses: 0,
  history: 0,
  deaf: 0,
  probe: 0,
  probeAt: NEVER_MS,
  askers: [],
  relayedAt: 0
})

/** A handshake was completed end to end. */
export const linked = (member: Member, session: Extract<Fact, { readonly _tag: "SessionUp" }>, turn: Turn): Member => {
  const newborn = session.incarnation > member.incarnation
  const next: Member = {
    ...(newborn ? reborn(member, session.incarnation) : { ...member, incarnation: session.incarnation }),
    link: session.link,
    linkedAt: turn.at.mono,
    epoch: session.epoch,
    kernel: session.kernel,
    seq: 0,
    saidAt: 0,
    theirs: 0,
    acked: -1,
    deaf: 0,
    broken: false,
    misses: 0,
    probe: 0,
    probeAt: NEVER_MS,
    askers: [],
    heardAt: turn.at.mono,
    srtt8: 0,
    rttvar4: 0
  }
  return recovering(next, turn)
}

/**
 * Of a device that is down nothing is good that has no link: whoever comes back begins its probation anew. Of one that was heard and
 * did not hear us the heartbeats that it took no notice of are missed, as it would have missed them without a link.
 */
export const unlinked = (member: Member, reason: string): Member => ({
  ...(member.state === "down" ? declareBad(member) : member),
  misses: Math.max(member.misses, member.deaf),
  link: null,
  epoch: null,
  broken: reason === "reset" || reason === "closed",
  probe: 0,
  probeAt: NEVER_MS,
  askers: [],
  probationEnds: NEVER_MS
})

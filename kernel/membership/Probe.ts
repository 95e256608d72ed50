/**
 * One edge: probing the link to one device, and what its silence means (mesh protocol, membership 2 and 8).
 *
 * A probe is a transport ping, pinged again while it is not answered. Any frame since it was sent is a sign of life as good as
 * its answer. A device without a link misses its probes too, where we report on it.
 */
import { NEVER_MS } from "../Time.ts"
import type { Fact, Turn } from "../Turn.ts"
import type { Member } from "./Member.ts"

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

/** When the probe that is out has something to bring: its next ping, or its end. */
export const dueAt = (member: Member, repeatMs: ReadonlyArray<number>): number => {
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
    return recovering({ ...measured, probe: 0, misses: 0, history: shifted(member.history, 0), heardAt: now }, turn)
  }
  if ((member.probe === 0 || member.heardAt >= member.probedAt) && member.misses === 0) return member
  return recovering({ ...member, misses: 0, heardAt: now }, turn)
}

const HISTORY_PROBES = 10

const shifted = (history: number, missed: 0 | 1): number => ((history << 1) | missed) & ((1 << HISTORY_PROBES) - 1)

const missesOfTen = (history: number): number => {
  let count = 0
  for (let rest = history; rest !== 0; rest &= rest - 1) count++
  return count
}

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

/** A bad edge that shows life on a live link begins its probation. */
const recovering = (member: Member, turn: Turn): Member =>
  member.good || member.link === null || member.probationEnds !== NEVER_MS ? member : onProbation(member, turn)

/** By the number of flaps: how often the edge went bad, one forgiven for each quiet span. */
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
export const onDeadlines = (member: Member, missesToBad: number, attentive: boolean, turn: Turn): Member => {
  const now = turn.at.mono
  const { beatMs, missesOfTenToBad, repeatMs } = turn.config.profile
  let next = member
  if (next.probe !== 0 && next.probeDeadline <= now) {
    if (next.link !== null && next.heardAt >= next.probedAt)
      next = { ...next, probe: 0, history: shifted(next.history, 0) }
    else next = attentive ? missed(next, missesToBad, turn) : voided(next)
  } else if (dueAt(next, repeatMs) <= now) {
    turn.out.push({ _tag: "Ping", link: next.link!, probe: next.probe })
    next = { ...next, repeats: next.repeats + 1 }
  }
  if (next.probationEnds <= now)
    next =
      next.misses === 0 && missesOfTen(next.history) < missesOfTenToBad
        ? { ...next, good: true, wasGood: true, probationEnds: NEVER_MS }
        : // One probe was missed just now, or too many lately: the next ones decide.
          { ...next, probationEnds: now + beatMs }
  return next
}

const missed = (member: Member, missesToBad: number, turn: Turn): Member => {
  const { missesOfTenToBad, missesToTerminate } = turn.config.profile
  const misses = member.misses + 1
  const history = shifted(member.history, 1)
  let next: Member = { ...member, probe: 0, misses, history, askers: [] }
  if (misses >= missesToBad || missesOfTen(history) >= missesOfTenToBad) next = declareBad(next, turn)
  if (misses >= missesToTerminate && next.link !== null) {
    turn.facts.push({ _tag: "Terminate", peer: next.deviceId, link: next.link, reason: `${misses} probes missed` })
    next = { ...next, link: null, epoch: null, probationEnds: NEVER_MS }
  }
  return next
}

/** Bad from now on: a flap if it was good, the end of its probation if it was on one. */
export const declareBad = (member: Member, turn: Turn): Member => {
  if (!member.good) return member.probationEnds === NEVER_MS ? member : { ...member, probationEnds: NEVER_MS }
  return { ...member, good: false, flaps: flapsLeft(member, turn) + 1, flappedAt: turn.at.mono }
}

/** We were not attentive ourselves: what is out proves nothing. */
export const voided = (member: Member): Member => (member.probe === 0 ? member : { ...member, probe: 0, askers: [] })

/** A newer incarnation: what we knew of the edge was about the older one. */
export const reborn = (member: Member, incarnation: number): Member => ({
  ...member,
  incarnation,
  wasGood: false,
  good: false,
  broken: false,
  misses: 0,
  history: 0,
  probe: 0,
  askers: [],
  relayedAt: 0
})

/** A handshake was completed end to end. */
export const linked = (member: Member, session: Extract<Fact, { readonly _tag: "SessionUp" }>, turn: Turn): Member => {
  const newborn = session.incarnation > member.incarnation
  const wasLost = member.state === "down" || (member.wasGood && !member.good)
  const next: Member = {
    ...(newborn ? reborn(member, session.incarnation) : { ...member, incarnation: session.incarnation }),
    link: session.link,
    linkedAt: turn.at.mono,
    epoch: session.epoch,
    kernel: session.kernel,
    seq: 0,
    broken: false,
    misses: 0,
    history: 0,
    probe: 0,
    askers: [],
    heardAt: turn.at.mono,
    srtt8: 0,
    rttvar4: 0
  }
  return wasLost ? onProbation(next, turn) : { ...next, good: true, wasGood: true, probationEnds: NEVER_MS }
}

export const unlinked = (member: Member, reason: string): Member => ({
  ...member,
  link: null,
  epoch: null,
  broken: reason === "reset" || reason === "closed",
  probe: 0,
  askers: [],
  probationEnds: NEVER_MS
})

/**
 * One edge: probing the link to one device, and what its silence means (mesh protocol, membership 2 and 8).
 *
 * A probe is a transport ping. Any frame since it was sent is a sign of life as good as its answer. A device without a link
 * misses its probes too. TCP makes repeating a ping within one probe useless: what is lost is sent again below us.
 */
import { NEVER_MS } from "../Time.ts"
import type { Fact, Turn } from "../Turn.ts"
import type { Member } from "./Member.ts"

/** Sends a probe, unless one is out or there is nobody to hear of. */
export const probe = (member: Member, turn: Turn): Member => {
  if (member.probe !== 0 || (!member.wasGood && member.link === null)) return member
  const number = member.probes + 1
  if (member.link !== null) turn.out.push({ _tag: "Ping", link: member.link, probe: number })
  return {
    ...member,
    probe: number,
    probes: number,
    probedAt: turn.at.mono,
    probeDeadline: turn.at.mono + deadlineMs(member, turn)
  }
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
    const measured = withRoundTrip(member, now - member.probedAt)
    return recovering({ ...measured, probe: 0, misses: 0, heardAt: now }, turn)
  }
  if ((member.probe === 0 || member.heardAt >= member.probedAt) && member.misses === 0) return member
  return recovering({ ...member, misses: 0, heardAt: now }, turn)
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

/** What the time brought: a missed probe, the end of a probation. */
export const onDeadlines = (member: Member, missesToBad: number, turn: Turn): Member => {
  const now = turn.at.mono
  let next = member
  if (next.probe !== 0 && next.probeDeadline <= now) {
    next = next.link !== null && next.heardAt >= next.probedAt ? { ...next, probe: 0 } : missed(next, missesToBad, turn)
  }
  if (next.probationEnds <= now)
    next =
      next.misses === 0
        ? { ...next, good: true, wasGood: true, probationEnds: NEVER_MS }
        : // One probe was missed just now: the next one decides.
          { ...next, probationEnds: now + turn.config.profile.beatMs }
  return next
}

const missed = (member: Member, missesToBad: number, turn: Turn): Member => {
  const misses = member.misses + 1
  let next: Member = { ...member, probe: 0, misses }
  if (misses >= missesToBad) next = declareBad(next, turn)
  if (misses >= turn.config.profile.missesToTerminate && next.link !== null) {
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
export const voided = (member: Member): Member => (member.probe === 0 ? member : { ...member, probe: 0 })

/** A newer incarnation: what we knew of the edge was about the older one. */
export const reborn = (member: Member, incarnation: number): Member => ({
  ...member,
  incarnation,
  wasGood: false,
  good: false,
  broken: false,
  misses: 0,
  probe: 0
})

/** A handshake was completed end to end. */
export const linked = (member: Member, session: Extract<Fact, { readonly _tag: "SessionUp" }>, turn: Turn): Member => {
  const newborn = session.incarnation > member.incarnation
  const wasLost = member.state === "down" || (member.wasGood && !member.good)
  const next: Member = {
    ...(newborn ? reborn(member, session.incarnation) : { ...member, incarnation: session.incarnation }),
    link: session.link,
    epoch: session.epoch,
    kernel: session.kernel,
    seq: 0,
    broken: false,
    misses: 0,
    probe: 0,
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
  probationEnds: NEVER_MS
})

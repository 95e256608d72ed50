/**
 * Who is alive (B1 to B7). Each node probes the devices that it observes (Rings.ts), tells the others what it finds as a row of
 * edges of which it is the only writer (Rows.ts), and judges for itself (Verdict.ts).
 *
 * An edge is bad after a few probes without any sign of life, at once when the connection was reset and the redial refused,
 * and good again only after a handshake and a probation. Links that neither end needs as evidence are probed now and then, and
 * at once when others doubt; whoever does not hear a doubted device asks three others whether it answers them.
 *
 * A slow observer accuses nobody: a stall of our own voids the probes that are out, and for a while nothing counts as missed and
 * nobody becomes suspect or down, so that what came meanwhile is taken up first. Without a carrier of our own it is the same,
 * for longer; after that nobody can be reached, and that is said (`isIsolated`).
 *
 * Not built yet: signed rows.
 */
import { observes, type Config } from "../Config.ts"
import { between } from "../Draw.ts"
import { replaced } from "../links/Link.ts"
import type { Checked } from "../Input.ts"
import { compareText } from "../Order.ts"
import { NEVER_MS } from "../Time.ts"
import { note, send, type Fact, type Turn } from "../Turn.ts"
import type { DeviceId, Edge, EdgeRow, Event } from "../wire/Frame.ts"
import * as Dispute from "./Dispute.ts"
import * as Goodbyes from "./Goodbyes.ts"
import * as Inquiry from "./Inquiry.ts"
import { edgesChanged, indexOfMember, strange, type Member } from "./Member.ts"
import * as Probe from "./Probe.ts"
import { ringsOf } from "./Rings.ts"
import { contesting, restated } from "./Restating.ts"
import * as Rows from "./Rows.ts"
import { gather, seenWithoutMe, verdict, type Evidence } from "./Verdict.ts"

/** How often we were not there ourselves, and when. */
export interface Stalls {
  readonly count: number
  readonly lastMs: number
  readonly lastAt: number
}

export interface Membership extends Rows.Rows {
  /** Every trusted device, sorted by device id. */
  readonly members: ReadonlyArray<Member>
  readonly beatAt: number
  readonly beats: number
  /** We accuse nobody before then; 0: we are attentive. */
  readonly attentiveAt: number
  /** The last verdicts were those of somebody attentive: who is not keeps back what it would accuse others of. */
  readonly attentive: boolean
  readonly stalls: Stalls
  /** Since when our own interface has no carrier; `null`: it has one, or nobody knows. */
  readonly carrierLostAt: number | null
  readonly due: number
}

export const make = (config: Config): Membership => ({
  members: config.trusted.map(({ deviceId, role }) => strange(deviceId, observes(role))),
  rows: [],
  mine: { observer: config.deviceId, incarnation: 0, version: 0, edges: [] },
  ...Goodbyes.none,
  fingerprint: 0,
  news: [],
  spreadAt: 0,
  beatAt: NEVER_MS,
  beats: 0,
  attentiveAt: 0,
  attentive: true,
  stalls: { count: 0, lastMs: 0, lastAt: 0 },
  carrierLostAt: null,
  due: NEVER_MS
})

/** The highest incarnation of a device that it proved to us, or that a row names, its own or another's; 0: none does. */
export const incarnationOf = ({ members, rows }: Membership, config: Config, device: DeviceId): number =>
  Math.max(members[ringsOf(config).placeOf.get(device) ?? -1]?.incarnation ?? 0, Rows.incarnationOf(rows, device))

/** The node is up: its beats begin at a draw of their own, so that nodes that start together do not beat together. */
export const open = (membership: Membership, turn: Turn): Membership => {
  const { beatMs } = turn.config.profile
  const beatAt = turn.at.mono + between(turn.config.seed, "beat-phase", turn.bootId, 0, 1, beatMs)
  return { ...membership, mine: { ...membership.mine, incarnation: turn.incarnation }, beatAt, due: beatAt }
}

/** The operator changed what it thinks of a device: it is forgotten, and met anew if it is trusted. Others may be ours now. */
export const onTrust = (membership: Membership, peer: DeviceId, turn: Turn): Membership => {
  const { link } = membership.members[indexOfMember(membership.members, peer)] ?? { link: null }
  const others = (link === null ? membership.members : withoutAsker(membership.members, link))
    .filter(({ deviceId }) => deviceId !== peer)
    .map((member) =>
      member.witnesses.includes(peer)
        ? { ...member, witnesses: member.witnesses.filter((witness) => witness !== peer) }
        : member
    )
    .map(Probe.unawaited)
  const trusted = turn.config.trusted.find(({ deviceId }) => deviceId === peer)
  const members =
    trusted === undefined
      ? others
      : [...others, strange(peer, observes(trusted.role))].sort((a, b) => compareText(a.deviceId, b.deviceId))
  const rows = membership.rows.filter(({ observer }) => observer !== peer)
  const goodbyes = membership.goodbyes.filter(({ deviceId }) => deviceId !== peer)
  const fingerprint = Rows.fingerprintOf({ goodbyes, rows, mine: membership.mine })
  return settled({ ...membership, members, rows, goodbyes, fingerprint }, turn)
}

export const onTurn = (membership: Membership, woke: boolean, turn: Turn): Membership => {
  let next = membership
  if (turn.carrier !== null) next = onCarrier(next, turn.carrier, turn)
  if (turn.checked !== null) next = onChecked(next, turn.checked, turn)
  if (turn.admitted !== null) next = onAdmitted(next, turn)
  for (let i = 0; i < turn.facts.length; i++) next = onFact(next, turn.facts[i]!, turn)
  if (woke) next = onTime(next, turn)
  // What was due may have been nothing but the end of deafness.
  return next === membership && membership.due > turn.at.mono ? membership : judge(membership, next, turn)
}

const withMember = (membership: Membership, index: number, member: Member): Membership =>
  membership.members[index] === member
    ? membership
    : { ...membership, members: replaced(membership.members, index, member) }

const onAdmitted = (membership: Membership, turn: Turn): Membership => {
  const { frame, link, peer, probe } = turn.admitted!
  const index = indexOfMember(membership.members, peer)
  const member = membership.members[index]
  if (member === undefined || member.link !== link) return membership
  const alive = Inquiry.answered(Probe.heard(member, probe, turn), turn)
  const heard = withMember(membership, index, alive)
  return frame?.type === "event" ? onEvent(heard, index, frame, turn) : heard
}

/** What a viewer has no business to say (B14). */
const OBSERVERS_SAY: ReadonlySet<string> = new Set(["mesh.edges", "mesh.probe", "mesh.probe.answer"])

const onEvent = (membership: Membership, index: number, event: Event, turn: Turn): Membership => {
  const from = membership.members[index]!
  if (!from.observes && OBSERVERS_SAY.has(event.event)) {
    turn.facts.push({ _tag: "Refused", code: "NOT_AUTHORIZED" })
    return membership
  }
  const link = from.link!
  switch (event.event) {
    case "mesh.heartbeat":
      return onHeartbeat(membership, index, event.payload, turn)
    case "mesh.edges":
      return Rows.onRows(membership, event.payload.rows, from, turn)
    case "mesh.goodbyes": {
      const { goodbyes } = event.payload
      // Its own it may say.
      if (from.observes || goodbyes.every(({ deviceId }) => deviceId === from.deviceId))
        return Goodbyes.onGoodbyes(membership, goodbyes, link, turn)
      turn.facts.push({ _tag: "Refused", code: "NOT_AUTHORIZED" })
      return membership
    }
    case "mesh.rows.sums":
      Rows.onSums(membership, event.payload, link, turn)
      return membership
    case "mesh.rows.have":
      return Rows.onHave(membership, event.payload, from, link, turn)
    case "mesh.rows.want":
      Rows.onWant(membership, event.payload, link, turn)
      return membership
    case "mesh.probe":
      return withInquired(membership, event.payload.subject, (subject) =>
        Inquiry.onProbe(subject, event.payload.incarnation, link, turn)
      )
    case "mesh.probe.answer":
      return withInquired(membership, event.payload.subject, (subject) =>
        Inquiry.onAnswer(subject, event.payload.incarnation, turn)
      )
    default:
      return membership
  }
}

const onHeartbeat = (
  membership: Membership,
  index: number,
  said: Probe.Heartbeat["payload"],
  turn: Turn
): Membership => {
  const member = membership.members[index]!
  const watched = isWatched(membership, index, turn)
  // With many neighbours a fingerprint from every other of them at each beat is as good as one from each.
  const compares = Rows.isFew(turn) || !watched || (said.seq + index) % 2 === 0
  if (compares && said.rows !== membership.fingerprint) Rows.onDifference(membership, member.link!, turn)
  const attention = { attentive: isAttentive(membership, turn), watched, missesToBad: missesToBadOf(turn) }
  return withMember(membership, index, Probe.onHeartbeat(member, said, attention, turn))
}

const withInquired = (membership: Membership, subject: DeviceId, change: (member: Member) => Member): Membership => {
  const index = indexOfMember(membership.members, subject)
  const member = membership.members[index]
  return member === undefined ? membership : withMember(membership, index, change(member))
}

/** Nobody answers over a link that is gone. */
const withoutAsker = (members: ReadonlyArray<Member>, link: number): ReadonlyArray<Member> =>
  members.some(({ askers }) => askers.includes(link))
    ? members.map((member) => Inquiry.withoutAsker(member, link))
    : members

const onFact = (membership: Membership, fact: Fact, turn: Turn): Membership => {
  if (!("peer" in fact)) return membership
  const index = indexOfMember(membership.members, fact.peer)
  const member = membership.members[index]
  if (member === undefined) return membership
  switch (fact._tag) {
    case "SessionUp":
      return withMember(membership, index, Probe.linked(member, fact, turn))
    case "SessionDown": {
      const next = { ...membership, members: withoutAsker(membership.members, fact.link) }
      return member.link === fact.link
        ? withMember(next, index, Probe.unlinked(next.members[index]!, fact.reason))
        : next
    }
    case "DialRefused":
      return member.broken ? withMember(membership, index, Probe.declareBad(member)) : membership
    case "Left":
      return withGone(membership, index, fact.incarnation, "leaving", turn)
    default:
      return membership
  }
}

/** It left in this incarnation: what its edges were like is over with it, and so is its link. */
const withGone = (
  membership: Membership,
  index: number,
  incarnation: number,
  reason: string,
  turn: Turn
): Membership => {
  const { deviceId, incarnation: known, link, observes: wasObserver } = membership.members[index]!
  note(turn, { event: "peer.left", about: deviceId, incarnation, reason })
  const members = link === null ? membership.members : withoutAsker(membership.members, link)
  return withMember({ ...membership, members }, index, {
    ...strange(deviceId, wasObserver),
    incarnation: Math.max(known, incarnation),
    state: "left",
    since: turn.at.mono
  })
}

/** A goodbye is true: it is handed on, and final for that incarnation of the device, whatever we thought of it. */
const onChecked = (membership: Membership, checked: typeof Checked.Type, turn: Turn): Membership => {
  const [next, told] = Goodbyes.onChecked(membership, checked, turn)
  if (told === null) return next
  const { deviceId, incarnation } = told.goodbye
  if (observes(turn.config.role))
    for (const { kernel, link } of next.members)
      if (kernel && link !== null && link !== told.from) Goodbyes.tell([told.goodbye], link, turn)
  const known = { ...next, fingerprint: Rows.fingerprintOf(next) }
  const index = indexOfMember(next.members, deviceId)
  const member = next.members[index]
  if (member === undefined || member.incarnation > incarnation) return known
  turn.facts.push({ _tag: "Gone", peer: deviceId, incarnation })
  if (member.state === "left" && member.incarnation === incarnation) return known
  return withGone(known, index, incarnation, "it had said goodbye", turn)
}

// ------------------------------------------------------------------------------------------------ time

const onTime = (membership: Membership, turn: Turn): Membership => {
  const now = turn.at.mono
  const { profile } = turn.config
  let next = membership
  if (turn.lateMs > profile.stallMs) next = onStall(next, turn)
  else if (next.attentiveAt !== 0 && next.attentiveAt <= now) next = { ...next, attentiveAt: 0 }
  const missesToBad = missesToBadOf(turn)
  const attentive = isAttentive(next, turn)
  let members: Array<Member> | null = null
  for (let i = 0; i < next.members.length; i++) {
    const member = next.members[i]!
    const watched = isWatched(next, i, turn)
    const probed = Probe.onDeadlines(member, { attentive, missesToBad, watched }, turn)
    const waited =
      probed.contestedUntil > now || probed.contestedUntil === 0 ? probed : { ...probed, contestedUntil: 0 }
    const brought = Inquiry.onTime(member, waited, next, i, turn)
    if (brought !== member) (members ??= next.members.slice())[i] = brought
  }
  if (members !== null) next = { ...next, members }
  next = Rows.spread(next, turn)
  return next.beatAt > now ? next : onBeat(next, turn)
}

/** We were not there: what is out proves nothing, and what came meanwhile is to be taken up before anybody is accused. */
const onStall = (membership: Membership, turn: Turn): Membership => {
  const { lateMs } = turn
  const now = turn.at.mono
  if (membership.attentiveAt === 0) note(turn, { event: "node.stalled", about: turn.config.deviceId, ms: lateMs })
  return {
    ...membership,
    members: membership.members.map(Probe.begun),
    // Beats start anew from now.
    beatAt: now,
    attentiveAt: now + turn.config.profile.drainMs,
    stalls: { count: membership.stalls.count + 1, lastMs: lateMs, lastAt: now }
  }
}

const onCarrier = (membership: Membership, carrier: boolean, turn: Turn): Membership => {
  const now = turn.at.mono
  if (!carrier) return membership.carrierLostAt === null ? { ...membership, carrierLostAt: now } : membership
  if (membership.carrierLostAt === null) return membership
  const members = membership.members.map(Probe.begun)
  return { ...membership, members, carrierLostAt: null, attentiveAt: now + turn.config.profile.drainMs }
}

/** Whether what we miss is to be blamed on others. */
const isAttentive = ({ attentiveAt, carrierLostAt, members }: Membership, turn: Turn): boolean => {
  if (attentiveAt !== 0) return false
  if (carrierLostAt === null || carrierLostAt + turn.config.profile.deafMs <= turn.at.mono) return true
  // Another interface may have one.
  return members.some(({ heardAt }) => heardAt > carrierLostAt)
}

/** We report on it: it is ours on the rings, or covered. */
const isWatched = ({ members }: Membership, index: number, turn: Turn): boolean =>
  members[index]!.covers || ringsOf(turn.config).watched[index] === true

/** Few observers must be surer of themselves. */
const missesToBadOf = (turn: Turn): number => {
  const { missesToBad, missesToBadFewObservers } = turn.config.profile
  return Inquiry.areFew(turn) ? missesToBadFewObservers : missesToBad
}

const onBeat = (membership: Membership, turn: Turn): Membership => {
  const { beatMs, slowBeats } = turn.config.profile
  const { beats, fingerprint } = membership
  const rings = ringsOf(turn.config)
  const seen = membership.members.some((member, place) => mayCover(member, rings.watched[place] === true, turn))
    ? seenWithoutMe(evidenceOf(membership, turn))
    : null
  let links = 0
  const members = membership.members.map((member, place) => {
    if (member.link !== null && member.kernel) links++
    const ours = rings.watched[place] === true
    const covers = mayCover(member, ours, turn) && seen !== null && seen[place] !== true
    const watched = ours || covers
    const current = covers === member.covers ? member : { ...Probe.unawaited(member), covers }
    const steady = Probe.isSteady(current) && current.doubtedSince === NEVER_MS
    // Places change with whom we trust: none waits longer for its turn because of that.
    const waits = turn.at.mono - current.saidAt < (slowBeats - 0.5) * beatMs
    if (!watched && steady && waits && (beats + place) % slowBeats !== 0) return current
    return heartbeat(Probe.onBeat(current, watched, beats + place, turn), fingerprint, turn)
  })
  turn.facts.push({ _tag: "Linked", links })
  const judged = Dispute.isCalm(members, membership.rows) ? members : disputed({ ...membership, members }, turn)
  // Beats keep their phase; after a stall they start anew from now.
  const beatAt = Math.max(membership.beatAt + beatMs, turn.at.mono + 1)
  return { ...membership, members: judged, beatAt, beats: beats + 1 }
}

const disputed = (membership: Membership, turn: Turn): ReadonlyArray<Member> => {
  const evidence = evidenceOf(membership, turn)
  return membership.members.map((member, place) => Dispute.onBeat(member, place, evidence, turn))
}

/** A link that is none of ours on the rings, and has been there for a while, may have to stand in for those that are. */
const mayCover = (member: Member, watched: boolean, turn: Turn): boolean => {
  if (watched || !member.wasGood || !observes(turn.config.role)) return false
  if (member.covers) return true
  // Of one that is just dying nobody has to be told by everybody.
  if (!member.good || member.misses > 0 || member.doubtedSince !== NEVER_MS) return false
  return member.link !== null && member.linkedAt + turn.config.profile.coverAfterMs <= turn.at.mono
}

/** With the fingerprint of what we know, and how many of its own came. */
const heartbeat = (member: Member, rows: number, turn: Turn): Member => {
  const { epoch, kernel, link, seq, theirs: ack } = member
  if (link === null || epoch === null || !kernel) return member
  send(turn, link, "mesh.heartbeat", { epoch, seq, rows, ack, ...(turn.world === 0 ? {} : { world: turn.world }) })
  return { ...member, seq: seq + 1, saidAt: turn.at.mono }
}

// ------------------------------------------------------------------------------------------------ verdicts

/** Brings row, verdicts and due time up to date, where this turn changed what they rest on. */
const judge = (before: Membership, after: Membership, turn: Turn): Membership => {
  let next = after
  const edges = edgesChanged(before.members, after.members)
  if (edges) next = withOwnRow(next, turn)
  if (edges || next.rows !== before.rows || next.attentive !== isAttentive(next, turn)) {
    let [was, judged] = [next, withVerdicts(next, turn)]
    // Who is down is no way to others any more, and who is up again by their word is one: that is evidence about the rest.
    for (let n = 0; n < ROUNDS_MAX && edgesChanged(was.members, judged.members); n++)
      [was, judged] = [judged, withVerdicts(judged, turn)]
    next = edgesChanged(next.members, judged.members) ? withOwnRow(judged, turn) : judged
  }
  return withDue(next, turn)
}

/** Each round is about devices further away than the one before; farms are not that wide. */
const ROUNDS_MAX = 8

/** With row, verdicts and due time as they follow from the rest. The same reference: they do, as after every turn. */
export const settled = (membership: Membership, turn: Turn): Membership =>
  withDue(withOwnRow(withVerdicts(withOwnRow(membership, turn), turn), turn), turn)

const withDue = (membership: Membership, turn: Turn): Membership => {
  const { deafMs, repeatMs } = turn.config.profile
  const { attentiveAt, beatAt, carrierLostAt, members } = membership
  let due = Math.min(beatAt, Rows.dueAt(membership), attentiveAt === 0 ? NEVER_MS : attentiveAt)
  if (carrierLostAt !== null && carrierLostAt + deafMs > turn.at.mono) due = Math.min(due, carrierLostAt + deafMs)
  for (let i = 0; i < members.length; i++) {
    const member = members[i]!
    if (member.probe !== 0 || member.probeAt !== NEVER_MS) due = Math.min(due, Probe.dueAt(member, repeatMs))
    due = Math.min(due, member.probationEnds, member.sureAt === 0 ? NEVER_MS : member.sureAt)
    due = Math.min(due, member.contestedUntil === 0 ? NEVER_MS : member.contestedUntil, Inquiry.dueAt(member, turn))
  }
  return due === membership.due ? membership : { ...membership, due }
}

/** Our row follows our edges. */
const withOwnRow = (membership: Membership, turn: Turn): Membership => {
  if (!observes(turn.config.role)) return membership
  const { observed } = ringsOf(turn.config)
  const edges: Array<Edge> = []
  for (const [place, { covers, deviceId, good, incarnation, state, wasGood }] of membership.members.entries()) {
    if (observed[place] !== true && !covers) continue
    if (wasGood) edges.push({ subject: deviceId, incarnation, good })
    else if (state === "left") edges.push({ subject: deviceId, incarnation, good: false, left: true })
  }
  if (Rows.sameEdges(edges, membership.mine.edges)) return membership
  const mine: EdgeRow = { ...membership.mine, version: membership.mine.version + 1, edges }
  return Rows.withMine(membership, mine, turn)
}

const evidenceOf = ({ members, rows }: Membership, turn: Turn): Evidence =>
  gather({ deviceId: turn.config.deviceId, observes: observes(turn.config.role) }, ringsOf(turn.config), members, rows)

const withVerdicts = (membership: Membership, turn: Turn): Membership => {
  const evidence = evidenceOf(membership, turn)
  const attentive = isAttentive(membership, turn)
  let members: Array<Member> | null = null
  for (let i = 0; i < membership.members.length; i++) {
    const member = membership.members[i]!
    if (member.state === "left" && member.link === null) continue
    const said = verdict(evidence, i, Inquiry.isRelayed(member, turn))
    const contested = contesting(member, said, turn)
    const judged = Inquiry.doubting(restated(contested, said, attentive, turn), said, membership, i, turn)
    if (judged !== member) (members ??= membership.members.slice())[i] = judged
  }
  if (members === null) return attentive === membership.attentive ? membership : { ...membership, attentive }
  const next = { ...membership, attentive, members }
  if (isIsolated(next) && !isIsolated(membership)) {
    const reason = membership.carrierLostAt === null ? "every peer is down" : "no carrier"
    note(turn, { event: "node.isolated", about: turn.config.deviceId, reason })
  }
  return next
}

/** Everybody whom we have met is down: it may well be us. A flag beside the verdicts, not instead of them. */
export const isIsolated = ({ members }: Membership): boolean =>
  members.some(({ state }) => state === "down") &&
  members.every(({ state }) => state === "down" || state === "unknown" || state === "left")

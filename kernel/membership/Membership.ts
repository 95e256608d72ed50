/**
 * Who is alive (B1 to B7). Each node probes its own links, tells the others what it finds as a row of edges of which it is the
 * only writer, and judges for itself (Verdict.ts). Rows spread at once when they change, and every heartbeat carries a
 * fingerprint of all rows, so that nobody can miss one.
 *
 * An edge is bad after a few probes without any sign of life, at once when the connection was reset and the redial refused,
 * and good again only after a handshake and a probation. A node whose own alarm rang late voids its pending probes: a slow
 * observer accuses nobody.
 *
 * Not built yet: rings of observers, indirect probes, signed rows and leaves, tombstones, the isolation flag.
 */
import { observes, type Config } from "../Config.ts"
import { between, u32 } from "../Draw.ts"
import { speaksGen1 } from "../links/Gen1.ts"
import { replaced } from "../links/Link.ts"
import { compareText } from "../Order.ts"
import { NEVER_MS } from "../Time.ts"
import { note, send, type Fact, type Turn } from "../Turn.ts"
import type { DeviceId, EdgeRow, Frame } from "../wire/Frame.ts"
import { indexOfMember, strange, type Member } from "./Member.ts"
import * as Probe from "./Probe.ts"
import { component, verdict } from "./Verdict.ts"

export interface Membership {
  /** Every trusted device, sorted by device id. */
  readonly members: ReadonlyArray<Member>
  /** The rows of other observers, sorted by observer. */
  readonly rows: ReadonlyArray<EdgeRow>
  /** Our own row; its version grows with every change. */
  readonly mine: EdgeRow
  /** Fingerprint of all rows. */
  readonly fingerprint: number
  readonly beatAt: number
  readonly due: number
}

export const make = (config: Config): Membership => ({
  members: config.trusted.map(({ deviceId, role }) => strange(deviceId, observes(role))),
  rows: [],
  mine: { observer: config.deviceId, incarnation: 0, version: 0, edges: [] },
  fingerprint: 0,
  beatAt: NEVER_MS,
  due: NEVER_MS
})

/** The node is up: its beats begin at a draw of their own, so that nodes that start together do not beat together. */
export const open = (membership: Membership, turn: Turn): Membership => {
  const { beatMs } = turn.config.profile
  const beatAt = turn.at.mono + between(turn.config.seed, "beat-phase", turn.bootId, 0, 1, beatMs)
  return { ...membership, mine: { ...membership.mine, incarnation: turn.incarnation }, beatAt, due: beatAt }
}

/** The operator changed what it thinks of a device: it is forgotten, and met anew if it is trusted. */
export const onTrust = (membership: Membership, peer: DeviceId, turn: Turn): Membership => {
  const others = membership.members.filter(({ deviceId }) => deviceId !== peer)
  const trusted = turn.config.trusted.find(({ deviceId }) => deviceId === peer)
  const members =
    trusted === undefined
      ? others
      : [...others, strange(peer, observes(trusted.role))].sort((a, b) => compareText(a.deviceId, b.deviceId))
  const rows = membership.rows.filter(({ observer }) => observer !== peer)
  const next = withOwnRow({ ...membership, members, rows }, turn)
  return withVerdicts({ ...next, fingerprint: fingerprint(rows, next.mine) }, turn)
}

export const onTurn = (membership: Membership, woke: boolean, turn: Turn): Membership => {
  let next = membership
  if (turn.admitted !== null) next = onAdmitted(next, turn)
  for (let i = 0; i < turn.facts.length; i++) next = onFact(next, turn.facts[i]!, turn)
  if (woke) next = onTime(next, turn)
  if (next === membership) return membership
  return judge(membership, next, turn)
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
  const heard = withMember(membership, index, Probe.heard(member, probe, turn))
  return frame === null ? heard : onFrame(heard, index, frame, turn)
}

const onFrame = (membership: Membership, index: number, frame: Frame, turn: Turn): Membership => {
  if (frame.type !== "event") return membership
  const from = membership.members[index]!
  if (frame.event === "mesh.edges") {
    // A viewer has no business to say who is alive, not in the name of others either (B14).
    if (from.observes) return onRows(membership, frame.payload.rows, from, turn)
    turn.facts.push({ _tag: "Refused", code: "NOT_AUTHORIZED" })
    return membership
  }
  const speaks = observes(turn.config.role)
  if (frame.event === "mesh.heartbeat" && speaks && frame.payload.rows !== membership.fingerprint) {
    const rows = membership.mine.version === 0 ? membership.rows : [membership.mine, ...membership.rows]
    if (rows.length > 0) send(turn, from.link!, "mesh.edges", { rows })
  }
  return membership
}

/** Rows that are newer than what we hold are kept; an observer passes them on to everybody but the one they came from. */
const onRows = (membership: Membership, incoming: ReadonlyArray<EdgeRow>, from: Member, turn: Turn): Membership => {
  let rows = membership.rows
  let members = membership.members
  const fresh: Array<EdgeRow> = []
  for (const row of incoming) {
    const at = indexOfMember(members, row.observer)
    if (at < 0 || !members[at]!.observes || row.edges.length > members.length + 1) continue
    const known = rows.findIndex((other) => other.observer === row.observer)
    const old = rows[known]
    // Whom we have a link to speaks for itself, and is believed over what others handed on in its name.
    const itself = row.observer === from.deviceId
    if (!itself && members[at]!.link !== null) continue
    if (old !== undefined && (itself ? isSame(row, old) : !isNewer(row, old))) continue
    rows = old === undefined ? [...rows, row].sort(byObserver) : replaced(rows, known, row)
    fresh.push(row)
    members = adoptIncarnations(members, row)
  }
  if (fresh.length === 0) return membership
  for (const member of observes(turn.config.role) ? members : []) {
    if (member.link === null || !member.kernel || member.deviceId === from.deviceId) continue
    const unknownToIt = fresh.filter((row) => row.observer !== member.deviceId)
    if (unknownToIt.length > 0) send(turn, member.link, "mesh.edges", { rows: unknownToIt })
  }
  return { ...membership, members, rows, fingerprint: fingerprint(rows, membership.mine) }
}

const isNewer = (a: EdgeRow, b: EdgeRow): boolean =>
  a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.version > b.version)

/** With its edges: somebody may have handed on false ones under the very version that the observer came to next. */
const isSame = (a: EdgeRow, b: EdgeRow): boolean =>
  a.incarnation === b.incarnation && a.version === b.version && sameEdges(a.edges, b.edges)

const byObserver = (a: EdgeRow, b: EdgeRow): number => compareText(a.observer, b.observer)

/**
 * An observer has met a newer incarnation of a device that we have no link to: our own edge to the older one says nothing
 * any more. With a link of our own, only the device itself tells us its incarnation.
 */
const adoptIncarnations = (members: ReadonlyArray<Member>, row: EdgeRow): ReadonlyArray<Member> => {
  let next = members
  for (const edge of row.edges) {
    const index = indexOfMember(next, edge.subject)
    const member = next[index]
    if (member === undefined || member.link !== null || !edge.good || edge.incarnation <= member.incarnation) continue
    const reborn = Probe.reborn(member, edge.incarnation)
    // A goodbye is final for the incarnation that said it, and for no other.
    next = replaced(next, index, member.state === "left" ? { ...reborn, state: "unknown" } : reborn)
  }
  return next
}

const onFact = (membership: Membership, fact: Fact, turn: Turn): Membership => {
  if (!("peer" in fact)) return membership
  const index = indexOfMember(membership.members, fact.peer)
  const member = membership.members[index]
  if (member === undefined) return membership
  switch (fact._tag) {
    case "SessionUp":
      return withMember(membership, index, Probe.linked(member, fact, turn))
    case "SessionDown":
      return member.link === fact.link ? withMember(membership, index, Probe.unlinked(member, fact.reason)) : membership
    case "DialRefused":
      return member.broken ? withMember(membership, index, Probe.declareBad(member, turn)) : membership
    case "Left": {
      note(turn, { event: "peer.left", about: member.deviceId, incarnation: fact.incarnation, reason: "leaving" })
      const gone = strange(member.deviceId, member.observes)
      return withMember(membership, index, {
        ...gone,
        incarnation: Math.max(member.incarnation, fact.incarnation),
        state: "left",
        since: turn.at.mono
      })
    }
    default:
      return membership
  }
}

const onTime = (membership: Membership, turn: Turn): Membership => {
  const now = turn.at.mono
  const { profile } = turn.config
  let next = membership
  if (turn.lateMs > profile.stallMs) next = { ...next, members: next.members.map(Probe.voided), beatAt: now }
  const misses = missesToBad(turn)
  for (let i = 0; i < next.members.length; i++) {
    const member = Probe.onDeadlines(next.members[i]!, misses, turn)
    next = withMember(next, i, member)
  }
  if (next.beatAt > now) return next
  const members = next.members.map((member) => beat(member, next.fingerprint, turn))
  // Beats keep their phase; after a stall they start anew from now.
  const beatAt = Math.max(next.beatAt + profile.beatMs, now + 1)
  return { ...next, members, beatAt }
}

/** Few observers must be surer of themselves. */
const missesToBad = ({ config, pins }: Turn): number => {
  const { fewObservers, missesToBad, missesToBadFewObservers } = config.profile
  // Devices of generation 1 tell nobody what they see.
  const others = config.trusted.reduce(
    (n, device) => (observes(device.role) && !speaksGen1(pins, device) ? n + 1 : n),
    observes(config.role) ? 1 : 0
  )
  return others - 1 < fewObservers ? missesToBadFewObservers : missesToBad
}

const beat = (member: Member, rows: number, turn: Turn): Member => {
  const probed = Probe.probe(member, turn)
  if (member.link === null || member.epoch === null || !member.kernel) return probed
  send(turn, member.link, "mesh.heartbeat", { epoch: member.epoch, seq: member.seq, rows })
  return { ...probed, seq: member.seq + 1 }
}

// ------------------------------------------------------------------------------------------------ verdicts

/** Brings row, verdicts and due time up to date, where this turn changed what they rest on. */
const judge = (before: Membership, after: Membership, turn: Turn): Membership => {
  let next = after
  if (edgesChanged(before.members, after.members)) next = withOwnRow(next, turn)
  if (next.rows !== before.rows || edgesChanged(before.members, next.members)) next = withVerdicts(next, turn)
  let due = next.beatAt
  for (let i = 0; i < next.members.length; i++) {
    const member = next.members[i]!
    if (member.probe !== 0) due = Math.min(due, member.probeDeadline)
    due = Math.min(due, member.probationEnds)
  }
  return due === next.due ? next : { ...next, due }
}

const edgesChanged = (before: ReadonlyArray<Member>, after: ReadonlyArray<Member>): boolean => {
  if (before === after) return false
  for (let i = 0; i < after.length; i++) {
    const a = before[i]!
    const b = after[i]!
    if (a === b) continue
    if (a.good !== b.good || a.wasGood !== b.wasGood || a.link !== b.link || a.incarnation !== b.incarnation)
      return true
  }
  return false
}

/** Our row follows our edges; when it changes, everybody that we have a link to hears of it at once. */
const withOwnRow = (membership: Membership, turn: Turn): Membership => {
  if (!observes(turn.config.role)) return membership
  const edges: Array<EdgeRow["edges"][number]> = []
  for (const { deviceId, good, incarnation, wasGood } of membership.members)
    if (wasGood) edges.push({ subject: deviceId, incarnation, good })
  if (sameEdges(edges, membership.mine.edges)) return membership
  const mine: EdgeRow = { ...membership.mine, version: membership.mine.version + 1, edges }
  for (const member of membership.members)
    if (member.link !== null && member.kernel) send(turn, member.link, "mesh.edges", { rows: [mine] })
  return { ...membership, mine, fingerprint: fingerprint(membership.rows, mine) }
}

const sameEdges = (a: EdgeRow["edges"], b: EdgeRow["edges"]): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!
    const y = b[i]!
    if (x.subject !== y.subject || x.incarnation !== y.incarnation || x.good !== y.good) return false
  }
  return true
}

/** Order does not matter: two nodes that hold the same rows have the same fingerprint. */
const fingerprint = (rows: ReadonlyArray<EdgeRow>, mine: EdgeRow): number => {
  let sum = mine.version === 0 ? 0 : rowPrint(mine)
  for (let i = 0; i < rows.length; i++) sum = (sum + rowPrint(rows[i]!)) >>> 0
  return sum
}

const rowPrint = (row: EdgeRow): number => u32(row.incarnation, "edge-row", row.observer, row.version)

const withVerdicts = (membership: Membership, turn: Turn): Membership => {
  const us = { deviceId: turn.config.deviceId, observes: observes(turn.config.role) }
  const reached = component(membership.members, membership.rows)
  let next = membership
  for (let i = 0; i < membership.members.length; i++) {
    const member = membership.members[i]!
    if (member.state === "left" && member.link === null) continue
    const now = verdict(us, member, reached, membership.rows)
    if (now === null || now.state === member.state) continue
    // A device that is down stays down until somebody's edge is good again: it is never merely suspected back to life.
    if (member.state === "down" && now.state === "suspect") continue
    tell(member.deviceId, member.incarnation, now, turn)
    next = withMember(next, i, { ...member, state: now.state, since: turn.at.mono })
  }
  return next
}

const tell = (
  about: DeviceId,
  incarnation: number,
  now: { readonly state: "up" | "suspect" | "down"; readonly witnesses?: ReadonlyArray<DeviceId> },
  turn: Turn
): void => {
  if (now.state !== "down") return note(turn, { event: `peer.${now.state}`, about, incarnation })
  const witnesses = now.witnesses ?? []
  const confirmed = witnesses.length >= 2
  note(turn, { event: "peer.down", about, incarnation, witnesses, ...(confirmed ? {} : { reason: "unconfirmed" }) })
  if (confirmed) note(turn, { event: "peer.down.confirmed", about, incarnation, witnesses })
}

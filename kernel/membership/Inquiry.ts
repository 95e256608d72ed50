/**
 * Doubt, and asking others (mesh protocol, membership 5; B3): some observers have a device as bad, and too few for `down`.
 *
 * Whoever has a link to it that is probed now and then only probes it at once, the rest after `doubtMs`, besides their beat;
 * and whoever does not hear it itself asks three observers that do, or may, whether it answers them: at each probe that it
 * misses. They probe it and say so if it does; silence says nothing. An answer outweighs the witnesses where these are one or
 * two (Verdict.ts), for two beats. Where there are few observers at all, nobody waits for a doubt to ask.
 *
 * Does not guard against an observer that lies: it can keep a device from being `down` where two witnesses are all there are,
 * for as long as it is asked.
 */
import { observes } from "../Config.ts"
import { u32 } from "../Draw.ts"
import { speaksGen1 } from "../links/Gen1.ts"
import { NEVER_MS } from "../Time.ts"
import { send, type Turn } from "../Turn.ts"
import type { EdgeRow } from "../wire/Frame.ts"
import type { Member } from "./Member.ts"
import * as Probe from "./Probe.ts"
import { EVERYONE_MAX, ringsOf } from "./Rings.ts"
import type { Verdict } from "./Verdict.ts"

/** Others who may be waiting for one answer; who comes later is not answered. */
export const ASKERS_MAX = 8
const ASKED_MAX = 3

/** Whether one unlucky observer could hardly be outvoted. Devices of generation 1 tell nobody what they see. */
export const areFew = ({ config, pins }: Turn): boolean => {
  if (ringsOf(config).observers > EVERYONE_MAX) return false
  const observers = config.trusted.reduce(
    (n, device) => (observes(device.role) && !speaksGen1(pins, device) ? n + 1 : n),
    observes(config.role) ? 1 : 0
  )
  return observers - 1 < config.profile.fewObservers
}

interface Known {
  readonly members: ReadonlyArray<Member>
  readonly rows: ReadonlyArray<EdgeRow>
}

/** It showed life: those who asked hear of it. */
export const answered = (member: Member, turn: Turn): Member => {
  if (member.askers.length === 0) return member
  const { deviceId: subject, incarnation } = member
  for (const link of member.askers) send(turn, link, "mesh.probe.answer", { subject, incarnation })
  return { ...member, askers: [] }
}

/** Somebody asks whether it answers us. */
export const onProbe = (subject: Member, incarnation: number, link: number, turn: Turn): Member => {
  const { askers } = subject
  if (subject.link === null || subject.incarnation !== incarnation || !observes(turn.config.role)) return subject
  if (askers.length >= ASKERS_MAX || askers.includes(link)) return subject
  return { ...Probe.probe(subject, false, turn), askers: [...askers, link] }
}

/** The link over which somebody asked has ended. */
export const withoutAsker = (subject: Member, link: number): Member =>
  subject.askers.includes(link) ? { ...subject, askers: subject.askers.filter((asker) => asker !== link) } : subject

/** It answers somebody else: of interest while it does not answer us. */
export const onAnswer = (subject: Member, incarnation: number, turn: Turn): Member =>
  subject.incarnation === incarnation && (subject.misses > 0 || !subject.good)
    ? { ...subject, relayedAt: turn.at.mono }
    : subject

const relayedUntil = ({ relayedAt }: Member, turn: Turn): number =>
  relayedAt === 0 ? NEVER_MS : relayedAt + 2 * turn.config.profile.beatMs

export const isRelayed = (member: Member, turn: Turn): boolean =>
  member.relayedAt !== 0 && relayedUntil(member, turn) > turn.at.mono

/** What the time brought, after `Probe.onDeadlines` made `after` of `before`. */
export const onTime = (before: Member, after: Member, known: Known, place: number, turn: Turn): Member => {
  const now = turn.at.mono
  let next = after
  if (relayedUntil(next, turn) <= now) next = { ...next, relayedAt: 0 }
  if (!next.inquired && doubtEnds(next, place, turn) <= now) return inquire(next, known, turn)
  if (next.misses > before.misses && next.state !== "down" && (next.inquired || areFew(turn))) ask(next, known, turn)
  return next
}

const doubtEnds = ({ covers, doubtedSince }: Member, place: number, turn: Turn): number => {
  if (doubtedSince === NEVER_MS) return NEVER_MS
  const closely = covers || ringsOf(turn.config).watched[place] === true
  return closely ? doubtedSince + turn.config.profile.doubtMs : doubtedSince
}

/** When the doubt has lasted for long enough. */
export const dueAt = (member: Member, turn: Turn): number => {
  const relayed = relayedUntil(member, turn)
  const { doubtedSince, inquired } = member
  return inquired || doubtedSince === NEVER_MS ? relayed : Math.min(relayed, doubtedSince + turn.config.profile.doubtMs)
}

/** A new verdict begins a doubt, or ends it: it lasts, also while the device is down, until nobody has it as bad any more. */
export const doubting = (member: Member, said: Verdict, known: Known, place: number, turn: Turn): Member => {
  const doubted = said.witnesses.length > 0 && said.state !== "left"
  if (!doubted)
    return member.doubtedSince === NEVER_MS ? member : { ...member, doubtedSince: NEVER_MS, inquired: false }
  const next = member.doubtedSince === NEVER_MS ? { ...member, doubtedSince: turn.at.mono, inquired: false } : member
  return !next.inquired && doubtEnds(next, place, turn) <= turn.at.mono ? inquire(next, known, turn) : next
}

const inquire = (member: Member, known: Known, turn: Turn): Member => {
  if (member.state !== "down" && (!member.good || member.misses > 0)) ask(member, known, turn)
  // Whoever has it as bad itself has nothing to find out besides its beat.
  return { ...(member.good ? Probe.probe(member, false, turn) : member), inquired: true }
}

/** Three who may hear it: first those whose rows say that they do. */
const ask = (subject: Member, { members, rows }: Known, turn: Turn): void => {
  if (!observes(turn.config.role) || !subject.wasGood) return
  const payload = { subject: subject.deviceId, incarnation: subject.incarnation }
  const hears = new Set<string>()
  for (const { edges, observer } of rows)
    if (edges.some((edge) => edge.subject === subject.deviceId && edge.good)) hears.add(observer)
  const others = members.filter(
    (member) => member.kernel && member.observes && member.good && member.link !== null && member !== subject
  )
  const first = u32(turn.config.seed, "ask", subject.deviceId, subject.probes) % Math.max(1, others.length)
  const turned = [...others.slice(first), ...others.slice(0, first)].filter(
    ({ deviceId }) => deviceId !== subject.deviceId
  )
  const chosen = [
    ...turned.filter(({ deviceId }) => hears.has(deviceId)),
    ...turned.filter(({ deviceId }) => !hears.has(deviceId))
  ].slice(0, ASKED_MAX)
  for (const { link } of chosen) send(turn, link!, "mesh.probe", payload)
}

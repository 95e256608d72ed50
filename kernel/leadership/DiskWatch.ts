/**
 * A leader looks after its disk (B23, A20, A21): who cannot store cannot vote, nor carry anything out, and would learn of that only when
 * it is too late. While it leads it stores what it once voted again, each `period`, which changes nothing; if that takes longer than
 * `SLOW_MS` it hands over, where somebody else may lead, and stands again once its disk has answered.
 *
 * Where every disk is slow nobody is better, and handing over would go round and round: who heard of a hand-over within `CALM_MS`, or
 * made one, puts up with a slow disk, and not with one that hangs.
 */
import { kernelLink, type Links } from "../links/Link.ts"
import type { Turn } from "../Turn.ts"
import { CALM_MS, dueAt, HUNG_MS, periodMs, SLOW_MS } from "./Disk.ts"
import { mayLead, standLater, type Leadership } from "./Leadership.ts"
import * as Leading from "./Leading.ts"

export const onTime = (leadership: Leadership, turn: Turn, links: Links): Leadership => {
  const { disk, standing, votedFor, votedTerm } = leadership
  const { mono } = turn.at
  if (standing._tag !== "Leading" || votedFor === null) return leadership
  if (disk.ticket === 0) {
    if (disk.at > mono) return leadership
    const ticket = turn.persist({ _tag: "Vote", term: votedTerm, votedFor }, [])
    const at = Math.max(mono + SLOW_MS, Math.min(mono + HUNG_MS, disk.handedOverAt + CALM_MS))
    return { ...leadership, disk: { ...disk, ticket, at } }
  }
  // It may have answered long ago, for all that we could see; and where nobody else may lead, nobody would do better.
  const wasAway = turn.lateMs > turn.config.profile.stallMs
  if (wasAway || (dueAt(disk) <= mono && !othersMayLead(turn, links)))
    return { ...leadership, disk: { ...disk, at: mono + SLOW_MS } }
  if (dueAt(disk) > mono) return leadership
  const slow = { ...leadership, disk: { ...disk, slow: true, handedOverAt: mono } }
  return Leading.release(slow, turn, links, "its disk is slow")
}

/** Somebody who may lead is in reach. */
export const othersMayLead = ({ config }: Turn, { contacts }: Links): boolean =>
  contacts.some((contact) => mayLead(config, contact.peer) && kernelLink(contact) !== null)

/** A record is on the disk. */
export const onStored = (leadership: Leadership, ticket: number, turn: Turn): Leadership => {
  const { disk } = leadership
  if (disk.ticket === 0 || disk.ticket !== ticket) return leadership
  const next = {
    ...leadership,
    disk: { ...disk, ticket: 0, at: turn.at.mono + periodMs(turn.config.profile), slow: false }
  }
  if (!disk.slow || next.standing._tag !== "Following") return next
  return standLater(next, turn, Math.max(next.promisedUntil, next.silentUntil) - turn.at.mono)
}

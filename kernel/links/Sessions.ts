/**
 * One session per device (S6): which of two wins, decided alike at both ends, and how a session begins and ends.
 *
 * - An incarnation lower than one that proved itself before, or one that left, is refused.
 * - Incarnation 0 is none: a device that has lost its journal is told the highest that was met, and gets no session.
 * - The same incarnation with another boot id is a clone: refused, the older stays, the operator is told.
 * - A higher incarnation waits until the old session has failed a probe; if that answers, the newcomer is the clone.
 * - Within the same incarnations the link dialled by the lower device id is kept; of two by one dialler, the newer.
 * - Towards generation 1 the newest wins, as it does there.
 *
 * A session that lost is closed 1000 and forgotten at once: nothing that still arrives on it finds anything to change.
 */
import { trustedDevice } from "../Config.ts"
import { INCARNATION_MAX } from "../identity/Recall.ts"
import type { LinkPath } from "../Input.ts"
import { NEVER_MS } from "../Time.ts"
import { note, type Turn } from "../Turn.ts"
import type { Code } from "../wire/Codes.ts"
import type { LinkEpoch } from "../wire/Frame.ts"
import * as Dialling from "./Dialling.ts"
import * as Gen1 from "./Gen1.ts"
import * as Lanes from "./Lanes.ts"
import {
  indexOfContact,
  indexOfLink,
  isGone,
  replaced,
  without,
  type Contact,
  type Link,
  type Links,
  type Proven,
  type Session
} from "./Link.ts"
import { isNearby } from "./Tunnel.ts"
import * as Way from "./Way.ts"

export type Contest =
  | { readonly _tag: "Admit" }
  | { readonly _tag: "Hold"; readonly against: Session }
  /** The other link of a crossing pair is the one to keep: no error, closed 1000. */
  | { readonly _tag: "Crossing" }
  | { readonly _tag: "Refuse"; readonly code: Code; readonly message: string }
  /** It has no incarnation, and only asks for the last one that it had (P3.14). */
  | { readonly _tag: "Tell"; readonly remembers: number }

const ADMIT: Contest = { _tag: "Admit" }

export const contest = (links: Links, turn: Turn, proven: Proven, dialledByUs: boolean): Contest => {
  const contact = links.contacts[indexOfContact(links.contacts, proven.peer)]
  if (contact === undefined) return { _tag: "Refuse", code: "UNTRUSTED_PEER", message: "this device is not known" }
  if (!proven.kernel) return ADMIT
  if (proven.incarnation === 0)
    return dialledByUs
      ? conflict("it has no incarnation, and answers all the same")
      : { _tag: "Tell", remembers: rememberedOf(contact, turn) }
  if (proven.incarnation < contact.incarnation)
    return conflict(`incarnation ${proven.incarnation} is older than ${contact.incarnation}`)
  if (contact.leftIncarnation >= proven.incarnation && contact.leftIncarnation > 0)
    return conflict(`incarnation ${proven.incarnation} has left`)
  if (proven.incarnation === contact.incarnation && contact.bootId !== null && contact.bootId !== proven.bootId)
    return conflict(`two processes claim incarnation ${proven.incarnation}`)
  const weAreLower = turn.config.deviceId < proven.peer
  const current = sessionWith(links, contact)
  if (current === undefined) {
    return !dialledByUs && weAreLower && isProving(links, proven.peer) ? { _tag: "Crossing" } : ADMIT
  }
  if (!current.proven.kernel) return ADMIT
  if (proven.incarnation > current.proven.incarnation) return { _tag: "Hold", against: current }
  if (current.dialledByUs === dialledByUs || dialledByUs === weAreLower) return ADMIT
  // Two dials cross within a handshake. Who dials later than that has lost the session, though we have not noticed yet.
  return turn.at.mono - current.since < turn.config.profile.handshakeMs ? { _tag: "Crossing" } : ADMIT
}

/**
 * Which incarnation of it there has been: one that proved itself here or left, or that it wrote of itself in a row or a frame
 * which others handed us. Who restarted meanwhile has met nobody, and holds these all the same.
 */
const rememberedOf = ({ incarnation, leftIncarnation, peer }: Contact, turn: Turn): number => {
  const heard = turn.heardOf(peer)
  return Math.max(incarnation, leftIncarnation, heard <= INCARNATION_MAX ? heard : 0)
}

const conflict = (message: string): Contest => ({ _tag: "Refuse", code: "IDENTITY_CONFLICT", message })

const isOutboundHandshake = (link: Link): link is Link & { readonly peer: string } =>
  link._tag === "Asking" || link._tag === "SigningLogin" || link._tag === "Proving" || link._tag === "CheckingServer"

/** A handshake that we began with it is under way. */
export const isProving = ({ links }: Links, peer: string): boolean =>
  links.some((link) => isOutboundHandshake(link) && link.peer === peer)

export const sessionWith = (links: Links, contact: Contact): Session | undefined => {
  if (contact.session === null) return undefined
  const link = links.links[indexOfLink(links.links, contact.session)]
  return link?._tag === "Session" ? link : undefined
}

const isOlder = (incarnation: number, counter: number, thanIncarnation: number, thanCounter: number): boolean =>
  incarnation < thanIncarnation || (incarnation === thanIncarnation && counter < thanCounter)

/** Whose the epoch in a heartbeat is (P7.1): this session's, that of a link opened before at one end at least, or another's. */
export const epochOf = (
  { epoch: [mine, myCounter, theirs, theirCounter] }: Session,
  said: LinkEpoch
): "ours" | "older" | "another" => {
  if (isOlder(said[0], said[1], theirs, theirCounter) || isOlder(said[2], said[3], mine, myCounter)) return "older"
  const agrees = said[0] === theirs && said[1] === theirCounter && said[2] === mine && said[3] === myCounter
  return agrees ? "ours" : "another"
}

/** Makes a session of the handshake on `link`, in place of whatever there was with that device. */
export const establish = (
  links: Links,
  turn: Turn,
  { counter, link, path }: { readonly link: number; readonly counter: number; readonly path: LinkPath | null },
  proven: Proven,
  dialledByUs: boolean,
  publicKey: string
): Links => {
  const at = indexOfContact(links.contacts, proven.peer)
  const contact = links.contacts[at]
  if (contact === undefined) return links
  const old = sessionWith(links, contact)
  if (old !== undefined) turn.facts.push(down(old, "displaced"))
  let open = links.links
  for (const other of links.links) {
    const rival = (other === old || (isOutboundHandshake(other) && other.peer === proven.peer)) && other.link !== link
    if (!rival) continue
    turn.out.push({ _tag: "Hangup", link: other.link, code: 1000, reason: "displaced", abrupt: false })
    open = without(open, indexOfLink(open, other.link))
  }
  if (contact.attempt !== null) turn.out.push({ _tag: "CancelDial", attempt: contact.attempt })
  const epoch: LinkEpoch = [turn.incarnation, counter, proven.incarnation, proven.linkCounter]
  const session: Session = {
    _tag: "Session",
    link,
    counter,
    peer: proven.peer,
    dialledByUs,
    proven,
    path,
    epoch,
    since: turn.at.mono
  }
  turn.facts.push({
    _tag: "SessionUp",
    peer: proven.peer,
    link,
    incarnation: proven.incarnation,
    epoch,
    kernel: proven.kernel
  })
  turn.facts.push({ _tag: "Proved", peer: proven.peer, publicKey, kernel: proven.kernel })
  const about = proven.peer
  note(turn, {
    event: "peer.connect",
    about,
    incarnation: proven.incarnation,
    link,
    ...shownWay(links, turn, about, session)
  })
  const next: Contact = {
    ...contact,
    attempt: null,
    nextDialAt: NEVER_MS,
    session: link,
    kernel: proven.kernel,
    incarnation: Math.max(contact.incarnation, proven.incarnation),
    bootId: proven.kernel ? proven.bootId : contact.bootId,
    aheadMs: proven.aheadMs,
    clockOffsetMs: proven.aheadMs + turn.at.mono - turn.at.wall,
    refused: null,
    // What led here is what the next dial begins with.
    tried: dialledByUs && contact.round > 0 ? contact.tried - 1 : contact.tried,
    round: 0,
    refusals: 0,
    doubtedUntil: NEVER_MS,
    dead: false
  }
  const lines = links.gen1.filter((line) => line.link !== old?.link)
  return {
    ...links,
    contacts: replaced(links.contacts, at, next),
    links: replaced(open, indexOfLink(open, link), session),
    lines: old === undefined ? links.lines : Lanes.ended(links.lines, old.link),
    gen1: proven.kernel
      ? old?.proven.kernel === false
        ? lines
        : links.gen1
      : [...lines, Gen1.begun(link, dialledByUs, turn.at.mono)]
  }
}

const down = (session: Session, reason: string) =>
  ({ _tag: "SessionDown", peer: session.peer, link: session.link, reason }) as const

/** What a link with `peer` is called in events; nothing where that is nobody whom we trust. */
export const shownWay = (
  links: Links,
  turn: Turn,
  peer: string | undefined,
  link: Pick<Session, "dialledByUs" | "path">
) => {
  const device = peer === undefined ? undefined : trustedDevice(turn.config, peer)
  if (device === undefined) return {}
  const contact = links.contacts[indexOfContact(links.contacts, device.deviceId)]
  return Way.shown(Way.negotiated(device, link, isNearby(contact?.found)))
}

/** Why a session is over whose device said goodbye. */
export const LEAVING = "leaving"

/** The session is over; the device will be dialled again, unless it left. */
export const end = (links: Links, turn: Turn, session: Session, reason: string): Links => {
  turn.facts.push(down(session, reason))
  const at = indexOfContact(links.contacts, session.peer)
  const contact = links.contacts[at]
  const way = shownWay(links, turn, session.peer, session)
  note(turn, { event: "peer.disconnect", about: session.peer, link: session.link, reason, ...way })
  const open = without(links.links, indexOfLink(links.links, session.link))
  const gen1 = session.proven.kernel ? links.gen1 : links.gen1.filter(({ link }) => link !== session.link)
  const lines = Lanes.ended(links.lines, session.link)
  if (contact === undefined || contact.session !== session.link) return { ...links, links: open, gen1, lines }
  const free: Contact = { ...contact, session: null, kernel: false, doubtedUntil: NEVER_MS }
  const next = isGone(free)
    ? Dialling.redialLeft(turn, free)
    : reason === LEAVING && !session.proven.kernel
      ? Dialling.redialAfterGoodbye(turn, free)
      : Dialling.redialAfterSession(turn, free, turn.at.mono - session.since)
  return { ...links, contacts: replaced(links.contacts, at, next), links: open, gen1, lines }
}

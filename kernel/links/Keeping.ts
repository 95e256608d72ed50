/**
 * Which links a node keeps: those that it dials again whenever they are missing. In a small mesh, and where it knows few
 * addresses, all of them; in a large one its neighbours on the rings of observers, the electors, and devices of generation 1,
 * which know no rings. What others dial is accepted in any case (docs/decisions/0010).
 *
 * Whoever has too few links although it keeps more seeks others, one at each beat: so a mesh of which only a part can be
 * reached (behind a hub, across a broken network) holds together all the same.
 */
import { trustedDevice, type Config } from "../Config.ts"
import { u32 } from "../Draw.ts"
import { ringsOf } from "../membership/Rings.ts"
import { NEVER_MS } from "../Time.ts"
import type { Turn } from "../Turn.ts"
import type { DeviceId } from "../wire/Frame.ts"
import * as Dialling from "./Dialling.ts"
import { indexOfContact, isGone, replaced, type Contact, type Links } from "./Link.ts"

/** So many devices are all linked: the rings would not spare many of these links. */
export const ALL_LINKS_MAX = 12
/** With fewer sessions than this a node seeks more. */
export const FEW_LINKS = 3

/** Whether this configuration keeps a link with a device. */
export const keeps = (config: Config): ((peer: DeviceId) => boolean) => {
  const { manifest, trusted } = config
  if (trusted.length <= ALL_LINKS_MAX) return () => true
  const configured = trusted.reduce((count, { address }) => (address === null ? count : count + 1), 0)
  const { near, placeOf } = ringsOf(config)
  const electors = new Set(manifest.electors)
  return (peer) => {
    const place = placeOf.get(peer)
    if (place === undefined) return false
    const { address, gen1 } = trusted[place]!
    return near[place] === true || electors.has(peer) || gen1 || (address !== null && configured <= ALL_LINKS_MAX)
  }
}

/** It has so many sessions with kernel peers. */
export const onLinked = (links: Links, sessions: number, turn: Turn): Links => {
  if (sessions >= FEW_LINKS || links.contacts.length <= ALL_LINKS_MAX) return links
  const { contacts } = links
  const first = u32(turn.config.seed, "seek", turn.bootId, links.attempts) % contacts.length
  for (let i = 0; i < contacts.length; i++) {
    const at = (first + i) % contacts.length
    if (!isIdle(contacts[at]!, turn)) continue
    return { ...links, contacts: replaced(contacts, at, { ...contacts[at]!, nextDialAt: turn.at.mono }) }
  }
  return links
}

/** Rows name an incarnation of a device that we have no link with. */
export const onTold = (links: Links, peer: DeviceId, incarnation: number, turn: Turn): Links => {
  const at = indexOfContact(links.contacts, peer)
  const contact = links.contacts[at]
  if (contact === undefined) return links
  const next = Dialling.told(turn, contact, incarnation)
  return next === contact ? links : { ...links, contacts: replaced(links.contacts, at, next) }
}

/** Somebody has it that we have as down. */
export const onReached = (links: Links, peer: DeviceId, turn: Turn): Links => {
  const at = indexOfContact(links.contacts, peer)
  const contact = links.contacts[at]
  if (contact === undefined || contact.session !== null) return links
  const next = Dialling.redialReached(turn, contact)
  return next === contact ? links : { ...links, contacts: replaced(links.contacts, at, next) }
}

/** Each is heeded once in a process, so that one who forges such rows cannot make us begin again and again. */
export const onShown = (links: Links, peer: DeviceId, incarnation: number, turn: Turn): Links => {
  const at = indexOfContact(links.contacts, peer)
  const contact = links.contacts[at]
  if (contact === undefined || contact.shown) return links
  turn.facts.push({ _tag: "Remembered", peer, incarnation })
  return { ...links, contacts: replaced(links.contacts, at, { ...contact, shown: true }) }
}

const isIdle = (contact: Contact, turn: Turn): boolean =>
  !contact.kept &&
  contact.session === null &&
  contact.attempt === null &&
  contact.nextDialAt === NEVER_MS &&
  contact.refused === null &&
  !isGone(contact) &&
  !contact.dead &&
  (contact.found.length > 0 || (trustedDevice(turn.config, contact.peer)?.address ?? null) !== null)

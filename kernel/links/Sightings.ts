/**
 * What discovery tells the room of connections: where a trusted device may be dialled, and which strangers are near (B15,
 * PROTOCOL.md part 3). A record only finds: trust decides before anything is dialled, and nobody is alive because of a record.
 *
 * Of two that find each other the lower device id dials, the higher one once the link has been missing for a while.
 */
import { isDeviceId } from "../identity/MeshId.ts"
import type { Input } from "../Input.ts"
import { compareText } from "../Order.ts"
import { NEVER_MS } from "../Time.ts"
import type { Turn } from "../Turn.ts"
import * as Dialling from "./Dialling.ts"
import {
  DISPLACE_PROBE,
  indexOfContact,
  replaced,
  type Contact,
  type Links,
  type Session,
  type Stranger
} from "./Link.ts"
import { lastly } from "./Tunnel.ts"

/** Strangers that are listed; a flood of records shows no more. */
export const STRANGERS_MAX = 64
/** Addresses of one device that are tried. */
export const ADDRESSES_MAX = 8

type Sighted = Extract<Input, { readonly _tag: "Sighted" }>

export const onSighted = (links: Links, seen: Sighted, turn: Turn): Links => {
  const { config } = turn
  const foreign = seen.meshId !== undefined && seen.meshId !== config.meshId
  if (seen.deviceId === config.deviceId || !isDeviceId(seen.deviceId) || foreign) return links
  const addresses = seen.addresses.slice(0, ADDRESSES_MAX)
  const at = indexOfContact(links.contacts, seen.deviceId)
  const contact = links.contacts[at]
  if (contact === undefined) return withStranger(links, { deviceId: seen.deviceId, name: seen.name, addresses })
  // A record older than the boot that we have met says nothing of where it is now.
  if (seen.incarnation !== undefined && seen.incarnation < contact.incarnation) return links
  const heard = Dialling.told(turn, contact, seen.incarnation ?? 0)
  return { ...links, contacts: replaced(links.contacts, at, found(heard, seen.name, addresses, turn)) }
}

/** Dial by what was found, unless something better is under way. */
const found = (contact: Contact, seenAs: string, addresses: ReadonlyArray<string>, turn: Turn): Contact => {
  const known = withAddresses(contact, seenAs, addresses, turn)
  if (known.session !== null || known.attempt !== null || addresses.length === 0) return known
  return Dialling.isConfigured(turn, contact) ? known : sought(known, turn)
}

/** It is to be dialled for the first time, where it was told to be, or where it was found; sooner, if that is due. */
export const sought = (contact: Contact, turn: Turn): Contact => {
  const dial = Dialling.firstDial(turn, contact)
  const ours = turn.config.deviceId < contact.peer || Dialling.isConfigured(turn, contact)
  const waits = ours || dial.nextDialAt === NEVER_MS ? 0 : turn.config.profile.higherDialsAfterMs
  return { ...dial, nextDialAt: Math.min(contact.nextDialAt, dial.nextDialAt + waits) }
}

/** A dial to where it is not any more is given up; a session that may lead there has to answer. */
const withAddresses = (contact: Contact, seenAs: string, addresses: ReadonlyArray<string>, turn: Turn): Contact => {
  // What was not in the record before is the likeliest after a move.
  const fresh = addresses.filter((address) => !contact.found.includes(address))
  const found = lastly([...fresh, ...addresses.filter((address) => contact.found.includes(address))])
  const known: Contact = { ...contact, found, seenAs, tried: 0, round: 0, refusals: 0 }
  if (addresses.length === 0 || Dialling.isConfigured(turn, contact)) return known
  const isGone = (address: string | undefined): boolean => address !== undefined && !addresses.includes(address)
  if (contact.attempt !== null) {
    if (!isGone(contact.found[(contact.tried - 1) % contact.found.length])) return known
    turn.out.push({ _tag: "CancelDial", attempt: contact.attempt })
    return { ...known, attempt: null }
  }
  if (contact.session === null || !contact.kernel || !contact.found.some(isGone)) return known
  turn.out.push({ _tag: "Ping", link: contact.session, probe: DISPLACE_PROBE })
  return { ...known, doubtedUntil: turn.at.mono + turn.config.profile.probeDeadlineMs }
}

/** The session answered. */
export const undoubted = (links: Links, { link, peer }: Session): Links => {
  const at = indexOfContact(links.contacts, peer)
  const contact = links.contacts[at]
  if (contact === undefined || contact.session !== link || contact.doubtedUntil === NEVER_MS) return links
  return { ...links, contacts: replaced(links.contacts, at, { ...contact, doubtedUntil: NEVER_MS }) }
}

export const onLost = (links: Links, deviceId: string, turn: Turn): Links => {
  const strangers = links.strangers.filter((stranger) => stranger.deviceId !== deviceId)
  const rest = strangers.length === links.strangers.length ? links : { ...links, strangers }
  const at = indexOfContact(links.contacts, deviceId)
  const contact = links.contacts[at]
  if (contact === undefined || contact.found.length === 0) return rest
  const lost: Contact = { ...contact, found: [], tried: 0, round: 0, refusals: 0 }
  const next = Dialling.isConfigured(turn, contact) ? lost : { ...lost, nextDialAt: NEVER_MS }
  return { ...rest, contacts: replaced(rest.contacts, at, next) }
}

/** What discovery knows of a contact, should it become a stranger; `undefined`: nothing. */
export const strangerOf = (contact: Contact | undefined): Stranger | undefined =>
  contact === undefined || contact.found.length === 0
    ? undefined
    : { deviceId: contact.peer, name: contact.seenAs, addresses: contact.found }

export const withStranger = (links: Links, stranger: Stranger): Links => {
  const others = links.strangers.filter(({ deviceId }) => deviceId !== stranger.deviceId)
  if (others.length >= STRANGERS_MAX) return links
  return { ...links, strangers: [...others, stranger].sort((a, b) => compareText(a.deviceId, b.deviceId)) }
}

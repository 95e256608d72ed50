/** Who has left, or is dead by the word of several: what becomes of dials and sessions (P3.11, P3.12, B4). */
import { NEVER_MS } from "../Time.ts"
import type { Fact, Turn } from "../Turn.ts"
import * as Dialling from "./Dialling.ts"
import { indexOfContact, replaced, type Links } from "./Link.ts"
import * as Sessions from "./Sessions.ts"

/** It is dialled no more but for its configured address, and what is left of a session in that incarnation ends (P3.11). */
export const onGone = (links: Links, gone: Extract<Fact, { readonly _tag: "Gone" }>, turn: Turn): Links => {
  const at = indexOfContact(links.contacts, gone.peer)
  const contact = links.contacts[at]
  if (contact === undefined || contact.leftIncarnation >= gone.incarnation || contact.incarnation > gone.incarnation)
    return links
  if (contact.attempt !== null) turn.out.push({ _tag: "CancelDial", attempt: contact.attempt })
  const left = Dialling.redialLeft(turn, { ...contact, attempt: null, leftIncarnation: gone.incarnation })
  const next = { ...links, contacts: replaced(links.contacts, at, left) }
  const session = Sessions.sessionWith(next, left)
  if (session === undefined) return next
  turn.out.push({ _tag: "Hangup", link: session.link, code: 1000, reason: "goodbye", abrupt: false })
  return Sessions.end(next, turn, session, Sessions.LEAVING)
}

/** A dial by what was found is put off, unless one of its addresses was not tried since. */
export const onDead = (links: Links, { dead, peer }: Extract<Fact, { readonly _tag: "Dead" }>, turn: Turn): Links => {
  const at = indexOfContact(links.contacts, peer)
  const contact = links.contacts[at]
  if (contact === undefined || contact.dead === dead || (dead && contact.session !== null)) return links
  const next = dead ? { ...contact, dead, tried: 0, round: 0, refusals: 0 } : { ...contact, dead }
  const waits = !dead && contact.nextDialAt !== NEVER_MS
  return { ...links, contacts: replaced(links.contacts, at, waits ? Dialling.firstDial(turn, next) : next) }
}

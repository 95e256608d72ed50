/**
 * The room of connections: dialling, the handshake from both ends, one session per device. Nothing but the handshake is
 * looked at before a link has proved its identity, its mesh and its generation (S7); what a session brings is admitted to
 * the other rooms by `turn.admitted`.
 */
import { GENERATIONS, trustedDevice, type Config } from "../Config.ts"
import type { Input } from "../Input.ts"
import { UNAUTHENTICATED_LINKS_MAX } from "../Profile.ts"
import { compareText } from "../Order.ts"
import { NEVER_MS } from "../Time.ts"
import { note, reply, send, type Turn } from "../Turn.ts"
import type { Event, Frame, Goodbye, Request } from "../wire/Frame.ts"
import { mayCall } from "../wire/Methods.ts"
import * as Dialling from "./Dialling.ts"
import * as Gen1 from "./Gen1.ts"
import * as Gone from "./Gone.ts"
import * as Keeping from "./Keeping.ts"
import * as Lanes from "./Lanes.ts"
import {
  DISPLACE_PROBE,
  indexOfContact,
  indexOfLink,
  replaced,
  stranger,
  without,
  type Contact,
  type Link,
  type Links,
  type Session
} from "./Link.ts"
import * as Login from "./Login.ts"
import * as Sessions from "./Sessions.ts"
import * as Sightings from "./Sightings.ts"

export const make = (config: Config): Links => {
  const kept = Keeping.keeps(config)
  return {
    contacts: config.trusted.map(({ deviceId }) => stranger(deviceId, kept(deviceId))),
    links: [],
    gen1: [],
    lines: [],
    strangers: [],
    counter: 0,
    attempts: 0,
    reborn: 0,
    due: NEVER_MS
  }
}

/** The node is up: begin to dial. */
export const open = (links: Links, turn: Turn): Links =>
  withDue({ ...links, contacts: links.contacts.map((contact) => Sightings.sought(contact, turn)) })

/**
 * Another life begins: every connection ends, and of what was known there stays where others are, in which incarnation, and
 * who was believed about ours. `again`: it is not the first one of this process.
 */
export const anew = (links: Links, again: boolean, turn: Turn): Links => {
  for (const { attempt } of links.contacts) if (attempt !== null) turn.out.push({ _tag: "CancelDial", attempt })
  for (const { link } of links.links)
    turn.out.push({ _tag: "Hangup", link, code: 1001, reason: "a new incarnation begins", abrupt: false })
  const { attempts, contacts, counter, reborn, strangers } = links
  const known = new Map(
    contacts.map(({ believed, found, incarnation, leftIncarnation, peer, seenAs, shown, told }) => [
      peer,
      { believed, found, incarnation, leftIncarnation, seenAs, shown, told }
    ])
  )
  const fresh = make(turn.config)
  return {
    ...fresh,
    contacts: fresh.contacts.map((contact) => ({ ...contact, ...known.get(contact.peer) })),
    strangers,
    counter,
    attempts,
    reborn: again ? reborn + 1 : reborn
  }
}

/** The operator changed what it thinks of a device: whatever runs with it ends, and it is met anew if it is trusted. */
export const onTrust = (links: Links, peer: string, turn: Turn): Links => {
  const kept = Keeping.keeps(turn.config)
  const at = indexOfContact(links.contacts, peer)
  const contact = links.contacts[at]
  let next = links
  if (contact !== undefined) {
    if (contact.attempt !== null) turn.out.push({ _tag: "CancelDial", attempt: contact.attempt })
    for (const link of links.links) {
      const theirs = "peer" in link ? link.peer : "proven" in link ? link.proven.peer : null
      if (theirs !== peer) continue
      turn.out.push({ _tag: "Hangup", link: link.link, code: 1008, reason: "trust has changed", abrupt: false })
      next =
        link._tag === "Session"
          ? Sessions.end(next, turn, link, "trust has changed")
          : { ...next, links: without(next.links, indexOfLink(next.links, link.link)) }
    }
    next = { ...next, contacts: without(next.contacts, at) }
  }
  const seen = Sightings.strangerOf(contact) ?? links.strangers.find(({ deviceId }) => deviceId === peer)
  if (turn.config.trusted.some(({ deviceId }) => deviceId === peer)) {
    const { addresses, name } = seen ?? { addresses: [], name: "" }
    const incarnation = contact?.incarnation ?? 0
    const met = Sightings.sought({ ...stranger(peer, kept(peer)), incarnation, found: addresses, seenAs: name }, turn)
    next = {
      ...next,
      strangers: next.strangers.filter(({ deviceId }) => deviceId !== peer),
      contacts: [...next.contacts, met].sort((a, b) => compareText(a.peer, b.peer))
    }
  } else if (seen !== undefined) next = Sightings.withStranger(next, seen)
  return withDue({ ...next, contacts: next.contacts.map((other) => keeping(other, kept(other.peer), turn)) })
}

/** One device more or less on the rings gives others other neighbours. What is not kept any more is not ended. */
const keeping = (contact: Contact, kept: boolean, turn: Turn): Contact => {
  if (contact.kept === kept) return contact
  const next = { ...contact, kept }
  if (!kept) return { ...next, nextDialAt: NEVER_MS }
  return contact.session === null && contact.attempt === null ? Dialling.firstDial(turn, next) : next
}

export const onInput = (links: Links, input: Input, turn: Turn): Links => {
  const next = handle(links, input, turn)
  return next === links ? links : withDue(next)
}

const handle = (links: Links, input: Input, turn: Turn): Links => {
  switch (input._tag) {
    case "Received":
      return onFrame(links, input.link, input.frame, turn)
    case "Ponged":
      return onPong(links, input.link, input.probe, turn)
    case "Backlog":
      return Lanes.onBacklog(links, input.link, input.bytes, turn)
    case "Ignored":
      return onIgnored(links, input.link, turn)
    case "Woke":
      return onTime(links, turn)
    case "LinkUp":
      return onLinkUp(links, input, turn)
    case "LinkDown":
      return onLinkDown(links, input.link, input.reason, turn)
    case "Sighted":
      return Sightings.onSighted(links, input, turn)
    case "Lost":
      return Sightings.onLost(links, input.deviceId, turn)
    case "DialFailed":
      return onDialFailed(links, input.attempt, input.reason, turn)
    case "Malformed":
      return onMalformed(links, input, turn)
    case "Checked":
    case "Signed":
      return Login.onKeys(links, input, turn)
    default:
      return links
  }
}

const onFrame = (links: Links, number: number, frame: Frame, turn: Turn): Links => {
  const link = links.links[indexOfLink(links.links, number)]
  // A frame of a connection that we ended, or that lost: it finds nothing to change.
  if (link === undefined) return links
  if (link._tag !== "Session") return Login.onFrame(links, link, frame, turn)
  if (frame.type === "event") {
    if (!link.proven.kernel && frame.event.startsWith("mesh.")) return beyondGen1(links, link, turn)
    if (frame.event === "mesh.heartbeat") {
      const whose = Sessions.epochOf(link, frame.payload.epoch)
      // Late, and no sign of life.
      if (whose === "older") return links
      if (whose === "another") return hangup(links, link, turn, "link epochs part")
    } else if (frame.event === "peer.leaving" || frame.event === "peer.down") {
      const { gen } = frame.payload
      if (gen < GENERATIONS[0] || gen > GENERATIONS[1]) {
        turn.facts.push({ _tag: "Refused", code: "UNSUPPORTED_GENERATION" })
        return links
      }
      if (frame.event === "peer.leaving") return onLeaving(links, link, frame.payload, turn)
    }
  }
  if (frame.type === "req") return onRequest(links, link, frame, turn)
  turn.admitted = { peer: link.peer, link: number, frame, probe: -1 }
  return links
}

/** One that its role may not make (part 8), or beyond its budget: answered and counted, and for the rest a sign of life. */
const onRequest = (links: Links, session: Session, frame: Request, turn: Turn): Links => {
  const { link, peer } = session
  const [next, admitted] = Lanes.admits(links, session, turn)
  const role = trustedDevice(turn.config, peer)?.role
  const may = role !== undefined && mayCall(role, frame.method)
  turn.admitted = { peer, link, frame: admitted && may ? frame : null, probe: -1 }
  if (!admitted) reply(turn, link, tooOften(frame.id))
  else if (!may) {
    turn.facts.push({ _tag: "Refused", code: "NOT_AUTHORIZED" })
    reply(turn, link, Login.refusal(frame.id, "NOT_AUTHORIZED", "not by this device"))
  }
  return next
}

const tooOften = (id: string): Frame => Login.refusal(id, "RATE_LIMITED", "too many requests")

/** Words of kernel peers out of another mouth (P11.9): counted, and for the rest a sign of life. */
const beyondGen1 = (links: Links, { link, peer }: Session, turn: Turn): Links => {
  turn.facts.push({ _tag: "Refused", code: "NOT_AUTHORIZED" })
  turn.admitted = { peer, link, frame: null, probe: -1 }
  return links
}

/** A session's unknown event is a sign of life; anybody else may not send events at all. */
const onIgnored = (links: Links, number: number, turn: Turn): Links => {
  const link = links.links[indexOfLink(links.links, number)]
  if (link === undefined) return links
  if (link._tag !== "Session") return Login.onStray(links, link, turn)
  turn.admitted = { peer: link.peer, link: number, frame: null, probe: -1 }
  return links
}

/** A goodbye counts from the device itself, for the session that carries it. */
const onLeaving = (
  links: Links,
  session: Session,
  said: Extract<Event, { readonly event: "peer.leaving" }>["payload"],
  turn: Turn
): Links => {
  if (said.deviceId !== session.peer) {
    turn.facts.push({ _tag: "Refused", code: "NOT_AUTHORIZED" })
    return links
  }
  const at = indexOfContact(links.contacts, session.peer)
  const contact = links.contacts[at]
  if (contact === undefined) return links
  const { incarnation } = session.proven
  // Somebody delivered the goodbye of an older process once more, or late.
  if (said.incarnation !== undefined && said.incarnation !== incarnation) return links
  turn.facts.push({ _tag: "Left", peer: session.peer, incarnation })
  turn.out.push({ _tag: "Hangup", link: session.link, code: 1000, reason: "goodbye", abrupt: false })
  const contacts = replaced(links.contacts, at, { ...contact, leftIncarnation: incarnation })
  return Sessions.end({ ...links, contacts }, turn, session, Sessions.LEAVING)
}

const onPong = (links: Links, number: number, probe: number, turn: Turn): Links => {
  const link = links.links[indexOfLink(links.links, number)]
  if (link?._tag !== "Session") return links
  if (Lanes.isMark(probe)) {
    turn.admitted = { peer: link.peer, link: number, frame: null, probe: -1 }
    return Lanes.onRead(links, number, probe, turn)
  }
  if (probe !== DISPLACE_PROBE) {
    turn.admitted = { peer: link.peer, link: number, frame: null, probe }
    return links
  }
  const sure = Sightings.undoubted(links, link)
  const held = links.links.find((other) => other._tag === "Held" && other.against === number)
  if (held?._tag !== "Held") return sure
  return Login.refuseLogin(sure, held, held.id, held.params, turn, {
    code: "IDENTITY_CONFLICT",
    message: "the session of another process with this identity still answers"
  })
}

const onLinkUp = (links: Links, input: Extract<Input, { readonly _tag: "LinkUp" }>, turn: Turn): Links => {
  const counter = links.counter + 1
  const opened = {
    link: input.link,
    counter,
    nonce: input.nonce,
    exporter: input.exporter,
    path: input.path ?? null,
    deadline: turn.at.mono + turn.config.profile.handshakeMs
  }
  if (input.attempt === null) {
    const open = makeRoom(links.links, input.link, turn)
    return open === null
      ? links
      : { ...links, counter, links: [...open, { _tag: "Offered", ...opened, asked: null, strays: 0 }] }
  }
  const at = links.contacts.findIndex((contact) => contact.attempt === input.attempt)
  const contact = links.contacts[at]
  if (contact === undefined) {
    turn.out.push({ _tag: "Hangup", link: input.link, code: 1000, reason: "no longer wanted", abrupt: true })
    return links
  }
  const contacts = replaced(links.contacts, at, { ...contact, attempt: null })
  if (contact.session !== null) {
    turn.out.push({ _tag: "Hangup", link: input.link, code: 1000, reason: "there is a session", abrupt: false })
    return { ...links, contacts }
  }
  const link = { _tag: "Asking", ...opened, peer: contact.peer } as const
  return Login.begin({ ...links, counter, contacts, links: [...links.links, link] }, link, input.challenge, turn)
}

/**
 * Room for one more handshake; `null`: there is none. The oldest link that has said nothing gives way first, so that silent
 * connections cannot keep out those who speak.
 */
const makeRoom = (open: ReadonlyArray<Link>, newcomer: number, turn: Turn): ReadonlyArray<Link> | null => {
  const strangers = open.reduce((n, link) => (link._tag === "Session" ? n : n + 1), 0)
  if (strangers < UNAUTHENTICATED_LINKS_MAX) return open
  turn.facts.push({ _tag: "Refused", code: "RATE_LIMITED" })
  const silent = open.findIndex((link) => link._tag === "Offered" && link.asked === null)
  const link = open[silent]?.link ?? newcomer
  turn.out.push({ _tag: "Hangup", link, code: 1008, reason: "too many handshakes", abrupt: true })
  return silent < 0 ? null : without(open, silent)
}

const onLinkDown = (links: Links, number: number, reason: string, turn: Turn): Links => {
  const link = links.links[indexOfLink(links.links, number)]
  if (link === undefined || Login.isAnswered(links, link, turn)) return links
  return over(links, link, turn, reason)
}

/** A connection is gone: its session has ended, or its handshake came to nothing. */
const over = (links: Links, link: Link, turn: Turn, reason: string): Links => {
  if (link._tag === "Session") return releaseHeld(Sessions.end(links, turn, link, reason), link.link, turn)
  const rest = { ...links, links: without(links.links, indexOfLink(links.links, link.link)) }
  return "peer" in link ? failed(rest, link.peer, turn) : rest
}

/** A newcomer that waited for a session to fail a probe: it failed. */
const releaseHeld = (links: Links, gone: number, turn: Turn): Links => {
  const held = links.links.find((other) => other._tag === "Held" && other.against === gone)
  return held?._tag === "Held" ? Login.admitLogin(links, held, held.id, held.params, held.proven, turn) : links
}

const failed = (links: Links, peer: string, turn: Turn): Links => {
  const at = indexOfContact(links.contacts, peer)
  const contact = links.contacts[at]
  if (contact === undefined || contact.session !== null || contact.nextDialAt !== NEVER_MS) return links
  return { ...links, contacts: replaced(links.contacts, at, Dialling.redialAfterAttempt(turn, contact)) }
}

const onDialFailed = (links: Links, attempt: number, reason: string, turn: Turn): Links => {
  const at = links.contacts.findIndex((contact) => contact.attempt === attempt)
  const contact = links.contacts[at]
  if (contact === undefined) return links
  if (reason === "refused") turn.facts.push({ _tag: "DialRefused", peer: contact.peer })
  if (reason === "pin mismatch" || reason === "no tls") {
    // Somebody else answers there, or without the security that was asked for: not one byte of ours was sent.
    const code = reason === "no tls" ? "INSECURE_TRANSPORT" : "PIN_MISMATCH"
    turn.facts.push({ _tag: "Refused", code })
    const way = Dialling.shownAttempt(turn, contact)
    note(turn, { event: "connection.refused", about: contact.peer, code, reason, ...way })
    const refused = Dialling.redialAfterAddress(turn, { ...contact, attempt: null }, code)
    return { ...links, contacts: replaced(links.contacts, at, refused) }
  }
  return {
    ...links,
    contacts: replaced(links.contacts, at, Dialling.redialAfterAttempt(turn, { ...contact, attempt: null }))
  }
}

const onMalformed = (links: Links, input: Extract<Input, { readonly _tag: "Malformed" }>, turn: Turn): Links => {
  const link = links.links[indexOfLink(links.links, input.link)]
  if (link === undefined) return links
  if (link._tag !== "Session" && input.code !== "TOO_LARGE") return Login.onMalformed(links, link, input, turn)
  turn.facts.push({ _tag: "Refused", code: input.code })
  note(turn, { event: "frame.refused", code: input.code, link: input.link })
  if (input.code === "TOO_LARGE") {
    turn.out.push({ _tag: "Hangup", link: input.link, code: 1009, reason: "message too big", abrupt: false })
    return over(links, link, turn, "too large")
  }
  if (input.id === null || link._tag !== "Session") return links
  const [next, admitted] = Lanes.admits(links, link, turn)
  const frame = admitted ? Login.refusal(input.id, input.code, "this message does not read") : tooOften(input.id)
  reply(turn, input.link, frame)
  return next
}

const onTime = (links: Links, turn: Turn): Links => {
  let next = links
  const now = turn.at.mono
  for (const link of links.links) {
    if (link._tag === "Session") continue
    if (link._tag === "Held" && link.until <= now) {
      const old = next.links[indexOfLink(next.links, link.against)]
      next =
        old?._tag === "Session"
          ? hangup(next, old, turn, "a newer incarnation is here and this one is silent")
          : Login.admitLogin(next, link, link.id, link.params, link.proven, turn)
    } else if (link.deadline <= now) {
      turn.out.push({ _tag: "Hangup", link: link.link, code: 1008, reason: "handshake took too long", abrupt: false })
      turn.facts.push({ _tag: "Refused", code: "TIMEOUT" })
      note(turn, {
        event: "connection.refused",
        code: "TIMEOUT",
        reason: "no handshake in time",
        link: link.link,
        ...("peer" in link ? { about: link.peer } : {}),
        ...("peer" in link ? Sessions.shownWay(next, turn, link.peer, { dialledByUs: true, path: link.path }) : {})
      })
      next = over(next, link, turn, "no handshake in time")
    }
  }
  for (let i = 0; i < next.contacts.length; i++) {
    const doubted = next.contacts[i]!
    if (doubted.doubtedUntil <= now) {
      const session = Sessions.sessionWith(next, doubted)
      if (session !== undefined) next = hangup(next, session, turn, "its address has changed, and it is silent")
    }
    if (Dialling.hurriesAt(next.contacts[i]!) <= now)
      next = { ...next, contacts: replaced(next.contacts, i, Dialling.giveWay(turn, next.contacts[i]!)) }
    const contact = next.contacts[i]!
    if (contact.nextDialAt > now) continue
    if (Sessions.isProving(next, contact.peer)) {
      // What comes of that handshake says when to dial again.
      next = { ...next, contacts: replaced(next.contacts, i, { ...contact, nextDialAt: NEVER_MS }) }
      continue
    }
    const attempts = next.attempts + 1
    next = { ...next, attempts, contacts: replaced(next.contacts, i, Dialling.dial(turn, contact, attempts)) }
  }
  return next
}

/** Ends a session from our side, at once. */
const hangup = (links: Links, session: Session, turn: Turn, reason: string): Links => {
  turn.out.push({ _tag: "Hangup", link: session.link, code: 1001, reason, abrupt: true })
  return over(links, session, turn, reason)
}

/** What membership decided about connections in this turn. */
export const settle = (links: Links, turn: Turn): Links => {
  let next = links
  for (let i = 0; i < turn.facts.length; i++) {
    const fact = turn.facts[i]!
    if (fact._tag === "Gone") next = Gone.onGone(next, fact, turn)
    if (fact._tag === "Dead") next = Gone.onDead(next, fact, turn)
    if (fact._tag === "Linked") next = Keeping.onLinked(next, fact.links, turn)
    if (fact._tag === "Reached") next = Keeping.onReached(next, fact.peer, turn)
    if (fact._tag === "Shown") next = Keeping.onShown(next, fact.peer, fact.incarnation, turn)
    if (fact._tag === "Told") next = Keeping.onTold(next, fact.peer, fact.incarnation, turn)
    if (fact._tag !== "Terminate") continue
    const link = next.links[indexOfLink(next.links, fact.link)]
    if (link?._tag === "Session") next = hangup(next, link, turn, fact.reason)
  }
  return next === links ? links : withDue(next)
}

/** What goes behind control, as it may (Lanes.ts). After every room has said what it had to say. */
export const behindControl = (links: Links, turn: Turn): Links =>
  turn.lower.length === 0 && (links.lines.length === 0 || turn.out.length === 0) ? links : Lanes.govern(links, turn)

/** What goes to devices of generation 1, as it may (Gen1.ts). After every room has said what it had to say. */
export const towardsGen1 = (links: Links, woke: boolean, turn: Turn): Links => {
  const gen1 = Gen1.govern(links.gen1, woke, turn)
  return gen1 === links.gen1 ? links : withDue({ ...links, gen1 })
}

/** Says goodbye on every session; the driver flushes before it closes (`Halt`). */
export const leave = (links: Links, signed: Goodbye | null, turn: Turn): void => {
  for (const link of links.links) {
    if (link._tag !== "Session") continue
    const { deviceId } = turn.config
    // First what they may hand on: the word itself ends the session.
    if (signed !== null && link.proven.kernel) send(turn, link.link, "mesh.goodbyes", { goodbyes: [signed] })
    turn.out.push({
      _tag: "Send",
      link: link.link,
      frame: {
        type: "event",
        event: "peer.leaving",
        payload: { gen: GENERATIONS[1], deviceId, timestamp: turn.at.wall, incarnation: turn.incarnation }
      }
    })
  }
  Gen1.govern(links.gen1, false, turn)
}

/** With the due time that follows from the rest. The same reference: it does, as after every turn. */
export const withDue = (links: Links): Links => {
  let due = Gen1.dueOf(links.gen1)
  for (let i = 0; i < links.contacts.length; i++) {
    const contact = links.contacts[i]!
    due = Math.min(due, contact.nextDialAt, contact.doubtedUntil, Dialling.hurriesAt(contact))
  }
  for (let i = 0; i < links.links.length; i++) {
    const link = links.links[i]!
    if (link._tag === "Session") continue
    due = Math.min(due, link._tag === "Held" ? link.until : link.deadline)
  }
  return due === links.due ? links : { ...links, due }
}

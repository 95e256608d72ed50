/**
 * The handshake as a machine, both ends (PROTOCOL.md part 5): challenge, login, answer. Keys are asked by `Sign` and `Check`,
 * whose ticket is the number of the link; their answers find the link as it is by then, or not at all.
 *
 * Every refusal has a code, is answered where it can be, is counted, closes the link 1008, and changes nothing else.
 */
import type { Command } from "../Command.ts"
import { trustedDevice } from "../Config.ts"
import type { Input } from "../Input.ts"
import { FRAMES_BEHIND_ANSWER_MAX, UNAUTHENTICATED_FRAMES_MAX } from "../Profile.ts"
import { note, type Turn } from "../Turn.ts"
import { decodeAnswer } from "../wire/Codec.ts"
import type { Code } from "../wire/Codes.ts"
import { allCodes } from "../wire/Codes.ts"
import type { ConnectParams, Frame } from "../wire/Frame.ts"
import * as Authenticate from "./Authenticate.ts"
import * as Dialling from "./Dialling.ts"
import * as Gen1 from "./Gen1.ts"
import {
  DISPLACE_PROBE,
  indexOfContact,
  indexOfLink,
  replaced,
  without,
  type Contact,
  type Link,
  type Links,
  type Open,
  type Proven
} from "./Link.ts"
import * as Sessions from "./Sessions.ts"

export const CHALLENGE_ID = "challenge"
const CONNECT_ID = "connect"

/** Refusals that dialling again soon cannot mend. */
const LASTING: ReadonlyArray<string> = [
  "UNTRUSTED_PEER",
  "MESH_ID_MISMATCH",
  "PUBLIC_KEY_MISMATCH",
  "UNSUPPORTED_GENERATION",
  "IDENTITY_CONFLICT",
  "INSECURE_TRANSPORT",
  "UNPINNED_TRANSPORT",
  "PIN_MISMATCH"
]

type Handshake = Exclude<Link, { readonly _tag: "Session" }>
type Outbound = Extract<Link, { readonly _tag: "Asking" | "SigningLogin" | "Proving" | "CheckingServer" }>
type Inbound = Exclude<Handshake, Outbound>

const isOutbound = (link: Handshake): link is Outbound => "peer" in link

export const refusal = (id: string, code: Code, message: string): Frame => ({
  type: "res",
  id,
  ok: false,
  error: { code, message }
})

const errorAnswer = (link: number, id: string, code: Code, message: string): Command => ({
  _tag: "Send",
  link,
  frame: refusal(id, code, message)
})

const withLink = (links: Links, link: Link): Links => ({
  ...links,
  links: replaced(links.links, indexOfLink(links.links, link.link), link)
})

const drop = (links: Links, link: number): Links => ({
  ...links,
  links: without(links.links, indexOfLink(links.links, link))
})

/** Another link with the same device is the one to keep: no error, and no blame. */
const giveWay = (links: Links, link: number, turn: Turn): Links => {
  turn.out.push({ _tag: "Hangup", link, code: 1000, reason: "crossing dials", abrupt: false })
  return drop(links, link)
}

/** As whom we dial: with no incarnation where we only ask which we had. */
const speaker = (links: Links, peer: string, turn: Turn): Turn =>
  links.contacts[indexOfContact(links.contacts, peer)]?.asks === true ? { ...turn, incarnation: 0 } : turn

/** What a link brings along from one state of its handshake to the next. */
const openOf = ({ counter, deadline, exporter, link, nonce, path }: Open): Open => ({
  link,
  counter,
  nonce,
  exporter,
  path,
  deadline
})

const exchangeOf = (link: Handshake, nonces: { readonly client: string; readonly server: string }) => ({
  clientNonce: nonces.client,
  serverNonce: nonces.server,
  exporter: link.exporter,
  counter: link.counter
})

// ------------------------------------------------------------------------------------------------ beginning

type Asking = Extract<Link, { readonly _tag: "Asking" }>

/** Our dial opened: we log in with the nonce that the far end said with that, or ask for one. */
export const begin = (links: Links, link: Asking, challenge: string | undefined, turn: Turn): Links => {
  const answer = challenge === undefined ? null : decodeAnswer("mesh.challenge", { nonce: challenge })
  if (answer !== null) return onChallenge(links, link, answer.nonce, turn)
  const frame: Frame = { type: "req", id: CHALLENGE_ID, method: "mesh.challenge", params: {} }
  turn.out.push({ _tag: "Send", link: link.link, frame })
  return links
}

const onChallenge = (links: Links, link: Asking, serverNonce: string, turn: Turn): Links => {
  const exchange = exchangeOf(link, { client: link.nonce, server: serverNonce })
  const contact = links.contacts[indexOfContact(links.contacts, link.peer)]
  const signedAtMs = Gen1.calendarOf(turn, link.peer, contact?.aheadMs ?? null)
  const payloads = Authenticate.loginPayloads(speaker(links, link.peer, turn), link.peer, exchange, signedAtMs)
  turn.out.push({ _tag: "Sign", ticket: link.link, payloads })
  return withLink(links, { ...link, _tag: "SigningLogin", serverNonce, signedAtMs })
}

// ------------------------------------------------------------------------------------------------ frames

export const onFrame = (links: Links, link: Handshake, frame: Frame, turn: Turn): Links =>
  isOutbound(link) ? onServerFrame(links, link, frame, turn) : onClientFrame(links, link, frame, turn)

const onServerFrame = (links: Links, link: Outbound, frame: Frame, turn: Turn): Links => {
  // Its answer is in the key store's hands: what comes right behind it is not ours to believe yet, and no offence.
  if (link._tag === "CheckingServer")
    return link.behind.length >= FRAMES_BEHIND_ANSWER_MAX
      ? links
      : withLink(links, { ...link, behind: [...link.behind, frame] })
  const awaited = link._tag === "Asking" ? CHALLENGE_ID : link._tag === "Proving" ? CONNECT_ID : null
  if (frame.type !== "res" || frame.id !== awaited)
    return dropOutbound(links, link, turn, "NOT_AUTHORIZED", "it spoke before it had proved itself")
  if (!frame.ok) {
    const code = allCodes.find((known) => known === frame.error.code) ?? "AUTH_FAILED"
    return dropOutbound(links, link, turn, code, "refused by the other side")
  }
  if (link._tag === "Asking") {
    const answer = decodeAnswer("mesh.challenge", frame.payload)
    if (answer === null) return dropOutbound(links, link, turn, "INVALID_PARAMS", "its challenge does not read")
    return onChallenge(links, link, answer.nonce, turn)
  }
  if (link._tag !== "Proving") return links
  const answer = decodeAnswer("mesh.connect", frame.payload)
  if (answer === null) return dropOutbound(links, link, turn, "INVALID_PARAMS", "its answer does not read")
  const exchange = exchangeOf(link, { client: link.nonce, server: link.serverNonce })
  const proofs = Authenticate.serverProofs(answer, turn.config.deviceId, exchange)
  turn.out.push({ _tag: "Check", ticket: link.link, publicKey: answer.publicKey, proofs })
  return withLink(links, { ...link, _tag: "CheckingServer", answer, behind: [] })
}

const onClientFrame = (links: Links, link: Inbound, frame: Frame, turn: Turn): Links => {
  if (frame.type === "req" && link._tag === "Offered") {
    if (frame.method === "mesh.challenge") {
      const payload = { nonce: link.nonce }
      turn.out.push({ _tag: "Send", link: link.link, frame: { type: "res", id: frame.id, ok: true, payload } })
      if (link.asked === null) return withLink(links, { ...link, asked: turn.at.mono })
      return stray(links, link, turn, null)
    }
    if (frame.method === "mesh.connect") return onLogin(links, link, frame.id, frame.params, turn)
  }
  return stray(links, link, turn, frame.type === "req" ? frame.id : null)
}

const onLogin = (
  links: Links,
  link: Extract<Link, { readonly _tag: "Offered" }>,
  id: string,
  params: ConnectParams,
  turn: Turn
): Links => {
  if (params.nonce === undefined)
    return refuseLogin(links, link, id, params, turn, {
      code: "AUTH_NONCE_REQUIRED",
      message: "ask for a nonce first: mesh.challenge"
    })
  const { handshakeMs, nonceMs } = turn.config.profile
  // Whoever did not ask has it from the opening of this link.
  const givenAt = link.asked ?? link.deadline - handshakeMs
  if (turn.at.mono - givenAt > nonceMs || params.nonce !== link.nonce)
    return refuseLogin(links, link, id, params, turn, {
      code: "AUTH_NONCE_INVALID",
      message: "this nonce was not given on this connection, or is too old"
    })
  const exchange = exchangeOf(link, { client: params.clientNonce, server: link.nonce })
  const proofs = Authenticate.clientProofs(params, turn.config.deviceId, exchange)
  turn.out.push({ _tag: "Check", ticket: link.link, publicKey: params.publicKey, proofs })
  return withLink(links, { ...openOf(link), _tag: "CheckingClient", id, params })
}

/** A frame that an unauthenticated link may not send: answered if it asks for one, counted, and not looked at. */
const stray = (links: Links, link: Inbound, turn: Turn, id: string | null, code: Code = "NOT_AUTHORIZED"): Links => {
  turn.facts.push({ _tag: "Refused", code })
  if (id !== null) turn.out.push(errorAnswer(link.link, id, code, "shake hands first"))
  // Whoever has sent its login has nothing to say until it is answered.
  const strays = link._tag === "Offered" ? link.strays + 1 : UNAUTHENTICATED_FRAMES_MAX + 1
  if (strays > UNAUTHENTICATED_FRAMES_MAX) {
    note(turn, { event: "connection.refused", code, link: link.link, reason: "no handshake" })
    turn.out.push({ _tag: "Hangup", link: link.link, code: 1008, reason: "shake hands first", abrupt: false })
    return drop(links, link.link)
  }
  return link._tag === "Offered" ? withLink(links, { ...link, strays }) : links
}

/** An event that nobody knows, from a link that has not proved itself. */
export const onStray = (links: Links, link: Handshake, turn: Turn): Links => {
  if (!isOutbound(link)) return stray(links, link, turn, null)
  return link._tag === "CheckingServer"
    ? links
    : dropOutbound(links, link, turn, "NOT_AUTHORIZED", "it spoke before it had proved itself")
}

export const onMalformed = (
  links: Links,
  link: Handshake,
  input: Extract<Input, { readonly _tag: "Malformed" }>,
  turn: Turn
): Links => {
  if (isOutbound(link)) return dropOutbound(links, link, turn, input.code, "its message does not read")
  if (input.method !== "mesh.connect" || input.id === null) {
    // Which other methods there are, and what they take, is not for strangers to know.
    const ours = input.method === null || input.method === "mesh.challenge" || input.method === "mesh.connect"
    const code = ours ? input.code : "NOT_AUTHORIZED"
    note(turn, { event: "frame.refused", code, link: link.link })
    return stray(links, link, turn, input.id, code)
  }
  return refuseLogin(links, link, input.id, null, turn, { code: input.code, message: "the login does not read" })
}

// ------------------------------------------------------------------------------------------------ answers of the key store

export const onKeys = (
  links: Links,
  input: Extract<Input, { readonly _tag: "Checked" | "Signed" }>,
  turn: Turn
): Links => {
  const link = links.links[indexOfLink(links.links, input.ticket)]
  if (link === undefined) return links
  if (input._tag === "Checked") {
    if (link._tag === "CheckingClient") return onClientChecked(links, link, input, turn)
    if (link._tag === "CheckingServer") return onServerChecked(links, link, input, turn)
  } else {
    if (link._tag === "SigningLogin") return onLoginSigned(links, link, input.signatures, turn)
    if (link._tag === "SigningAnswer") return onAnswerSigned(links, link, input.signatures, turn)
  }
  return links
}

const onClientChecked = (
  links: Links,
  link: Extract<Link, { readonly _tag: "CheckingClient" }>,
  checked: Extract<Input, { readonly _tag: "Checked" }>,
  turn: Turn
): Links => {
  const proven = Authenticate.judgeClient(turn, link.path, link.params, checked)
  if (Authenticate.isRefusal(proven)) return refuseLogin(links, link, link.id, link.params, turn, proven)
  const contest = Sessions.contest(links, turn, proven, false)
  switch (contest._tag) {
    case "Refuse":
      return refuseLogin(links, link, link.id, link.params, turn, contest)
    case "Crossing":
      return giveWay(links, link.link, turn)
    case "Hold": {
      const against = contest.against.link
      turn.out.push({ _tag: "Ping", link: against, probe: DISPLACE_PROBE })
      const until = turn.at.mono + turn.config.profile.displaceProbeMs
      return withLink(links, { ...link, _tag: "Held", proven, against, until })
    }
    case "Tell":
      return admitLogin(links, link, link.id, link.params, proven, turn, { remembers: contest.remembers })
    case "Admit":
      return admitLogin(links, link, link.id, link.params, proven, turn)
  }
}

/** The login is good: sign our answer to it. */
export const admitLogin = (
  links: Links,
  link: Handshake,
  id: string,
  params: ConnectParams,
  proven: Proven,
  turn: Turn,
  told: { readonly remembers?: number } = {}
): Links => {
  const exchange = exchangeOf(link, { client: params.clientNonce, server: link.nonce })
  const signedAtMs = Gen1.calendarOf(turn, proven.peer, proven.kernel ? null : proven.aheadMs)
  const payloads = Authenticate.answerPayloads(turn, proven.peer, exchange, signedAtMs, told)
  turn.out.push({ _tag: "Sign", ticket: link.link, payloads })
  return withLink(links, { ...openOf(link), _tag: "SigningAnswer", id, params, proven, signedAtMs, told })
}

const onAnswerSigned = (
  links: Links,
  link: Extract<Link, { readonly _tag: "SigningAnswer" }>,
  signatures: ReadonlyArray<string> | null,
  turn: Turn
): Links => {
  const { id, params, proven, told } = link
  if (signatures === null)
    return refuseLogin(links, link, id, params, turn, { code: "INTERNAL_ERROR", message: "our key did not sign" })
  // While the key signed, another link may have become the session.
  const contest = Sessions.contest(links, turn, proven, false)
  if (contest._tag === "Refuse") return refuseLogin(links, link, id, params, turn, contest)
  if (contest._tag !== "Admit" && contest._tag !== "Tell") return giveWay(links, link.link, turn)
  const exchange = exchangeOf(link, { client: params.clientNonce, server: link.nonce })
  const payload = Authenticate.answerPayload(turn, exchange, link.signedAtMs, signatures, told)
  turn.out.push({ _tag: "Send", link: link.link, frame: { type: "res", id, ok: true, payload } })
  if (contest._tag === "Tell") {
    turn.out.push({ _tag: "Hangup", link: link.link, code: 1000, reason: "told", abrupt: false })
    return drop(links, link.link)
  }
  return Sessions.establish(links, turn, link, proven, false, params.publicKey)
}

const onLoginSigned = (
  links: Links,
  link: Extract<Link, { readonly _tag: "SigningLogin" }>,
  signatures: ReadonlyArray<string> | null,
  turn: Turn
): Links => {
  if (signatures === null) return dropOutbound(links, link, turn, "INTERNAL_ERROR", "our key did not sign")
  const exchange = exchangeOf(link, { client: link.nonce, server: link.serverNonce })
  const params = Authenticate.loginParams(speaker(links, link.peer, turn), exchange, link.signedAtMs, signatures)
  turn.out.push({
    _tag: "Send",
    link: link.link,
    frame: { type: "req", id: CONNECT_ID, method: "mesh.connect", params }
  })
  return withLink(links, { ...link, _tag: "Proving" })
}

const onServerChecked = (
  links: Links,
  link: Extract<Link, { readonly _tag: "CheckingServer" }>,
  checked: Extract<Input, { readonly _tag: "Checked" }>,
  turn: Turn
): Links => {
  const exchange = exchangeOf(link, { client: link.nonce, server: link.serverNonce })
  const proven = Authenticate.judgeServer(turn, link, exchange, link.answer, checked)
  if (Authenticate.isRefusal(proven)) return dropOutbound(links, link, turn, proven.code, proven.message)
  if (speaker(links, link.peer, turn).incarnation === 0) return onTold(links, link, turn)
  const contest = Sessions.contest(links, turn, proven, true)
  if (contest._tag === "Refuse") return dropOutbound(links, link, turn, contest.code, contest.message)
  if (contest._tag !== "Admit") return giveWay(links, link.link, turn)
  for (const frame of link.behind) turn.behind.push({ _tag: "Received", at: turn.at, link: link.link, frame })
  return Sessions.establish(links, turn, link, proven, true, link.answer.publicKey)
}

/**
 * It was asked for nothing but a word, and has given it, which our key is still checking: that the connection has ended meanwhile,
 * as it does behind that word (P3.14), changes nothing.
 */
export const isAnswered = (links: Links, link: Link, turn: Turn): boolean =>
  link._tag === "CheckingServer" && speaker(links, link.peer, turn).incarnation === 0

/** It has proved itself, and tells what we asked for: that is all. */
const onTold = (links: Links, link: Extract<Link, { readonly _tag: "CheckingServer" }>, turn: Turn): Links => {
  const remembers = link.answer.kernel?.remembers
  if (remembers === undefined)
    return dropOutbound(links, link, turn, "INVALID_PARAMS", "it does not say what it remembers")
  turn.out.push({ _tag: "Hangup", link: link.link, code: 1000, reason: "told", abrupt: false })
  turn.facts.push({ _tag: "Remembered", peer: link.peer, incarnation: remembers })
  const at = indexOfContact(links.contacts, link.peer)
  const contact = links.contacts[at]
  const rest = drop(links, link.link)
  if (contact === undefined) return rest
  const told: Contact = { ...contact, asks: false, believed: turn.incarnation === 0 || remembers >= turn.incarnation }
  const known = Dialling.redialAfterRefusal(turn, told, "IDENTITY_CONFLICT")
  return { ...rest, contacts: replaced(rest.contacts, at, known) }
}

// ------------------------------------------------------------------------------------------------ refusals

const about = (turn: Turn, deviceId: string | undefined) =>
  deviceId !== undefined && trustedDevice(turn.config, deviceId) !== undefined ? { about: deviceId } : {}

/** Refuses a login: answered, counted, noted, closed 1008. `params` is `null` where they did not read. */
export const refuseLogin = (
  links: Links,
  link: Handshake,
  id: string,
  params: ConnectParams | null,
  turn: Turn,
  { code, message }: Authenticate.Refusal
): Links => {
  turn.facts.push({ _tag: "Refused", code })
  turn.out.push(errorAnswer(link.link, id, code, message))
  turn.out.push({ _tag: "Hangup", link: link.link, code: 1008, reason: code, abrupt: false })
  note(turn, {
    event: "connection.refused",
    code,
    reason: message,
    link: link.link,
    ...about(turn, params?.deviceId),
    ...Sessions.shownWay(links, turn, params?.deviceId, { dialledByUs: false, path: link.path })
  })
  return shown(drop(links, link.link), params, code)
}

/** Refusals of somebody who had proved who it is: status shows them, though it dialled and not we. */
const PROVEN: ReadonlyArray<string> = ["UNSUPPORTED_GENERATION", "MESH_ID_MISMATCH"]

const shown = (links: Links, params: ConnectParams | null, code: Code): Links => {
  if (params === null || !PROVEN.includes(code)) return links
  const at = indexOfContact(links.contacts, params.deviceId)
  const contact = links.contacts[at]
  if (contact === undefined || contact.session !== null || contact.refused === code) return links
  return { ...links, contacts: replaced(links.contacts, at, { ...contact, refused: code }) }
}

/** Ends our own dial: the server refused us, or we it. */
const dropOutbound = (links: Links, link: Outbound, turn: Turn, code: Code, message: string): Links => {
  turn.facts.push({ _tag: "Refused", code })
  turn.out.push({ _tag: "Hangup", link: link.link, code: 1008, reason: code, abrupt: false })
  const way = Sessions.shownWay(links, turn, link.peer, { dialledByUs: true, path: link.path })
  note(turn, { event: "connection.refused", about: link.peer, code, reason: message, link: link.link, ...way })
  const at = indexOfContact(links.contacts, link.peer)
  const contact = links.contacts[at]
  const rest = drop(links, link.link)
  if (contact === undefined || contact.session !== null) return rest
  // It may have been our estimate of its clock: the next login is signed by our own.
  const known: Contact = code === "AUTH_FAILED" ? { ...contact, aheadMs: null } : contact
  // Whoever forgot may have come back in an incarnation that it had already, and asks this one which was the last.
  // Each is believed once, so that one who lies cannot make it begin again and again.
  const asks = code === "IDENTITY_CONFLICT" && turn.forgetful && !contact.asks && !contact.believed
  const next = asks
    ? Dialling.dialToAsk(turn, { ...known, asks }, links.reborn)
    : LASTING.includes(code)
      ? Dialling.redialAfterRefusal(turn, known, code)
      : Dialling.redialAfterFailure(turn, known)
  return { ...rest, contacts: replaced(rest.contacts, at, next) }
}

/**
 * A model of this device, asked over a session (PROTOCOL.md part 20): one at a time, its words handed on in pieces, in order.
 *
 * What a model says is text for whoever asked, and nothing else: no part of it goes to the world, to proposals, or to an actuator
 * from here (S4, S5). Pieces go in the lane of the answers, and the end behind them. Only so many are given to the lane as it takes
 * (links/Lanes.ts), so that none is ever dropped and there is no gap; the rest waits here as one text, with all that waits for that
 * reader within `WAITING_MAX_BYTES`, or the inference ends.
 *
 * Promises: pure. The slot is free in the turn in which an inference ends, whatever its provider does with the abort; one that
 * goes on all the same is counted until it ends, and not heard. Does not judge: what is asked, and what is said.
 */
import { carries, type Config } from "../Config.ts"
import type { Input } from "../Input.ts"
import { waitsFor } from "../links/Lanes.ts"
import type { Links, Session } from "../links/Link.ts"
import { NEVER_MS } from "../Time.ts"
import { note, reply, type Turn } from "../Turn.ts"
import type { Code } from "../wire/Codes.ts"
import type { DeviceId, Request } from "../wire/Frame.ts"
import { DELTA_BYTES_MAX, type InferEnd, type Usage } from "../wire/Inference.ts"
import { utf8Bytes } from "../wire/Utf8.ts"

/** From the request to the end of its answer. */
export const INFER_MS = 120_000
/** What may wait for a requester to read: here, in its lane, and on its way. */
export const WAITING_MAX_BYTES = 1_048_576
/** Inferences that were stopped and have not ended. With an honest provider there are none; each may cost what a running one does. */
export const ABANDONED_MAX = 4

/** A capability of this kind stands for a model. */
const LLM = "llm:"
/** Pieces that one turn hands to the lane, and what waits there above which none is: answers to people go in the same one. */
const CHUNKS_A_TURN = 4
const AHEAD_FRAMES_MAX = 16
const AHEAD_BYTES_MAX = 32_768

type End =
  | { readonly ok: true; readonly finishReason: InferEnd["finishReason"]; readonly usage?: Usage }
  | { readonly ok: false; readonly code: Code; readonly message: string }

export interface Running {
  readonly ticket: number
  readonly peer: DeviceId
  readonly link: number
  /** Of the request: what its answer is to name. */
  readonly id: string
  readonly requestId: string
  readonly until: number
  /** Of the next piece. */
  readonly seq: number
  /** What the model said and no piece has carried yet. */
  readonly text: string
  readonly textBytes: number
  /** The provider is done; what waits is still to go. */
  readonly end: End | null
  /** The next turn can hand on more, and nothing else will ring for it. */
  readonly again: boolean
}

export interface Serving {
  /** Inferences begun so far. */
  readonly tickets: number
  readonly running: Running | null
  readonly abandoned: ReadonlyArray<{ readonly ticket: number; readonly until: number }>
  /** Requests that have had their answer, the last `ANSWERED_MAX`: one that comes again asks for nothing. */
  readonly answered: ReadonlyArray<{ readonly link: number; readonly id: string }>
}

const ANSWERED_MAX = 16

export const make = (): Serving => ({ tickets: 0, running: null, abandoned: [], answered: [] })

const withAnswered = (serving: Serving, link: number, id: string): Serving => ({
  ...serving,
  answered: [...serving.answered.slice(-ANSWERED_MAX + 1), { link, id }]
})

/** The capability that says so. */
export const capabilityOf = (model: string): string => `${LLM}${model}`

/** It is among our capabilities as it stands, and we are of those that carry for others. */
const serves = ({ capabilities, role }: Config, model: string): boolean =>
  carries(role) && capabilities.includes(capabilityOf(model))

const sessionOn = ({ links }: Links, number: number): Session | undefined =>
  links.find((link): link is Session => link._tag === "Session" && link.link === number)

const refuse = (turn: Turn, link: number, id: string, code: Code, message: string): void => {
  turn.facts.push({ _tag: "Refused", code })
  reply(turn, link, { type: "res", id, ok: false, error: { code, message } })
}

// ------------------------------------------------------------------------------------------------ how it begins

type Of<M extends Request["method"]> = Extract<Request, { readonly method: M }>

const onRequest = (serving: Serving, { id, params }: Of<"llm.infer">, session: Session, turn: Turn): Serving => {
  const { dialledByUs, link, peer, proven } = session
  const { requestId, ...prompt } = params
  const isSame = (one: { readonly link: number; readonly id: string }): boolean => one.link === link && one.id === id
  if ((serving.running !== null && isSame(serving.running)) || serving.answered.some(isSame)) return serving
  const no = (code: Code, message: string): Serving => {
    refuse(turn, link, id, code, message)
    return withAnswered(serving, link, id)
  }
  // On a link that we dialled it takes so many messages and drops the rest (P11.4): there would be gaps.
  if (!proven.kernel && dialledByUs)
    return no("NOT_AUTHORIZED", "a device of generation 1 asks on links that it dialled")
  if (!serves(turn.config, prompt.model)) return no("LLM_MODEL_UNAVAILABLE", "this node does not serve that model")
  if (serving.running !== null) return no("LLM_BUSY", "one inference at a time")
  if (serving.abandoned.length >= ABANDONED_MAX)
    return no("LLM_BUSY", "its provider has not ended what it was told to stop")
  const ticket = serving.tickets + 1
  turn.out.push({ _tag: "Infer", ticket, from: peer, prompt })
  note(turn, { event: "inference.started", about: peer, link, reason: prompt.model })
  const running: Running = {
    ticket,
    peer,
    link,
    id,
    requestId,
    until: turn.at.mono + INFER_MS,
    seq: 0,
    text: "",
    textBytes: 0,
    end: null,
    again: false
  }
  return { ...serving, tickets: ticket, running }
}

// ------------------------------------------------------------------------------------------------ how it ends

/** The slot is free; the provider is told, unless it is done. */
const free = (serving: Serving, { end, ticket }: Running, turn: Turn): Serving => {
  if (end !== null) return { ...serving, running: null }
  turn.out.push({ _tag: "StopInference", ticket })
  return {
    ...serving,
    running: null,
    abandoned: [...serving.abandoned, { ticket, until: turn.at.mono + INFER_MS }]
  }
}

const tell = (turn: Turn, { id, link, peer, requestId }: Running, end: End): void => {
  const about = { event: "inference.ended", about: peer, link } as const
  if (!end.ok) {
    refuse(turn, link, id, end.code, end.message)
    return note(turn, { ...about, code: end.code, reason: end.message })
  }
  const { finishReason, usage } = end
  const payload: InferEnd = { requestId, finishReason, ...(usage === undefined ? {} : { usage }) }
  reply(turn, link, { type: "res", id, ok: true, payload })
  note(turn, { ...about, reason: finishReason })
}

const finish = (serving: Serving, running: Running, end: End, turn: Turn): Serving => {
  tell(turn, running, end)
  return withAnswered(free(serving, running, turn), running.link, running.id)
}

const failed = (code: Code, message: string): End => ({ ok: false, code, message })

/** By whoever asked, on the session that it asked on; to anybody else it is as if there were none. */
const onCancel = (serving: Serving, { id, params }: Of<"llm.cancel">, { link }: Session, turn: Turn): Serving => {
  const { running } = serving
  const { requestId } = params
  if (running === null || running.link !== link || running.requestId !== requestId) {
    refuse(turn, link, id, "NOT_FOUND", "no such request of this device is running")
    return serving
  }
  const next = finish(serving, running, { ok: true, finishReason: "cancelled" }, turn)
  reply(turn, link, { type: "res", id, ok: true, payload: { requestId } })
  return next
}

/** Whoever asked has no session any more, whatever ended it: there is nobody to tell. */
const onGone = (serving: Serving, turn: Turn): Serving => {
  const { running } = serving
  if (running === null) return serving
  const isGone = turn.facts.some((fact) => fact._tag === "SessionDown" && fact.link === running.link)
  if (!isGone) return serving
  const { link, peer } = running
  note(turn, { event: "inference.ended", about: peer, link, reason: "its requester is gone" })
  return free(serving, running, turn)
}

// ------------------------------------------------------------------------------------------------ what is said

const onInferred = (serving: Serving, { said, ticket }: Extract<Input, { readonly _tag: "Inferred" }>): Serving => {
  const { running } = serving
  if (running === null || running.ticket !== ticket) {
    const isOver = !("delta" in said) && serving.abandoned.some((one) => one.ticket === ticket)
    return isOver ? { ...serving, abandoned: serving.abandoned.filter((one) => one.ticket !== ticket) } : serving
  }
  // A provider that goes on behind its own end.
  if (running.end !== null) return serving
  if ("delta" in said) {
    const textBytes = running.textBytes + utf8Bytes(said.delta)
    return { ...serving, running: { ...running, text: running.text + said.delta, textBytes } }
  }
  const end: End = "failed" in said ? failed(said.failed, said.message) : { ok: true, ...said }
  return { ...serving, running: { ...running, end } }
}

/** How many units of `text` make one piece: within `DELTA_BYTES_MAX` as JSON, and no pair of surrogates is parted. */
const cut = (text: string): number => {
  let bytes = 0
  let at = 0
  while (at < text.length) {
    const point = text.codePointAt(at)!
    const units = point > 0xffff ? 2 : 1
    bytes += jsonBytes(point)
    if (bytes > DELTA_BYTES_MAX) break
    at += units
  }
  return at
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** At most so many, as `JSON.stringify` writes it. */
const jsonBytes = (point: number): number => {
  if (point < 0x20) return 6
  if (point === QUOTE || point === BACKSLASH) return 2
  if (point < 0x80) return 1
  if (point < 0x800) return 2
  if (point > 0xffff) return 4
  return point >= 0xd800 && point <= 0xdfff ? 6 : 3
}

/** As much as the lane takes in this turn, and behind the last piece the end. */
const handOn = (serving: Serving, running: Running, links: Links, turn: Turn): Serving => {
  const { end, link, requestId } = running
  if (running.text === "" && end === null) return running.again ? calm(serving, running) : serving
  // What others say to it in this turn takes room that cannot be seen yet.
  if (turn.lower.some((said) => said.link === link)) return { ...serving, running: { ...running, again: true } }
  const lane = waitsFor(links, link, "people")
  const room = Math.min(CHUNKS_A_TURN, AHEAD_FRAMES_MAX - lane.frames)
  if (room <= 0 || lane.bytes >= AHEAD_BYTES_MAX) return running.again ? calm(serving, running) : serving
  let { seq, text, textBytes } = running
  for (let n = 0; n < room && text !== ""; n++) {
    const units = cut(text)
    const delta = text.slice(0, units)
    turn.lower.push({
      lane: "people",
      link,
      frame: { type: "event", event: "llm.chunk", payload: { requestId, seq, delta } }
    })
    seq++
    text = text.slice(units)
    textBytes = text === "" ? 0 : Math.max(0, textBytes - utf8Bytes(delta))
  }
  const next: Running = { ...running, seq, text, textBytes, again: text !== "" }
  return text === "" && end !== null ? finish(serving, next, end, turn) : { ...serving, running: next }
}

const calm = (serving: Serving, running: Running): Serving => ({ ...serving, running: { ...running, again: false } })

/** Here, in the lanes, and what the far end has not shown to have read. */
const waiting = ({ link, textBytes }: Running, links: Links): number => {
  const { allBytes, unreadBytes } = waitsFor(links, link, "people")
  return textBytes + allBytes + unreadBytes
}

const goOn = (serving: Serving, links: Links, turn: Turn): Serving => {
  const { running } = serving
  if (running === null) return serving
  if (turn.at.mono >= running.until) return finish(serving, running, failed("LLM_TIMEOUT", "it took too long"), turn)
  if (waiting(running, links) > WAITING_MAX_BYTES)
    return finish(serving, running, failed("LLM_BACKPRESSURE", "too much waits for this device to read"), turn)
  return handOn(serving, running, links, turn)
}

const forget = (serving: Serving, { at: { mono } }: Turn): Serving =>
  serving.abandoned.some(({ until }) => until <= mono)
    ? { ...serving, abandoned: serving.abandoned.filter(({ until }) => until > mono) }
    : serving

/** After whatever else answers in this turn. */
export const onTurn = (serving: Serving, input: Input, links: Links, turn: Turn): Serving => {
  let next = onGone(serving, turn)
  if (input._tag === "Inferred") next = onInferred(next, input)
  const { admitted } = turn
  if (admitted?.frame?.type === "req") {
    const session = sessionOn(links, admitted.link)
    const { frame } = admitted
    if (session !== undefined && frame.method === "llm.infer") next = onRequest(next, frame, session, turn)
    if (session !== undefined && frame.method === "llm.cancel") next = onCancel(next, frame, session, turn)
  }
  return goOn(forget(next, turn), links, turn)
}

/** Somebody is trusted no longer, or in another role: where that ended its session, what it asked for ends, too. */
export const onTrust = onGone

/** This node leaves, or begins another life. `tells`: whoever asked is still there to be told. */
export const leave = (serving: Serving, tells: boolean, turn: Turn): Serving => {
  const { running } = serving
  if (running === null) return serving
  const { id, link, peer } = running
  const reason = "this node leaves"
  note(turn, { event: "inference.ended", about: peer, link, code: "LLM_CANCELLED", reason })
  // No lane carries anything behind this turn.
  if (tells)
    turn.out.push({
      _tag: "Send",
      link,
      frame: { type: "res", id, ok: false, error: { code: "LLM_CANCELLED", message: reason } }
    })
  return free(serving, running, turn)
}

export const dueOf = ({ abandoned, running }: Serving, { at: { mono } }: Turn): number => {
  const until = abandoned.reduce((first, one) => Math.min(first, one.until), NEVER_MS)
  return running === null ? until : Math.min(until, running.again ? mono : running.until)
}

/**
 * A program of this device asks a model of another one, over the session that there is with it (PROTOCOL.md part 20).
 *
 * Pieces go to the program as they come (`Streamed`), and nowhere else; what came of it goes there once (`Answered`). Nothing of
 * the text is kept here.
 *
 * Promises: pure. A program hears pieces without a gap from the first on: behind one that is missing the request is called off.
 * Does not model: an inference over more than one session.
 */
import type { Input } from "../Input.ts"
import { LANE_BYTES_MAX, LANE_FRAMES_MAX, waitsFor } from "../links/Lanes.ts"
import type { Session } from "../links/Link.ts"
import { done, failed, type Outcome } from "../routing/Outcome.ts"
import { routes, type Known } from "../routing/Routes.ts"
import { NEVER_MS } from "../Time.ts"
import type { Turn } from "../Turn.ts"
import { encode } from "../wire/Codec.ts"
import { allCodes, type Code } from "../wire/Codes.ts"
import type { DeviceId, Event, Frame } from "../wire/Frame.ts"
import { type Prompt, readEnd } from "../wire/Inference.ts"
import { MESSAGE_BYTES_MAX } from "../wire/Limits.ts"
import { mayCall } from "../wire/Methods.ts"
import { utf8Bytes } from "../wire/Utf8.ts"
import { capabilityOf, INFER_MS } from "./Serving.ts"

/** Requests of our own programs that are under way; each other device serves one at a time. */
export const ASKS_MAX = 16
/** Whoever serves it gives up sooner, and says so. */
export const ANSWER_MS = INFER_MS + 10_000
/** How long the answer to what was called off is waited for. */
export const CANCEL_MS = 10_000
/** Of what others say, in UTF-16 units. */
const SAID_UNITS_MAX = 128

interface Ask {
  /** The n-th of this life, which its ids are made of. */
  readonly n: number
  /** Of the program, for its answer. */
  readonly call: number
  readonly link: number
  readonly peer: DeviceId
  /** Of the next piece. */
  readonly seq: number
  readonly until: number
  readonly calledOff: boolean
}

export interface Asking {
  readonly asked: number
  readonly asks: ReadonlyArray<Ask>
}

export const make = (): Asking => ({ asked: 0, asks: [] })

const ID = "infer-"
const CANCEL_ID = "infer-cancel-"
const idOf = (n: number): string => `${ID}${n}`

const answered = (turn: Turn, call: number, outcome: Outcome): void => {
  turn.out.push({ _tag: "Answered", call, outcome })
}

const settle = (asking: Asking, ask: Ask, outcome: Outcome, turn: Turn): Asking => {
  answered(turn, ask.call, outcome)
  return { ...asking, asks: asking.asks.filter((one) => one !== ask) }
}

// ------------------------------------------------------------------------------------------------ how it begins

/** Whom a request can go to: a device of generation 1 answers nobody whom it dialled (P11.2). */
const sessionWith = ({ links }: Known, device: DeviceId): Session | undefined =>
  links.links.find(
    (link): link is Session =>
      link._tag === "Session" && link.peer === device && (link.proven.kernel || link.dialledByUs)
  )

const target = (known: Known, to: DeviceId | null, prompt: Prompt): Session | Outcome => {
  if (to !== null) return sessionWith(known, to) ?? failed("NOT_CONNECTED", "there is no session to ask it on")
  for (const { deviceId } of routes(known, capabilityOf(prompt.model))) {
    const session = sessionWith(known, deviceId)
    if (session !== undefined) return session
  }
  return failed("LLM_MODEL_UNAVAILABLE", "nobody with whom there is a session serves that model")
}

const onPrompt = (
  asking: Asking,
  { call, prompt, to }: Extract<Input, { readonly _tag: "Prompt" }>,
  known: Known,
  turn: Turn
): Asking => {
  const no = (outcome: Outcome): Asking => {
    answered(turn, call, outcome)
    return asking
  }
  if (!mayCall(turn.config.role, "llm.infer")) return no(failed("NOT_AUTHORIZED", "not by a device of this role"))
  if (asking.asks.length >= ASKS_MAX) return no(failed("RATE_LIMITED", "too many requests are under way here"))
  const session = target(known, to, prompt)
  if (!("_tag" in session)) return no(session)
  const { link, peer } = session
  const n = asking.asked + 1
  const frame: Frame = { type: "req", id: idOf(n), method: "llm.infer", params: { requestId: idOf(n), ...prompt } }
  const bytes = utf8Bytes(encode(frame))
  if (bytes > MESSAGE_BYTES_MAX) return no(failed("TOO_LARGE", "no message carries that much"))
  const lane = waitsFor(known.links, link, "people")
  if (lane.frames >= LANE_FRAMES_MAX || (lane.frames > 0 && lane.bytes + bytes > LANE_BYTES_MAX))
    return no(failed("RATE_LIMITED", "too much waits for that device to read"))
  turn.lower.push({ lane: "people", link, frame })
  const ask: Ask = { n, call, link, peer, seq: 0, until: turn.at.mono + ANSWER_MS, calledOff: false }
  return { asked: n, asks: [...asking.asks, ask] }
}

// ------------------------------------------------------------------------------------------------ how it goes on

const cancel = (turn: Turn, { link, n }: Ask): void => {
  const params = { requestId: idOf(n) }
  turn.lower.push({
    lane: "people",
    link,
    frame: { type: "req", id: `${CANCEL_ID}${n}`, method: "llm.cancel", params }
  })
}

/** The program does without; the other end has the last word, if it says it in time. */
const onUnprompt = (asking: Asking, call: number, turn: Turn): Asking => {
  const ask = asking.asks.find((one) => one.call === call)
  if (ask === undefined || ask.calledOff) return asking
  cancel(turn, ask)
  const off: Ask = { ...ask, calledOff: true, until: turn.at.mono + CANCEL_MS }
  return { ...asking, asks: asking.asks.map((one) => (one === ask ? off : one)) }
}

type Chunk = Extract<Event, { readonly event: "llm.chunk" }>["payload"]

const onChunk = (asking: Asking, { delta, requestId, seq }: Chunk, link: number, turn: Turn): Asking => {
  const ask = asking.asks.find((one) => one.link === link && idOf(one.n) === requestId)
  // Behind the end, or once more.
  if (ask === undefined || seq < ask.seq) return asking
  if (seq > ask.seq) {
    cancel(turn, ask)
    return settle(asking, ask, failed("LLM_CANCELLED", "a piece of the answer is missing"), turn)
  }
  turn.out.push({ _tag: "Streamed", call: ask.call, seq, delta })
  return { ...asking, asks: asking.asks.map((one) => (one === ask ? { ...ask, seq: seq + 1 } : one)) }
}

// ------------------------------------------------------------------------------------------------ how it ends

const CODES: ReadonlySet<string> = new Set(allCodes)

const onResponse = (
  asking: Asking,
  frame: Extract<Frame, { readonly type: "res" }>,
  link: number,
  turn: Turn
): Asking => {
  const ask = asking.asks.find((one) => one.link === link && idOf(one.n) === frame.id)
  if (ask === undefined) return asking
  if (!frame.ok) {
    const { code, message } = frame.error
    const known = CODES.has(code) ? (code as Code) : "DELIVERY_FAILED"
    return settle(asking, ask, failed(known, message.slice(0, SAID_UNITS_MAX)), turn)
  }
  const end = readEnd(frame.payload)
  if (end === null || end.requestId !== idOf(ask.n))
    return settle(asking, ask, failed("DELIVERY_FAILED", "its answer does not read"), turn)
  const { requestId: _, ...result } = end
  return settle(asking, ask, done(ask.peer, result), turn)
}

const GONE = failed("PEER_DISCONNECTED", "the session ended before the answer")

/** Also where somebody is trusted no longer. */
export const onGone = (asking: Asking, turn: Turn): Asking => {
  let next = asking
  if (next.asks.length > 0)
    for (const fact of turn.facts)
      if (fact._tag === "SessionDown")
        for (const ask of next.asks) if (ask.link === fact.link) next = settle(next, ask, GONE, turn)
  return next
}

const onTime = (asking: Asking, turn: Turn): Asking => {
  let next = asking
  for (const ask of asking.asks) {
    if (ask.until > turn.at.mono) continue
    if (!ask.calledOff) cancel(turn, ask)
    const outcome = ask.calledOff
      ? failed("LLM_CANCELLED", "it was called off, and the other end did not say so")
      : failed("TIMEOUT", "no answer in time")
    next = settle(next, ask, outcome, turn)
  }
  return next
}

export const onTurn = (asking: Asking, input: Input, known: Known, turn: Turn): Asking => {
  let next = onGone(asking, turn)
  const { admitted } = turn
  if (admitted?.frame?.type === "event" && admitted.frame.event === "llm.chunk")
    next = onChunk(next, admitted.frame.payload, admitted.link, turn)
  if (admitted?.frame?.type === "res") next = onResponse(next, admitted.frame, admitted.link, turn)
  next = onTime(next, turn)
  if (input._tag === "Prompt") next = onPrompt(next, input, known, turn)
  if (input._tag === "Unprompt") next = onUnprompt(next, input.call, turn)
  return next
}

/** This node leaves, or begins another life: nobody will be heard any more. */
export const leave = (asking: Asking, turn: Turn): Asking => {
  for (const { call } of asking.asks) answered(turn, call, GONE)
  return asking.asks.length === 0 ? asking : { ...asking, asks: [] }
}

export const dueOf = ({ asks }: Asking): number => asks.reduce((first, { until }) => Math.min(first, until), NEVER_MS)

/**
 * Text to frame and back (PROTOCOL.md parts 1 and 4): the one place where what a peer sent is judged as data.
 *
 * Promises: total, pure, and linear in the length of the text; a message that breaks a bound of Limits.ts is refused before it
 * is parsed. A decoded frame is fresh plain data that fits its name: members that we do not know are dropped, integers are
 * safe, numbers are finite, there is no negative zero, and no key of the sender reaches a prototype. `decode(encode(frame))` is the frame.
 *
 * Not here: who may send what (links), and what the payload of an answer must be, which only the asker knows (`decodeAnswer`).
 * Of a key that an object repeats the last one counts, as everywhere in JavaScript.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import {
  ChallengeAnswer,
  ConnectAnswer,
  eventSchemas,
  requestSchemas,
  type Event,
  type Frame,
  type Request,
  type Response
} from "./Frame.ts"
import { isPlain, judge, type FrameCode, type Plain } from "./ContextFrame.ts"
import { ID_UNITS_MAX, MESSAGE_BYTES_MAX, MESSAGE_DEPTH_MAX, MESSAGE_VALUES_MAX, NAME_UNITS_MAX } from "./Limits.ts"
import { utf8Bytes } from "./Utf8.ts"

/** `code` is one of wire/Codes.ts. */
export interface Refused {
  readonly _tag: "Refused"
  readonly code:
    | "TOO_LARGE"
    | "INVALID_JSON"
    | "MISSING_TYPE"
    | "INVALID_TYPE"
    | "UNKNOWN_METHOD"
    /** The last of these of context frames only. */
    | FrameCode
  /**
   * The id to answer with, where one could be read; `null`: there is nothing to answer. Always `null` for answers and events:
   * an answer to an answer could be taken for the answer to a request of the peer's own.
   */
  readonly id: string | null
  readonly method: string | null
}

export type Decoded =
  | { readonly _tag: "Frame"; readonly frame: Frame }
  /** An event by a name that we do not know: no mistake of the sender's, and nothing to us. */
  | { readonly _tag: "Ignored"; readonly event: string }
  | Refused

type Decoder = (value: unknown) => unknown

/** `undefined` where a value does not fit; no schema of the wire has `undefined` as a value. */
const decoderOf = (schema: Schema.Codec<unknown, unknown>): Decoder => {
  const decodeResult = Schema.decodeUnknownResult(schema)
  return (value) => {
    const result = decodeResult(value)
    return Result.isSuccess(result) ? result.success : undefined
  }
}

/** A struct without fields would hand back whatever object it was given, unknown members and all. */
const objectDecoderOf = (schema: Schema.Codec<unknown, unknown> & { readonly fields?: object }): Decoder =>
  schema.fields !== undefined && Object.keys(schema.fields).length === 0 ? () => ({}) : decoderOf(schema)

const compile = (schemas: {
  readonly [name: string]: Schema.Codec<unknown, unknown> & { readonly fields?: object }
}): ReadonlyMap<string, Decoder> =>
  new Map(Object.entries(schemas).map(([name, schema]) => [name, objectDecoderOf(schema)]))

// Maps, not objects: `constructor` and `__proto__` are names like any other to a peer.
const requestDecoders = compile(requestSchemas)
const eventDecoders = compile(eventSchemas)

const answerSchemas = { "mesh.challenge": ChallengeAnswer, "mesh.connect": ConnectAnswer } as const
export type AnswerOf = { readonly [M in keyof typeof answerSchemas]: (typeof answerSchemas)[M]["Type"] }
const answerDecoders = compile(answerSchemas)

const isTooLarge = (text: string): boolean =>
  text.length > MESSAGE_BYTES_MAX || (text.length * 3 > MESSAGE_BYTES_MAX && utf8Bytes(text) > MESSAGE_BYTES_MAX)

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const BACKSLASH = 0x5c
const LETTER_E = 0x65

/** A number of no more digits, and without an exponent, is no larger than the largest double, which has 309. */
const DIGITS_MAX = 300

/**
 * Depth and number of values, found without parsing. It does not ask whether the text is JSON: for text that is, the depth is
 * exact and an empty object or array counts as two values; other text is refused by the parser. `unusual` says that a minus, an
 * exponent or a very long number stands outside of strings.
 */
const survey = (text: string): "usual" | "unusual" | "beyond" => {
  let depth = 0
  let values = 1
  let digits = 0
  let quoted = false
  let unusual = false
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (quoted) {
      if (unit === BACKSLASH) i += 1
      else if (unit === QUOTE) quoted = false
      continue
    }
    if (unit >= ZERO && unit <= NINE) {
      digits += 1
      if (digits > DIGITS_MAX) unusual = true
      continue
    }
    if (unit === QUOTE) quoted = true
    else if (unit === COMMA) values += 1
    else if (unit === MINUS) unusual = true
    // `[` and `{` differ in one bit only, and so do `]` and `}`, `e` and `E`.
    else if ((unit & 0xdf) === 0x5b) {
      depth += 1
      values += 1
      if (depth > MESSAGE_DEPTH_MAX) return "beyond"
    } else if ((unit & 0xdf) === 0x5d) depth -= 1
    else if (digits > 0 && (unit | 0x20) === LETTER_E) unusual = true
    if (values > MESSAGE_VALUES_MAX) return "beyond"
    digits = 0
  }
  return unusual ? "unusual" : "usual"
}

const NO_JSON = "beyond every double"

/**
 * `-0` would compare equal to 0 and yet not be the same value when a trace is replayed; and an infinity, which is what the parser
 * makes of `1e999`, is no value of JSON.
 */
const asNumber = (_key: string, value: unknown): unknown => {
  if (value === Infinity || value === -Infinity) throw NO_JSON
  return value === 0 ? 0 : value
}

/** `undefined`: no JSON, or beyond a bound. */
const parse = (text: string): unknown => {
  const surveyed = survey(text)
  if (surveyed === "beyond") return undefined
  try {
    return surveyed === "unusual" ? JSON.parse(text, asNumber) : JSON.parse(text)
  } catch {
    return undefined
  }
}

const textWithin = (value: unknown, unitsMax: number): string | null =>
  typeof value === "string" && value.length <= unitsMax ? value : null

const refused = (code: Refused["code"], id: string | null = null, method: string | null = null): Refused => ({
  _tag: "Refused",
  code,
  id,
  method
})

const decodeRequest = (message: Plain): Decoded => {
  const id = textWithin(message["id"], ID_UNITS_MAX)
  const method = textWithin(message["method"], NAME_UNITS_MAX)
  if (id === null || method === null) return refused("INVALID_TYPE", id, method)
  const decoder = requestDecoders.get(method)
  if (decoder === undefined) return refused("UNKNOWN_METHOD", id, method)
  const given = Object.hasOwn(message, "params") ? message["params"] : {}
  const params = isPlain(given) ? decoder(given) : undefined
  if (params === undefined) return refused("INVALID_PARAMS", id, method)
  return { _tag: "Frame", frame: { type: "req", id, method, params } as Request }
}

/** `units`: the length of its text. */
const decodeEvent = (message: Plain, units: number): Decoded => {
  const event = textWithin(message["event"], NAME_UNITS_MAX)
  if (event === null) return refused("INVALID_TYPE")
  if (event === "context.frame") {
    const code = judge(message["payload"], units)
    if (code !== null) return refused(code)
  }
  const decoder = eventDecoders.get(event)
  if (decoder === undefined) return { _tag: "Ignored", event }
  const given = Object.hasOwn(message, "payload") ? message["payload"] : {}
  const payload = isPlain(given) ? decoder(given) : undefined
  if (payload === undefined) return refused("INVALID_PARAMS")
  return { _tag: "Frame", frame: { type: "event", event, payload } as Event }
}

const decodeResponse = (message: Plain): Decoded => {
  const id = textWithin(message["id"], ID_UNITS_MAX)
  const ok = message["ok"]
  if (id === null || typeof ok !== "boolean") return refused("INVALID_TYPE")
  if (ok) {
    // An absent payload says nothing, as an empty one does; what else it must be is known where the request is kept.
    const payload = Object.hasOwn(message, "payload") ? message["payload"] : {}
    return { _tag: "Frame", frame: { type: "res", id, ok, payload } satisfies Response }
  }
  const error = message["error"]
  if (!isPlain(error)) return refused("INVALID_TYPE")
  const code = textWithin(error["code"], NAME_UNITS_MAX)
  const text = error["message"]
  if (code === null || typeof text !== "string") return refused("INVALID_TYPE")
  return { _tag: "Frame", frame: { type: "res", id, ok, error: { code, message: text } } satisfies Response }
}

/** What a message is; never throws. The order of the checks is the order of PROTOCOL.md part 4. */
export const decode = (text: string): Decoded => {
  if (isTooLarge(text)) return refused("TOO_LARGE")
  const message = parse(text)
  if (message === undefined) return refused("INVALID_JSON")
  if (!isPlain(message)) return refused("INVALID_TYPE")
  switch (message["type"]) {
    case "req":
      return decodeRequest(message)
    case "res":
      return decodeResponse(message)
    case "event":
      return decodeEvent(message, text.length)
  }
  const code = Object.hasOwn(message, "type") ? "INVALID_TYPE" : "MISSING_TYPE"
  return refused(code, textWithin(message["id"], ID_UNITS_MAX), textWithin(message["method"], NAME_UNITS_MAX))
}

/** The text of a frame. A frame is plain data by its type, so this cannot fail; its size is for the sender to mind. */
export const encode = (frame: Frame): string => JSON.stringify(frame)

/** The payload of the answer to a request of ours; `null` when it is not what `method` answers. */
export const decodeAnswer = <M extends keyof AnswerOf>(method: M, payload: unknown): AnswerOf[M] | null =>
  isPlain(payload) ? ((answerDecoders.get(method)?.(payload) as AnswerOf[M] | undefined) ?? null) : null

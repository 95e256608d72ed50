/**
 * What is said on a link about inference (PROTOCOL.md part 19): the prompt, the pieces of the answer, its end; each field bounded.
 *
 * Promises: what fits these is held whole by no state of the kernel but the text that waits for a reader (inference/Serving.ts).
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { COUNTER_MAX, ID_UNITS_MAX } from "./Limits.ts"
import { utf8Bytes } from "./Utf8.ts"

/** A provider and the name of a model there, in UTF-16 units: with `llm:` before it, it is a capability, which has twice as many. */
export const MODEL_UNITS_MAX = 256
/** Messages of one prompt. */
export const PROMPT_MESSAGES_MAX = 256
/** Texts of all messages of one prompt, in UTF-16 units: more than the models that such devices run can look at. */
export const PROMPT_UNITS_MAX = 262_144
/** Tokens that an answer may be asked to have. */
export const TOKENS_MAX = 1_048_576
/** As the providers have it. */
export const TEMPERATURE_MAX = 2
/** Text of one piece, in UTF-8 bytes. As JSON ours have no more either, so that control never waits for longer than for one. */
export const DELTA_BYTES_MAX = 8_192

const RequestId = Schema.NonEmptyString.check(Schema.isMaxLength(ID_UNITS_MAX))

/** `provider/model`, such as `ollama/llama3.2:3b`. What comes behind the first stroke is the provider's. */
const Model = Schema.String.check(Schema.isMaxLength(MODEL_UNITS_MAX), Schema.isPattern(/^[^\s/:*]+\/[^\s*]+$/u))

const Message = Schema.Struct({ role: Schema.Literals(["system", "user", "assistant"]), content: Schema.String })

const unitsOf = (messages: ReadonlyArray<{ readonly content: string }>): number =>
  messages.reduce((sum, { content }) => sum + content.length, 0)

const prompt = {
  model: Model,
  messages: Schema.Array(Message).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(PROMPT_MESSAGES_MAX),
    Schema.makeFilter((messages) => unitsOf(messages) <= PROMPT_UNITS_MAX)
  ),
  /** Tokens of the answer; absent: as many as the provider gives. */
  maxTokens: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: TOKENS_MAX }))),
  temperature: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: TEMPERATURE_MAX })))
}

/** What a model is asked. */
export const Prompt = Schema.Struct(prompt)
export type Prompt = typeof Prompt.Type

export const InferParams = Schema.Struct({ requestId: RequestId, ...prompt })

export const CancelParams = Schema.Struct({ requestId: RequestId })

/** A piece of an answer. `seq` counts from 0, without gaps. */
export const Chunk = Schema.Struct({
  requestId: RequestId,
  seq: Schema.Natural.check(Schema.isLessThanOrEqualTo(COUNTER_MAX)),
  delta: Schema.String.check(Schema.makeFilter((delta: string) => utf8Bytes(delta) <= DELTA_BYTES_MAX))
})

const Tokens = Schema.Natural.check(Schema.isLessThanOrEqualTo(COUNTER_MAX))

/** As the provider counts them. */
export const Usage = Schema.Struct({ promptTokens: Tokens, completionTokens: Tokens })
export type Usage = typeof Usage.Type

/** `length`: there was more to say than was asked for; `cancelled`: whoever asked called it off. */
export const finishReasons = ["stop", "length", "cancelled"] as const

const InferEnd = Schema.Struct({
  requestId: RequestId,
  finishReason: Schema.Literals(finishReasons),
  usage: Schema.optionalKey(Usage)
})
export type InferEnd = typeof InferEnd.Type

const decodeEnd = Schema.decodeUnknownResult(InferEnd)

/** The payload of the answer to `llm.infer`; `null`: it is none. */
export const readEnd = (payload: unknown): InferEnd | null => {
  const result = decodeEnd(payload)
  return Result.isSuccess(result) ? result.success : null
}

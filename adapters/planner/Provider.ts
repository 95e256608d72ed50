/**
 * An OpenAI-compatible server as a language model of Effect's (`effect/ai`): one question, one answer, no stream and no tools.
 * Source: the chat completions API, https://platform.openai.com/docs/api-reference/chat.
 *
 * Effect's own provider for such servers (@effect/ai-openai-compat) does not load with effect 4.1; that package has what turns a question
 * into a schema and an answer back into a value, and errors that say whether they pass.
 *
 * Promises: an answer is read as far as `ANSWER_BYTES_MAX` and no further; no redirect is followed, so that the token goes nowhere else.
 */
import { readFile } from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as AiError from "effect/ai/AiError"
import * as LanguageModel from "effect/ai/LanguageModel"
import { toCodecOpenAI } from "effect/ai/OpenAiStructuredOutput"
import type * as Prompt from "effect/ai/Prompt"
import type * as Response from "effect/ai/Response"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import type { Model } from "../config/Model.ts"

/** Drafts are some hundred bytes. */
const ANSWER_BYTES_MAX = 262_144
/** What a server says to a failure reaches the log in so many characters. */
const SAID_CHARS = 160
const MODULE = "adapters/planner"
const METHOD = "chat/completions"

const failed = (reason: AiError.AiErrorReason): AiError.AiError =>
  AiError.make({ module: MODULE, method: METHOD, reason })

/** It may be well the next time. */
const passing = (description: string): AiError.AiError => failed(new AiError.InternalProviderError({ description }))
/** It will not. */
const lasting = (description: string): AiError.AiError => failed(new AiError.InvalidRequestError({ description }))

const Completion = Schema.fromJsonString(
  Schema.Struct({
    choices: Schema.NonEmptyArray(
      Schema.Struct({
        message: Schema.Struct({
          content: Schema.optionalKey(Schema.NullOr(Schema.String)),
          tool_calls: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.Unknown)))
        }),
        finish_reason: Schema.optionalKey(Schema.NullOr(Schema.String))
      })
    )
  })
)
const readCompletion = Schema.decodeUnknownEffect(Completion)

const textIn = (content: Prompt.Message["content"]): string =>
  typeof content === "string" ? content : content.map((part) => (part.type === "text" ? part.text : "")).join("\n")

const printable = (text: string): string => text.replaceAll(/\s+/gu, " ").trim().slice(0, SAID_CHARS)

const bodyOf = ({ stream }: HttpClientResponse): Effect.Effect<string, AiError.AiError> =>
  stream.pipe(
    Stream.mapError(() => passing("the answer broke off")),
    Stream.runFoldEffect(
      () => ({ chunks: [] as ReadonlyArray<Uint8Array>, bytes: 0 }),
      ({ bytes, chunks }, chunk) =>
        bytes + chunk.length > ANSWER_BYTES_MAX
          ? Effect.fail(passing(`the answer is larger than ${ANSWER_BYTES_MAX / 1_024} KiB`))
          : Effect.succeed({ chunks: [...chunks, chunk], bytes: bytes + chunk.length })
    ),
    Effect.map(({ chunks }) => Buffer.concat(chunks).toString("utf8"))
  )

/** The first line of its file, read anew for each question: a token that was replaced counts at once. */
const tokenOf = (file: string): Effect.Effect<string, AiError.AiError> =>
  Effect.tryPromise({
    try: async () => (await readFile(file, "utf8")).split("\n")[0]!.trim(),
    catch: (error) => lasting(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`)
  })

const answered = Effect.fnUntraced(function* (response: HttpClientResponse) {
  const { status } = response
  if (status >= 300 && status < 400)
    return yield* Effect.fail(lasting(`it redirects (${status}), which is not followed`))
  const text = yield* bodyOf(response)
  if (status !== 200)
    return yield* Effect.fail(
      failed(AiError.reasonFromHttpStatus({ status, description: `${status}: ${printable(text)}` }))
    )
  const { choices } = yield* Effect.mapError(readCompletion(text), () =>
    passing(`the answer is no chat completion: ${printable(text)}`)
  )
  const [{ finish_reason: ended, message }] = choices
  if ((message.tool_calls ?? []).length > 0) return yield* Effect.fail(passing("it asks for a tool, and has none"))
  if (ended === "length") return yield* Effect.fail(passing("its answer was cut off"))
  return message.content ?? ""
})

/** The language model of this server. */
export const make = ({ name, tokenFile, url }: Model): Effect.Effect<LanguageModel.LanguageModel> =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const generateText = Effect.fnUntraced(function* ({ prompt, responseFormat }: LanguageModel.ProviderOptions) {
      const token = tokenFile === null ? null : yield* tokenOf(tokenFile)
      const asked = HttpClientRequest.post(`${url}/chat/completions`).pipe(
        HttpClientRequest.acceptJson,
        HttpClientRequest.bodyJsonUnsafe({
          model: name,
          messages: prompt.content.map(({ content, role }) => ({ role, content: textIn(content) })),
          stream: false,
          temperature: 0,
          ...(responseFormat.type === "json"
            ? {
                response_format: {
                  type: "json_schema",
                  json_schema: {
                    name: responseFormat.objectName,
                    strict: true,
                    schema: toCodecOpenAI(responseFormat.schema as Schema.Codec<unknown>).jsonSchema
                  }
                }
              }
            : {})
        })
      )
      const request = token === null ? asked : HttpClientRequest.bearerToken(asked, token)
      const response = yield* client.execute(request).pipe(
        Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
        Effect.mapError(({ message }) => passing(`${url} does not answer: ${printable(message)}`))
      )
      const text = yield* answered(response)
      const parts: Array<Response.PartEncoded> = [{ type: "text", text }]
      return parts
    }, Effect.scoped)
    return yield* LanguageModel.make({
      generateText,
      streamText: () => Stream.fail(lasting("answers are not streamed")),
      codecTransformer: toCodecOpenAI
    })
  }).pipe(Effect.provide(FetchHttpClient.layer))

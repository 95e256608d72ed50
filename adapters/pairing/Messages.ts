/** Messages of the ceremony as text on a WebSocket: bounded, of one schema, or nothing. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Challenge, Grant, Knock, PAIR_BYTES_MAX, Refusal, Welcome } from "../../kernel/pairing/Ceremony.ts"
import { webSocketOptions } from "../ws/Connections.ts"
import type { Limits } from "../ws/Limits.ts"

const reader = <S extends Schema.Codec<unknown, unknown>>(schema: S): ((text: string) => S["Type"] | null) => {
  const decode = Schema.decodeUnknownResult(Schema.fromJsonString(schema))
  return (text) => {
    const read = decode(text)
    return Result.isSuccess(read) ? read.success : null
  }
}

export const readChallenge = reader(Challenge)
export const readKnock = reader(Knock)
export const readAnswer = reader(Schema.Union([Welcome, Refusal]))
export const readGrant = reader(Grant)

/** Of both ends: nothing is compressed, and nothing is long. */
export const pairOptions = (limits: Limits) => ({
  ...webSocketOptions(limits),
  maxPayload: PAIR_BYTES_MAX,
  maxFragments: 8,
  maxBufferedChunks: 64
})

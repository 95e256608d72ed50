/**
 * What members of a gossip mesh send one another, and how large it is.
 *
 * Sizes are those of memberlist's own encoding (MessagePack maps with the names of its fields, names of members of eight letters,
 * IPv4), counted field by field. Does not model: encryption, compression, labels.
 */
import type { News } from "./News.ts"

/** A member's table as it goes into a full exchange. */
export interface Table {
  readonly states: Uint8Array
  readonly incarnations: Int32Array
}

export type Body =
  /** `tcp`: over a connection of its own, after the datagram went unanswered. */
  | { readonly _tag: "ping" | "ack"; readonly probe: number; readonly tcp: boolean }
  | { readonly _tag: "ask"; readonly probe: number; readonly subject: number }
  /** The one who was asked got no answer either: at least we have heard from it. */
  | { readonly _tag: "nack"; readonly probe: number }
  | { readonly _tag: "gossip" }
  | { readonly _tag: "table"; readonly table: Table; readonly answer: boolean }

export interface Message {
  readonly from: number
  readonly to: number
  readonly body: Body
  readonly news: ReadonlyArray<News>
}

const PING_BYTES = 78
const ASK_BYTES = 105
const ACK_BYTES = 21
const NACK_BYTES = 13
const ACCUSATION_BYTES = 43
const ALIVE_BYTES = 65
const TABLE_ROW_BYTES = 71
/** Of a datagram that holds several messages: a head, then two for each. */
const COMPOUND_BYTES = 2
const COMPOUND_EACH_BYTES = 2

const bodyBytes = (body: Body): number => {
  switch (body._tag) {
    case "ping":
      return PING_BYTES
    case "ack":
      return ACK_BYTES
    case "ask":
      return ASK_BYTES
    case "nack":
      return NACK_BYTES
    case "gossip":
      return 0
    case "table":
      return TABLE_ROW_BYTES * body.table.states.length
  }
}

export const bytesOf = ({ body, news }: Message): number => {
  let bytes = bodyBytes(body)
  for (const { state } of news) bytes += COMPOUND_EACH_BYTES + (state === "alive" ? ALIVE_BYTES : ACCUSATION_BYTES)
  return news.length === 0 ? bytes : bytes + COMPOUND_BYTES + (bodyBytes(body) > 0 ? COMPOUND_EACH_BYTES : 0)
}

/**
 * What a node keeps of the world over a restart (B40): the newest frame of each entry, and how far it had read each log. Not the
 * logs themselves: those who hold them are asked again, and a device whose memory is an SD card writes less.
 *
 * How long the node was away nobody knows, so what it kept is stale until something newer comes.
 */
import * as Schema from "effect/Schema"
import { Context, StreamHead } from "../wire/Frame.ts"

export const WorldSnapshot = Schema.Struct({
  streams: Schema.Array(StreamHead),
  /** Each origin's in the order of its log; `ageMs` at the time of saving. `direct`: of generation 1, heard from its own mouth. */
  entries: Schema.Array(
    Schema.Struct({ frame: Context, ageMs: Schema.Natural, direct: Schema.optionalKey(Schema.Literal(true)) })
  )
})
export type WorldSnapshot = typeof WorldSnapshot.Type

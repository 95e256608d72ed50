/** What came of a message: whoever handles its channel has taken it, or why not. */
import * as Schema from "effect/Schema"
import { allCodes } from "../wire/Codes.ts"

export const Outcome = Schema.Union([
  Schema.Struct({
    ok: Schema.Literal(true),
    messageId: Schema.String,
    /** The device that took it. */
    by: Schema.String,
    /** What it has to say to that. */
    result: Schema.optionalKey(Schema.Unknown)
  }),
  Schema.Struct({ ok: Schema.Literal(false), code: Schema.Literals(allCodes), message: Schema.String })
])
export type Outcome = typeof Outcome.Type

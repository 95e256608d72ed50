/** What came of a message: whoever handles its channel has taken it, or why not. */
import * as Schema from "effect/Schema"
import { allCodes, type Code } from "../wire/Codes.ts"
import type { DeviceId } from "../wire/Frame.ts"

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

export const failed = (code: Code, message: string): Outcome => ({ ok: false, code, message })

export const done = (by: DeviceId, result: unknown): Outcome => ({ ok: true, messageId: "", by, result })

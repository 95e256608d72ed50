/**
 * A node's own instant. The driver stamps every input with it; the kernel never asks for time.
 *
 * `mono` is elapsed time on this node since some arbitrary origin, running on while the machine sleeps. Everything that
 * grants power or orders events uses `mono` only. `wall` is what the node's calendar clock says: it is for showing, and for
 * the timestamp inside handshakes. Both are integer milliseconds.
 */
import * as Schema from "effect/Schema"

export const Instant = Schema.Struct({ mono: Schema.Int, wall: Schema.Int })
export type Instant = typeof Instant.Type

/** A deadline that never comes: larger than any `mono`, and still a safe integer. */
export const NEVER_MS = Number.MAX_SAFE_INTEGER

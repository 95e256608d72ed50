/**
 * What `clawmesh doctor` says, as a document: categories of checks, each with its result and, where it is not well, with what to do.
 *
 * The shape is that of linkerd's `check -o json`, with a result more: what could not be looked at is `skipped`, and says why.
 */
import * as Schema from "effect/Schema"

export const results = ["success", "warning", "error", "skipped"] as const
export type Result = (typeof results)[number]

/** In the order in which they are told. */
export const categories = ["machine", "identity", "network", "mesh", "service"] as const
export type Category = (typeof categories)[number]

/** Where the page about a check is: each id is a heading there. */
export const PAGE = "docs/how-to/when-something-is-wrong.md"

/** What is looked at; one id may stand several times, as for peers. */
export const ids = [
  "program",
  "clock",
  "state-directory",
  "disk-writes",
  "disk-space",
  "key",
  "mesh-file",
  "certificate",
  "journal",
  "configuration",
  "addresses",
  "port",
  "discovery",
  "daemon",
  "trust",
  "electors",
  "peer",
  "links",
  "unit"
] as const
export type CheckId = (typeof ids)[number]

export const Check = Schema.Struct({
  id: Schema.Literals(ids),
  /** What is so, on one line. */
  description: Schema.String,
  result: Schema.Literals(results),
  /** What to do, a line or several; `null`: nothing. */
  hint: Schema.NullOr(Schema.String),
  /** The place in the documents, `docs/how-to/…#id`. */
  page: Schema.String
})
export type Check = typeof Check.Type

export const Doctor = Schema.Struct({
  $type: Schema.Literal("clawmesh.doctor/1"),
  /** ISO 8601, by this machine's calendar. */
  at: Schema.String,
  /** The state directory that was looked at. */
  state: Schema.String,
  /** A node runs with it, and answers. */
  running: Schema.Boolean,
  /** No error, and with --strict no warning. */
  success: Schema.Boolean,
  categories: Schema.Array(Schema.Struct({ name: Schema.Literals(categories), checks: Schema.Array(Check) })),
  /** What `--fix` has run, in its order. */
  fixed: Schema.Array(Schema.String)
})
export type Doctor = typeof Doctor.Type

const check = (id: CheckId, result: Result, description: string, hint: string | null): Check => ({
  id,
  description,
  result,
  hint,
  page: `${PAGE}#${id}`
})

export const well = (id: CheckId, description: string): Check => check(id, "success", description, null)
export const wary = (id: CheckId, description: string, hint: string): Check => check(id, "warning", description, hint)
export const wrong = (id: CheckId, description: string, hint: string): Check => check(id, "error", description, hint)
/** It could not be looked at, or there is nothing to look at. */
export const unseen = (id: CheckId, description: string): Check => check(id, "skipped", description, null)

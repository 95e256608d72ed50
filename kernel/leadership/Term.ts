/** Order of leadership terms: by manifest version first, then by counter (mesh protocol, leadership). */
import type { Term } from "../wire/Frame.ts"

export const TERM_ZERO: Term = { manifest: 0, counter: 0 }

/** Negative, zero or positive as `a` is before, equal to or after `b`. */
export const compareTerms = (a: Term, b: Term): number => a.manifest - b.manifest || a.counter - b.counter

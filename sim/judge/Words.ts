/**
 * How the simulator writes numbers, lists and times for people. One place, so that a witness, a transcript and an error say
 * the same thing in the same words. Not for machines: `--json` carries plain numbers in ms.
 */
import type { Count } from "../scenario/Scenario.ts"

/** `a`, `a and b`, `a, b and c`; more than `most` names end in `and 3 more`. */
export const enumerate = (names: ReadonlyArray<string>, most = 6): string => {
  const shown = names.length > most ? [...names.slice(0, most), `${names.length - most} more`] : names
  const last = shown.at(-1) ?? ""
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(", ")} and ${last}`
}

/** A moment: seconds with three decimals, without a unit. */
export const moment = (ms: number): string => (ms / 1000).toFixed(3)

/** A span that somebody chose: exact. */
export const exactSpan = (ms: number): string => `${ms / 1000} s`

/** A span that was measured: as many digits as the eye wants. */
export const measuredSpan = (ms: number): string => {
  if (ms % 1000 === 0) return exactSpan(ms)
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`
  return ms >= 10 ? `${(ms / 1000).toFixed(2)} s` : exactSpan(ms)
}

/** `2.9 s of 3.5 s`. A measure so close to its limit that one decimal would hide what is left is given to the ms. */
export const margin = (marginMs: number, limitMs: number): string => {
  const close = marginMs !== limitMs && limitMs - marginMs < 100 && marginMs >= 1000
  return `${close ? `${moment(marginMs)} s` : measuredSpan(marginMs)} of ${exactSpan(limitMs)}`
}

export const countWords = (count: Count): string => `${count.how} ${count.n}`

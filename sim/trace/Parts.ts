/**
 * Where two recorded runs part: the first input that is another one, or that was answered otherwise. What both nodes knew by then is
 * found by giving a kernel what came before.
 *
 * A trace without what follows (it is cut off) parts from nothing behind its end.
 */
import type { Kernel } from "../engine/Host.ts"
import { isSame } from "./Beside.ts"
import { refeed, type Fed } from "./Feed.ts"
import type { InputLine } from "./Format.ts"
import type { Trace } from "./ReadTrace.ts"

export interface Parts {
  /** The number of the input, from 1. */
  readonly event: number
  /** `null`: this one has nothing more. */
  readonly first: InputLine | null
  readonly second: InputLine | null
  /** The same input, answered in two ways: what this kernel makes of it, and whose answer that is. */
  readonly answered: { readonly fed: Fed | null; readonly as: "first" | "second" | "neither" } | null
}

/** `null`: they are the same run, as far as both go. */
export const partOf = (first: Trace, second: Trace, kernel: Kernel): Parts | null => {
  const a = first.lines
  const b = second.lines
  let at = 0
  while (at < a.length && at < b.length && a[at]!.hash === b[at]!.hash && isSame(a[at]!, b[at]!)) at++
  const one = a[at] ?? null
  const other = b[at] ?? null
  if (one === null && other === null) return null
  if (one === null && first.end === null) return null
  if (other === null && second.end === null) return null
  const event = at + 1
  if (one === null || other === null || !isSame(one, other)) return { event, first: one, second: other, answered: null }
  let fed: Fed | null = null
  refeed(first.header, a.slice(0, event), kernel, (step) => (fed = step))
  const hash = (fed as Fed | null)?.line === one ? (fed as Fed | null)!.hash : null
  const as = hash === one.hash ? "first" : hash === other.hash ? "second" : "neither"
  return { event, first: one, second: other, answered: { fed: hash === null ? null : fed, as } }
}

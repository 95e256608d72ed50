/**
 * A list that grows at one end and is cut at the other, each in constant time, and is pure to whoever looks: a newer value may share
 * its array with older ones, of which each sees the part between its own two marks; whoever appends to an older one gets an array
 * of its own.
 */
export interface Tail<A> {
  /** Longer than `end` where a newer value has grown. */
  readonly array: ReadonlyArray<A>
  readonly start: number
  readonly end: number
}

export const empty: Tail<never> = { array: [], start: 0, end: 0 }

export const of = <A>(values: ReadonlyArray<A>): Tail<A> => ({ array: [...values], start: 0, end: values.length })

export const sizeOf = ({ end, start }: Tail<unknown>): number => end - start

/** The n-th that is there, from 0; `undefined`: there is none. */
export const at = <A>({ array, end, start }: Tail<A>, n: number): A | undefined =>
  n >= 0 && start + n < end ? array[start + n] : undefined

export const last = <A>(tail: Tail<A>): A | undefined => at(tail, tail.end - tail.start - 1)

export const listOf = <A>({ array, end, start }: Tail<A>): ReadonlyArray<A> => array.slice(start, end)

export const appended = <A>({ array, end, start }: Tail<A>, value: A): Tail<A> => {
  if (array.length === end && end > 0 && Object.isExtensible(array)) {
    ;(array as Array<A>).push(value)
    return { array, start, end: end + 1 }
  }
  const own = array.slice(start, end)
  own.push(value)
  return { array: own, start: 0, end: own.length }
}

/** Without the first `count`. What is left moves to an array of its own once most of the shared one is behind it. */
export const dropped = <A>({ array, end, start }: Tail<A>, count: number): Tail<A> => {
  const from = Math.min(end, start + count)
  if (from * 2 < array.length) return { array, start: from, end }
  return { array: array.slice(from, end), start: 0, end: end - from }
}

/** What moved a valve, in the order in which it moved, and what of that should not have been. */

/** A command as it was sent, and by what right. */
export interface Order {
  readonly intent: string
  /** Who said it, and in which of its times of authority: with another of these it may not go on where it was. */
  readonly planner: string
  readonly tenure: number
  /** True time at which it was sent. */
  readonly saidMs: number
}

export interface Effect extends Order {
  readonly atMs: number
}

export interface Faults {
  /** Effects of an intent that had moved the valve before. */
  readonly repeats: number
  /** Effects of an order after one that was said later. */
  readonly inversions: number
  /** Effects of a planner after those of another that came in the middle of one and the same authority of it. */
  readonly interleavings: number
}

export const faultsOf = (effects: ReadonlyArray<Effect>): Faults => {
  const seen = new Set<string>()
  let [repeats, inversions, interleavings, newestMs] = [0, 0, 0, 0]
  /** By planner and tenure: how many effects there were up to its last. */
  const last = new Map<string, number>()
  for (const [n, { intent, planner, saidMs, tenure }] of effects.entries()) {
    if (seen.has(intent)) repeats++
    seen.add(intent)
    if (saidMs < newestMs) inversions++
    newestMs = Math.max(newestMs, saidMs)
    const key = `${planner} ${tenure}`
    const before = last.get(key)
    if (before !== undefined && effects.slice(before, n).some((other) => other.planner !== planner)) interleavings++
    last.set(key, n + 1)
  }
  return { repeats, inversions, interleavings }
}

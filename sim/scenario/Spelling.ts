/**
 * "Did you mean": the candidate that is a slip of the finger away from what was written.
 *
 * Distance of Damerau and Levenshtein in its restricted form (insert, drop, change, swap two neighbours), letters compared
 * without case. A word of up to three letters may be one slip away, a longer one two.
 */
const CHARACTERS_MAX = 64
/** Among more candidates than this, only the first are looked at. */
const CANDIDATES_MAX = 2_000

const distance = (a: string, b: string): number => {
  let before: ReadonlyArray<number> = []
  let above: ReadonlyArray<number> = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + change)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, before[j - 2]! + 1)
      row.push(least)
    }
    before = above
    above = row
  }
  return above[b.length]!
}

/** The nearest candidate, the first of several equally near ones; `null`: none is near enough. */
export const nearest = (written: string, candidates: Iterable<string>): string | null => {
  if (written.length > CHARACTERS_MAX) return null
  const word = written.toLowerCase()
  let best: string | null = null
  let bestDistance = word.length <= 3 ? 2 : 3
  let left = CANDIDATES_MAX
  for (const candidate of candidates) {
    if (left-- === 0) break
    if (candidate === written || Math.abs(candidate.length - word.length) >= bestDistance) continue
    const slips = distance(word, candidate.toLowerCase())
    if (slips < bestDistance) {
      best = candidate
      bestDistance = slips
    }
  }
  return best
}

/**
 * "Did you mean": the known word that is a slip or two away from what was written.
 *
 * Distance of Damerau and Levenshtein in its restricted form (insert, drop, change, swap two neighbours), letters compared
 * without case. A word of up to three letters may be one slip away, a longer one two. Whatever is longer than any word that we
 * know is compared with none, so the work is bounded.
 */
const CHARACTERS_MAX = 64

const distance = (a: string, b: string): number => {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + change)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, rows[i - 2]![j - 2]! + 1)
      row.push(least)
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}

/** The nearest word, the first of several equally near; `null`: none is near enough, or it is one of them. */
export const nearest = (
  written: string,
  words: Iterable<string>,
  slipsMax = written.length <= 3 ? 1 : 2
): string | null => {
  if (written.length > CHARACTERS_MAX) return null
  let best: string | null = null
  let bestSlips = slipsMax + 1
  for (const word of words) {
    if (word === written) return null
    const slips = distance(written.toLowerCase(), word.toLowerCase())
    if (slips < bestSlips) {
      best = word
      bestSlips = slips
    }
  }
  return best
}

/** `; did you mean X?`, or nothing. */
export const hint = (written: string, words: Iterable<string>): string => {
  const word = nearest(written, words)
  return word === null ? "" : `; did you mean ${word}?`
}

/**
 * Mistakes of a scenario file, each at its place, and how they look on a terminal.
 *
 * Promises: a place always lies inside the file (at most one past the end of its line); the list is sorted by place and
 * holds no mistake twice. It is bounded: a file with more than `MISTAKES_MAX` mistakes gets the first ones only.
 * Columns count UTF-16 code units, as editors do.
 */
import type { Place } from "./Scenario.ts"
import { nearest } from "./Spelling.ts"

const MISTAKES_MAX = 1_000

export interface Mistake {
  readonly place: Place
  /** How many characters of the line to underline, at least 1. */
  readonly length: number
  /** One phrase that says what to write instead. */
  readonly message: string
  /** The whole line of the file, without its line break. */
  readonly lineText: string
}

/** A stretch of the text, in UTF-16 code units from its beginning. */
export interface Span {
  readonly offset: number
  readonly length: number
}

export class Mistakes {
  readonly #text: string
  readonly #lineStarts: ReadonlyArray<number>
  readonly #found = new Map<string, Mistake>()

  constructor(text: string) {
    this.#text = text
    const starts = [0]
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1)
    this.#lineStarts = starts
  }

  get size(): number {
    return this.#found.size
  }

  get full(): boolean {
    return this.#found.size >= MISTAKES_MAX
  }

  add(span: Span, message: string): void {
    if (this.full) return
    const place = this.placeOf(span.offset)
    const lineText = this.lineText(place.line)
    const rest = lineText.slice(place.column - 1, place.column - 1 + Math.max(1, span.length)).trimEnd()
    const key = `${place.line}:${place.column} ${message}`
    if (!this.#found.has(key)) this.#found.set(key, { place, length: Math.max(1, rest.length), message, lineText })
  }

  /** `; did you mean X?`, or nothing. Costs nothing more once the list is full. */
  hint(written: string, candidates: Iterable<string>): string {
    const found = this.full ? null : nearest(written, candidates)
    return found === null ? "" : `; did you mean ${found}?`
  }

  placeOf(offset: number): Place {
    let at = Math.min(Math.max(0, offset), this.#text.length)
    // What is missing at the very end is missed after the last word, not on the empty line below it.
    if (at === this.#text.length) while (at > 0 && /\s/u.test(this.#text[at - 1]!)) at--
    let low = 0
    let high = this.#lineStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#lineStarts[middle]! <= at) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: at - this.#lineStarts[low]! + 1 }
  }

  lineText(line: number): string {
    const end = this.#lineStarts[line]
    const text = this.#text.slice(this.#lineStarts[line - 1], end === undefined ? undefined : end - 1)
    return text.endsWith("\r") ? text.slice(0, -1) : text
  }

  sorted(): ReadonlyArray<Mistake> {
    return [...this.#found.values()].sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
  }
}

const LINE_CHARACTERS_MAX = 110

/** The part of a long line around the mistake, with the column at which the mistake stands in it. */
const window = (mistake: Mistake): { readonly text: string; readonly column: number } => {
  const column = mistake.place.column - 1
  // Control characters would move the cursor, and the carets with it.
  const line = mistake.lineText.replace(/\t/gu, " ").replace(/[\p{Cc}\u2028\u2029]/gu, "\u00b7")
  const from = column + mistake.length <= LINE_CHARACTERS_MAX ? 0 : Math.max(0, column - 40)
  const text = line.slice(from, from + LINE_CHARACTERS_MAX)
  const indent = from === 0 ? Math.min(column, text.length - text.trimStart().length) : 0
  const shown =
    (from > 0 ? "\u2026" : "") + text.slice(indent) + (from + LINE_CHARACTERS_MAX < line.length ? "\u2026" : "")
  return { text: shown.trimEnd(), column: column - from - indent + (from > 0 ? 1 : 0) }
}

/**
 * What `pnpm sim` prints for a file that does not read: the count, then each line with its mistakes underlined. A line that
 * has several mistakes is shown once.
 */
export const renderMistakes = (file: string, mistakes: ReadonlyArray<Mistake>): string => {
  const count =
    mistakes.length >= MISTAKES_MAX
      ? `${MISTAKES_MAX} things or more`
      : `${mistakes.length} thing${mistakes.length === 1 ? "" : "s"}`
  const width = Math.max(6, ...mistakes.map((m) => `${m.place.line}:${m.place.column}`.length + 1))
  const lines = [`${file} does not read: ${count}`, ""]
  let shown = ""
  for (const mistake of mistakes) {
    const { text, column } = window(mistake)
    const where = `${mistake.place.line}:${mistake.place.column}`.padStart(width)
    const carets = "^".repeat(Math.max(1, Math.min(mistake.length, text.length - column)))
    const below = `${" ".repeat(Math.max(0, column))}${carets}  ${mistake.message}`
    const line = `${mistake.place.line} ${text}`
    if (line === shown) lines.push(`${where}   ${below}`)
    else lines.push(`${where}   ${text}`, `${" ".repeat(width)}   ${below}`)
    shown = line
  }
  return `${lines.join("\n")}\n`
}

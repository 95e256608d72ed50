/**
 * What is wrong with a configuration: each mistake with its origin, the text that holds it, and how all of them look on a
 * terminal. Columns count UTF-16 code units from 1, as editors do.
 */
import { type Origin, originText } from "./Origin.ts"
import { printable } from "./Printable.ts"

export interface Mistake {
  readonly origin: Origin
  /** One phrase that says what to write instead. */
  readonly message: string
  /** The line that holds it (of a file, `--port x`, `CLAWMESH_PORT=x`), and what of it to underline. */
  readonly excerpt: Excerpt | null
}

export interface Excerpt {
  readonly text: string
  /** From 1. */
  readonly column: number
  readonly length: number
}

const LINE_CHARACTERS_MAX = 100
const SHOWN_MAX = 100

const render = ({ excerpt, message, origin }: Mistake): string => {
  const head = printable(`${originText(origin)}: ${message}`)
  if (excerpt === null) return head
  const at = excerpt.column - 1
  const from = at + excerpt.length <= LINE_CHARACTERS_MAX ? 0 : Math.max(0, at - 40)
  const line = printable(excerpt.text)
  const shown = line.slice(from, from + LINE_CHARACTERS_MAX)
  const before = from === 0 ? "" : "\u2026"
  const after = from + LINE_CHARACTERS_MAX < line.length ? "\u2026" : ""
  const carets = "^".repeat(Math.max(1, Math.min(excerpt.length, shown.length - (at - from))))
  const indent = " ".repeat(before.length + at - from)
  return `${head}\n    ${`${before}${shown}${after}`.trimEnd()}\n    ${indent}${carets}`
}

/** What a program prints for a configuration that does not read; ends with a line break. */
export const renderMistakes = (mistakes: ReadonlyArray<Mistake>): string => {
  const shown = mistakes.slice(0, SHOWN_MAX).map(render)
  if (mistakes.length > SHOWN_MAX) shown.push(`and ${mistakes.length - SHOWN_MAX} more`)
  return `${shown.join("\n")}\n`
}

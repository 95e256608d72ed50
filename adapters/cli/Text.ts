/** Words, times and columns as they stand on a terminal. A blank cell says nothing, so every cell has a word. */
import { styleText } from "node:util"
import { printable } from "../config/Printable.ts"

export interface Look {
  readonly colour: boolean
  /** Only the answer: no hints. */
  readonly quiet: boolean
}

export type Style = "bold" | "dim" | "red" | "yellow" | "green"

export const styled = (text: string, style: Style, { colour }: Look): string =>
  colour ? styleText(style, text, { validateStream: false }) : text

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** `0.3 s`, `41 s`, `2 min 10 s`, `3 h 12 min`, `4 d 3 h`. Cut, not rounded: what lasts 59.9 s has not lasted a minute. */
export const duration = (ms: number): string => {
  if (ms < 10 * SECOND) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${Math.floor((ms % MINUTE) / SECOND)} s`
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${Math.floor((ms % HOUR) / MINUTE)} min`
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`
}

/** `1 stranger`, `2 strangers`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`

/** A device as a table calls it: by its name, else by the beginning of its id, which is no name for a command. */
export const called = ({ id, name }: { readonly id: string; readonly name: string | null }): string =>
  name === null || name === "" ? `${id.slice(0, 8)}…` : printable(name)

/** A word of a shell, quoted where it has to be. */
export const shellWord = (word: string): string =>
  /^[\w./:@%+=,-]+$/u.test(word) && !word.startsWith("-") ? word : `'${word.replaceAll("'", "'\\''")}'`

export interface Cell {
  readonly text: string
  readonly style?: Style
}

/** Code points, not columns: wide letters shift what follows them. */
const widthOf = (text: string): number => [...text].length

const cellOf = (cell: string | Cell): Cell => (typeof cell === "string" ? { text: cell } : cell)

/** Columns side by side, two blanks apart, each as wide as its widest cell; every line begins with `indent`. */
export const table = (
  heads: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string | Cell>>,
  look: Look,
  indent = "  "
): ReadonlyArray<string> => {
  const all = [heads.map((text): Cell => ({ text, style: "dim" })), ...rows.map((row) => row.map(cellOf))]
  const widths = heads.map((_, column) => Math.max(...all.map((row) => widthOf(row[column]?.text ?? ""))))
  return all.map((row) => {
    const cells = row.map(({ style, text }, column) => {
      const shown = style === undefined ? text : styled(text, style, look)
      const last = column === row.length - 1
      return last ? shown : shown + " ".repeat(widths[column]! - widthOf(text))
    })
    return indent + cells.join("  ")
  })
}

/** A line of a fact: its word in a column of its own. */
export const fact = (word: string, text: string, look: Look): string =>
  `  ${styled(word.padEnd(10), "dim", look)} ${text}`

/** Two texts of one line, the second one in the right half where there is room. */
export const sides = (left: string, right: string): string =>
  `${left.padEnd(50)}${left.length >= 50 ? "  " : ""}${right}`

const two = (n: number): string => String(n).padStart(2, "0")

/** `07:56:38` by this machine's calendar; with the date, where that is not the day of `nowMs`. */
export const clock = (atMs: number, nowMs: number): string => {
  const at = new Date(atMs)
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  return at.toDateString() === new Date(nowMs).toDateString()
    ? time
    : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`
}

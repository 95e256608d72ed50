/**
 * The shell blocks of a Markdown page, and whether what a command prints has the shape of what the page shows.
 *
 * A block of `console` holds `$ command` lines, each followed by what it prints; a block of `sh` holds commands only. Words after
 * the language: `no-ci` (not run by CI), `exit=N` (its commands end with N), `session=N` (its commands are typed into one shell,
 * and take N seconds at most: Session.ts). In what is shown, `…` stands for anything up to the end of its line, and alone on a
 * line for any number of lines. Numbers, times and hashes are compared as "there is one", except that `0 failed` is not
 * `2 failed`, and `2 of 2` is not `1 of 2`.
 */

export interface Command {
  readonly line: number
  readonly text: string
  /** What the page shows of its output; empty: nothing is shown, anything may be printed. */
  readonly shown: ReadonlyArray<string>
  readonly inCi: boolean
  readonly exitCode: number
  /** The session that it belongs to; `null`: it runs in a shell of its own. */
  readonly session: Session | null
}

/** Of one block; the same for all of its commands. */
export interface Session {
  readonly line: number
  readonly limitMs: number
}

const opening = /^( *)```(console|sh|bash|shell)\b(.*)$/u

/** Every command of the page's shell blocks. Throws when a block does not end. */
export const commandsOf = (markdown: string): ReadonlyArray<Command> => {
  const lines = markdown.split("\n")
  const commands: Array<Command> = []
  for (let at = 0; at < lines.length; at++) {
    const [, indent = "", language, words = ""] = opening.exec(lines[at]!) ?? []
    if (language === undefined) continue
    const end = lines.findIndex((line, other) => other > at && line.trim() === "```")
    if (end < 0) throw new Error(`line ${at + 1}: the block does not end`)
    const limitS = /\bsession=(\d+)/u.exec(words)?.[1]
    const rest = {
      session: limitS === undefined ? null : { line: at + 1, limitMs: 1_000 * Number(limitS) },
      inCi: !/\bno-ci\b/u.test(words),
      exitCode: Number(/\bexit=(\d+)/u.exec(words)?.[1] ?? 0)
    }
    const block = lines.slice(at + 1, end).map((line) => line.slice(indent.length))
    commands.push(...(language === "console" ? session(block) : script(block)).map(shift(at + 2, rest)))
    at = end
  }
  return commands
}

interface Typed {
  /** Lines after the block's first. */
  readonly offset: number
  readonly text: string
  readonly shown: ReadonlyArray<string>
}

const shift =
  (first: number, rest: Pick<Command, "inCi" | "exitCode" | "session">) =>
  ({ offset, shown, text }: Typed): Command => ({ line: first + offset, text, shown: trimmed(shown), ...rest })

const session = (block: ReadonlyArray<string>): ReadonlyArray<Typed> => {
  const starts = block.flatMap((line, offset) => (line.startsWith("$ ") ? [offset] : []))
  return starts.map((offset, n) => ({
    offset,
    text: block[offset]!.slice(2).trim(),
    shown: block.slice(offset + 1, starts[n + 1] ?? block.length)
  }))
}

const script = (block: ReadonlyArray<string>): ReadonlyArray<Typed> =>
  block.flatMap((line, offset) => (/^\s*(?:#|$)/u.test(line) ? [] : [{ offset, text: line.trim(), shown: [] }]))

/** Without empty lines at both ends. */
const trimmed = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const isText = (line: string): boolean => line.trim() !== ""
  const first = lines.findIndex(isText)
  return first < 0 ? [] : lines.slice(first, lines.findLastIndex(isText) + 1)
}

/** What pnpm and npm say around a command: the script that they run, and their own warnings. */
const byTheRunner = /^(?:\$ |npm warn |\[ELIFECYCLE\])/u
// oxlint-disable-next-line no-control-regex
const colour = /\u001b\[[\d;]*m/gu

export const outputLines = (output: string): ReadonlyArray<string> =>
  trimmed(
    output
      .replaceAll(colour, "")
      .split("\n")
      .filter((line) => !byTheRunner.test(line))
  )

const all = /\b(\d+) of \1\b/gu
const none = /\b0(?= (?:failed|skipped|undecided)\b)/gu
const hash = /\b(?=[a-f]*\d)[\da-f]{8,}\b/gu
const time = /\d+(?:\.\d+)? ?(?:µs|ms|s|min|h)\b/gu
const number = /\d+(?:[.,:]\d+)*/gu

/** The line with what differs from run to run replaced. */
export const shape = (line: string): string =>
  line
    .replaceAll(all, "all")
    .replaceAll(none, "no")
    .replaceAll(hash, "#")
    .replaceAll(time, "#s")
    .replaceAll(number, "#")
    .replaceAll(/\s+/gu, " ")
    .trim()

const ANYTHING = "…"

const lineMatches = (shown: string, printed: string): boolean => {
  const cut = shown.indexOf(ANYTHING)
  return cut < 0 ? shape(shown) === shape(printed) : shape(printed).startsWith(shape(shown.slice(0, cut)))
}

export interface Difference {
  /** The first line shown that nothing printed matches; `null`: more is printed than shown. */
  readonly shown: string | null
  /** What stands there instead; `null`: nothing more is printed. */
  readonly printed: string | null
}

/** The first difference between what is shown and what was printed; `null`: the same shape. */
export const difference = (shown: ReadonlyArray<string>, printed: ReadonlyArray<string>): Difference | null => {
  // Every place in `printed` at which the lines shown so far may end.
  let reached: ReadonlySet<number> = new Set([0])
  for (const line of shown) {
    const next = new Set<number>()
    for (const at of reached) {
      if (line.trim() === ANYTHING) for (let to = at; to <= printed.length; to++) next.add(to)
      else if (at < printed.length && lineMatches(line, printed[at]!)) next.add(at + 1)
    }
    if (next.size === 0) return { shown: line, printed: printed[Math.max(...reached)] ?? null }
    reached = next
  }
  return reached.has(printed.length) ? null : { shown: null, printed: printed[Math.max(...reached)] ?? null }
}

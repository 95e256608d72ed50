/**
 * What came of a replay, and where two runs part, as text for a terminal. The line to act on comes last; the text is a function of
 * its arguments.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Input } from "../../kernel/Input.ts"
import { moment } from "../judge/Words.ts"
import { isSame, type Parting } from "../trace/Beside.ts"
import { differences } from "../trace/Differences.ts"
import type { Fed } from "../trace/Feed.ts"
import { grouped } from "./CampaignText.ts"
import { changes } from "./Changes.ts"
import { commandWords, inputWords } from "./FullLog.ts"

export type NameOf = (deviceId: string) => string

/** More of one line hides the rest; trace and --step have it all. */
const COLUMNS_MAX = 200
const COMMANDS_MAX = 12
const DIFFERENCES_MAX = 6

const short = (words: string): string => (words.length > COLUMNS_MAX ? `${words.slice(0, COLUMNS_MAX - 1)}…` : words)

interface Step {
  readonly atMs: number
  readonly node: string
  readonly input: Input
}

export const stepWords = ({ atMs, input, node }: Step, nameOf: NameOf): string =>
  short(`${moment(atMs)}  ${node} ← ${inputWords(input, nameOf)}`)

export const givenWords = (commands: ReadonlyArray<Command>, nameOf: NameOf, indent: string): ReadonlyArray<string> =>
  commands.length === 0
    ? [`${indent}→ nothing`]
    : [
        ...commands.slice(0, COMMANDS_MAX).map((command) => short(`${indent}→ ${commandWords(command, nameOf)}`)),
        ...(commands.length > COMMANDS_MAX ? [`${indent}… ${commands.length - COMMANDS_MAX} more`] : [])
      ]

const valueWords = (value: unknown): string => (value === undefined ? "not there" : JSON.stringify(value))

/** What differs of two steps, beside who took up what kind of input when. */
export const differenceWords = (
  first: Step,
  second: Step,
  nameOf: NameOf,
  [one, other]: readonly [string, string]
): ReadonlyArray<string> => {
  const all = differences(
    { atMs: first.atMs, node: first.node, input: first.input },
    { atMs: second.atMs, node: second.node, input: second.input }
  )
  // Two inputs of different kinds or nodes have nothing in common that is worth a line.
  if (first.node !== second.node || first.input._tag !== second.input._tag) return []
  const words = (value: unknown): string => short(valueWords(value).replaceAll(/\b[0-9a-f]{64}\b/gu, nameOf))
  return [
    ...all
      .slice(0, DIFFERENCES_MAX)
      .map(({ first, path, second }) => `    ${path}: ${one} ${words(first)}, ${other} ${words(second)}`),
    ...(all.length > DIFFERENCES_MAX ? [`    … ${all.length - DIFFERENCES_MAX} more of them`] : [])
  ]
}

const inputsWords = (event: number, of: number): string => `input ${grouped(event)} of ${grouped(of)}`

/** The first step in which a run that goes by is another one than was written down; `before`: the last one that is the same. */
export const partingWords = (
  { event, now, recorded }: Parting,
  before: Step | null,
  of: number,
  nameOf: NameOf,
  [one, other]: readonly [string, string]
): ReadonlyArray<string> => {
  const column = Math.max(one.length, other.length)
  const told = (who: string, step: Step | null): string =>
    `    ${who.padEnd(column)}  ${step === null ? "nothing more" : stepWords(step, nameOf)}`
  const since =
    before === null
      ? "  From the first input on:"
      : `  The same until ${moment(before.atMs)}, before ${inputsWords(event, Math.max(of, event))}. Then:`
  if (recorded !== null && now !== null && isSame(recorded, now))
    return [
      since,
      `    both take up  ${stepWords(now, nameOf)}`,
      `    and the node does not give what it gave when it was ${one}; ${other}:`,
      ...givenWords(now.commands, nameOf, "      ")
    ]
  return [
    since,
    told(one, recorded),
    told(other, now),
    ...(recorded !== null && now !== null ? differenceWords(recorded, now, nameOf, [one, other]) : [])
  ]
}

/** The first input with which a kernel does otherwise than was recorded. */
export const otherwiseWords = (event: number, fed: Fed, of: number, nameOf: NameOf): ReadonlyArray<string> => [
  `  The inputs replayed as recorded: what nodes do with them is the same until ${moment(fed.line.atMs)}, ${inputsWords(event, of)}:`,
  `    ${stepWords(fed.line, nameOf)}`,
  "  That is answered otherwise than was recorded, now by",
  ...givenWords(fed.commands, nameOf, "    "),
  ...changes(fed.before, fed.after, fed.line.input.at.mono, nameOf).map((words) => `    ● ${words}`)
]

/** A head in which something is wrong, or to be known. */
export const sign = { wrong: "✗", known: "!", right: "✓" } as const

export const text = (lines: ReadonlyArray<string>): string => lines.map((line) => `${line}\n`).join("")

/**
 * The words of the command line: a command, the flags that are settings, and the few that are not. Finds all mistakes of the
 * words at once; what a value must be is the schema's affair.
 */
import { parseArgs, type ParseArgsConfig } from "node:util"
import type { Excerpt, Mistake } from "./Mistake.ts"
import { descriptions, flagOf, type Key, keys } from "./NodeFile.ts"
import { check, type Placed, type Raw, type Settles, valueOfText } from "./Source.ts"
import { hint, nearest } from "./Spelling.ts"

export interface CommandLine {
  readonly commands: ReadonlyArray<string>
  readonly help: boolean
  readonly version: boolean
  /** What `--config` names. */
  readonly config: string | null
  /** A word about the file does not read: which one is meant is not known, and none is read in its place. */
  readonly configUnclear: boolean
  readonly settles: Settles
  /** Words that no command line of ours has. */
  readonly mistakes: ReadonlyArray<Mistake>
}

const byFlag = new Map<string, Key>(keys.map((key) => [flagOf(key), key]))

const options: NonNullable<ParseArgsConfig["options"]> = {
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
  config: { type: "string" },
  ...Object.fromEntries(
    keys.map((key) => {
      const { kind } = descriptions[key]
      return [flagOf(key), kind === "boolean" ? { type: "boolean" } : { type: "string", multiple: kind === "list" }]
    })
  )
}

const flags = Object.entries(options).flatMap(([name, { type }]) =>
  type === "boolean" && byFlag.has(name) ? [`--${name}`, `--no-${name}`] : [`--${name}`]
)

interface Word {
  readonly flag: string
  readonly value: string
  readonly at: Placed
}

const placed = (flag: string, excerpt: Excerpt): Placed => ({ origin: { _tag: "Flag", flag }, excerpt })

/** The whole flag underlined. */
const wholeOf = (flag: string, text = flag): Placed => placed(flag, { text, column: 1, length: flag.length })

export const readFlags = (args: ReadonlyArray<string>): CommandLine => {
  const mistakes: Array<Mistake> = []
  const given = new Map<Key, Array<Word>>()
  const commands: Array<string> = []
  let config: string | null = null
  let configUnclear = false
  let help = false
  let version = false
  /** Where the value of a flag that we do not know may stand: it is not a command. */
  let unknownAt = -2

  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
    allowNegative: true
  })
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue
    if (token.kind === "positional") {
      if (token.index !== unknownAt + 1) commands.push(token.value)
      continue
    }
    const { inlineValue, name, rawName: flag, value } = token
    // With a value the parser takes `--no-` for the beginning of a name.
    const bare = name.replace(/^no-/u, "")
    const add = (message: string, at = wholeOf(flag)): void => {
      mistakes.push({ ...at, message })
      configUnclear ||= bare === "config" || nearest(flag, flags) === "--config"
    }
    const option = Object.hasOwn(options, bare) ? options[bare] : undefined
    const negative = flag.startsWith("--no-")
    if (option === undefined || (negative && !(option.type === "boolean" && byFlag.has(bare)))) {
      unknownAt = inlineValue === true ? -2 : token.index
      add(`no such flag${hint(flag, flags)}`)
      continue
    }
    if (option.type === "boolean") {
      if (value !== undefined) add(`${flag} takes no value`)
      else if (name === "help") help = true
      else if (name === "version") version = true
      else remember(byFlag.get(bare)!, { flag, value: negative ? "false" : "true", at: wholeOf(flag) })
      continue
    }
    if (value === undefined || value === "") {
      add(`${flag} needs a value`)
      continue
    }
    if (inlineValue === false && value.startsWith("-")) {
      // What was swallowed is a flag of its own; reading it again would only guess.
      add(`${flag} needs a value; one that begins with a hyphen is written ${flag}=${value}`)
      continue
    }
    const text = inlineValue === true ? `${flag}=${value}` : `${flag} ${value}`
    const at = placed(flag, { text, column: flag.length + 2, length: value.length })
    if (name !== "config") remember(byFlag.get(name)!, { flag, value, at })
    else if (config === null) config = value
    else add(`${flag} stands here a second time`, wholeOf(flag, text))
  }

  function remember(key: Key, word: Word): void {
    const words = given.get(key)
    if (words === undefined) given.set(key, [word])
    else if (descriptions[key].kind === "list") words.push(word)
    else mistakes.push({ ...word.at, message: `--${flagOf(key)} stands here a second time` })
  }

  const raws = new Map<Key, Raw>()
  for (const [key, words] of given) {
    const first = words[0]!
    if (descriptions[key].kind === "list")
      raws.set(key, { value: words.map((word) => word.value), at: first.at, items: words.map((word) => word.at) })
    else raws.set(key, { value: valueOfText(key, first.value), at: first.at, items: [] })
  }
  const settles = check(raws, mistakes)
  return { commands, help, version, config, configUnclear, settles, mistakes }
}

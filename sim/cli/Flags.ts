/**
 * The words after one command: its flags, and the rest in order. Every mistake of a flag is one sentence with the way out.
 *
 * Not strict in parseArgs' sense, which throws at the first mistake and offers no way out.
 */
import { parseArgs } from "node:util"
import { nearest } from "../scenario/Spelling.ts"
import { jsonMistake, type JsonTarget, jsonTarget, type Order } from "./Order.ts"

/** What a flag takes: nothing, or a value, and what to say where there is none. */
export type Kind = "nothing" | { readonly needs: string }

export interface Flags {
  readonly json: JsonTarget | null
  readonly help: boolean
  /** Whether it was given; of one that takes a value, the last one counts. */
  readonly values: ReadonlyMap<string, string>
  readonly rest: ReadonlyArray<string>
}

type Misuse = Extract<Order, { readonly _tag: "misuse" }>

/** Every command has `--json`, `--help` and `--no-color` besides; the last is taken off before words get here. */
export const readFlags = (
  words: ReadonlyArray<string>,
  kinds: { readonly [flag: string]: Kind }
): Flags | { readonly misuse: Misuse } => {
  const options = Object.fromEntries(
    Object.entries(kinds).map(([flag, kind]) => [flag, { type: kind === "nothing" ? "boolean" : "string" } as const])
  )
  const { tokens } = parseArgs({
    args: [...words],
    // The value of --json is optional, which parseArgs knows only of flags.
    options: { ...options, json: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    strict: false,
    allowPositionals: true,
    tokens: true
  })
  const json = jsonTarget(tokens)
  const misuse = (message: string) => ({ misuse: { _tag: "misuse", message, json } as const })
  const known = [...Object.keys(kinds), "json", "help", "no-color"].map((flag) => `--${flag}`)
  const values = new Map<string, string>()
  const rest: Array<string> = []
  let help = false
  for (const token of tokens) {
    if (token.kind === "positional") rest.push(token.value)
    if (token.kind !== "option") continue
    const { name, rawName, value } = token
    const kind = name === "help" || name === "h" ? "nothing" : Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (name === "json") {
      const mistake = jsonMistake(value)
      if (mistake !== null) return misuse(mistake)
    } else if (kind === undefined) {
      const meant = nearest(rawName, known)
      return misuse(`no flag ${rawName}; ${meant === null ? `there are ${known.join(" ")}` : `did you mean ${meant}?`}`)
    } else if (kind === "nothing") {
      if (value !== undefined) return misuse(`${rawName} takes no value; leave out ${JSON.stringify(`=${value}`)}`)
      if (name === "help" || name === "h") help = true
      else values.set(name, "")
    } else {
      if (value === undefined) return misuse(`${rawName} needs ${kind.needs}`)
      values.set(name, value)
    }
  }
  return { json, help, values, rest }
}

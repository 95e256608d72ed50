/**
 * One source of settings (the file, the environment, the flags) against the schema: what fits, each with its origin, and a
 * mistake at its place for what does not. The three are judged alike, by the same schema and in the same words.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Excerpt, Mistake } from "./Mistake.ts"
import { descriptions, type Key, NodeFile } from "./NodeFile.ts"
import type { Origin } from "./Origin.ts"
import * as StaticPeer from "../../kernel/links/StaticPeer.ts"
import { hint } from "./Spelling.ts"

export interface Placed {
  readonly origin: Origin
  readonly excerpt: Excerpt | null
}

/** A value as it was read, of a known key, before anything was checked. */
export interface Raw {
  readonly value: unknown
  readonly at: Placed
  /** Of a list, the place of each of its items. */
  readonly items: ReadonlyArray<Placed>
}

export interface Given<K extends Key = Key> {
  readonly value: NonNullable<NodeFile[K]>
  readonly origin: Origin
  readonly items: ReadonlyArray<Origin>
}

/** What a source sets. */
export type Settles = { readonly [K in Key]?: Given<K> }

const decode = Schema.decodeUnknownResult(NodeFile)
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

export const check = (raws: ReadonlyMap<Key, Raw>, mistakes: Array<Mistake>): Settles => {
  const data = Object.fromEntries([...raws].map(([key, raw]) => [key, raw.value]))
  const decoded = decode(data, { errors: "all", onExcessProperty: "error" })
  const wrong = new Set<Key>()
  const told = new Set<string>()
  const add = (key: Key, item: number | null, message: string): void => {
    const raw = raws.get(key)!
    // An item whose place is unknown is shown where its list is.
    const { excerpt, origin } = (item === null ? undefined : raw.items[item]) ?? raw.at
    wrong.add(key)
    // A value that breaks two rules is told once.
    if (told.has(`${key}/${item}`)) return
    told.add(`${key}/${item}`)
    mistakes.push({ origin, excerpt, message })
  }
  const checkPeer = (text: string, { excerpt, origin }: Placed): void => {
    const peer = StaticPeer.parse(text)
    if (peer._tag === "StaticPeer") return
    wrong.add("peers")
    for (const { hint, message, offset } of peer.mistakes)
      mistakes.push({ ...within(origin, excerpt, text, offset), message: `${message}: ${hint} (INVALID_PEER_URL)` })
  }
  for (const issue of Result.isFailure(decoded) ? issuesOf(decoded.failure.issue).issues : []) {
    const path = issue.path ?? []
    const key = path[0] as Key
    const item = typeof path[1] === "number" ? path[1] : null
    const value = item === null ? data[key] : (data[key] as ReadonlyArray<unknown>)[item]
    add(key, item, sentence(key, item, value))
  }
  for (const [key, raw] of raws) {
    if (!Array.isArray(raw.value)) continue
    const list: ReadonlyArray<unknown> = raw.value
    list.forEach((item, i) => {
      // An item that is wrong already was told; its neighbours are looked at all the same.
      if (typeof item !== "string" || told.has(`${key}/${i}`)) return
      // Of two addresses of one peer the preflight warns: both read.
      if (key === "peers") checkPeer(item, raw.items[i] ?? raw.at)
      else if (list.indexOf(item) < i) add(key, i, `${item} stands here a second time`)
    })
  }
  const name = raws.get("mesh-name")
  if (name !== undefined && raws.has("mesh-id"))
    add("mesh-id", null, "a mesh has a name or an id: with mesh-name, mesh-id follows from it; leave one of them out")
  return Object.fromEntries(
    [...raws]
      .filter(([key]) => !wrong.has(key))
      .map(([key, raw]) => [key, { value: raw.value, origin: raw.at.origin, items: raw.items.map((at) => at.origin) }])
  )
}

/** The place of what is `offset` into `text`; that of the whole text where it is not written as it reads (escapes, folds). */
const within = (origin: Origin, excerpt: Excerpt | null, text: string, offset: number): Placed => {
  const from = excerpt === null ? -1 : excerpt.text.indexOf(text, excerpt.column - 1)
  if (excerpt === null || from < 0) return { origin, excerpt }
  const column = from + Math.min(offset, text.length) + 1
  return {
    origin: origin._tag === "File" ? { ...origin, column } : origin,
    excerpt: { text: excerpt.text, column, length: Math.max(1, text.length - offset) }
  }
}

const sentence = (key: Key, item: number | null, value: unknown): string => {
  const { itemSays, kind, says, words } = descriptions[key]
  if (value === null) return `nothing is written here; ${item === null ? says : itemSays}`
  if (item !== null) return itemSays ?? says
  if (typeof value !== "string") return says
  if (words !== undefined) return `${says}${hint(value, words)}`
  if (kind === "number" && /^\d+$/u.test(value)) return `${says}; write it without quotes`
  if (kind === "boolean") return `${says}${/^(?:true|false)$/u.test(value) ? "; write it without quotes" : ""}`
  return says
}

/** What a word of a command line or a variable stands for; what it is not, the schema refuses. */
export const valueOfText = (key: Key, text: string): unknown => {
  const { kind } = descriptions[key]
  if (kind === "number") return /^\d{1,15}$/u.test(text) ? Number(text) : text
  if (kind === "boolean") return text === "true" ? true : text === "false" ? false : text
  return text
}

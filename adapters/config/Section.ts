/** A nested section of node.yaml, read by its schema, each mistake told at its place. It stands in the file only, and has no flag. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Mistake } from "./Mistake.ts"
import type { Placed } from "./Source.ts"
import { hint } from "./Spelling.ts"

/** What the node moves, what it reads, what it proposes by itself, and whom it asks about that. */
export const sections = ["actuators", "sensors", "rules", "model"] as const
/** What farm.yaml says (Farm.ts). */
export const farmSections = ["site", "zones", "assets", "sensors", "actuators", "rules"] as const
export type SectionName = (typeof sections)[number] | (typeof farmSections)[number]

/** As it was read: plain values, and the place of each by its path, as far as that was written down. */
export interface Section {
  readonly value: unknown
  readonly placeOf: (path: ReadonlyArray<PropertyKey>) => Placed
  /** The place of the word before a value. */
  readonly wordAt: (path: ReadonlyArray<PropertyKey>) => Placed
}

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

/** The last word of a path, and those that may stand in its place. */
export interface Word {
  readonly last: string | undefined
  readonly among: ReadonlyArray<string>
}

const valueAt = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown => {
  let at = value
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Readonly<Record<PropertyKey, unknown>>)[key]
  }
  return at
}

/** What a section is told by that does not read. */
export interface Words {
  /** What a value has to be, by the last word of its path. */
  readonly says: { readonly [word: string]: string }
  /** What the whole has to be. */
  readonly all: string
  readonly wordOf: (path: ReadonlyArray<PropertyKey>) => Word
}

const sentence = ({ all, says }: Words, { among, last }: Word, value: unknown): string => {
  if (last === undefined) return all
  if (!among.includes(last)) return `no such word${hint(last, among) || `; there are ${among.join(", ")}`}`
  return value === undefined ? `${last} is missing: ${says[last]!}` : says[last]!
}

/** `null`: it does not read, and why is told. */
export const decodeSection = <A>(
  { placeOf, value, wordAt }: Section,
  schema: Schema.Decoder<A>,
  words: Words,
  mistakes: Array<Mistake>
): A | null => {
  const decoded = Schema.decodeUnknownResult(schema)(value, { errors: "all", onExcessProperty: "error" })
  if (Result.isSuccess(decoded)) return decoded.success
  const told = new Set<string>()
  for (const { path = [] } of issuesOf(decoded.failure.issue).issues) {
    const plain = path.map((step) => (typeof step === "object" ? step.key : step))
    const key = plain.join("/")
    if (told.has(key)) continue
    told.add(key)
    const word = words.wordOf(plain)
    const at = word.last !== undefined && !word.among.includes(word.last) ? wordAt(plain) : placeOf(plain)
    mistakes.push({ ...at, message: sentence(words, word, valueAt(value, plain)) })
  }
  return null
}

/** `30s`, `20m`, `2h`, in ms; `null`: it is none. */
export const spanOf = (text: string): number | null => {
  const found = /^([1-9]\d{0,5})(s|m|h)$/u.exec(text)
  return found === null ? null : Number(found[1]) * { s: 1_000, m: 60_000, h: 3_600_000 }[found[2] as "s" | "m" | "h"]
}

const DAY_MS = 86_400_000
const isSpan = (text: string): boolean => (spanOf(text) ?? DAY_MS + 1) <= DAY_MS
/** A day at most. */
export const Span = Schema.String.check(Schema.isPattern(/^[1-9]\d{0,5}[smh]$/u), Schema.makeFilter(isSpan))

export const Plain = Schema.String.check(Schema.isPattern(/^[a-z0-9][a-z0-9._-]{0,62}$/u))

/** Numbers that are not whole come as they are written. */
export const Bound = Schema.Union([Schema.Finite, Schema.String.check(Schema.isPattern(/^[+-]?(?:\d+\.?\d*|\.\d+)$/u))])

export const fits = (test: (text: string) => boolean) => Schema.String.check(Schema.makeFilter(test))

/** The whole path of a file. */
export const AbsolutePath = fits((text) => text.startsWith("/") && !text.includes("\0"))

/** A URL of one of these schemes (`https:`), with no more to it than where something is: no name, password, query or fragment. */
export const isPlace = (text: string, schemes: ReadonlyArray<string>): boolean => {
  const url = URL.parse(text)
  return (
    url !== null &&
    schemes.includes(url.protocol) &&
    url.hostname !== "" &&
    url.username === "" &&
    url.password === "" &&
    url.hash === "" &&
    url.search === ""
  )
}

const ARGUMENTS_MAX = 32
/** A program and its arguments. */
export const Program = Schema.Array(
  Schema.String.check(Schema.makeFilter((text) => text !== "" && !text.includes("\0")))
).check(Schema.isMinLength(1), Schema.isMaxLength(ARGUMENTS_MAX))

/** Tells a mistake at its place in a section. */
export type Add = (path: ReadonlyArray<PropertyKey>, message: string) => void

export const adder =
  ({ placeOf }: Section, mistakes: Array<Mistake>): Add =>
  (path, message) =>
    void mistakes.push({ ...placeOf(path), message })

/** What stands in a list a second time, by a name of each. */
export const repeated = (names: ReadonlyArray<string>, key: string, add: Add): void => {
  const first = new Set<string>()
  for (const [place, name] of names.entries()) {
    if (first.has(name)) add([place, key], `${name} stands here a second time`)
    first.add(name)
  }
}

/** What a section comes to; one that is not there, to nothing. */
export const listIn = <A>(
  sections: ReadonlyMap<SectionName, Section>,
  name: SectionName,
  read: (section: Section) => ReadonlyArray<A>
): ReadonlyArray<A> => {
  const section = sections.get(name)
  return section === undefined ? [] : read(section)
}

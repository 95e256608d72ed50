/**
 * The scenario language as a JSON Schema (2020-12), for editors: completion, texts while hovering, mistakes while typing.
 *
 * Made from the one schema of `Language.ts`, so that the two cannot tell different things; what only the whole file can tell
 * (names, moments, one verb a step) is left to `pnpm sim check`. Effect puts the text of a key beside a `$ref` inside `allOf`,
 * where editors do not show it in completion; here it stands on the key itself.
 */
import * as Schema from "effect/Schema"
import { Language } from "./Language.ts"

/** As much of JSON Schema as the language needs. */
export interface Piece {
  readonly $ref?: string
  readonly type?: string
  readonly description?: string
  readonly examples?: ReadonlyArray<string>
  readonly enum?: ReadonlyArray<string>
  readonly anyOf?: ReadonlyArray<Piece>
  readonly items?: Piece
  readonly properties?: { readonly [key: string]: Piece }
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: Piece | false
}

export interface EditorSchema {
  readonly $schema: string
  readonly title: string
  readonly $ref: string
  readonly $defs: { readonly [name: string]: Piece }
}

/** What only tells people something: of two of them, the nearer one counts. */
const texts: ReadonlySet<string> = new Set(["title", "description", "examples", "errorMessage", "patternErrorMessage"])

type Json = { readonly [key: string]: unknown }

/** Takes the parts of `allOf` up into the schema round them, except those that say a second time what has been said. */
const hoisted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(hoisted)
  if (typeof value !== "object" || value === null) return value
  const { allOf, ...own } = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hoisted(inner)]))
  if (allOf === undefined) return own
  let whole: Json = own
  const left: Array<Json> = []
  for (const part of allOf as ReadonlyArray<Json>)
    if (Object.keys(part).every((key) => texts.has(key) || !Object.hasOwn(whole, key))) whole = { ...whole, ...part }
    else left.push(part)
  return left.length === 0 ? whole : { ...whole, allOf: left }
}

export const editorSchema = (): EditorSchema => {
  const { definitions } = Schema.toJsonSchemaDocument(Language, {
    onExcessProperty: "error",
    includeAnnotationKey: (key) => key === "errorMessage" || key === "patternErrorMessage"
  })
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "ClawMesh scenario",
    $ref: "#/$defs/Scenario",
    $defs: hoisted(definitions) as EditorSchema["$defs"]
  }
}

/** As it is kept beside the scenarios. */
export const editorSchemaText = (): string => `${JSON.stringify(editorSchema(), null, 2)}\n`

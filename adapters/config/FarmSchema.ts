/**
 * farm.yaml as a JSON Schema (2020-12), for editors: completion, texts while hovering, mistakes while typing. Made from the schemas that read
 * it, with the sentences that are told of a mistake; what only the whole file can tell is left to `clawmesh-node check`.
 */
import * as Schema from "effect/Schema"
import { One, words } from "./Farm.ts"
import * as Rules from "./Rules.ts"
import type { Words } from "./Section.ts"

const Whole = Schema.Struct({
  site: Schema.optionalKey(Schema.NonEmptyString),
  zones: One.zones,
  assets: Schema.optionalKey(One.assets),
  sensors: Schema.optionalKey(One.sensors),
  actuators: Schema.optionalKey(One.actuators),
  rules: Schema.optionalKey(Rules.All)
})

type Json = { readonly [key: string]: unknown }
const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** Each word with what is said of it. */
const described = (value: unknown, says: Words["says"]): unknown => {
  if (Array.isArray(value)) return value.map((item) => described(item, says))
  if (!isJson(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const next = described(inner, says)
      if (key !== "properties" || !isJson(next)) return [key, next]
      const properties = Object.entries(next).map(([word, property]) => {
        const description = says[word]
        return [word, isJson(property) && description !== undefined ? { ...property, description } : property]
      })
      return [key, Object.fromEntries(properties)]
    })
  )
}

const sections: { readonly [section: string]: Words } = { ...words, rules: Rules.words }

export const farmSchema = (): Json => {
  const { definitions, schema } = Schema.toJsonSchemaDocument(Whole, { onExcessProperty: "error" })
  const { properties, ...rest } = schema as Json
  const all = Object.entries(properties as Json).map(([section, property]) => {
    const own = sections[section]
    return [
      section,
      own === undefined ? property : { ...(described(property, own.says) as Json), description: own.all }
    ]
  })
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "ClawMesh farm",
    ...rest,
    properties: Object.fromEntries(all),
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions })
  }
}

export const farmSchemaText = (): string => `${JSON.stringify(farmSchema(), null, 2)}\n`

const wordRows = (property: Json, before: string): ReadonlyArray<string> => {
  const { items, properties = {}, required = [] } = property
  if (isJson(items)) return wordRows(items, before)
  if (!isJson(properties) || !Array.isArray(required)) return []
  return Object.entries(properties).flatMap(([word, inner]) => {
    const own = isJson(inner) ? inner : {}
    const has = required.includes(word) ? "yes" : ""
    const says = String(own["description"] ?? "").replaceAll("|", "\\|")
    return [`| \`${before}${word}\` | ${has} | ${says} |`, ...wordRows(own, `${before}${word}: `)]
  })
}

/** The same for people, in Markdown: a table for each section. */
export const farmTables = (): string => {
  const { properties } = farmSchema()
  return Object.entries(properties as Json)
    .flatMap(([section, property]) => {
      const own = property as Json
      const rows = wordRows(own, "")
      const about = String(own["description"] ?? "site is the name of the farm, a text")
      const table = rows.length === 0 ? [] : ["", "| word | has to be there | what it says |", "|---|---|---|", ...rows]
      return [`## \`${section}:\``, "", `${about[0]!.toUpperCase()}${about.slice(1)}.`, ...table, ""]
    })
    .join("\n")
}

import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { faultNames, Language, tenseNames, verbNames } from "../../../sim/scenario/Language.ts"
import { readScenario } from "../../../sim/scenario/read.ts"

const reference = readFileSync(new URL("../../../docs/reference/scenario-language.md", import.meta.url), "utf8")

const { definitions } = Schema.toJsonSchemaDocument(Language, { onExcessProperty: "error" })
const keysOf = (definition: string): ReadonlyArray<string> =>
  Object.keys((definitions[definition] as { readonly properties: object }).properties)

describe("docs/reference/scenario-language.md", () => {
  it("its example reads", () => {
    const example = /```yaml\n(.*?)```/su.exec(reference)![1]!
    const read = readScenario("example.yaml", example)
    assert.deepStrictEqual("mistakes" in read ? read.mistakes : [], [])
  })

  it("tells every heading, verb, tense, fact and fault of the language", () => {
    const words = ["Scenario", "Node", "Network", "Step", "Expectation", "Facts", "EventFact", "Fuzz", "Fault"].flatMap(
      keysOf
    )
    assert.includeMembers(words, [...verbNames, ...tenseNames, ...faultNames])
    assert.deepStrictEqual(
      words.filter((word) => !new RegExp(`[\`{ ]${word}\\b[\`: ]`, "u").test(reference)),
      []
    )
  })
})

describe("the schema of the language", () => {
  it("becomes a JSON Schema that refuses unknown keys and has a text for every key of a step", () => {
    const step = definitions["Step"] as { additionalProperties: boolean; properties: Record<string, unknown> }
    assert.strictEqual(step.additionalProperties, false)
    for (const verb of verbNames) assert.match(JSON.stringify(step.properties[verb]), /"description":"./u)
    assert.deepStrictEqual(
      Object.keys(definitions).filter((name) => /_\d+$/u.test(name)),
      [],
      "no copies of a definition"
    )
  })
})

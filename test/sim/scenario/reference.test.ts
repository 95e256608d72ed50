import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { faultNames, Language, tenseNames, verbNames } from "../../../sim/scenario/Language.ts"
import { editorSchema } from "../../../sim/scenario/EditorSchema.ts"
import { readScenario } from "../../../sim/scenario/read.ts"
import { renewed } from "../../../sim/scenario/Reference.ts"

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

  it("its tables are those of the schema; pnpm sim schema renews them", () => {
    assert.strictEqual(renewed(reference, editorSchema()), reference)
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

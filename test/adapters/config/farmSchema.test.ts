/** The JSON Schema of farm.yaml (`clawmesh-node schema`), by a validator that knows nothing of Effect. */
import { readFileSync } from "node:fs"
import { Ajv2020 } from "ajv/dist/2020.js"
import { assert, describe, it } from "@effect/vitest"
import { parse } from "yaml"
import { farmSchema, farmSchemaText, farmTables } from "../../../adapters/config/FarmSchema.ts"

const accepts = new Ajv2020({ allErrors: true, strict: false }).compile(farmSchema())

const WHOLE = `site: North farm
zones:
  - { name: north, about: "potatoes, 2 ha" }
sensors:
  - { metric: moisture, zone: north, unit: "%", every: 10m, at-least: 15, at-most: 34.5 }
actuators:
  - { name: valve-north, zone: north, group: water, safe: closed, at-most: 30m, level: L3 }
rules:
  - { name: dry, metric: moisture, zone: north, below: 20, propose: { actuator: valve-north, state: open, for: 20m }, daily: ["06:00"] }
`

describe("the schema of farm.yaml", () => {
  it("takes a farm, and is one text", () => {
    assert.isTrue(accepts(parse(WHOLE)), JSON.stringify(accepts.errors))
    assert.isTrue(accepts(parse("zones: [{ name: north }]")))
    assert.deepStrictEqual(JSON.parse(farmSchemaText()), farmSchema())
  })

  it.each([
    ["sit: x\nzones: [{ name: north }]", "a word that is none"],
    ["site: x", "no zones"],
    [WHOLE.replace('unit: "%", ', ""), "a unit that is missing"],
    [WHOLE.replace("every: 10m", "every: 10"), "a time without a unit"],
    [WHOLE.replace("name: north", "name: North"), "a name that is none"],
    [WHOLE.replace("level: L3", "level: L4"), "a level that is none"],
    [WHOLE.replace("safe: closed, ", ""), "no safe state"],
    [WHOLE.replace("state: open, ", ""), "a proposal of no state"]
  ])("%s: not that", (text) => assert.isFalse(accepts(parse(text))))

  it("says of each word what it is", () => {
    const text = farmSchemaText()
    for (const sentence of [
      "unit is what it is counted in",
      "a zone is called by one word",
      "daily is a list of times"
    ])
      assert.include(text, sentence)
  })
})

describe("docs/reference/farm.md", () => {
  it("has the tables that the schema gives", () => {
    const page = readFileSync(new URL("../../../docs/reference/farm.md", import.meta.url), "utf8")
    const begin = "<!-- as the schema says: from here -->\n"
    assert.strictEqual(
      page.slice(page.indexOf(begin) + begin.length),
      `${farmTables()}\n`,
      "write the tables anew, as they stand here under -"
    )
  })
})

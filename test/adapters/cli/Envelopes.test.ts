/** docs/reference/json.md shows what the programs print: each sample is read by the schema of its type, and has no field that it does not know. */
import { assert, describe, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { root } from "../../../.ci/Run.ts"
import { help } from "../../../adapters/cli/Help.ts"
import { envelopes } from "../../../adapters/cli/Envelopes.ts"

interface Sample {
  readonly place: string
  readonly document: { readonly $type: string }
}

/** Every document of ours in a block of JSON, of every page. */
const samplesOf = (file: string): ReadonlyArray<Sample> =>
  [...readFileSync(join(root, file), "utf8").matchAll(/^```json\n(.*?)^```$/gmsu)].flatMap(({ 1: text, index }) => {
    if (!text!.includes('"$type"')) return []
    const place = `${file} at character ${index}`
    return [{ place, document: JSON.parse(text!) as Sample["document"] }]
  })

const samples = ["README.md", ...globSync("docs/**/*.md", { cwd: root })].flatMap(samplesOf)
const page = readFileSync(join(root, "docs/reference/json.md"), "utf8")

describe("the samples of documents", () => {
  it("are there for each type that clawmesh prints, and for no other", () => {
    assert.sameMembers([...new Set(samples.map(({ document }) => document.$type))], Object.keys(envelopes))
    const headings = [...page.matchAll(/^## (\S+)$/gmu)].map(([, heading]) => heading!)
    assert.sameMembers(headings, Object.keys(envelopes))
  })

  for (const { document, place } of samples)
    it(`${document.$type}, ${place}`, () => {
      const read = Schema.decodeUnknownResult(envelopes[document.$type]!)(document, { onExcessProperty: "error" })
      if (Result.isFailure(read)) assert.fail(read.failure.message)
    })

  it("say by which command, as the help has it", () => {
    for (const [, said] of page.matchAll(/^`clawmesh ([^`]+)`/gmu))
      for (const command of said!.split(", ")) {
        const [first] = command.split(" ")
        assert.include(help, `clawmesh ${first}`, command)
      }
  })
})

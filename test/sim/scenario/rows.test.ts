/** docs/reference/scenarios.md says which row of the plan is in which file; the names of expectations say it in the files. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { readScenario } from "../../../sim/scenario/read.ts"
import { stories } from "../Stories.ts"

const page = readFileSync(new URL("../../../docs/reference/scenarios.md", import.meta.url), "utf8")

const BEGIN = "<!-- as the names of the expectations say: from here -->\n"
const END = "<!-- as the names of the expectations say: to here -->\n"
const isRow = /^[AC]\d{1,2}$/u

/** `somebody is down (A03, C8)`: the sentence, and the rows of the plan that it names. */
const partsOf = (name: string) => {
  const [, sentence = name, ids = ""] = /^(.*) \(([^()]*)\)$/u.exec(name) ?? []
  return { sentence, rows: ids.split(", ").filter((id) => isRow.test(id)) }
}

/** A01 to A40, then C1 to C76. */
const byRow = (a: string, b: string): number =>
  a[0] === b[0] ? Number(a.slice(1)) - Number(b.slice(1)) : a < b ? -1 : 1

const covered = new Map<string, Map<string, Array<string>>>()
for (const { bytes, file } of stories) {
  const read = readScenario(file, bytes)
  if ("mistakes" in read) throw new Error(`${file} does not read`)
  for (const { name } of read.scenario.expect) {
    const { rows, sentence } = partsOf(name)
    for (const row of rows) {
      const files = covered.get(row) ?? new Map<string, Array<string>>()
      covered.set(row, files)
      files.set(file, [...(files.get(file) ?? []), sentence])
    }
  }
}

const table = [
  "| row | scenario | what it expects |\n|---|---|---|\n",
  ...[...covered]
    .toSorted(([a], [b]) => byRow(a, b))
    .flatMap(([row, files]) =>
      [...files].map(([file, names]) => `| ${row} | [${file}](../../scenarios/${file}) | ${names.join("; ")} |\n`)
    )
].join("")

describe("docs/reference/scenarios.md", () => {
  it("has the table that the scenarios themselves give", () => {
    const from = page.indexOf(BEGIN) + BEGIN.length
    const to = page.indexOf(END)
    assert.isAbove(to, from)
    assert.strictEqual(page.slice(from, to), table, "write the table anew, as it stands here under -")
  })

  it("speaks of every row once: covered, or not yet and why", () => {
    const rest = page.slice(page.indexOf("## Not covered"))
    const open = [...rest.matchAll(/^\| ([^|]+) \|/gmu)].flatMap(([, ids = ""]) =>
      ids.split(/[ ,]+/u).filter((id) => isRow.test(id))
    )
    assert.isNotEmpty(open)
    assert.deepStrictEqual(
      open.filter((row) => covered.has(row)),
      []
    )
    assert.strictEqual(new Set(open).size, open.length)
  })
})

/** docs/reference/configuration.md says what the program does. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { descriptions, keys, variableOf, writtenFlag } from "../../../adapters/config/NodeFile.ts"
import { renderMistakes } from "../../../adapters/config/Mistake.ts"
import { exits } from "../../../adapters/node/Program.ts"
import { mistakes, settings } from "./Reading.ts"

const page = readFileSync(new URL("../../../docs/reference/configuration.md", import.meta.url), "utf8")

describe("docs/reference/configuration.md", () => {
  it("has a row for each setting, in order, with its three names, its sentence and its default", () => {
    const rows = page.split("\n").filter((line) => /^\| `[a-z-]+` \|/u.test(line))
    assert.deepStrictEqual(
      rows,
      keys.map((key) => {
        const { about, otherwise, value } = descriptions[key]
        const flag = value === "" ? writtenFlag(key) : `${writtenFlag(key)} ${value}`
        const sentence = about.replaceAll("|", "\\|").replaceAll("<", "&lt;")
        return `| \`${key}\` | \`${flag}\` | \`${variableOf(key)}\` | ${sentence} | ${otherwise} |`
      })
    )
  })

  it("its example reads", () => {
    const example = /```yaml\n(.*?)```/su.exec(page)![1]!
    const read = settings({ file: example })
    assert.deepStrictEqual([read.name, read.role, read.meshName, read.peers.length], ["jetson-1", "field", "bhoomi", 1])
  })

  it("its mistake looks as it is printed", () => {
    assert.include(page, renderMistakes(mistakes({ file: "name: a\nrole: plannner\n" })))
  })

  it("its exit codes are the program's", () => {
    const codes = [...page.matchAll(/^\| (\d+) \|/gmu)].map((row) => Number(row[1]))
    assert.deepStrictEqual(codes, Object.values(exits))
  })
})

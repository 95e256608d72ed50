/** Every scenario passes as it is written, those in `scenarios/regressions/` too. Those in `long/` are left to `pnpm fuzz`. */
import { assert, describe, it } from "@effect/vitest"
import { runScenario } from "../../sim/run.ts"
import { readScenario } from "../../sim/scenario/read.ts"
import { stories } from "./Stories.ts"

describe("the scenarios, as written", () => {
  for (const { bytes, file } of stories.filter((story) => !story.file.startsWith("long/")))
    it(file, () => {
      const read = readScenario(file, bytes)
      if ("mistakes" in read) throw new Error(`${file} does not read`)
      const { expectations, faultsWithoutEffect, verdict, violations } = runScenario(read.scenario)
      assert.deepStrictEqual(
        expectations.filter(({ status }) => status !== "held").map(({ expectation }) => expectation.name),
        []
      )
      assert.deepStrictEqual([violations, faultsWithoutEffect], [[], []])
      assert.strictEqual(verdict, "passed")
    })
})

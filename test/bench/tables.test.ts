/** The tables of `pnpm bench membership`: the same each time but for the durations, and honest about what was not measured. */
import { assert, describe, it } from "@effect/vitest"
import type { Plan } from "../../bench/membership/Plan.ts"
import { Report } from "../../bench/membership/Report.ts"
import {
  falseDeathsTable,
  intervalTable,
  lossyTable,
  powerCutTable,
  trafficTable
} from "../../bench/membership/tables.ts"

const small: Plan = {
  secondsMost: 60,
  publishedCells: [],
  powerCut: [
    { size: 3, victims: 1, seeds: 2, baselineSeeds: 2, boundMs: 3_900 },
    { size: 4, victims: 1, seeds: 1, baselineSeeds: 1, boundMs: 1 }
  ],
  edgeSeconds: 200,
  interval: [{ size: 4, cells: [{ blocked: 1, blockedMs: 5_000, openMs: 1_000 }] }],
  lossy: [{ size: 4, faulty: 1, seeds: 1 }],
  trafficSizes: [2, 3]
}

const printed = (plan: Plan) => {
  const said: Array<string> = []
  const report = new Report((text) => said.push(text.replaceAll(/\([\d.]+ min since the start\)/gu, "")))
  powerCutTable(plan, report)
  falseDeathsTable(plan, report)
  intervalTable(plan, report)
  lossyTable(plan, report)
  trafficTable(plan, report)
  const missed = report.bounds()
  return { text: said.join("\n"), lines: said.join("\n").split("\n"), missed }
}

describe("the tables", () => {
  it("are the same each time, and say of each bound whether it holds", () => {
    const once = printed(small)
    assert.strictEqual(once.text, printed(small).text)
    const held = once.lines.find((line) => line.startsWith("power cut, N=3: all know"))
    assert.match(held!, /≤ 3\.9 +held$/u)
    const missed = once.lines.find((line) => line.startsWith("power cut, N=4: all know"))
    assert.match(missed!, /≤ 0\.001 +NOT held$/u)
    assert.isAtLeast(once.missed, 1)
    for (const who of ["SWIM", "memberlist without Lifeguard", "memberlist", "ours"])
      assert.isTrue(
        once.lines.some((line) => new RegExp(`^N=3 +${who} +2 `, "u").test(line)),
        who
      )
  })

  it("what could not be run holds nothing, and larger meshes of ours are not tried", () => {
    const { lines, missed, text } = printed({ ...small, secondsMost: 0 })
    assert.strictEqual(lines.filter((line) => line.startsWith("ours, N=")).length, 2, text)
    assert.isTrue(
      lines.some((line) => /^power cut, N=4: all know.* not measured .*NOT held$/u.test(line)),
      text
    )
    assert.isTrue(
      lines.some((line) => /^messages a node and second, N=3.* not measured .*NOT held$/u.test(line)),
      text
    )
    assert.strictEqual(lines.filter((line) => line.endsWith("NOT held")).length, missed, text)
    assert.isTrue(
      lines.some((line) => line.startsWith("bounds: 0 hold, ")),
      text
    )
    // The baselines were run all the same.
    assert.isTrue(
      lines.some((line) => /^N=3 +SWIM +2 /u.test(line)),
      text
    )
  })
})

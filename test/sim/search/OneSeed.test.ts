/** One seed of a campaign: what it tells of itself, and seeds that once alarmed without a cause. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { draw } from "../../../sim/search/Draw.ts"
import { runDrawn, runSeed } from "../../../sim/search/OneSeed.ts"
import { FIELD, field, scenarioFrom } from "./Field.ts"

const options = { swarm: true, ledger: false }

describe("one seed", () => {
  it("reports the run that its draw is", () => {
    for (const seed of [1, 2, 3]) {
      const drawn = draw(field(), seed, { swarm: true })
      const result = runDrawn(drawn)
      const report = runSeed(field(), seed, options)
      assert.deepInclude(report, { seed, class: drawn.class, hash: result.hash, events: result.events, violations: [] })
      assert.deepStrictEqual(
        report.judged.map(({ place, status }) => [place, status]),
        drawn.expectations.map((place) => [place, "held"])
      )
      assert.isAbove(report.reached.length, 20)
    }
  })

  it("counts each fault's strikes and those that touched something", () => {
    const { effects } = runSeed(field(), 1, { swarm: false, ledger: false })
    const drawn = draw(field(), 1, { swarm: false })
    for (const source of ["fault/0", "fault/1"]) {
      const effect = effects.find((one) => one.source === source)
      assert.strictEqual(effect?.strikes, drawn.sources.filter((other) => other === source).length)
      assert.isAtMost(effect?.touched ?? 0, effect?.strikes ?? 0)
      assert.isAbove(effect?.touched ?? 0, 0)
      assert.isNull(effect?.mattered)
    }
    assert.isUndefined(
      effects.find(({ source }) => source === "step/0"),
      "a start is no fault"
    )
  })

  it("a crash that found its node dead already makes no drawn run undecided", () => {
    const twice = scenarioFrom(
      FIELD.replace("  - { at: dies + 10s", "  - { at: 13s, crash: main }\n  - { at: dies + 10s")
    )
    const { result } = { result: runDrawn(draw(twice, 3, { swarm: false })) }
    assert.strictEqual(result.effects[2], 0)
    assert.strictEqual(result.verdict, "passed")
  })
})

describe("seeds that alarmed without a cause", () => {
  const file = new URL("../../../scenarios/ghost-reconnect.yaml", import.meta.url)

  it("S11: a lease that a late answer renews for 105 ms, between two looks of the oracle", () => {
    assert.deepStrictEqual(runSeed(scenarioFrom(readFileSync(file, "utf8")), 830, options).violations, [])
  })
})

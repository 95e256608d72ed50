/** From when on a failure was inevitable: a bug of two planted steps shows a jump at each of them, and certainty behind the second. */
import { assert, describe, it } from "@effect/vitest"
import { breaksOf } from "../../../sim/explain/Breaks.ts"
import { type Inevitability, inevitability, planOf } from "../../../sim/explain/Inevitable.ts"
import { examine } from "../../../sim/explain/Examine.ts"
import { scenarioFrom } from "../search/Field.ts"
import { runScenario } from "../../../sim/run.ts"
import { ARMED_MS, BROKEN_MS, DELAY_MAX_MS, FAILING_SEED, kernel, scenario } from "./Planted.ts"

/** A message to a node is sent each half second at least, and its fate is drawn when it is sent. */
const SOONEST_MS = DELAY_MAX_MS
const LATEST_MS = 1_000

const share = ({ failed, of }: { readonly failed: number; readonly of: number }): number => failed / of

const explained = (seed: number): Inevitability => {
  const result = runScenario(scenario, { kernel, seed })
  const [failure] = breaksOf(result, ["laptop", "jetson"])
  assert(failure !== undefined)
  assert.strictEqual(failure.id, "S10")
  const found = inevitability({ scenario, seed, fuzzed: null }, failure, { kernel, totalEvents: result.events })
  assert.isNotNull(found)
  return found
}

describe("a bug of two steps", () => {
  const found = explained(FAILING_SEED)

  it("is unlikely at the beginning, open between its steps, and nearly certain nowhere before the second", () => {
    const between = (fromMs: number, untilMs: number) => {
      const those = found.curve.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs)
      return those.reduce((sum, moment) => sum + share(moment), 0) / those.length
    }
    assert.isBelow(between(0, ARMED_MS), 0.25)
    assert.closeTo(between(ARMED_MS + LATEST_MS, BROKEN_MS), 0.5, 0.15)
  })

  it("jumps where the two messages were sent that decided, and nowhere else", () => {
    assert.strictEqual(found.jumps.length, 2)
    for (const [i, plantedMs] of [ARMED_MS, BROKEN_MS].entries()) {
      const { after, before } = found.jumps[i]!
      assert.isAtLeast(after.atMs, plantedMs - SOONEST_MS)
      assert.isAtMost(after.atMs, plantedMs + LATEST_MS)
      assert.strictEqual(after.events - before.events, 1, "narrowed down to one input")
      assert.isAbove(share(after) - share(before), 0.25)
    }
  })

  it("is inevitable from the second on", () => {
    assert.deepStrictEqual(found.from, found.jumps[1]!.after)
    assert.strictEqual(found.from?.failed, found.from?.of)
  })

  it("comes out the same when it is asked again", () => {
    assert.deepStrictEqual(explained(FAILING_SEED), found)
  })
})

describe("a failure that hangs on nothing drawn", () => {
  it("was inevitable from the beginning, and has no jumps", () => {
    const text = scenario.text.replace("leader: laptop }", "leader: jetson }")
    const turned = scenarioFrom(text, "never.yaml")
    const result = runScenario(turned)
    const [failure] = breaksOf(result, ["laptop", "jetson"])
    const subject = { scenario: turned, seed: 1, fuzzed: null }
    const found = inevitability(subject, failure!, { totalEvents: result.events })
    assert.deepStrictEqual(found?.jumps, [])
    assert.strictEqual(found?.from?.atMs, 0)
    assert.isTrue(found?.curve.every(({ failed, of }) => failed === of))
  })
})

describe("a run that a campaign drew", () => {
  it("has other futures as well, with other random faults, also behind a branch", () => {
    const text = scenario.text.replace(
      "at: 25s, that: { leader: laptop }",
      "at: 25s, judge: everywhere, that: { leader: jetson }"
    )
    const turned = scenarioFrom(text, "drawn.yaml")
    const subject = { scenario: turned, seed: 4, fuzzed: { swarm: true, points: [{ after: 100, future: 2 }] } }
    const { breaks, result } = examine(subject)
    const found = inevitability(subject, breaks[0]!, { totalEvents: 30 * result.events })
    // A field node never leads, whatever strikes.
    assert.isTrue(found?.curve.every(({ failed, of }) => failed === of))
    assert.isAtLeast(found?.from?.events ?? 0, 100, "what was before its branch is no part of it")
  })
})

describe("how closely is looked", () => {
  it("depends on how long a run is, and of one that is too long nothing is tried", () => {
    assert.strictEqual(planOf(300)?.futures, 16)
    assert.isBelow(planOf(30_000)?.futures ?? 99, 16)
    assert.isNull(planOf(10_000_000))
  })
})

/** `skew`, and `boots-in: 1970`: what they do to the clocks of a node, and that it is taken back. */
import { assert, describe, it } from "@effect/vitest"
import { EPOCH_MS } from "../../../sim/engine/NodeClock.ts"
import { World } from "../../../sim/engine/World.ts"
import { scenarioOf } from "../oracles/Broken.ts"
import { bitten, touchedBy, type Bitten } from "./Bite.ts"

const ALONE = `scenario: Alone
seed: 1
lasts: 60s
nodes:
  a: { role: field }
timeline:
  - { at: 0s, start: everyone }`

/** How far the calendar of `b` is off, at the first input that it takes up from then on. */
const offMs = ({ taken }: Bitten, fromMs: number): number => {
  const seen = taken.find(({ atMs, name }) => name === "b" && atMs >= fromMs)!
  return seen.input.at.wall - EPOCH_MS - seen.atMs
}
/** How much `b`'s monotonic clock gains on true time from one moment to another, in percent. */
const gain = ({ taken }: Bitten, fromMs: number, toMs: number): number => {
  const own = taken.filter(({ atMs, name }) => name === "b" && atMs >= fromMs && atMs < toMs)
  const [first, last] = [own[0]!, own.at(-1)!]
  return ((last.input.at.mono - first.input.at.mono) / (last.atMs - first.atMs) - 1) * 100
}

describe("skew", () => {
  it("by: the calendar jumps and jumps back, the monotonic clock does not", () => {
    const run = bitten("  - { at: 20s, skew: { who: b, by: -1h }, for: 10s }")
    assert.deepStrictEqual([offMs(run, 19_000), offMs(run, 20_001), offMs(run, 30_001)], [0, -3_600_000, 0])
    assert.strictEqual(gain(run, 10_000, 40_000), 0)
    assert.isAbove(touchedBy(run, 1), 0)
    assert.deepStrictEqual(run.told, [
      "20000 world.skew -: b jumps by -3600 s",
      "30000 world.undo -: the clock of b as before"
    ])
  })

  it("to: 1970 and back to now", () => {
    const run = bitten("  - { at: 20s, skew: { who: b, to: 1970 } }\n  - { at: 30s, skew: { who: b, to: now } }")
    const early = run.taken.find(({ atMs, name }) => name === "b" && atMs > 20_000)!
    assert.strictEqual(early.input.at.wall, early.atMs - 20_000)
    assert.strictEqual(offMs(run, 30_001), 0)
  })

  it("rate: timers and the calendar run at it while it lasts, and at the clock's own afterwards", () => {
    const run = bitten("  - { at: 20s, skew: { who: b, rate: 20% }, for: 20s }")
    assert.approximately(gain(run, 5_000, 20_000), 0, 0.01)
    assert.approximately(gain(run, 20_001, 40_000), 20, 0.1)
    assert.approximately(gain(run, 40_001, 60_000), 0, 0.01)
    // What it gained stays with it.
    assert.approximately(offMs(run, 50_000), 4_000, 5)
  })

  it("a timer that waits rings by the new rate", () => {
    const beats = (run: Bitten) =>
      run.taken.filter(
        ({ atMs, input, name }) => name === "a" && input._tag === "Woke" && atMs > 20_000 && atMs < 40_000
      ).length
    const usual = beats(bitten(""))
    const fast = beats(bitten("  - { at: 20s, skew: { who: a, rate: 200% }, for: 20s }"))
    assert.isAbove(fast, 1.5 * usual)
  })

  it("of two rates the later counts, and its end is the end of both", () => {
    const run = bitten(`  - { at: 10s, skew: { who: b, rate: 30% }, for: 40s }
  - { at: 20s, skew: { who: b, rate: -20% }, for: 10s }`)
    assert.approximately(gain(run, 20_001, 30_000), -20, 0.1)
    assert.approximately(gain(run, 30_001, 45_000), 0, 0.01)
  })

  it("the end of the earlier leaves the later in force", () => {
    const run = bitten(`  - { at: 10s, skew: { who: b, rate: 30% }, for: 20s }
  - { at: 20s, skew: { who: b, rate: -20% }, for: 20s }`)
    assert.approximately(gain(run, 30_001, 40_000), -20, 0.1)
  })

  it("a timer that was set before rings when the clock shows its time", () => {
    const world = new World({ scenario: scenarioOf(ALONE), seed: 1 })
    world.run(20_000)
    const [machine] = world.machines
    let woke = 0
    const { host } = machine!
    machine!.host = {
      ...host!,
      state: () => host!.state(),
      deliver: (happened) => {
        if (happened._tag === "Woke") woke = world.nowMs
        host!.deliver(happened)
      }
    }
    machine!.setAlarm(machine!.clock.mono(20_000) + 10_000)
    machine!.reclock(machine!.clock.rated(20_000, 1_000_000))
    world.run(24_999)
    assert.strictEqual(woke, 0)
    world.run(25_000)
    assert.strictEqual(woke, 25_000)
  })

  it("what is read after it was taken back is none of its doing", () => {
    const run = bitten(`  - { at: 10s, crash: b }
  - { at: 20s, skew: { who: b, by: 1h }, for: 5s }
  - { at: 30s, start: b }`)
    assert.strictEqual(touchedBy(run, 2), 0)
  })

  it("nobody's clock that is down is read: it touches nothing", () => {
    const run = bitten("  - { at: 10s, crash: b }\n  - { at: 20s, skew: { who: b, by: 1h }, for: 10s }")
    assert.strictEqual(touchedBy(run, 2), 0)
  })

  it("what is set stays set over a restart", () => {
    const run = bitten("  - { at: 10s, skew: { who: b, by: 1h } }\n  - { at: 20s, restart: b }")
    assert.strictEqual(offMs(run, 20_000), 3_600_000)
  })
})

describe("boots-in: 1970", () => {
  it("each boot begins at the calendar's zero", () => {
    const run = bitten(
      "  - { at: 20s, skew: { who: b, to: now } }\n  - { at: 30s, restart: b }",
      "\n  a: { role: planner }\n  b: { role: standby-planner, boots-in: 1970 }\n  c: { role: field }"
    )
    const boots = run.taken.filter(({ input, name }) => name === "b" && input._tag === "Started")
    assert.deepStrictEqual(
      boots.map(({ input }) => input.at.wall),
      [0, 0]
    )
    assert.strictEqual(offMs(run, 20_001), 0)
  })
})

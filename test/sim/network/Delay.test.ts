import { assert, describe, it } from "@effect/vitest"
import { key } from "../../../kernel/Draw.ts"
import { delayAt, type Delay } from "../../../sim/network/Delay.ts"

const DRAWS = 20_000
const of = key(1, "delay-test", "x")

const drawn = (delay: Delay): ReadonlyArray<number> =>
  Array.from({ length: DRAWS }, (_, n) => delayAt(delay, of, n)).sort((a, b) => a - b)

const share = (values: ReadonlyArray<number>, holds: (ms: number) => boolean): number =>
  values.filter(holds).length / values.length

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, ms) => sum + ms, 0) / values.length

/** Draws are keyed: a run with other numbers is another program. */
describe("delays", () => {
  it("are integers within their bounds, and the same for the same key", () => {
    const delays: ReadonlyArray<readonly [Delay, number, number]> = [
      [{ _tag: "constant", ms: 7 }, 7, 7],
      [{ _tag: "uniform", ms: { min: 2, max: 20 } }, 2, 20],
      [{ _tag: "exponential", leastMs: 3, moreMs: 40 }, 3, 3 + 22 * 40],
      [{ _tag: "bimodal", usual: { min: 1, max: 2 }, rare: { min: 100, max: 200 }, rarePpm: 10_000 }, 1, 200],
      [{ _tag: "heavy-tail", leastMs: 5, mostMs: 4_000 }, 5, 4_000]
    ]
    for (const [delay, min, max] of delays) {
      const values = drawn(delay)
      assert.isTrue(values.every(Number.isSafeInteger), delay._tag)
      assert.isAtLeast(values[0]!, min, delay._tag)
      assert.isAtMost(values.at(-1)!, max, delay._tag)
      assert.deepStrictEqual(drawn(delay), values, delay._tag)
    }
  })

  it("constant and uniform reach both ends", () => {
    assert.deepStrictEqual(new Set(drawn({ _tag: "constant", ms: 7 })), new Set([7]))
    const uniform = drawn({ _tag: "uniform", ms: { min: 2, max: 20 } })
    assert.deepStrictEqual([uniform[0], uniform.at(-1), new Set(uniform).size], [2, 20, 19])
  })

  it("exponential: its mean, its median, and one in a hundred beyond 4.6 times the mean", () => {
    const values = drawn({ _tag: "exponential", leastMs: 0, moreMs: 10_000 })
    assert.closeTo(mean(values), 10_000, 200)
    assert.closeTo(values[DRAWS / 2]!, 6_667, 200)
    assert.closeTo(
      share(values, (ms) => ms > 46_052),
      0.01,
      0.003
    )
  })

  it("bimodal: the rare range as often as said, and nothing between the two", () => {
    const values = drawn({
      _tag: "bimodal",
      usual: { min: 1, max: 2 },
      rare: { min: 100, max: 200 },
      rarePpm: 50_000
    })
    assert.closeTo(
      share(values, (ms) => ms >= 100),
      0.05,
      0.005
    )
    assert.strictEqual(
      share(values, (ms) => ms > 2 && ms < 100),
      0
    )
    assert.closeTo(mean(values.filter((ms) => ms >= 100)), 150, 5)
  })

  it("table: each of the delays that were measured, one about as often as another, and none besides", () => {
    const all = drawn({ _tag: "table", ms: [3, 3, 4, 250] })
    const share = (ms: number): number => all.filter((one) => one === ms).length / all.length
    assert.closeTo(share(3), 1 / 2, 0.03)
    assert.closeTo(share(4), 1 / 4, 0.03)
    assert.closeTo(share(250), 1 / 4, 0.03)
    assert.deepStrictEqual(new Set(all), new Set([3, 4, 250]))
  })

  it("heavy tail: half below 1.6 times the least, one in a thousand beyond 100 times, none beyond the most", () => {
    const values = drawn({ _tag: "heavy-tail", leastMs: 1_000, mostMs: 100_000_000 })
    assert.closeTo(values[DRAWS / 2]!, 1_587, 30)
    assert.closeTo(
      share(values, (ms) => ms > 100_000),
      0.001,
      0.0006
    )
    const cut = drawn({ _tag: "heavy-tail", leastMs: 1_000, mostMs: 9_000 })
    assert.strictEqual(cut.at(-1), 9_000)
    assert.isAbove(
      share(cut, (ms) => ms === 9_000),
      0.02
    )
  })
})

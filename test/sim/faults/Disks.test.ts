/** `disk`, `crash` with a fate, and `crash-at-write`: what a machine has and does afterwards. */
import { assert, describe, it } from "@effect/vitest"
import { bitten, touchedBy, type Bitten } from "./Bite.ts"

const stored = ({ taken }: Bitten, name: string, fromMs: number, untilMs: number): number =>
  taken.filter((one) => one.name === name && one.input._tag === "Stored" && one.atMs >= fromMs && one.atMs < untilMs)
    .length
const incarnations = ({ result }: Bitten, name: string): ReadonlyArray<number | undefined> =>
  result.happenings.flatMap(({ detail, event, node }) =>
    event === "node.started" && node === name ? [detail.incarnation] : []
  )
const ofMachine = ({ told }: Bitten, name: string): ReadonlyArray<string> =>
  told.filter((line) => line.includes(` ${name}: `)).map((line) => line.split(": ")[0]!)

describe("disk", () => {
  it("hanging: nothing is stored, and what waited is stored when it is mended", () => {
    // Whoever starts has to store its incarnation first.
    const run = bitten("  - { at: 20s, disk: { who: d, is: hanging }, for: 10s }\n  - { at: 21s, restart: d }")
    assert.strictEqual(stored(run, "d", 20_000, 30_000), 0)
    assert.isAbove(stored(run, "d", 30_000, 30_100), 0)
    assert.isAbove(touchedBy(run, 1), 0)
  })

  it("slow: each write takes so long", () => {
    const run = bitten("  - { at: 20s, disk: { who: d, slow: 2s..3s }, for: 10s }\n  - { at: 21s, restart: d }")
    assert.strictEqual(stored(run, "d", 21_000, 23_000), 0)
    assert.isAbove(stored(run, "d", 23_000, 24_001), 0)
    assert.isAbove(touchedBy(run, 1), 0)
    const after = bitten("  - { at: 20s, disk: { who: d, slow: 2s..3s }, for: 10s }\n  - { at: 31s, restart: d }")
    assert.isAbove(stored(after, "d", 31_000, 31_100), 0)
    assert.strictEqual(touchedBy(after, 1), 0, "nobody wrote while it was slow")
  })

  for (const [is, why] of [
    ["failing", /error/u],
    ["full", /full/u]
  ] as const)
    it(`${is}: whoever starts from it does not come up, and does when it is mended`, () => {
      const run = bitten(
        `  - { at: 20s, disk: { who: d, is: ${is} }, for: 10s }\n  - { at: 21s, restart: d }\n  - { at: 31s, start: d }`
      )
      assert.deepStrictEqual(incarnations(run, "d"), [1, 2])
      const end = run.told.find((line) => /world\.(?:failed|refused) d/u.test(line))!
      assert.match(end, why)
      assert.isAbove(touchedBy(run, 1), 0)
    })
})

describe("crash: { who, disk }", () => {
  it("kept: the next incarnation", () => {
    const run = bitten("  - { at: 20s, crash: { who: d, disk: kept }, for: 5s }")
    assert.deepStrictEqual(incarnations(run, "d"), [1, 2])
    assert.strictEqual(touchedBy(run, 1), 1)
  })

  it("lost: it has forgotten who it was, asks, and is told", () => {
    const run = bitten("  - { at: 20s, crash: { who: d, disk: lost }, for: 5s }")
    assert.deepStrictEqual(incarnations(run, "d"), [1, 2])
    assert.isTrue(run.result.happenings.some(({ event, node }) => node === "d" && event === "node.amnesia"))
    assert.deepStrictEqual(ofMachine(run, "d"), ["20000 world.crash d", "25000 world.restart d"])
  })

  it("wiped: it starts as new", () => {
    const run = bitten("  - { at: 20s, crash: { who: d, disk: wiped }, for: 5s }")
    assert.deepStrictEqual(incarnations(run, "d"), [1, 1])
  })

  it("torn: only where something is being written", () => {
    const quiet = bitten("  - { at: 20s, crash: { who: d, disk: torn }, for: 5s }")
    assert.strictEqual(touchedBy(quiet, 1), 0)
    const busy = bitten("  - { at: 20s, restart: d }\n  - { at: 20s, crash: { who: d, disk: torn }, for: 5s }")
    assert.strictEqual(touchedBy(busy, 2), 1)
    assert.isAbove(incarnations(busy, "d").length, 1)
  })
})

describe("crash-at-write", () => {
  it("the power goes in the middle of the record after so many, and comes back", () => {
    const moments = [0, 1, 2, 3, 4].map((after) => {
      const run = bitten(`  - { at: 0s, crash-at-write: { who: a, after: exactly ${after} }, for: 30s }`)
      const crash = run.told.find((line) => line.includes("world.crash a: in the middle of a write"))
      assert.isDefined(crash)
      const atMs = Number(crash!.split(" ")[0])
      // Its first record was asked for before the trap was set.
      assert.isAtMost(stored(run, "a", 0, atMs + 1), after + 1)
      assert.strictEqual(touchedBy(run, 1), 1)
      assert.isTrue(run.told.includes("30000 world.restart a: a"))
      assert.deepStrictEqual(incarnations(run, "a").at(-1), 2)
      return atMs
    })
    assert.deepStrictEqual(
      moments,
      moments.toSorted((x, y) => x - y)
    )
    assert.strictEqual(new Set(moments).size, moments.length)
  })

  it("who stores nothing more is left alone, and the trap is gone with the step", () => {
    const run = bitten(
      "  - { at: 20s, crash-at-write: { who: e, after: exactly 0 }, for: 5s }\n  - { at: 26s, restart: e }"
    )
    assert.strictEqual(touchedBy(run, 1), 0)
    assert.deepStrictEqual(ofMachine(run, "e"), ["26000 world.restart e"])
  })
})

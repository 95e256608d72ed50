/** Whom a step strikes: words are resolved when it does, and what they were is told. */
import { assert, describe, it } from "@effect/vitest"
import { Run } from "../../../sim/run.ts"
import { scenarioOf } from "../oracles/Broken.ts"
import { bitten, type Bitten } from "./Bite.ts"

/** Of the step at 20 s. */
const struck = ({ told }: Bitten): string =>
  told
    .find((line) => line.startsWith("20000 "))!
    .split(": ")
    .slice(1)
    .join(": ")
const listOf = (run: Bitten): ReadonlyArray<string> => struck(run).split(", ")
const seeds = [1, 2, 3, 4, 5, 6, 7, 8]

describe("words for some nodes", () => {
  it("everyone but: a node, a role, whoever leads at that moment", () => {
    assert.strictEqual(struck(bitten("  - { at: 20s, freeze: everyone but d, for: 1s }")), "a, b, c, e")
    assert.strictEqual(struck(bitten("  - { at: 20s, freeze: everyone but leader, for: 1s }")), "b, c, d, e")
    // Meanwhile another leads.
    assert.strictEqual(
      struck(bitten("  - { at: 5s, crash: a }\n  - { at: 20s, freeze: everyone but leader, for: 1s }")),
      "a, c, d, e"
    )
  })

  it("half: two of five, not always the same two, in the order of the file", () => {
    const halves = seeds.map((seed) => listOf(bitten("  - { at: 20s, freeze: half, for: 1s }", undefined, { seed })))
    for (const half of halves) {
      assert.strictEqual(half.length, 2)
      assert.deepStrictEqual(half, half.toSorted())
    }
    assert.isAbove(new Set(halves.map(String)).size, 2)
  })

  it("a majority without the leader: of the electors, as many as decide", () => {
    assert.deepStrictEqual(listOf(bitten("  - { at: 20s, freeze: a majority without the leader, for: 1s }")), [
      "b",
      "c"
    ])
    assert.deepStrictEqual(
      listOf(bitten("  - { at: 5s, crash: a }\n  - { at: 20s, freeze: a majority without the leader, for: 1s }")),
      ["a", "c"]
    )
  })

  it("the others: who is in no other list of the step", () => {
    assert.strictEqual(
      struck(bitten("  - { at: 20s, partition: [[leader, d], [the others]], for: 1s }")),
      "a, d | b, c, e"
    )
    assert.strictEqual(
      struck(bitten("  - { at: 20s, cut: { from: leader, to: the others }, for: 1s }")),
      "a → b, c, d, e"
    )
    for (const seed of seeds) {
      const [half, rest] = struck(
        bitten("  - { at: 20s, partition: [[half], [the others]], for: 1s }", undefined, { seed })
      ).split(" | ")
      assert.deepStrictEqual([...half!.split(", "), ...rest!.split(", ")].toSorted(), ["a", "b", "c", "d", "e"])
    }
  })

  it("somebody's copy beside the scenario is meant by its name only, and asked nothing", () => {
    const scenario = scenarioOf(`scenario: A copy
seed: 1
lasts: 30s
electors: [a, b, c]
nodes:
  a: { role: planner }
  b: { role: standby-planner }
  c: { role: field }
  d: { role: field }
timeline:
  - { at: 0s, start: everyone }
  - { at: 12s, partition: [[a, b], [the others]], for: 1s }
  - { at: 14s, freeze: half, for: 1s }`)
    const copy = { ...scenario.nodes[3]!, name: "copy-of.d", sameKeyAs: "d", beside: true } as const
    const start = { ...scenario.timeline[0]!, atMs: 10_000, verb: { _tag: "start", who: ["copy-of.d"] } as const }
    const run = new Run({ ...scenario, nodes: [...scenario.nodes, copy], timeline: [...scenario.timeline, start] })
    const told: Array<string> = []
    run.go(() => {
      if (told.length === 0 && run.world.nowMs > 11_000) told.push(...run.world.view.nodes.map(({ name }) => name))
      return false
    })
    const { happenings, violations } = run.finish()
    assert.deepStrictEqual(violations, [])
    assert.deepStrictEqual(told, ["a", "b", "c", "d"])
    const of = (event: string) => happenings.filter((one) => one.event === event).map(({ detail }) => detail.reason)
    assert.deepStrictEqual(of("world.start"), ["a, b, c, d", "copy-of.d"])
    assert.deepStrictEqual(of("world.partition"), ["a, b | c, d"])
    assert.isTrue(of("world.freeze").every((names) => names?.split(", ").length === 2 && !names.includes("copy")))
    const conflicts = happenings.filter(
      ({ detail, event }) => event === "connection.refused" && detail.code === "IDENTITY_CONFLICT"
    )
    assert.isNotEmpty(conflicts)
  })

  it("a step more draws nothing anew for another", () => {
    const alone = bitten("  - { at: 20s, freeze: half, for: 1s }")
    const with_ = bitten("  - { at: 20s, freeze: half, for: 1s }\n  - { at: 30s, freeze: half, for: 1s }")
    assert.strictEqual(struck(with_), struck(alone))
  })
})

/** P15.1, P15.2: patterns, and how well a capability fits one. */
import { assert, describe, it } from "@effect/vitest"
import { matches, read, score } from "../../../kernel/routing/Capability.ts"

describe("capabilities", () => {
  const cases: ReadonlyArray<readonly [pattern: string, id: string, fits: boolean]> = [
    ["actuator:pump-1", "actuator:pump-1", true],
    ["actuator:pump-1", "actuator:pump-2", false],
    ["actuator:*", "actuator:pump-1", true],
    ["actuator:*", "actuator:pump-1:slow", true],
    ["actuator:*", "actuator", true],
    ["actuator:*", "sensor:rain", false],
    ["actuator:pump-1", "actuator:pump-1:slow", false],
    ["actuator:pump-1:slow", "actuator:pump-1", false],
    ["*", "anything:at:all", true],
    ["llm:local:*", "llm:local:qwen", true],
    ["llm:local:*", "llm:remote:qwen", false],
    ["", "", true],
    ["", "actuator:pump-1", false]
  ]
  for (const [pattern, id, fits] of cases)
    it(`P15.1: ${JSON.stringify(pattern)} ${fits ? "fits" : "does not fit"} ${JSON.stringify(id)}`, () =>
      assert.strictEqual(matches(pattern, id), fits))

  it("P15.2: points by health, and five more for the id itself", () => {
    const of = (health: "healthy" | "degraded" | "unknown" | "unhealthy", pattern: string) =>
      score(pattern, { id: "a:b", health })
    assert.deepStrictEqual(
      (["healthy", "degraded", "unknown", "unhealthy"] as const).map((health) => [
        of(health, "a:*"),
        of(health, "a:b")
      ]),
      [
        [10, 15],
        [5, 10],
        [3, 8],
        [0, 5]
      ]
    )
  })

  it("what does not read in a list of them is left out", () => {
    assert.deepStrictEqual(
      read(["a:b", { id: "c:d", health: "degraded" }, { id: "e:f", health: "fine" }, 7, null, { id: 1 }]),
      [
        { id: "a:b", health: "unknown" },
        { id: "c:d", health: "degraded" },
        { id: "e:f", health: "unknown" }
      ]
    )
    for (const none of [undefined, null, "a:b", {}, 3]) assert.deepStrictEqual(read(none), [])
    assert.strictEqual(read(Array.from({ length: 1_000 }, (_, i) => `a:${i}`)).length, 256)
  })
})

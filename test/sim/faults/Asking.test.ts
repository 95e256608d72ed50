/** `ask`: a program asks over the session that its device has, as often as it says and no longer. */
import { assert, describe, it } from "@effect/vitest"
import { bitten, touchedBy, type Bitten } from "./Bite.ts"

const asked = ({ taken }: Bitten, fromMs: number, toMs: number): number =>
  taken.filter(
    ({ atMs, from, input, name }) =>
      name === "a" &&
      from === "d" &&
      atMs >= fromMs &&
      atMs < toMs &&
      input._tag === "Received" &&
      input.frame.type === "req" &&
      input.frame.method === "mesh.peers"
  ).length

describe("ask", () => {
  it("each so often, over the session, until its for: is over; the answers come back", () => {
    const bite = bitten("  - { at: 10s, ask: { from: d, to: a, each: 100ms }, for: 20s }")
    assert.strictEqual(touchedBy(bite, 1), 200)
    assert.strictEqual(asked(bite, 9_000, 10_000), 0)
    assert.strictEqual(asked(bite, 9_000, 40_000), 200)
    const answers = bite.taken.filter(
      ({ atMs, from, input, name }) =>
        name === "d" && from === "a" && atMs > 9_000 && input._tag === "Received" && input.frame.type === "res"
    )
    assert.lengthOf(answers, 200)
    assert.include(bite.told, "30000 world.undo d: d asks no more")
  })

  it("not while there is no session, nor while it stands still; and it ends with its process", () => {
    const cut = "  - { at: 15s, freeze: d, for: 1s }\n  - { at: 20s, crash: d, for: 3s }"
    const bite = bitten(`  - { at: 10s, ask: { from: d, to: a, each: 100ms }, for: 30s }\n${cut}`)
    assert.isAtMost(asked(bite, 15_100, 16_000), 0)
    assert.isAbove(asked(bite, 16_000, 20_000), 30)
    assert.strictEqual(asked(bite, 20_100, 60_000), 0)
    const alone = bitten(
      "  - { at: 5s, isolate: d, for: 50s }\n  - { at: 20s, ask: { from: d, to: a, each: 100ms }, for: 5s }"
    )
    assert.strictEqual(touchedBy(alone, 2), 0)
  })
})

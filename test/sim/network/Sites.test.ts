/** What paths are usually like, by the sites of their ends. */
import { assert, describe, it } from "@effect/vitest"
import { both, Lab } from "./Lab.ts"

const exactly = (ms: number, lossPpm = 0) => ({ delayMs: { min: ms, max: ms }, lossPpm })
const USUAL = {
  ...exactly(10),
  sites: [
    { name: "barn", nodes: ["a", "b"] },
    { name: "house", nodes: ["c"] }
  ],
  withinSites: exactly(1),
  betweenSites: exactly(200)
}

const crossingMs = (lab: Lab, from: string, to: string): number => {
  const connection = lab.open(from, to)
  const sentMs = lab.nowMs
  lab.say(connection, 0, "x")
  lab.run(5_000)
  return lab.whenMs(to, "x") - sentMs
}

describe("sites", () => {
  it("within one, between two, and of nodes that are in none", () => {
    const lab = new Lab(["a", "b", "c", "d", "e"], USUAL)
    assert.deepStrictEqual(
      ["ab", "ac", "ca", "ad", "de"].map(([from = "", to = ""]) => crossingMs(lab, from, to)),
      [1, 200, 200, 10, 10]
    )
  })

  it("what only one of the two kinds says leaves the other as it is", () => {
    const { withinSites: _, ...rest } = USUAL
    const lab = new Lab(["a", "b", "c"], rest)
    assert.deepStrictEqual([crossingMs(lab, "a", "b"), crossingMs(lab, "a", "c")], [10, 200])
  })

  it("loss is of the path as well; what lies on a path comes before both", () => {
    const lab = new Lab(["a", "b", "c"], { ...USUAL, betweenSites: exactly(200, 1_000_000) })
    assert.strictEqual(crossingMs(lab, "a", "b"), 1)
    const delay = { _tag: "constant", ms: 7 } as const
    const id = lab.network.apply({ _tag: "slow", pairs: both("a", "c"), delay, lossPpm: 0 })
    const connection = lab.open("a", "c")
    const saidMs = lab.nowMs
    lab.say(connection, 0, "over the rule")
    lab.run(1_000)
    lab.network.undo(id)
    lab.say(connection, 0, "over the loss")
    lab.run(20_000)
    assert.strictEqual(lab.whenMs("c", "over the rule") - saidMs, 7)
    assert.isAbove(lab.whenMs("c", "over the loss") - saidMs - 1_000, 400)
  })

  it("it may change, and a fork has it of its own", () => {
    const lab = new Lab(["a", "b", "c"], USUAL)
    const fork = lab.fork()
    fork.network.setUsual(exactly(30))
    assert.deepStrictEqual([crossingMs(lab, "a", "c"), crossingMs(fork, "a", "c")], [200, 30])
  })
})

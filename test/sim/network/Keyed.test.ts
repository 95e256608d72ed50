import { assert, describe, it } from "@effect/vitest"
import { between } from "../../../kernel/Draw.ts"
import type { Connection } from "../../../sim/network/Connection.ts"
import type { Rule } from "../../../sim/network/Rule.ts"
import { Lab } from "./Lab.ts"

const on = [
  ["a", "b"],
  ["b", "a"]
] as const

const RULES: ReadonlyArray<Rule> = [
  { _tag: "cut", pairs: on },
  { _tag: "partition", groups: [["a"], ["b"]] },
  { _tag: "flap", pairs: on, cutMs: { min: 100, max: 900 }, openMs: { min: 100, max: 900 } },
  { _tag: "swizzle", pairs: on, cutOverMs: 100, healAfterMs: 1_000, healOverMs: 900 },
  { _tag: "clog", pairs: on },
  { _tag: "slow", pairs: on, delay: { _tag: "exponential", leastMs: 5, moreMs: 300 }, lossPpm: 300_000 },
  { _tag: "offset", pairs: on, ms: { min: 10, max: 90 } },
  { _tag: "burst-loss", pairs: on, enterPpm: 200_000, leavePpm: 200_000, badPpm: 900_000, goodPpm: 10_000 },
  { _tag: "capacity", pairs: on, bytesPerSecond: 100 },
  { _tag: "late-close", pairs: on, lateMs: { min: 100, max: 2_000 } },
  { _tag: "lossy-close", pairs: on, ppm: 1_000_000 },
  { _tag: "reset", pairs: on, ends: "both" },
  { _tag: "half-open", pairs: on, told: true, answer: "silence" },
  { _tag: "idle-cut", pairs: on, idleMs: 50, answer: "reset" },
  { _tag: "duplicate", pairs: on, ppm: 500_000, lateMs: { min: 1, max: 900 }, anywhere: true },
  { _tag: "reorder", pairs: on, ppm: 500_000, places: 3 },
  { _tag: "corrupt", pairs: on, ppm: 500_000 }
]

/** Two couples that talk, end and dial again, on a path with loss; a rule lies on the one of them for a while. */
const twoCouples = (rule: Rule | null): Lab => {
  const lab = new Lab(["a", "b", "c", "d"], { delayMs: { min: 2, max: 60 }, lossPpm: 50_000 }, 7)
  const talk = (connection: Connection, couple: string, turn: number): void => {
    for (const side of [0, 1] as const) lab.say(connection, side, `${couple} ${turn} ${side}`)
  }
  let ab = lab.network.dial(lab.host("a"), lab.host("b"), 1)
  let cd = lab.network.dial(lab.host("c"), lab.host("d"), 2)
  let id = 0
  lab.run(5_000)
  for (let turn = 0; turn < 120; turn++) {
    if (turn === 20 && rule !== null) id = lab.network.apply(rule, "step")
    if (turn === 80 && rule !== null) lab.network.undo(id)
    talk(ab, "ab", turn)
    talk(cd, "cd", turn)
    if (turn % 30 === 29) {
      lab.network.close(ab, 0, turn % 60 === 29)
      lab.network.close(cd, 0, turn % 60 === 29)
      ab = lab.network.dial(lab.host("a"), lab.host("b"), 1)
      cd = lab.network.dial(lab.host("c"), lab.host("d"), 2)
      lab.run(5_000)
    }
    lab.run(between(7, "talk", "gap", turn, 1, 40))
  }
  lab.run(60_000)
  if (rule !== null) assert.isAbove(lab.network.touched(id), 0, rule._tag)
  return lab
}

const of = (lab: Lab, one: string, other: string) =>
  lab.log.filter(({ host }) => host === one || host === other).map(({ atMs, host, what }) => `${atMs} ${host} ${what}`)

describe("randomness is keyed", () => {
  const without = twoCouples(null)

  for (const rule of RULES)
    it(`${rule._tag}: a rule on one pair alters something there, and no event of the other pair`, () => {
      const withRule = twoCouples(rule)
      assert.notDeepEqual(of(withRule, "a", "b"), of(without, "a", "b"))
      assert.deepStrictEqual(of(withRule, "c", "d"), of(without, "c", "d"))
      assert.isAbove(of(without, "c", "d").length, 150)
    })

  it("a rule of messages moves no packet of the same path: what it leaves alone arrives when it did", () => {
    const times = (rules: ReadonlyArray<Rule>): ReadonlyArray<number> => {
      const lab = new Lab(["a", "b"], { delayMs: { min: 2, max: 60 }, lossPpm: 50_000 }, 3)
      const connection = lab.open("a", "b")
      const ids = rules.map((rule, place) => lab.network.apply(rule, `step ${place}`))
      for (let n = 0; n < 300; n++) {
        lab.say(connection, 0, String(n))
        lab.run(7)
      }
      lab.run(60_000)
      for (const id of ids) assert.isAbove(lab.network.touched(id), 50)
      return lab.log.map(({ atMs }) => atMs)
    }
    const plain = times([])
    assert.lengthOf(plain, 300)
    // The copies come after the end.
    const lateMs = { min: 500_000, max: 900_000 }
    const duplicate: Rule = { _tag: "duplicate", pairs: [["a", "b"]], ppm: 300_000, lateMs, anywhere: false }
    const corrupt: Rule = { _tag: "corrupt", pairs: [["a", "b"]], ppm: 300_000 }
    assert.deepStrictEqual(times([duplicate]), plain)
    assert.deepStrictEqual(times([corrupt]), plain)
    assert.deepStrictEqual(times([corrupt, duplicate]), plain)
  })

  it("what a rule draws depends on its name and not on its number", () => {
    const phases = (before: number, name: string): string => {
      const lab = new Lab(["a", "b", "c"])
      const connection = lab.open("a", "b")
      for (let n = 0; n < before; n++) lab.network.apply({ _tag: "cut", pairs: [["b", "c"]] })
      lab.network.apply({ ...(RULES[2] as Extract<Rule, { readonly _tag: "flap" }>), pairs: [["a", "b"]] }, name)
      let out = ""
      for (let n = 0; n < 500; n++) {
        const buffered = lab.network.buffered(connection, 0)
        lab.say(connection, 0, "x")
        out += lab.network.buffered(connection, 0) > buffered ? "-" : "x"
        lab.run(10)
      }
      return out
    }
    assert.strictEqual(phases(3, "one"), phases(0, "one"))
    assert.notStrictEqual(phases(0, "two"), phases(0, "one"))
  })
})

import { assert, describe, it } from "@effect/vitest"
import type { Pair, Rule } from "../../../sim/network/Rule.ts"
import { farm, type Farm } from "../engine/Farm.ts"

const SEEDS = 8
const FROM_MS = 10_000
const UNTIL_MS = 70_000
/** A probation of those that flapped may last five minutes. */
const END_MS = 480_000

const names = ["main", "backup", "field"]
const pairs = names.flatMap((from) => names.flatMap((to): ReadonlyArray<Pair> => (from === to ? [] : [[from, to]])))

/** As a campaign would draw them: enough to be met, not so much that nothing is left. */
const RULES: ReadonlyArray<Rule> = [
  { _tag: "flap", pairs, cutMs: { min: 200, max: 4_000 }, openMs: { min: 200, max: 9_000 } },
  { _tag: "swizzle", pairs, cutOverMs: 5_000, healAfterMs: 9_000, healOverMs: 8_000 },
  { _tag: "slow", pairs, delay: { _tag: "heavy-tail", leastMs: 5, mostMs: 4_000 }, lossPpm: 100_000 },
  { _tag: "burst-loss", pairs, enterPpm: 30_000, leavePpm: 100_000, badPpm: 700_000, goodPpm: 1_000 },
  { _tag: "offset", pairs, ms: { min: 0, max: 900 } },
  { _tag: "capacity", pairs, bytesPerSecond: 1_500 },
  { _tag: "clog", pairs: pairs.slice(0, 2) },
  { _tag: "partition", groups: [["main"], ["backup", "field"]] },
  { _tag: "late-close", pairs, lateMs: { min: 100, max: 60_000 } },
  { _tag: "lossy-close", pairs, ppm: 500_000 },
  { _tag: "idle-cut", pairs, idleMs: 400, answer: "silence" },
  { _tag: "reset", pairs, ends: "from" },
  { _tag: "half-open", pairs, told: false, answer: "silence" },
  { _tag: "duplicate", pairs, ppm: 100_000, lateMs: { min: 1, max: 90_000 }, anywhere: true },
  { _tag: "reorder", pairs, ppm: 100_000, places: 4 },
  { _tag: "corrupt", pairs, ppm: 20_000 }
]

/** All run, one of them leads, and all name it. */
const well = ({ world }: Farm): boolean => {
  const { nodes } = world.view
  const leaders = new Set(nodes.map(({ leader }) => leader))
  return nodes.every(({ running }) => running) && leaders.size === 1 && !leaders.has(null)
}

describe("whole kernels under each rule of the network", () => {
  for (const rule of RULES)
    it(`${rule._tag}: no invariant breaks, and when it is gone the mesh is well`, () => {
      let touched = 0
      for (let seed = 1; seed <= SEEDS; seed++) {
        const it = farm({ seed })
        const { network } = it.world
        let id = 0
        it.at(FROM_MS, () => {
          id = network.apply(rule, "rule")
        })
        // Connections end, politely and not, and new ones are opened, whatever the rule does.
        it.at(30_000, () => void it.main.crash(true))
        it.at(40_000, () => it.main.start())
        it.at(50_000, () => it.backup.leave())
        it.at(55_000, () => it.backup.start())
        it.at(UNTIL_MS, () => network.mendAll())
        it.runTo(END_MS)
        assert.isTrue(well(it), `seed ${seed}`)
        touched += network.touched(id)
      }
      assert.isAbove(touched, 0)
    })
})

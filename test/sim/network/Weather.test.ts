import { assert, describe, it } from "@effect/vitest"
import type { Connection } from "../../../sim/network/Connection.ts"
import type { Rule } from "../../../sim/network/Rule.ts"
import { both, Lab } from "./Lab.ts"

/** Whether what the dialler says now has to wait. */
const waits = (lab: Lab, connection: Connection): boolean => {
  const before = lab.network.buffered(connection, 0)
  lab.say(connection, 0, "x")
  return lab.network.buffered(connection, 0) > before
}

describe("cuts", () => {
  it("C12: one way holds one way; what waited comes with TCP's first repeat after the heal, in order", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    const beganMs = lab.nowMs
    const id = lab.network.apply({ _tag: "cut", pairs: [["a", "b"]] })
    lab.say(connection, 0, "one")
    lab.run(100)
    lab.say(connection, 0, "two")
    lab.say(connection, 1, "the other way")
    lab.run(700)
    assert.deepStrictEqual([lab.words("a"), lab.words("b")], [["the other way"], []])
    lab.network.undo(id)
    lab.run(5_000)
    assert.deepStrictEqual(lab.words("b"), ["one", "two"])
    // Repeated 200, 600 and 1,400 ms after it was first sent.
    assert.strictEqual(lab.whenMs("b", "one"), beganMs + 1_400)
    assert.deepStrictEqual(lab.network.effects(id), {
      delayed: 2,
      dropped: 0,
      changed: 0,
      openings: 0,
      connections: 0
    })
  })

  it("several on one path are undone one by one, each has its own count, and a second undo is none", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    const first = lab.network.apply({ _tag: "cut", pairs: both("a", "b") })
    lab.say(connection, 0, "one")
    const second = lab.network.apply({ _tag: "cut", pairs: [["a", "b"]] })
    lab.say(connection, 0, "two")
    lab.network.undo(first)
    lab.network.undo(first)
    lab.run(1_000)
    assert.deepStrictEqual(lab.log, [])
    assert.deepStrictEqual([lab.network.touched(first), lab.network.touched(second)], [2, 1])
    lab.network.undo(second)
    lab.run(1_000)
    assert.deepStrictEqual(lab.words("b"), ["one", "two"])
  })

  it("what is healed by hand on one path is not cut again, and goes on elsewhere", () => {
    const lab = new Lab(["a", "b", "c"])
    const [ab, ac] = [lab.open("a", "b"), lab.open("a", "c")]
    const flap: Rule = {
      _tag: "flap",
      pairs: [
        ["a", "b"],
        ["a", "c"]
      ],
      cutMs: { min: 50, max: 50 },
      openMs: { min: 1, max: 1 }
    }
    const ids = [
      lab.network.apply(flap),
      lab.network.apply({ _tag: "partition", groups: [["a"], ["b", "c"]] }),
      lab.network.apply({ _tag: "slow", pairs: [["a", "b"]], delay: { _tag: "constant", ms: 500 }, lossPpm: null })
    ]
    lab.network.restore("a", "b")
    for (let n = 0; n < 10; n++) {
      lab.run(60)
      lab.say(ab, 0, `b${n}`)
      lab.say(ac, 0, `c${n}`)
    }
    lab.run(10)
    assert.lengthOf(lab.words("b"), 10)
    assert.lengthOf(lab.words("c"), 0)
    for (const id of ids) lab.network.undo(id)
    lab.run(10_000)
    assert.lengthOf(lab.words("c"), 10)
  })
})

describe("partitions", () => {
  it("part groups, leave whoever is in none, and may overlap: each is undone by itself", () => {
    const names = ["a", "b", "c", "d"]
    const lab = new Lab(names)
    const connections = names.flatMap((from, i) => names.slice(i + 1).map((to) => lab.open(from, to)))
    const heard = (): string => {
      lab.log.length = 0
      for (const connection of connections) lab.say(connection, 0, connection.ports[0].name)
      lab.run(10)
      return lab.log
        .map(({ host, what }) => what + host)
        .sort()
        .join(" ")
    }
    const all = "ab ac ad bc bd cd"
    assert.strictEqual(heard(), all)
    const one = lab.network.apply({ _tag: "partition", groups: [["a", "b"], ["c"]] })
    assert.strictEqual(heard(), "ab ad bd cd")
    const two = lab.network.apply({ _tag: "partition", groups: [["a", "c"], ["b"], ["d"]] })
    assert.strictEqual(heard(), "")
    lab.network.undo(one)
    lab.run(60_000)
    assert.strictEqual(heard(), "ac")
    lab.network.undo(two)
    lab.run(60_000)
    assert.strictEqual(heard(), all)
  })

  it("count a machine that is named twice where it is named first", () => {
    const lab = new Lab(["a", "b", "c"])
    const connections = [lab.open("a", "b"), lab.open("a", "c")]
    lab.network.apply({
      _tag: "partition",
      groups: [
        ["a", "b"],
        ["c", "b"]
      ]
    })
    assert.deepStrictEqual(
      connections.map((connection) => waits(lab, connection)),
      [false, true]
    )
  })

  it("hold for machines that nobody had met when they came", () => {
    const lab = new Lab(["a", "late"])
    const id = lab.network.apply({ _tag: "partition", groups: [["a"], ["late"]] })
    lab.network.dial(lab.host("a"), lab.host("late"), 1)
    lab.run(20_000)
    assert.deepStrictEqual(lab.words("a"), ["timeout"])
    assert.isAbove(lab.network.effects(id).openings, 2)
  })
})

describe("what changes by itself", () => {
  it("a flapping link is cut and open in turns, for as long as drawn, until it is undone", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    const id = lab.network.apply(
      { _tag: "flap", pairs: [["a", "b"]], cutMs: { min: 1_000, max: 3_000 }, openMs: { min: 5_000, max: 9_000 } },
      "step"
    )
    const phases: Array<{ readonly cut: boolean; ms: number }> = []
    for (let ms = 0; ms < 120_000; ms += 10) {
      const cut = waits(lab, connection)
      if (phases.at(-1)?.cut !== cut) phases.push({ cut, ms: 0 })
      phases.at(-1)!.ms += 10
      lab.run(10)
    }
    const whole = phases.slice(0, -1)
    assert.isAtLeast(whole.length, 20)
    whole.forEach(({ cut, ms }, nth) => {
      assert.strictEqual(cut, nth % 2 === 0)
      assert.isAtLeast(ms, cut ? 990 : 4_990)
      assert.isAtMost(ms, cut ? 3_010 : 9_010)
    })
    assert.isAbove(new Set(whole.map(({ ms }) => ms)).size, 15)
    // What a cut held came with the next repeat, and most of it while the rule was in force.
    assert.isAbove(lab.words("b").length, 10_000)
    lab.network.undo(id)
    for (let n = 0; n < 300; n++) {
      assert.isFalse(waits(lab, connection))
      lab.run(100)
    }
  })

  it("swizzled links are cut one after another, and heal in another order", () => {
    const names = ["hub", ...Array.from({ length: 12 }, (_, n) => `n${n}`)]
    const lab = new Lab(names)
    const spokes = names.slice(1)
    const connections = new Map(spokes.map((name) => [name, lab.open("hub", name)]))
    lab.network.apply(
      {
        _tag: "swizzle",
        pairs: spokes.flatMap((name) => both("hub", name)),
        cutOverMs: 4_000,
        healAfterMs: 10_000,
        healOverMs: 6_000
      },
      "step"
    )
    const beganMs = lab.nowMs
    const cutMs = new Map<string, number>()
    const healedMs = new Map<string, number>()
    for (let ms = 0; ms <= 20_000; ms += 10) {
      for (const name of spokes) {
        const cut = waits(lab, connections.get(name)!)
        if (cut && !cutMs.has(name)) cutMs.set(name, lab.nowMs - beganMs)
        if (!cut && cutMs.has(name) && !healedMs.has(name)) healedMs.set(name, lab.nowMs - beganMs)
      }
      lab.run(10)
    }
    const order = (times: ReadonlyMap<string, number>): ReadonlyArray<string> =>
      [...times].sort((a, b) => a[1] - b[1]).map(([name]) => name)
    assert.sameMembers([...cutMs.keys()], spokes)
    assert.sameMembers([...healedMs.keys()], spokes)
    assert.isTrue([...cutMs.values()].every((ms) => ms <= 4_010))
    assert.isTrue([...healedMs.values()].every((ms) => ms >= 10_000 && ms <= 16_010))
    assert.isAbove(Math.max(...cutMs.values()) - Math.min(...cutMs.values()), 1_500)
    assert.notDeepEqual(order(cutMs), order(healedMs))
    assert.notDeepEqual(order(cutMs), spokes)
  })

  it("a link whose turn to heal comes before its cut is not cut", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    lab.network.apply({ _tag: "swizzle", pairs: both("a", "b"), cutOverMs: 9_000, healAfterMs: 0, healOverMs: 0 })
    for (let ms = 0; ms < 10_000; ms += 100) {
      assert.isFalse(waits(lab, connection))
      lab.run(100)
    }
  })

  it("ends with its undoing, in whatever phase", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    const swizzle = { cutOverMs: 1_000, healAfterMs: 60_000, healOverMs: 1_000 }
    const early = lab.network.apply({ _tag: "swizzle", pairs: both("a", "b"), ...swizzle }, "early")
    lab.network.undo(early)
    lab.run(2_000)
    lab.say(connection, 0, "not cut")
    lab.run(10)
    const late = lab.network.apply({ _tag: "swizzle", pairs: both("a", "b"), ...swizzle }, "late")
    lab.run(2_000)
    lab.say(connection, 0, "cut")
    lab.run(10)
    assert.deepStrictEqual(lab.words("b"), ["not cut"])
    lab.network.undo(late)
    lab.run(500)
    assert.deepStrictEqual(lab.words("b"), ["not cut", "cut"])
    lab.run(120_000)
    lab.say(connection, 0, "free")
    lab.run(10)
    assert.deepStrictEqual(lab.words("b"), ["not cut", "cut", "free"])
  })
})

describe("clogs", () => {
  it("hold everything and let it go in one burst, in order, goodbye and all", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    const id = lab.network.apply({ _tag: "clog", pairs: [["a", "b"]] })
    for (let n = 0; n < 5; n++) {
      lab.say(connection, 0, String(n))
      lab.run(1_000)
    }
    lab.network.close(connection, 0, false)
    lab.run(5)
    assert.deepStrictEqual(lab.words("b"), [])
    const releasedMs = lab.nowMs
    lab.network.undo(id)
    lab.run(1_000)
    assert.deepStrictEqual(lab.words("b"), ["0", "1", "2", "3", "4", "closed"])
    // All but the last were there already; the goodbye was 5 ms under way of 10.
    assert.strictEqual(lab.whenMs("b", "0"), releasedMs)
    assert.strictEqual(lab.whenMs("b", "4"), releasedMs)
    assert.strictEqual(lab.whenMs("b", "closed"), releasedMs + 5)
    assert.strictEqual(lab.network.touched(id), 6)
  })

  it("a clog outlasts a cut and a cut a clog: nothing passes before both are gone, and order holds", () => {
    for (const cutFirst of [true, false]) {
      const lab = new Lab(["a", "b"])
      const connection = lab.open("a", "b")
      const clog = lab.network.apply({ _tag: "clog", pairs: [["a", "b"]] })
      lab.say(connection, 0, "clogged")
      lab.run(100)
      const cut = lab.network.apply({ _tag: "cut", pairs: [["a", "b"]] })
      lab.say(connection, 0, "cut")
      lab.run(100)
      lab.network.undo(cutFirst ? cut : clog)
      lab.run(10_000)
      // What the clog held was in the network already.
      assert.deepStrictEqual(lab.words("b"), cutFirst ? [] : ["clogged"])
      lab.network.undo(cutFirst ? clog : cut)
      lab.run(30_000)
      assert.deepStrictEqual(lab.words("b"), ["clogged", "cut"])
    }
  })

  it("survive the sender's end in what they hold, as a cut does not", () => {
    for (const _tag of ["clog", "cut"] as const) {
      const lab = new Lab(["a", "b"])
      const connection = lab.open("a", "b")
      const id = lab.network.apply({ _tag, pairs: [["a", "b"]] })
      lab.say(connection, 0, "sent")
      lab.network.drop(lab.host("a"), true)
      lab.network.undo(id)
      lab.run(30_000)
      assert.deepStrictEqual(lab.words("b"), _tag === "clog" ? ["sent"] : [])
    }
  })
})

describe("delay and loss on a path", () => {
  it("of two the later counts for what it sets, and the earlier again when that is gone", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    const crossing = (): number => {
      const sentMs = lab.nowMs
      lab.say(connection, 0, String(sentMs))
      lab.run(5_000)
      return lab.whenMs("b", String(sentMs)) - sentMs
    }
    const pairs = [["a", "b"]] as const
    const slow = lab.network.apply({ _tag: "slow", pairs, delay: { _tag: "constant", ms: 100 }, lossPpm: null })
    assert.strictEqual(crossing(), 100)
    const slower = lab.network.apply({ _tag: "slow", pairs, delay: { _tag: "constant", ms: 300 }, lossPpm: null })
    const lossy = lab.network.apply({ _tag: "slow", pairs, delay: null, lossPpm: 0 })
    assert.strictEqual(crossing(), 300)
    lab.network.undo(slower)
    assert.strictEqual(crossing(), 100)
    lab.network.undo(slow)
    assert.strictEqual(crossing(), 10)
    assert.deepStrictEqual(
      [slow, slower, lossy].map((id) => lab.network.touched(id)),
      [2, 1, 0]
    )
  })

  it("an offset is one number for each direction, and stays that", () => {
    const names = ["a", "b", "c", "d"]
    const lab = new Lab(names)
    const pairs = names.flatMap((a) => names.flatMap((b) => (a === b ? [] : [[a, b] as const])))
    const connections = names.flatMap((from, i) => names.slice(i + 1).map((to) => lab.open(from, to)))
    const id = lab.network.apply({ _tag: "offset", pairs, ms: { min: 5, max: 80 } }, "map")
    const map = (): ReadonlyArray<number> =>
      connections.flatMap((connection) =>
        ([0, 1] as const).map((side) => {
          const sentMs = lab.nowMs
          const to = connection.ports[side === 0 ? 1 : 0].name
          lab.log.length = 0
          lab.say(connection, side, "x")
          lab.run(200)
          return lab.whenMs(to, "x") - sentMs - 10
        })
      )
    const once = map()
    assert.deepStrictEqual(map(), once)
    assert.isTrue(once.every((ms) => ms >= 5 && ms <= 80))
    assert.isAbove(new Set(once).size, 6)
    assert.strictEqual(lab.network.touched(id), 2 * once.length)
  })

  it("bursts: as much is lost as the chain says, but in runs", () => {
    const losses = (rule: Rule): { readonly share: number; readonly longest: number } => {
      const lab = new Lab(["a", "b"])
      const connection = lab.open("a", "b")
      lab.network.apply(rule, "step")
      const lost: Array<boolean> = []
      for (let n = 0; n < 4_000; n++) {
        const sentMs = lab.nowMs
        lab.say(connection, 0, String(n))
        lab.run(15_000)
        lost.push(lab.whenMs("b", String(n)) > sentMs + 10)
        lab.log.length = 0
      }
      let longest = 0
      let run = 0
      for (const one of lost) {
        run = one ? run + 1 : 0
        longest = Math.max(longest, run)
      }
      return { share: lost.filter((one) => one).length / lost.length, longest }
    }
    const pairs = [["a", "b"]] as const
    // The chain moves with each try, repeats included: a burst is left by repeating.
    const burst = losses({
      _tag: "burst-loss",
      pairs,
      enterPpm: 5_000,
      leavePpm: 20_000,
      badPpm: 500_000,
      goodPpm: 0
    })
    const even = losses({ _tag: "slow", pairs, delay: null, lossPpm: Math.round(burst.share * 1_000_000) })
    assert.closeTo(even.share, burst.share, 0.03)
    assert.isAbove(burst.share, 0.02)
    assert.isBelow(burst.share, 0.2)
    assert.isAtLeast(burst.longest, 2 * even.longest)
  })
})

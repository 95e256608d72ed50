import { assert, describe, it } from "@effect/vitest"
import { Judge } from "../../../sim/judge/Judge.ts"
import { verdictOf } from "../../../sim/judge/Verdict.ts"
import type { Facts, When } from "../../../sim/scenario/Scenario.ts"
import { expectation, happening, judged, scenario, world } from "./Stage.ts"

const at = (atMs: number): When => ({ _tag: "at", atMs })
const within = (withinMs: number, afterMs: number): When => ({ _tag: "within", afterMs, withinMs })
const always = (fromMs: number, untilMs: number): When => ({ _tag: "always", fromMs, untilMs })
const sometimes = (fromMs: number, untilMs: number): When => ({ _tag: "sometimes", fromMs, untilMs })
const never = (fromMs: number, untilMs: number): When => ({ _tag: "never", fromMs, untilMs })

describe("tense at: the state at the end of that instant", () => {
  it("is judged at its moment although nothing changes then", () => {
    assert.strictEqual(
      judged(at(10_000), [
        [3_000, true],
        [20_000, false]
      ]).status,
      "held"
    )
    const broken = judged(at(10_000), [
      [3_000, true],
      [9_999, false],
      [10_001, true]
    ])
    assert.deepInclude(broken, { status: "broken", atMs: 10_000, witness: "b has a as down" })
  })
  it("takes the last of several states of one instant", () => {
    assert.strictEqual(
      judged(at(10_000), [
        [10_000, true],
        [10_000, false]
      ]).status,
      "broken"
    )
    assert.strictEqual(
      judged(at(10_000), [
        [10_000, false],
        [10_000, true]
      ]).status,
      "held"
    )
  })
  it("is not reached when the run stops before", () => {
    assert.strictEqual(judged(at(10_000), [[0, true]], { endMs: 9_999 }).status, "not-reached")
    assert.strictEqual(judged(at(10_000), [[0, true]], { endMs: 10_000 }).status, "held")
  })
})

describe("tense within: so at T + D, and since when", () => {
  const T = 20_000
  it("gives the time after T at which it became so for good", () => {
    const held = judged(within(3_500, T), [
      [0, false],
      [22_913, true]
    ])
    assert.deepInclude(held, { status: "held", atMs: 22_913, marginMs: 2_913, limitMs: 3_500 })
  })
  it("counts from the last time it became so, when it was interrupted", () => {
    const held = judged(within(3_500, T), [
      [21_000, true],
      [22_000, false],
      [22_500, true]
    ])
    assert.strictEqual(held.marginMs, 2_500)
  })
  it("an interruption inside one instant is none", () => {
    const held = judged(within(3_500, T), [
      [21_000, true],
      [22_000, false],
      [22_000, true]
    ])
    assert.strictEqual(held.marginMs, 1_000)
  })
  it("so before T, without interruption: margin 0", () => {
    assert.deepInclude(judged(within(3_500, T), [[5_000, true]]), { status: "held", atMs: T, marginMs: 0 })
  })
  it("so before T and ended by the step at T: counts from when it is so again", () => {
    assert.strictEqual(
      judged(within(3_500, T), [
        [5_000, true],
        [T, false],
        [21_000, true]
      ]).marginMs,
      1_000
    )
  })
  it("so for a while, but not at T + D: broken at T + D, with what was instead", () => {
    const broken = judged(within(3_500, T), [
      [21_000, true],
      [23_400, false]
    ])
    assert.deepInclude(broken, { status: "broken", atMs: 23_500, limitMs: 3_500, witness: "b has a as down" })
    assert.notProperty(broken, "marginMs")
  })
  it("becoming so in the very last ms is in time, one ms later is late", () => {
    assert.strictEqual(judged(within(3_500, T), [[23_500, true]]).marginMs, 3_500)
    assert.strictEqual(judged(within(3_500, T), [[23_501, true]]).status, "broken")
  })
  it("what happens after T + D is none of its business", () => {
    assert.strictEqual(
      judged(within(3_500, T), [
        [21_000, true],
        [23_501, false]
      ]).status,
      "held"
    )
  })
  it("is not reached when the run stops before T + D, however true it is by then", () => {
    assert.strictEqual(judged(within(3_500, T), [[0, true]], { endMs: 23_499 }).status, "not-reached")
    assert.strictEqual(judged(within(3_500, T), [[0, true]], { lastsMs: 22_000 }).status, "not-reached")
  })
  it("reaches up to the end of the run", () => {
    assert.strictEqual(judged(within(3_500, T), [[21_000, true]], { lastsMs: 23_500 }).status, "held")
  })
})

describe("tense sometimes: at one instant at least, and no run can break it", () => {
  it("gives the first instant at which it was so, however short", () => {
    const held = judged(sometimes(0, 60_000), [
      [3_000, true],
      [3_001, false],
      [9_000, true]
    ])
    assert.deepInclude(held, { status: "held", atMs: 3_000 })
  })
  it("counts a state in the middle of an instant, as a law does", () => {
    assert.deepInclude(
      judged(sometimes(0, 60_000), [
        [3_000, true],
        [3_000, false]
      ]),
      { status: "held", atMs: 3_000 }
    )
  })
  it("but of its first instant only the end: what the step at `from` ends was before it", () => {
    assert.strictEqual(
      judged(sometimes(10_000, 60_000), [
        [3_000, true],
        [10_000, false]
      ]).status,
      "never"
    )
    assert.strictEqual(
      judged(sometimes(10_000, 60_000), [
        [10_000, true],
        [10_000, false]
      ]).status,
      "never"
    )
    assert.deepInclude(judged(sometimes(10_000, 60_000), [[3_000, true]]), { status: "held", atMs: 10_000 })
  })
  it("looks up to, and not including, `until`; at the end of the run including it", () => {
    assert.strictEqual(judged(sometimes(0, 20_000), [[20_000, true]]).status, "never")
    assert.deepInclude(judged(sometimes(0, 20_000), [[19_999, true]]), { status: "held", atMs: 19_999 })
    assert.deepInclude(judged(sometimes(0, 60_000), [[60_000, true]]), { status: "held", atMs: 60_000 })
  })
  it("never so: said only of a window that is over", () => {
    assert.strictEqual(judged(sometimes(0, 20_000), [], { endMs: 20_000 }).status, "never")
    assert.strictEqual(judged(sometimes(0, 20_000), [], { endMs: 19_999 }).status, "not-reached")
    assert.strictEqual(judged(sometimes(0, 20_000), [[5_000, true]], { endMs: 6_000 }).status, "held")
  })
  it("an empty window is looked at by nobody", () => {
    assert.strictEqual(judged(sometimes(20_000, 10_000), [[0, true]]).status, "not-reached")
  })
  it("counts events from `from`", () => {
    const facts: Facts = {
      events: [{ event: "peer.down", about: null, from: null, to: null, reason: null, seen: { how: "at least", n: 2 } }]
    }
    const outcomeOf = (times: ReadonlyArray<number>) => {
      const judge = new Judge(scenario({ expect: [expectation(sometimes(10_000, 60_000), facts)] }))
      for (const atMs of times) {
        judge.happened(happening(atMs, "peer.down"))
        judge.observe(world(atMs, { a: {} }))
      }
      return judge.finish(world(60_000, { a: {} }))[0]
    }
    assert.deepInclude(outcomeOf([5_000, 11_000, 12_000]), { status: "held", atMs: 12_000 })
    assert.deepInclude(outcomeOf([5_000, 11_000]), { status: "never" })
  })
})

describe("tenses always and never: laws", () => {
  it("are broken at the first instant, with the witness of that instant, and judged no more", () => {
    const broken = judged(always(0, 60_000), [
      [0, true],
      [7_000, false],
      [8_000, true],
      [9_000, false]
    ])
    assert.deepInclude(broken, { status: "broken", atMs: 7_000, witness: "b has a as down" })
    assert.deepInclude(
      judged(never(0, 60_000), [
        [0, false],
        [7_000, true]
      ]),
      {
        status: "broken",
        atMs: 7_000,
        witness: "b has a as up"
      }
    )
  })
  it("are broken by a state in the middle of an instant", () => {
    assert.strictEqual(
      judged(always(0, 60_000), [
        [0, true],
        [7_000, false],
        [7_000, true]
      ]).status,
      "broken"
    )
  })
  it("start when their first instant is over", () => {
    assert.strictEqual(
      judged(always(10_000, 60_000), [
        [0, false],
        [10_000, false],
        [10_000, true]
      ]).status,
      "held"
    )
    assert.deepInclude(
      judged(always(10_000, 60_000), [
        [0, false],
        [10_001, true]
      ]),
      { status: "broken", atMs: 10_000 }
    )
  })
  it("ignore what is before `from`, and from `until` on", () => {
    assert.strictEqual(
      judged(always(10_000, 20_000), [
        [0, false],
        [9_999, true],
        [20_000, false]
      ]).status,
      "held"
    )
    assert.deepInclude(
      judged(always(10_000, 20_000), [
        [0, true],
        [19_999, false]
      ]),
      { status: "broken", atMs: 19_999 }
    )
  })
  it("judge the last instant of the run, if they last until the end", () => {
    assert.strictEqual(
      judged(always(10_000, 60_000), [
        [0, true],
        [60_000, false]
      ]).status,
      "broken"
    )
    assert.strictEqual(judged(never(60_000, 60_000), [[0, true]]).status, "broken")
    assert.strictEqual(judged(never(60_000, 60_000), [[0, false]]).status, "held")
  })
  it("over an empty window are not reached", () => {
    assert.strictEqual(judged(always(20_000, 20_000), [[0, false]]).status, "not-reached")
    assert.strictEqual(judged(never(30_000, 20_000), [[0, true]]).status, "not-reached")
    assert.strictEqual(judged(never(61_000, 60_000), [[0, true]]).status, "not-reached")
  })
  it("over a window that the run does not come to are not reached; over one that it enters they are judged", () => {
    assert.strictEqual(judged(always(30_000, 60_000), [[0, false]], { endMs: 29_999 }).status, "not-reached")
    assert.strictEqual(judged(always(30_000, 60_000), [[0, true]], { endMs: 30_000 }).status, "held")
    assert.strictEqual(judged(always(30_000, 60_000), [[0, false]], { endMs: 30_000 }).status, "broken")
  })
})

describe("tense eventually: the end of the run", () => {
  const eventually: When = { _tag: "eventually", atMs: 60_000 }
  it("forgives everything before", () => {
    assert.deepInclude(
      judged(eventually, [
        [0, true],
        [59_000, false],
        [60_000, true]
      ]),
      { status: "held", atMs: 60_000 }
    )
    assert.strictEqual(
      judged(eventually, [
        [0, true],
        [60_000, false]
      ]).status,
      "broken"
    )
  })
  it("is not reached when the run is stopped early", () => {
    assert.strictEqual(judged(eventually, [[0, true]], { endMs: 59_999 }).status, "not-reached")
  })
})

describe("facts about happenings count in time", () => {
  const seen = (how: "exactly" | "at least" | "at most", n: number, rest: object = {}): Facts => ({
    events: [{ event: "peer.down", about: null, from: null, to: null, reason: null, ...rest, seen: { how, n } }]
  })
  const view = (nowMs: number) => world(nowMs, { a: {}, b: {} })
  const run = (when: When, facts: Facts, happenings: ReadonlyArray<ReturnType<typeof happening>>) => {
    const judge = new Judge(scenario({ expect: [expectation(when, facts)] }))
    for (const one of happenings) {
      for (let due = judge.dueMs(); due < one.atMs; due = judge.dueMs()) judge.observe(view(due))
      judge.happened(one)
      judge.observe(view(one.atMs))
    }
    for (let due = judge.dueMs(); due <= 60_000; due = judge.dueMs()) judge.observe(view(due))
    return judge.finish(view(60_000))[0]
  }
  const downs = [
    happening(5_000, "peer.down", { node: "a", about: "b", code: "TIMEOUT" }),
    happening(20_000, "peer.down", { node: "b", about: "a", reason: "silent" }),
    happening(21_000, "peer.up", { node: "b", about: "a" }),
    happening(30_000, "peer.down", { node: "c", about: "a" })
  ]
  it("at and eventually count from the start", () => {
    assert.strictEqual(run(at(20_000), seen("exactly", 2), downs)?.status, "held")
    assert.strictEqual(run({ _tag: "eventually", atMs: 60_000 }, seen("exactly", 3), downs)?.status, "held")
  })
  it("within counts from its T, that instant included, and gives the margin", () => {
    assert.deepInclude(run(within(15_000, 20_000), seen("exactly", 2), downs), { status: "held", marginMs: 10_000 })
    assert.strictEqual(run(within(15_000, 20_001), seen("exactly", 2), downs)?.status, "broken")
  })
  it("laws count from their `from`, and break at the happening that is one too many", () => {
    assert.strictEqual(run(always(5_001, 60_000), seen("at most", 2), downs)?.status, "held")
    assert.deepInclude(run(always(0, 60_000), seen("at most", 2), downs), {
      status: "broken",
      atMs: 30_000,
      witness: "now 3: at 5.000, at 20.000 and at 30.000"
    })
  })
  it("about and to name the subject, from the speaker, reason the code or the phrase", () => {
    const count = (rest: object) =>
      [0, 1, 2, 3].find((n) => run(at(60_000), seen("exactly", n, rest), downs)?.status === "held")
    assert.strictEqual(count({ about: "a" }), 2)
    assert.strictEqual(count({ to: "b" }), 1)
    assert.strictEqual(count({ from: "c" }), 1)
    assert.strictEqual(count({ reason: "TIMEOUT" }), 1)
    assert.strictEqual(count({ reason: "silent" }), 1)
    assert.strictEqual(count({ from: "c", about: "b" }), 0)
  })
  it("many happenings are counted, a few are named", () => {
    const many = Array.from({ length: 1_000 }, (_, i) => happening(1_000 + i, "peer.down", { node: "a", about: "b" }))
    assert.strictEqual(
      run(at(60_000), seen("at most", 9), many)?.witness,
      "now 1000: at 1.000, at 1.001, at 1.002, at 1.003 and 996 more"
    )
  })
})

describe("when the judge has to be asked", () => {
  const facts: Facts = { leaders: { how: "exactly", n: 1 } }
  it("checkpoints: every boundary within the run, and its end, ascending and once", () => {
    const judge = new Judge(
      scenario({
        lastsMs: 50_000,
        expect: [at(10_000), within(5_000, 5_000), always(7_000, 10_000), never(1_000, 99_000)].map((when) =>
          expectation(when, facts)
        )
      })
    )
    assert.deepStrictEqual(judge.checkpoints(), [1_000, 5_000, 7_000, 10_000, 50_000])
  })
  it("a lease that runs out between two events breaks a law at that ms", () => {
    const judge = new Judge(scenario({ expect: [expectation(always(1_000, 60_000), facts)] }))
    const view = (nowMs: number) => world(nowMs, { a: { leaseEndsMs: 5_200 }, b: {} })
    judge.observe(view(1_000))
    assert.strictEqual(judge.dueMs(), 5_200)
    judge.observe(view(5_200))
    assert.strictEqual(judge.dueMs(), 60_000)
    assert.deepInclude(judge.finish(view(60_000))[0], { status: "broken", atMs: 5_200, witness: "now 0" })
  })
  it("gives outcomes in the order of the scenario, whatever order they settle in", () => {
    const expect = [always(0, 60_000), at(30_000), within(1_000, 2_000), at(1_000)].map((when, i) =>
      expectation(when, { leader: "none" }, `number ${i}`)
    )
    const judge = new Judge(scenario({ expect }))
    for (let ms = 0; ms <= 60_000; ms += 500) judge.observe(world(ms, { a: ms < 20_000 ? {} : { leader: "a" } }))
    const outcomes = judge.finish(world(60_000, { a: { leader: "a" } }))
    assert.deepStrictEqual(
      outcomes.map((outcome) => [outcome.expectation.name, outcome.status]),
      [
        ["number 0", "broken"],
        ["number 1", "broken"],
        ["number 2", "held"],
        ["number 3", "held"]
      ]
    )
  })
})

describe("verdict of a run", () => {
  const outcome = (status: "held" | "broken" | "not-reached" | "never") => ({
    expectation: expectation(at(0), {}),
    status
  })
  const of = (statuses: ReadonlyArray<"held" | "broken" | "not-reached" | "never">, violations = 0, vacuous = 0) =>
    verdictOf({
      expectations: statuses.map(outcome),
      violations: Array.from({ length: violations }),
      faultsWithoutEffect: Array.from({ length: vacuous })
    })
  it("passed: something was judged and all of it held", () => {
    assert.strictEqual(of(["held", "not-reached"]), "passed")
  })
  it("failed: an expectation or an invariant broke, whatever else", () => {
    assert.strictEqual(of(["held", "broken"], 0, 1), "failed")
    assert.strictEqual(of([], 1), "failed")
  })
  it("undecided: nothing judged, or a fault without effect", () => {
    assert.strictEqual(of([]), "undecided")
    assert.strictEqual(of(["not-reached"]), "undecided")
    assert.strictEqual(of(["held"], 0, 1), "undecided")
  })
  it("undecided: it never came to what has to come to pass sometimes", () => {
    assert.strictEqual(of(["held", "never"]), "undecided")
    assert.strictEqual(of(["never", "broken"]), "failed")
  })
})

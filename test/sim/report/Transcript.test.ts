import { assert, describe, it } from "@effect/vitest"
import { stripVTControlCharacters } from "node:util"
import type { Outcome } from "../../../sim/judge/Judge.ts"
import { margin, measuredSpan } from "../../../sim/judge/Words.ts"
import { expectationsLine, scenariosLine, scoreOf } from "../../../sim/report/Score.ts"
import { notDeterministic, transcript } from "../../../sim/report/Transcript.ts"
import type { RunResult } from "../../../sim/run.ts"
import { expectation, happening, scenario, step } from "../judge/Stage.ts"

const plain = { colour: false, width: 72 }

const lead = expectation({ _tag: "at", atMs: 10_000 }, { leader: ["a"] }, "a leads to begin with", 40)
const takeover = expectation(
  { _tag: "within", afterMs: 20_000, withinMs: 3_500 },
  { leader: ["b"], term: { how: "at least", n: 2 } },
  "b takes over",
  44
)
const law = expectation(
  { _tag: "always", fromMs: 0, untilMs: 60_000 },
  { leaders: { how: "at most", n: 1 } },
  "never two",
  49
)
const end = expectation({ _tag: "eventually", atMs: 60_000 }, { agreeOn: ["leader"] }, "in the end all agree", 53)

const crash = step(20_000, "a-dies", { _tag: "crash", who: ["a"] }, 30)
const play = scenario({ nodes: ["a", "b"], timeline: [crash], expect: [lead, takeover, law, end] })

const held: ReadonlyArray<Outcome> = [
  { expectation: lead, status: "held", atMs: 10_000 },
  { expectation: takeover, status: "held", atMs: 22_913, marginMs: 2_913, limitMs: 3_500 },
  { expectation: law, status: "held" },
  { expectation: end, status: "held", atMs: 60_000 }
]

const result = (parts: Partial<RunResult> = {}): RunResult => ({
  seed: 42,
  events: 1_234,
  endedMs: 60_000,
  hash: "77d0a91e00112233",
  expectations: held,
  violations: [],
  effects: [],
  faultsWithoutEffect: [],
  verdict: "passed",
  happenings: [
    happening(0, "world.start", { reason: "everyone" }),
    happening(2_914, "leader.elected", { node: "a", about: "a", term: 1 }),
    happening(20_000, "world.crash", { about: "a" }),
    happening(22_913, "leader.elected", { node: "b", about: "b", term: 2 })
  ],
  ...parts
})

const tell = (of: RunResult, look = plain) =>
  transcript(
    {
      file: "scenarios/tale.yaml",
      scenario: play,
      result: of,
      wallMs: 31.4,
      again: "pnpm sim scenarios/tale.yaml --seed 42"
    },
    look
  )

describe("a run told: passed", () => {
  it("has a head, the story, and each expectation with its margin", () => {
    assert.strictEqual(
      tell(result()),
      `A tale                          seed 42 · 60 s in 31 ms · trace 77d0a91e

     0.000   everyone starts
     2.914   a leads, term 1
    20.000   a crashes                                            a-dies
    22.913   b leads, term 2                      2.9 s without a leader

  ✓ a leads to begin with    at 10 s
  ✓ b takes over             2.9 s of 3.5 s
  ✓ never two                0–60 s
  ✓ in the end all agree     at the end

`
    )
  })
  it("stopped early: says so, and what was not reached", () => {
    const text = tell(
      result({ endedMs: 21_500, expectations: [held[0]!, { expectation: takeover, status: "not-reached" }, held[2]!] })
    )
    assert.include(text, "seed 42 · stopped at 21.5 s in 31 ms")
    assert.include(text, "  – b takes over             not reached\n")
    assert.include(text, "  ✓ never two                0–21.5 s\n")
  })
  it("colour adds nothing but colour, and is not there unless asked for", () => {
    const coloured = tell(result(), { ...plain, colour: true })
    assert.notStrictEqual(coloured, tell(result()))
    assert.strictEqual(stripVTControlCharacters(coloured), tell(result()))
    assert.notInclude(tell(result()), "\u001b")
  })
})

describe("a run told: failed", () => {
  const failed = result({
    verdict: "failed",
    expectations: [
      held[0]!,
      { expectation: takeover, status: "broken", atMs: 23_500, limitMs: 3_500, witness: "b names a; term now 1: b" },
      { expectation: law, status: "broken", atMs: 22_913, witness: "now 2: a and b" },
      { expectation: end, status: "not-reached" }
    ],
    violations: [22_913, 22_920, 22_930, 22_940, 22_950].map((atMs) => ({
      oracle: "S1",
      atMs,
      node: "b",
      message: "leads beside a"
    }))
  })
  it("marks where it broke, says what was instead, and ends in what to do", () => {
    assert.strictEqual(
      tell(failed),
      `A tale                          seed 42 · 60 s in 31 ms · trace 77d0a91e

     0.000   everyone starts
     2.914   a leads, term 1
    20.000   a crashes                                            a-dies
    22.913   b leads, term 2       2.9 s without a leader  ◀ broken here
    23.500   b names a; term now 1: b                      ◀ broken here

✗ b takes over
    scenarios/tale.yaml:44
    within 3.5 s after 20 s: leader b, term at least 2
    at 23.500: b names a; term now 1: b

✗ never two
    scenarios/tale.yaml:49
    always: leaders at most 1
    at 22.913: now 2: a and b

✗ invariant S1
    at 22.913, b: leads beside a
    at 22.920, b: leads beside a
    at 22.930, b: leads beside a
    … 2 more of this kind

  ✓ 1 held   ✗ 3 broken   – 1 not reached

  again   pnpm sim scenarios/tale.yaml --seed 42

`
    )
  })
  it("closes with a count in which a violated invariant is one failure", () => {
    assert.strictEqual(expectationsLine(scoreOf(failed)), "expectations: 1 passed, 3 failed, 1 skipped")
    assert.strictEqual(expectationsLine(scoreOf(result())), "expectations: 4 passed, 0 failed")
    assert.strictEqual(
      scenariosLine(["passed", "failed", "undecided", "passed"]),
      "scenarios: 2 passed, 1 failed, 1 undecided"
    )
  })
})

describe("a run told: undecided", () => {
  it("names the fault that touched nothing, at its line", () => {
    assert.include(
      tell(result({ verdict: "undecided", faultsWithoutEffect: [crash] })),
      "  ! a fault touched nothing (a-dies, crash at 20 s), so this run does not test it: scenarios/tale.yaml:30\n"
    )
  })
  it("says that nothing was judged, and why", () => {
    const none = result({
      verdict: "undecided",
      endedMs: 5_000,
      expectations: held.map((one) => ({ ...one, status: "not-reached" }))
    })
    assert.include(tell(none), "nothing was judged: the run ended at 5 s, before any expectation was due")
    const empty = {
      file: "x.yaml",
      scenario: { ...play, expect: [] },
      result: result({ expectations: [] }),
      wallMs: 1,
      again: ""
    }
    assert.include(transcript(empty, plain), "nothing was judged: the scenario expects nothing")
    const drawn = transcript({ ...empty, drawn: "loss 5 %" }, plain)
    assert.include(drawn, "\ndrawn: loss 5 %\n")
    assert.include(
      drawn,
      "nothing was judged but the invariants: the scenario expects nothing that holds in such a run"
    )
  })
})

describe("a run told: not deterministic", () => {
  it("gives both traces and the first happening in which they part", () => {
    const other = result({
      hash: "e07c000000000000",
      happenings: [
        ...result().happenings.slice(0, 3),
        happening(22_950, "leader.elected", { node: "b", about: "b", term: 2 })
      ]
    })
    const text = notDeterministic(result(), other, plain)
    assert.include(text, "seed 42 gave trace 77d0a91e00112233 and trace e07c000000000000")
    assert.include(text, "    first   22.913 b: leader.elected about b\n    second  22.950 b: leader.elected about b\n")
    assert.include(
      notDeterministic(result(), result({ happenings: result().happenings.slice(0, 3) }), plain),
      "second  nothing more (the run ended at 60.000)"
    )
    assert.include(
      notDeterministic(result(), result({ hash: "e07c" }), plain),
      "the inputs or commands behind it were not"
    )
  })
})

describe("spans in words", () => {
  it("have the digits that the eye wants", () => {
    assert.deepStrictEqual([0, 4, 38, 250, 2_913, 10_000, 61_204].map(measuredSpan), [
      "0 s",
      "0.004 s",
      "0.04 s",
      "0.25 s",
      "2.9 s",
      "10 s",
      "61.2 s"
    ])
  })
  it("a margin that is nearly used up is not rounded up to its limit", () => {
    assert.strictEqual(margin(2_913, 3_500), "2.9 s of 3.5 s")
    assert.strictEqual(margin(3_480, 3_500), "3.480 s of 3.5 s")
    assert.strictEqual(margin(3_500, 3_500), "3.5 s of 3.5 s")
    assert.strictEqual(margin(0, 3_500), "0 s of 3.5 s")
  })
})

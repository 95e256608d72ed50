import { assert, describe, it } from "@effect/vitest"
import type { Happening } from "../../../sim/engine/View.ts"
import { story } from "../../../sim/report/Story.ts"
import type { Scenario } from "../../../sim/scenario/Scenario.ts"
import { happening, scenario, step } from "../judge/Stage.ts"

const everyoneStarts = happening(0, "world.start", { reason: "everyone" })

const told = (happenings: ReadonlyArray<Happening>, of: Scenario = scenario({})): ReadonlyArray<string> =>
  story(of, happenings).map(({ aside, atMs, text }) => `${atMs} ${text}${aside === null ? "" : ` [${aside}]`}`)

const introductions = (atMs: number, names: ReadonlyArray<string>) =>
  names.flatMap((node) =>
    names.flatMap((about) => (node === about ? [] : [happening(atMs, "peer.up", { node, about })]))
  )

describe("the story of a run: the world's own doings", () => {
  it("tells each step in words, with its id", () => {
    const timeline = [
      step(0, null, { _tag: "start", who: [{ word: "everyone" }] }),
      step(5_000, "split", { _tag: "partition", groups: [] }),
      step(5_000, "power-cut", { _tag: "crash", who: ["a"] }),
      step(9_000, "back", { _tag: "restart", who: ["a"] }),
      step(9_500, "heal", { _tag: "heal", what: "everything" })
    ]
    assert.deepStrictEqual(
      told(
        [
          everyoneStarts,
          happening(5_000, "world.partition", { reason: "a | b, c" }),
          happening(5_000, "world.crash", { about: "a" }),
          happening(9_000, "world.restart", { about: "a", incarnation: 2 }),
          happening(9_500, "world.heal", { reason: "everything" }),
          happening(9_600, "world.freeze", { about: "b" }),
          happening(9_700, "world.thaw", { about: "b" }),
          happening(9_800, "world.slow", { reason: "a, b" }),
          happening(9_900, "world.undo", { reason: "a, b as fast as before" }),
          happening(9_950, "world.replay", { about: "a", reason: "1 of 1 old frames to b" }),
          happening(9_960, "world.failed", { about: "a", reason: "cannot store incarnation 3 (the disk is full)" }),
          happening(9_970, "world.refused", { about: "a", reason: "the disk reports an error" })
        ],
        scenario({ timeline })
      ),
      [
        "0 everyone starts",
        "5000 the network splits: a | b, c [split]",
        "5000 a crashes [power-cut]",
        "9000 a restarts, incarnation 2 [back]",
        "9500 the network heals [heal]",
        "9600 b freezes",
        "9700 b thaws",
        "9800 the network slows down: a, b",
        "9900 a, b as fast as before",
        "9950 what a once sent arrives again: 1 of 1 old frames to b",
        "9960 a ends: cannot store incarnation 3 (the disk is full)",
        "9970 a does not start: the disk reports an error"
      ]
    )
  })
  it("says together what happens to several nodes at once, however it was reported", () => {
    const each = (event: Happening["event"]) => ["a", "b", "c"].map((about) => happening(0, event, { about }))
    assert.deepStrictEqual(told(each("world.start")), ["0 everyone starts"])
    assert.deepStrictEqual(told([happening(0, "world.start", { reason: "a, c" })]), ["0 a and c start"])
    assert.deepStrictEqual(told(each("world.crash").slice(1)), ["0 b and c crash"])
  })
})

describe("the story of a run: who leads", () => {
  const elected = (atMs: number, about: string, term: number) =>
    happening(atMs, "leader.elected", { node: about, about, term })
  it("tells how long nobody led, from the crash of the leader to the next one", () => {
    assert.deepStrictEqual(
      told([
        everyoneStarts,
        elected(2_914, "a", 1),
        happening(20_000, "world.crash", { about: "a" }),
        elected(22_913, "b", 2)
      ]),
      ["0 everyone starts", "2914 a leads, term 1", "20000 a crashes", "22913 b leads, term 2 [2.9 s without a leader]"]
    )
  })
  it("or from when its process ended for its disk", () => {
    assert.deepStrictEqual(
      told([
        everyoneStarts,
        elected(2_914, "a", 1),
        happening(20_000, "world.failed", { about: "a", reason: "cannot store the vote of term 2 (the disk is full)" }),
        elected(22_913, "b", 2)
      ]).at(-1),
      "22913 b leads, term 2 [2.9 s without a leader]"
    )
  })
  it("or from when it stepped down; a leader that was never lost leaves no gap", () => {
    assert.deepStrictEqual(
      told([
        elected(1_000, "a", 1),
        happening(5_000, "leader.stepped-down", { node: "a", about: "a", reason: "no majority" }),
        elected(5_250, "b", 2),
        elected(6_000, "c", 3)
      ]),
      [
        "1000 a leads, term 1",
        "5000 a steps down: no majority",
        "5250 b leads, term 2 [0.25 s without a leader]",
        "6000 c leads, term 3"
      ]
    )
  })
  it("tells an election once, whoever speaks of it, and that a former leader follows", () => {
    assert.deepStrictEqual(
      told([
        elected(1_000, "a", 1),
        happening(1_010, "leader.elected", { node: "b", about: "a", term: 1 }),
        happening(1_020, "leader.followed", { node: "b", about: "a", term: 1 }),
        elected(2_000, "b", 2),
        happening(2_010, "leader.followed", { node: "c", about: "b", term: 2 }),
        happening(2_020, "leader.followed", { node: "a", about: "b", term: 2 })
      ]),
      ["1000 a leads, term 1", "2000 b leads, term 2", "2020 a follows b"]
    )
  })
})

describe("the story of a run: who is there", () => {
  it("makes one line of everybody finding everybody, and none of half of it", () => {
    assert.deepStrictEqual(told([everyoneStarts, ...introductions(900, ["a", "b", "c"])]), [
      "0 everyone starts",
      "900 everyone is up for everyone"
    ])
    assert.deepStrictEqual(told([everyoneStarts, ...introductions(900, ["a", "b"])]), ["0 everyone starts"])
  })
  it("joins what nodes say of one peer within two seconds, in the order of the scenario", () => {
    const down = (atMs: number, node: string) => happening(atMs, "peer.down", { node, about: "d" })
    const five = scenario({ nodes: ["a", "b", "c", "d", "e"] })
    const start = happening(0, "world.start", { reason: "everyone" })
    const crash = happening(10_000, "world.crash", { about: "d" })
    assert.deepStrictEqual(
      told([start, crash, down(12_000, "c"), down(12_300, "a"), down(12_400, "b")], five).slice(2),
      ["12400 a, b and c have d as down"]
    )
    assert.deepStrictEqual(told([start, crash, down(12_000, "c"), down(14_001, "a")], five).slice(2), [
      "12000 c has d as down",
      "14001 a has d as down"
    ])
    assert.deepStrictEqual(
      told([start, crash, ...["c", "a", "b", "e"].map((node) => down(12_000, node))], five).slice(2),
      ["12000 everyone has d as down"]
    )
  })
  it("tells a verdict once, confirmed or not", () => {
    assert.deepStrictEqual(
      told([
        happening(1_000, "peer.down", { node: "a", about: "b" }),
        happening(9_000, "peer.down.confirmed", { node: "a", about: "b" })
      ]),
      ["1000 a has b as down"]
    )
  })
  it("tells who is back, but not what was only suspected, nor what a rebooted node meets again", () => {
    assert.deepStrictEqual(
      told([
        everyoneStarts,
        ...introductions(900, ["a", "b", "c"]),
        happening(5_000, "peer.suspect", { node: "a", about: "b" }),
        happening(5_100, "peer.up", { node: "a", about: "b" }),
        happening(10_000, "world.crash", { about: "c" }),
        happening(12_000, "peer.down", { node: "a", about: "c" }),
        happening(12_000, "peer.down", { node: "b", about: "c" }),
        happening(40_000, "world.restart", { about: "c", incarnation: 2 }),
        happening(40_500, "peer.up", { node: "c", about: "a" }),
        happening(40_500, "peer.up", { node: "a", about: "c" }),
        happening(40_600, "peer.up", { node: "b", about: "c" }),
        happening(40_600, "peer.up", { node: "c", about: "b" })
      ]),
      [
        "0 everyone starts",
        "900 everyone is up for everyone",
        "10000 c crashes",
        "12000 everyone has c as down",
        "40000 c restarts, incarnation 2",
        "40600 everyone has c as up again"
      ]
    )
  })
  it("tells of a node that joins later, and of one that left", () => {
    assert.deepStrictEqual(
      told([
        happening(0, "world.start", { reason: "a, b" }),
        ...introductions(900, ["a", "b"]),
        happening(5_000, "world.start", { about: "c" }),
        happening(5_500, "peer.up", { node: "a", about: "c" }),
        happening(5_500, "peer.up", { node: "c", about: "a" }),
        happening(5_600, "peer.up", { node: "b", about: "c" }),
        happening(9_000, "world.stop", { about: "c" }),
        happening(9_010, "peer.left", { node: "a", about: "c" })
      ]),
      [
        "0 a and b start",
        "900 a and b are up for each other",
        "5000 c starts",
        "5600 everyone has c as up",
        "9000 c stops",
        "9010 a has c as left"
      ]
    )
  })
})

describe("the story of a run: what was refused, and how much", () => {
  it("names who refused whom, with the code", () => {
    assert.deepStrictEqual(
      told([
        happening(1, "connection.refused", { node: "a", about: "b", code: "AUTH_FAILED" }),
        happening(2, "connection.refused", { node: "a", code: "INVALID_PARAMS", reason: "data is null" }),
        happening(3, "frame.refused", { node: "a", about: "c", code: "TOO_LARGE" })
      ]),
      [
        "1 a refuses a connection of b: AUTH_FAILED",
        "2 a refuses a connection of a stranger: INVALID_PARAMS, data is null",
        "3 a refuses a frame of c: TOO_LARGE"
      ]
    )
  })
  it("counts what repeats after three lines, each kind on its own", () => {
    const refusals = (n: number) =>
      Array.from({ length: n }, (_, i) =>
        happening(1 + i, "connection.refused", { node: "a", about: "b", code: "AUTH_FAILED" })
      )
    const other = happening(500, "connection.refused", { node: "a", about: "b", code: "UNTRUSTED_PEER" })
    assert.deepStrictEqual(told([...refusals(17), other]).slice(2), [
      "3 a refuses a connection of b: AUTH_FAILED",
      "4 … 14 more of this kind",
      "500 a refuses a connection of b: UNTRUSTED_PEER"
    ])
    // "… 1 more" would take the place of the line itself.
    assert.deepStrictEqual(told(refusals(4)).at(-1), "4 a refuses a connection of b: AUTH_FAILED")
  })
  it("never leaves out a step of the timeline", () => {
    const crashes = Array.from({ length: 50 }, (_, i) => happening(i, "world.crash", { about: "a" }))
    assert.strictEqual(told(crashes).length, 50)
  })
})

import { assert, describe, it } from "@effect/vitest"
import { strange, type Member } from "../../../kernel/membership/Member.ts"
import { component, isCutShort, verdict } from "../../../kernel/membership/Verdict.ts"
import type { EdgeRow } from "../../../kernel/wire/Frame.ts"
import { id, nameOf } from "../drive.ts"

/** A member as in "b+": `+` good edge of mine, `-` edge that was good, `?` never any; small `v` before it: a viewer. */
const member = (word: string): Member => {
  const viewer = word.startsWith("v")
  const [name, sign] = Array.from(word.slice(viewer ? 1 : 0)) as [string, string]
  return {
    ...strange(id(name), !viewer),
    link: sign === "+" ? 1 : null,
    good: sign === "+",
    wasGood: sign !== "?",
    incarnation: 3
  }
}

/** A row as in "b: c+ d-"; `c-2` is an edge to incarnation 2 of c, and 3 is the present one. */
const row = (text: string): EdgeRow => {
  const [observer, edges] = text.split(": ") as [string, string]
  return {
    observer: id(observer),
    incarnation: 1,
    version: 1,
    edges: edges.split(" ").map((edge) => ({
      subject: id(edge[0]!),
      good: edge[1] === "+",
      incarnation: Number(edge[2] ?? 3)
    }))
  }
}

const members = (text: string): ReadonlyArray<Member> => text.split(" ").map(member)
const rows = (texts: ReadonlyArray<string>): ReadonlyArray<EdgeRow> => texts.map(row)

/** What `a` says of `f`. */
const judge = (mine: string, ...said: ReadonlyArray<string>): string => {
  const all = members(mine)
  const subject = all.find(({ deviceId }) => deviceId === id("f"))!
  const told = rows(said)
  const result = verdict({ deviceId: id("a"), observes: true }, subject, component(all, told), told, isCutShort(all))
  if (result === null) return "nothing"
  return result.state === "down" ? `down by ${result.witnesses.map(nameOf).join("")}` : result.state
}

describe("verdict", () => {
  it("S11: K' = 0: what an observer said that cannot be reached any more holds no longer", () => {
    const [b, f] = members("b- f?") as [Member, Member]
    const told = rows(["b: f+"])
    const judged = (state: Member["state"]) => {
      const subject: Member = { ...f, state }
      return verdict(
        { deviceId: id("a"), observes: true },
        subject,
        component([b, subject], told),
        told,
        isCutShort([b, subject])
      )
    }
    for (const state of ["up", "suspect"] as const)
      assert.deepStrictEqual(judged(state), { state: "down", witnesses: [] }, state)
    for (const state of ["unknown", "down", "left"] as const) assert.isNull(judged(state), state)
  })

  it("B2: while the link to an observer is lost and its edge not bad yet, whom it vouched for is suspected at most", () => {
    const [b, c, f] = members("b+ c- f?") as [Member, Member, Member]
    const told = rows(["b: f+"])
    const judged = (observer: Member, state: Member["state"]) => {
      const all = [observer, c, { ...f, state }]
      return verdict({ deviceId: id("a"), observes: true }, all[2]!, component(all, told), told, isCutShort(all))
    }
    for (const state of ["up", "suspect"] as const)
      assert.deepStrictEqual(judged({ ...b, link: null }, state), { state: "suspect" }, state)
    for (const state of ["unknown", "down", "left"] as const) assert.isNull(judged({ ...b, link: null }, state), state)
    assert.deepStrictEqual(judged({ ...b, link: null, good: false }, "suspect"), { state: "down", witnesses: [] })
    assert.deepStrictEqual(judged({ ...b, link: null, observes: false }, "up"), { state: "down", witnesses: [] })
  })

  describe("of K' observers, ceil(2K'/3) must have it as bad", () => {
    it.each([
      ["K' = 0, never met", "b+ c+ f?", [], "nothing"],
      ["K' = 1, mine", "b+ c+ f-", [], "down by a"],
      ["K' = 1, another's bad", "b+ c+ f?", ["b: f-"], "down by b"],
      ["K' = 1, another's good", "b+ c+ f?", ["b: f+"], "up"],
      ["K' = 2, one bad", "b+ c+ f-", ["b: f+"], "suspect"],
      ["K' = 2, both bad", "b+ c+ f-", ["b: f-"], "down by ab"],
      ["K' = 3, one bad", "b+ c+ f-", ["b: f+", "c: f+"], "suspect"],
      ["K' = 3, two bad", "b+ c+ f-", ["b: f-", "c: f+"], "down by ab"],
      ["K' = 3, all bad", "b+ c+ f-", ["b: f-", "c: f-"], "down by abc"],
      ["K' = 4, two bad", "b+ c+ d+ f-", ["b: f-", "c: f+", "d: f+"], "suspect"],
      ["K' = 4, three bad", "b+ c+ d+ f-", ["b: f-", "c: f-", "d: f+"], "down by abc"],
      ["K' = 5, three bad", "b+ c+ d+ e+ f-", ["b: f-", "c: f-", "d: f+", "e: f+"], "suspect"],
      ["K' = 5, four bad", "b+ c+ d+ e+ f-", ["b: f-", "c: f-", "d: f-", "e: f+"], "down by abcd"],
      ["K' = 5, none of them mine", "b+ c+ d+ e+ f?", ["b: f+", "c: f+", "d: f+", "e: f+"], "up"],
      ["one bad of four, none of them mine", "b+ c+ d+ e+ f?", ["b: f-", "c: f+", "d: f+", "e: f+"], "suspect"]
    ] as const)("%s", (_, mine, said, expected) => assert.strictEqual(judge(mine, ...said), expected))
  })

  it("a good edge of my own outweighs everybody (6)", () =>
    assert.strictEqual(judge("b+ c+ d+ f+", "b: f-", "c: f-", "d: f-"), "up"))

  it("rows of observers that I cannot reach do not count, either way", () => {
    assert.strictEqual(judge("b- c- f-", "b: f+", "c: f+"), "down by a")
    assert.strictEqual(judge("b+ c- d- f-", "b: f+", "c: f-", "d: f-"), "suspect")
  })

  it("those that I reach through another do", () => {
    assert.strictEqual(judge("b+ c- f-", "b: c+ f-", "c: f-"), "down by abc")
    assert.strictEqual(judge("b+ c- f-", "b: c- f-", "c: f+"), "down by ab")
  })

  it("the subject is no witness for or against itself", () =>
    assert.strictEqual(judge("b+ c+ f-", "b: f-", "c: f+", "f: f+ b+"), "down by ab"))

  it("S8: rows of viewers do not count, and reach nobody", () => {
    assert.strictEqual(judge("b+ vc+ f-", "b: f-", "c: f+"), "down by ab")
    assert.strictEqual(judge("vb+ c- f-", "b: c+", "c: f+"), "down by a")
  })

  it("S6: edges to an older incarnation of the subject do not count", () => {
    assert.strictEqual(judge("b+ c+ f-", "b: f+2", "c: f+2"), "down by a")
    assert.strictEqual(judge("b+ c+ f?", "b: f-2", "c: f-2"), "nothing")
  })

  it("whoever never had a good edge to it has nothing to say", () =>
    assert.strictEqual(judge("b+ c+ f-", "b: c+", "c: b+"), "down by a"))

  it("a viewer judges by the rows of others, and by its own eyes where there are none", () => {
    const seen = (mine: string, ...said: ReadonlyArray<string>) => {
      const all = members(mine)
      const told = rows(said)
      return verdict({ deviceId: id("a"), observes: false }, all.at(-1)!, component(all, told), told, isCutShort(all))
    }
    assert.deepStrictEqual(seen("b+ c+ f-", "b: f+", "c: f+"), { state: "suspect" })
    assert.deepStrictEqual(seen("b+ c+ f-", "b: f-", "c: f-"), { state: "down", witnesses: [id("b"), id("c")] })
    assert.deepStrictEqual(seen("vb+ f-"), { state: "down", witnesses: [] })
    assert.deepStrictEqual(seen("vb+ f+"), { state: "up" })
    assert.strictEqual(seen("vb+ f?"), null)
  })
})

describe("component", () => {
  const reached = (mine: string, ...said: ReadonlyArray<string>): string =>
    component(members(mine), rows(said)).map(nameOf).sort().join("")

  it("follows good edges, mine first, and each observer once", () => {
    assert.strictEqual(reached("b+ c- d- e-", "b: c+ d-", "c: b+ d+", "d: c+ b+"), "bcd")
    assert.strictEqual(reached("b- c- d-", "b: c+", "c: d+"), "")
  })

  it("does not pass through devices that nobody trusts", () =>
    assert.strictEqual(reached("b+ c-", "b: e+", "e: c+"), "b"))
})

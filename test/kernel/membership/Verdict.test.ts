import { assert, describe, it } from "@effect/vitest"
import { strange, type Member } from "../../../kernel/membership/Member.ts"
import { ringsOf, SELF } from "../../../kernel/membership/Rings.ts"
import { NEVER_MS } from "../../../kernel/Time.ts"
import { gather, verdict, type Evidence } from "../../../kernel/membership/Verdict.ts"
import type { EdgeRow, Role } from "../../../kernel/wire/Frame.ts"
import { configOf, id, nameOf } from "../drive.ts"

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

const evidence = (all: ReadonlyArray<Member>, told: ReadonlyArray<EdgeRow>, role: Role = "field"): Evidence => {
  const roles: { [name: string]: Role } = { a: role }
  for (const { deviceId, observes } of all) roles[nameOf(deviceId)] = observes ? "field" : "viewer"
  return gather({ deviceId: id("a"), observes: role !== "viewer" }, ringsOf(configOf({ roles }, "a")), all, told)
}

const of = (all: ReadonlyArray<Member>, told: ReadonlyArray<EdgeRow>, role?: Role, relayed = false) =>
  verdict(
    evidence(all, told, role),
    all.findIndex(({ deviceId }) => deviceId === id("f")),
    relayed
  )

const worded = ({ state, witnesses }: ReturnType<typeof of>): string =>
  state === "down" ? `down by ${witnesses.map(nameOf).join("")}` : (state ?? "nothing")

/** Rows about `f` in this incarnation, and what `a` makes of them with three others beside it. */
const gone = (incarnation: number) => {
  const plain = (text: string): EdgeRow => {
    const told = row(text)
    return { ...told, edges: told.edges.map((edge) => ({ ...edge, incarnation })) }
  }
  const goodbye = (text: string): EdgeRow => {
    const told = plain(text)
    return { ...told, edges: told.edges.map((edge) => (edge.good ? edge : { ...edge, left: true as const })) }
  }
  const all = members("b+ c+ d+ f?").map((each) => (each.deviceId === id("f") ? { ...each, incarnation } : each))
  const judged = (...said: ReadonlyArray<EdgeRow>) => of(all, said)
  const mixed = (...said: ReadonlyArray<EdgeRow>) => worded(judged(...said))
  return { plain, goodbye, judged, mixed, left: (...said: ReadonlyArray<string>) => mixed(...said.map(goodbye)) }
}

/** What `a` says of `f`. */
const judge = (mine: string, ...said: ReadonlyArray<string>): string => worded(of(members(mine), rows(said)))

describe("verdict", () => {
  it("S11: K' = 0: what an observer said that cannot be reached any more holds no longer", () => {
    const [b, f] = members("b- f?") as [Member, Member]
    const judged = (state: Member["state"]) => worded(of([b, { ...f, state }], rows(["b: f+"])))
    for (const state of ["up", "suspect"] as const) assert.strictEqual(judged(state), "down by ", state)
    for (const state of ["unknown", "down", "left"] as const) assert.strictEqual(judged(state), "nothing")
  })

  it("S11: K' = 0: as long as an edge of mine is neither good nor bad, others are suspected at most", () => {
    const [b, f] = members("b+ f?") as [Member, Member]
    const judged = (link: number | null) =>
      worded(
        of(
          [
            { ...b, link },
            { ...f, state: "up" }
          ],
          []
        )
      )
    assert.strictEqual(judged(null), "suspect")
    assert.strictEqual(judged(1), "down by ")
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

  it("but not one that misses three of ten probes, where two thirds have it as bad (A08)", () => {
    const shaky = (history: number, ...said: ReadonlyArray<string>) =>
      worded(
        of(
          members("b+ c+ d+ f+").map((each, n) => (n === 3 ? { ...each, history } : each)),
          rows(said)
        )
      )
    assert.strictEqual(shaky(0b0101, "b: f-", "c: f-", "d: f-"), "up")
    assert.strictEqual(shaky(0b1_0101, "b: f-", "c: f-", "d: f-"), "down by bcd")
    assert.strictEqual(shaky(0b1_0101, "b: f-", "c: f-", "d: f+"), "up", "two of four are not two thirds")
  })

  it("0014: of a device that is down it does not, until it has held for long, while two thirds have it as bad", () => {
    const back = (sureAt: number, ...said: ReadonlyArray<string>) => {
      const all = members("b+ c+ d+ f+").map((each, n) =>
        n === 3 ? { ...each, state: "down" as const, sureAt } : each
      )
      return worded(of(all, rows(said)))
    }
    assert.strictEqual(back(7, "b: f-", "c: f-", "d: f-"), "down by bcd")
    assert.strictEqual(back(0, "b: f-", "c: f-", "d: f-"), "up")
    assert.strictEqual(back(7, "b: f-", "c: f-", "d: f+"), "up")
    assert.strictEqual(back(7), "up")
  })

  it("0014: a device that is down is back where all others have it as good, and it is heard through its own probation", () => {
    const back = (change: Partial<Member>, ...said: ReadonlyArray<string>) => {
      const all = members("b+ c+ d+ f-").map((each, n) =>
        n === 3 ? { ...each, state: "down" as const, link: 4, probationEnds: 60_000, ...change } : each
      )
      return worded(of(all, rows(said)))
    }
    assert.strictEqual(back({}, "b: f+", "c: f+", "d: f+"), "up")
    assert.strictEqual(back({}, "b: f+", "c: f-", "d: f+"), "suspect", "another has it as bad")
    assert.strictEqual(back({ probationEnds: NEVER_MS }, "b: f+", "c: f+", "d: f+"), "suspect", "it shows no life")
    assert.strictEqual(back({ state: "up" }, "b: f+", "c: f+", "d: f+"), "suspect", "nobody had it as down")
    assert.strictEqual(back({}), "down by a", "others have nothing to say")
  })

  it("0014: it is contested as long as one of those that count has it as good", () => {
    const contested = (...said: ReadonlyArray<string>) => of(members("b+ c+ d+ f-"), rows(said)).contested
    assert.isTrue(contested("b: f-", "c: f-", "d: f+"))
    assert.isFalse(contested("b: f-", "c: f-", "d: f-"))
    assert.isFalse(contested("b: f-", "c: f-"))
  })

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
    const seen = (mine: string, ...said: ReadonlyArray<string>) => worded(of(members(mine), rows(said), "viewer"))
    assert.strictEqual(seen("b+ c+ f-", "b: f+", "c: f+"), "suspect")
    assert.strictEqual(seen("b+ c+ f-", "b: f-", "c: f-"), "down by bc")
    assert.strictEqual(seen("vb+ f-"), "down by ")
    assert.strictEqual(seen("vb+ f+"), "up")
    assert.strictEqual(seen("vb+ f?"), "nothing")
    const [b, f] = members("vb+ f+") as [Member, Member]
    const lost = worded(of([b, { ...f, link: null }], [], "viewer"))
    assert.strictEqual(lost, "suspect", "its link is gone, and its edge not bad yet")
  })

  it("P7.13: one or two witnesses are outweighed by an answer through another, three are not", () => {
    const relayed = (mine: string, ...said: ReadonlyArray<string>) =>
      worded(of(members(mine), rows(said), "field", true))
    assert.strictEqual(relayed("b+ f-"), "suspect")
    assert.strictEqual(relayed("b+ f-", "b: f-"), "suspect")
    assert.strictEqual(relayed("b+ c+ f-", "b: f-", "c: f-"), "down by abc")
    assert.strictEqual(
      relayed("b+ c+ f-", "b: f-", "c: f+"),
      "down by ab",
      "of three that count, whatever two of them say"
    )
  })

  it("P7.12, P7.13: of generation 1, who said goodbye to two thirds of those that count has left; until then nothing is said", () => {
    const { goodbye, left, mixed, plain } = gone(0)
    assert.strictEqual(left("b: f-", "c: f+", "d: f+"), "nothing")
    assert.strictEqual(left("b: f-", "c: f-", "d: f+"), "left")
    assert.strictEqual(mixed(goodbye("b: f-"), plain("c: f-"), plain("d: f-")), "down by bcd")
    assert.strictEqual(
      mixed(goodbye("b: f-"), plain("c: f-"), plain("d: f+")),
      "down by bc",
      "half of them is not most"
    )
    assert.strictEqual(mixed(goodbye("b: f-"), goodbye("c: f-"), plain("d: f-")), "left", "most is enough")
  })

  it("P7.13, P7.16: whoever signs its goodbyes is not `left` by anybody else's word, but down after a beat", () => {
    const { goodbye, judged, mixed, plain } = gone(3)
    assert.strictEqual(mixed(goodbye("b: f-"), goodbye("c: f-"), goodbye("d: f-")), "down by bcd")
    assert.isTrue(judged(goodbye("b: f-"), goodbye("c: f-"), goodbye("d: f-")).contested)
    assert.isFalse(judged(goodbye("b: f-"), plain("c: f-"), plain("d: f-")).contested)
    const five = worded(of(members("b+ c+ d+ e+ f?"), [goodbye("b: f-"), ...rows(["c: f-", "d: f+", "e: f+"])]))
    assert.strictEqual(five, "suspect", "somebody does not hear it who heard no goodbye")
  })
})

describe("P7.13: among sixteen, of a device none of whose observers can be reached", () => {
  const names = Array.from("0123456789abcdef")

  /** What `a` says of such a device `S`; three that do not observe it, `X`, `Y` and `Z`, are reached, and `W` is not. */
  const judged = (role: Role, mine: string, ...said: ReadonlyArray<string>): string => {
    const roles = { ...Object.fromEntries(names.map((name): [string, Role] => [name, "field"])), a: role }
    const config = configOf({ roles }, "a")
    const rings = ringsOf(config)
    const place = config.trusted.findIndex((_, at) => rings.observersOf[at]!.every((other) => other !== SELF))
    const six = rings.observersOf[place]!.map((other) => nameOf(config.trusted[other]!.deviceId))
    const subject = nameOf(config.trusted[place]!.deviceId)
    const [x, y, z, w] = names.filter((name) => name !== "a" && name !== subject && !six.includes(name))
    const called = (text: string): string =>
      text.replace(/[SWXYZ]/gu, (letter) => ({ S: subject, W: w!, X: x!, Y: y!, Z: z! })[letter]!)
    const reached = [x, y, z]
    const all = names
      .filter((name) => name !== "a")
      .map((name) => member(name === subject ? called(mine) : `${name}${reached.includes(name) ? "+" : "?"}`))
    const told = rows(said.map(called))
    const us = { deviceId: id("a"), observes: role !== "viewer" }
    const { state, witnesses } = verdict(gather(us, rings, all, told), place, false)
    const letter = (witness: string): string => ["X", "Y", "Z"][reached.indexOf(nameOf(witness))] ?? nameOf(witness)
    return state === "down" ? `down by ${witnesses.map(letter).sort().join("")}` : (state ?? "nothing")
  }

  it("those are heard whom it reaches, and who have something to say of the present incarnation", () => {
    assert.strictEqual(judged("field", "S?", "X: S-", "Y: S-"), "down by XY")
    assert.strictEqual(judged("field", "S?", "X: S+", "Y: S-"), "suspect")
    assert.strictEqual(judged("field", "S?", "X: S-", "Y: S+2", "Z: S+2"), "down by X")
    assert.strictEqual(judged("field", "S?", "X: S+", "Y: S-", "W: S-"), "suspect", "W is out of reach")
  })

  it("but the device itself, though it is reached by somebody's word", () =>
    assert.strictEqual(judged("field", "S?", "X: S+", "Y: S-", "Z: S-", "S: S+"), "down by YZ"))

  it("and itself, where it observes", () => {
    assert.strictEqual(judged("field", "S-", "X: S-", "Y: S+"), "down by Xa")
    assert.strictEqual(judged("viewer", "S-", "X: S-", "Y: S+"), "suspect")
  })
})

describe("P7.14: the own word over a link that is probed now and then", () => {
  /** `f`, which others doubt, and of which one of sixteen has heard nothing since its last probe. */
  const doubted = (change: Partial<Member>, word = "-"): string => {
    const [all, place] = heard(change, word)
    return verdict(all, place, false).state ?? "nothing"
  }
  /** What it has of the others, and the place of the one. */
  const heard = (change: Partial<Member>, word: string): readonly [Evidence, number] => {
    const roles = Object.fromEntries(Array.from("0123456789abcdef", (name): [string, Role] => [name, "field"]))
    const config = configOf({ roles }, "a")
    const rings = ringsOf(config)
    const place = rings.watched.indexOf(false)
    const subject = nameOf(config.trusted[place]!.deviceId)
    const all = config.trusted.map(({ deviceId }, at) =>
      at === place ? { ...member(`${subject}+`), ...change } : member(`${nameOf(deviceId)}+`)
    )
    const said = rings.observersOf[place]!.map((other) =>
      row(`${nameOf(config.trusted[other]!.deviceId)}: ${subject}${word}`)
    )
    return [gather({ deviceId: id("a"), observes: true }, rings, all, said), place]
  }

  it("counts until others doubt, and then while the last probe was answered, or we report on it ourselves", () => {
    assert.strictEqual(doubted({ misses: 1 }), "down")
    assert.strictEqual(doubted({ misses: 1 }, "+"), "up")
    assert.strictEqual(doubted({ misses: 0 }), "up")
    assert.strictEqual(doubted({ misses: 1, covers: true }), "up")
  })

  it("shows the way to nobody else from its first miss on, doubted or not: its own row would be old news", () => {
    const reaches = (change: Partial<Member>): boolean => {
      const [{ reached }, place] = heard(change, "-")
      return reached[place]!
    }
    assert.isTrue(reaches({}))
    assert.isFalse(reaches({ misses: 1 }))
    assert.isTrue(reaches({ misses: 1, covers: true }))
  })

  it("is not asked for where it is lost: all its observers hear it", () =>
    assert.strictEqual(doubted({ good: false, link: null }, "+"), "up"))
})

describe("component", () => {
  const reached = (mine: string, ...said: ReadonlyArray<string>): string => {
    const all = members(mine)
    const { reached: places } = evidence(all, rows(said))
    return all.flatMap(({ deviceId }, place) => (places[place] === true ? [nameOf(deviceId)] : [])).join("")
  }

  it("follows good edges, mine first, and each observer once", () => {
    assert.strictEqual(reached("b+ c- d- e-", "b: c+ d-", "c: b+ d+", "d: c+ b+"), "bcd")
    assert.strictEqual(reached("b- c- d-", "b: c+", "c: d+"), "")
  })

  it("does not pass through devices that nobody trusts", () =>
    assert.strictEqual(reached("b+ c-", "b: e+", "e: c+"), "b"))
})

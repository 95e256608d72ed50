import { assert, describe, it } from "@effect/vitest"
import type { WorldView } from "../../../sim/engine/View.ts"
import { fits } from "../../../sim/judge/Clause.ts"
import { holds, question } from "../../../sim/judge/Facts.ts"
import type { ActuatorFact, Facts } from "../../../sim/scenario/Scenario.ts"
import { world } from "./Stage.ts"

const missing = (facts: Facts, view: WorldView) => {
  assert.isFalse(holds(facts, view))
  return question(facts).witness(view, [], "missing")
}
const present = (facts: Facts, view: WorldView) => {
  assert.isTrue(holds(facts, view))
  return question(facts).witness(view, [], "present")
}

const crashed = { running: false, leader: "gone", term: 99, leads: true, leaseEndsMs: 99_000 } as const

describe("scenario facts: counts", () => {
  it("exactly, at least and at most mean what they say at their edges", () => {
    const table = (["exactly", "at least", "at most"] as const).map((how) =>
      [1, 2, 3].map((n) => fits({ how, n: 2 }, n))
    )
    assert.deepStrictEqual(table, [
      [false, true, false],
      [false, true, true],
      [true, true, false]
    ])
  })
})

describe("scenario facts: leader", () => {
  it("is whom all who name a leader name; who names nobody abstains, who crashed is not asked", () => {
    const view = world(0, { a: { leader: "a" }, b: { leader: "a" }, c: { leader: null }, d: crashed })
    assert.isTrue(holds({ leader: ["a"] }, view))
    assert.isTrue(holds({ leader: ["c", "a"] }, view))
    assert.isFalse(holds({ leader: ["b"] }, view))
    assert.isFalse(holds({ leader: "none" }, view))
  })
  it("is nobody where two are named, and the witness says by whom", () => {
    const view = world(0, { a: { leader: "a" }, b: { leader: "a" }, c: { leader: "c" } })
    assert.isFalse(holds({ leader: ["a", "c"] }, view))
    assert.strictEqual(missing({ leader: ["a"] }, view), "a and b name a, c names c")
  })
  it("is not so where nobody names anybody; `none` then is", () => {
    const view = world(0, { a: {}, b: {} })
    assert.strictEqual(missing({ leader: ["a"] }, view), "nobody names a leader")
    assert.strictEqual(present({ leader: "none" }, view), "nobody names a leader")
    assert.isTrue(holds({ leader: "none" }, world(0, { a: crashed })))
  })
  it("is ruled out by `never` as soon as one node names it, whatever the others say", () => {
    const forbidden = question({ leader: ["b", "c"] }, "of anybody")
    assert.isTrue(forbidden.holds(world(0, { a: { leader: "a" }, b: { leader: "a" }, c: { leader: "c" } }), []))
    assert.isFalse(forbidden.holds(world(0, { a: { leader: "a" }, b: {}, c: { leader: "a" } }), []))
    assert.isFalse(forbidden.holds(world(0, { a: {}, b: crashed }), []))
  })
  it("many who say the same are all", () => {
    const view = world(0, { a: { leader: "a" }, b: { leader: "a" }, c: { leader: "a" }, d: crashed })
    assert.strictEqual(missing({ leader: ["b"], term: { how: "at least", n: 1 } }, view), "all name a; term now 0")
  })
  it("seen-by asks these nodes only, and each of them has to name it", () => {
    const view = world(0, { a: { leader: "a" }, b: { leader: "b" }, c: {} })
    assert.isTrue(holds({ leader: ["b"], seenBy: ["b"] }, view))
    assert.strictEqual(missing({ leader: ["b"], seenBy: ["b", "c"] }, view), "b names b, c names nobody")
    assert.isTrue(holds({ leader: "none", seenBy: ["c"] }, view))
    assert.isFalse(holds({ leader: "none", seenBy: ["c", "a"] }, view))
  })
  it("seen-by nodes that do not run say nothing", () => {
    const view = world(0, { a: { leader: "a" }, b: crashed })
    assert.isTrue(holds({ leader: ["a"], seenBy: ["a", "b"] }, view))
    assert.strictEqual(missing({ leader: ["gone"], seenBy: ["b"] }, view), "b: not running")
  })
})

describe("scenario facts: how many lead", () => {
  it("leaders counts running nodes whose lease ends later than now, noticed or not", () => {
    const view = world(5_000, {
      a: { leaseEndsMs: 5_001 },
      b: { leaseEndsMs: 5_000, leads: true },
      c: { leaseEndsMs: 9_000, leads: true },
      d: crashed
    })
    assert.strictEqual(missing({ leaders: { how: "at most", n: 1 } }, view), "now 2: a and c")
    assert.strictEqual(present({ leadersBelieved: { how: "exactly", n: 2 } }, view), "now 2: b and c")
  })
  it("leaders-per-term is the world's own count", () => {
    assert.isTrue(holds({ leadersPerTerm: { how: "at most", n: 1 } }, world(0, { a: {} }, 1)))
    assert.strictEqual(missing({ leadersPerTerm: { how: "at most", n: 1 } }, world(0, { a: {} }, 2)), "now 2")
  })
  it("term is the highest that a running node knows", () => {
    const view = world(0, { a: { term: 3 }, b: { term: 2 }, c: crashed })
    assert.isTrue(holds({ term: { how: "exactly", n: 3 } }, view))
    assert.strictEqual(missing({ term: { how: "at least", n: 4 } }, view), "now 3: a")
  })
})

describe("scenario facts: actuators", () => {
  const once = { how: "exactly", n: 1 } as const
  const view = world(0, { a: {} }, 1, { pump: { runs: 2, positions: ["open", "closed"], lastRunBy: "a" } })
  const pump = (fact: Omit<ActuatorFact, "actuator">): Facts => ({ actuators: [{ actuator: "pump", ...fact }] })
  it("how often it ran, how it stands at each of its owners, and by whose order it last ran", () => {
    assert.isTrue(holds(pump({ runs: { how: "at least", n: 2 }, lastRunBy: "a" }), view))
    const is = "pump is open and closed, and has run 2 times, last by order of a"
    for (const fact of [{ runs: once }, { position: "open" }, { position: "closed" }, { lastRunBy: "b" }] as const)
      assert.strictEqual(missing(pump(fact), view), is)
  })
  it("what nobody has moved is closed", () => {
    const rests = world(0, { a: {} })
    assert.isTrue(holds(pump({ runs: { how: "exactly", n: 0 }, position: "closed" }), rests))
    assert.strictEqual(missing(pump({ lastRunBy: "a" }), rests), "pump is closed, and has run 0 times")
  })
})

describe("scenario facts: the farm", () => {
  const farm = (how: "at least" | "at most", n: number, place = "north"): Facts => ({
    farm: [{ place, metric: "moisture", is: { how, n } }]
  })
  it("how it is there, whatever anybody knows of it", () => {
    const view = world(0, {}, 1, {}, { "moisture of north": 19.96 })
    assert.isTrue(holds(farm("at most", 20), view))
    assert.strictEqual(missing(farm("at least", 20), view), "moisture of north is 20.0")
    assert.strictEqual(missing(farm("at least", 20, "south"), view), "moisture of south is not there")
  })
})

describe("scenario facts: peers", () => {
  const view = world(0, {
    a: { peers: { b: "up", c: "suspect" } },
    b: { peers: { a: "up", c: "down" } },
    c: { running: false, peers: { a: "down", b: "down" } }
  })
  const peers = (
    observer: string | { readonly word: "everyone" | "anyone" },
    subject: string,
    state: "up" | "down"
  ): Facts => ({
    peers: [{ observer, subject, state }]
  })
  it("one node has another as something", () => {
    assert.isTrue(holds(peers("b", "c", "down"), view))
    assert.strictEqual(missing(peers("a", "c", "down"), view), "a has c as suspect")
  })
  it("a node that does not run has nobody as anything", () => {
    assert.strictEqual(missing(peers("c", "a", "down"), view), "c is not running")
    assert.isFalse(holds(peers("nobody-of-that-name", "a", "down"), view))
  })
  it("everyone: each running node but the subject", () => {
    assert.isTrue(holds(peers({ word: "everyone" }, "a", "up"), view))
    assert.strictEqual(missing(peers({ word: "everyone" }, "c", "down"), view), "a has c as suspect")
    assert.strictEqual(
      missing(peers({ word: "everyone" }, "a", "up"), world(0, { a: {}, b: { running: false } })),
      "no node is running to say so"
    )
  })
  it("anyone: at least one of them", () => {
    assert.strictEqual(present(peers({ word: "anyone" }, "c", "down"), view), "b has c as down")
    // c itself is not running, and would be the only one.
    assert.strictEqual(missing(peers({ word: "anyone" }, "a", "down"), view), "nobody: b has a as up")
  })
  it("all facts have to hold together, and the witness names the guilty ones", () => {
    const facts: Facts = { leader: ["a"], ...peers("b", "c", "down"), term: { how: "exactly", n: 1 } }
    assert.strictEqual(missing(facts, view), "nobody names a leader; term now 0")
  })
})

describe("scenario facts: agree-on", () => {
  it("leader and term: all running nodes say the same", () => {
    const agreed = world(0, { a: { leader: "a", term: 2 }, b: { leader: "a", term: 2 }, c: crashed })
    assert.isTrue(holds({ agreeOn: ["leader", "term"] }, agreed))
    const apart = world(0, { a: { leader: "a", term: 2 }, b: { leader: null, term: 1 } })
    assert.strictEqual(missing({ agreeOn: ["leader"] }, apart), "a names a, b names nobody")
    assert.strictEqual(missing({ agreeOn: ["term"] }, apart), "a is in term 2, b is in term 1")
  })
  it("peers: one word for each subject, of all running nodes but itself, also for a subject that is gone", () => {
    const one = (b: "up" | "unknown", ofC: "down" | "unknown") =>
      world(0, {
        a: { peers: { b: "up", c: "down" } },
        b: { peers: { a: "up", c: ofC } },
        d: { peers: { a: "up", b, c: "down" } },
        c: { running: false, peers: { a: "down", b: "down" } }
      })
    // Nobody but itself would speak of d, who is unknown to both: they agree.
    assert.isTrue(holds({ agreeOn: ["peers"] }, one("up", "down")))
    assert.strictEqual(
      missing({ agreeOn: ["peers"] }, one("up", "unknown")),
      "a and d have c as down, b has c as unknown"
    )
    assert.strictEqual(
      missing({ agreeOn: ["peers"] }, one("unknown", "unknown")),
      "a has b as up, d has b as unknown; and about c"
    )
  })
  it("nobody running is no agreement", () => {
    for (const topic of ["leader", "term", "peers"] as const) {
      assert.strictEqual(missing({ agreeOn: [topic] }, world(0, { a: crashed })), "no node is running to say so")
    }
  })
})

describe("scenario facts: heartbeats and what is unread", () => {
  const view = world(0, {
    a: { heartbeatsMs: { b: 900, c: 1_100 }, unreadBytes: { b: 5_000 } },
    b: { unreadBytes: { c: 1 } },
    c: {},
    d: { ...crashed, heartbeatsMs: { a: 1 } }
  })
  const everyone = { word: "everyone" } as const

  it("heartbeats within a time; whoever got none does not say so", () => {
    const within = (observer: "a" | "b" | "d", subject: string) => ({ heartbeats: [{ observer, subject, ms: 1_000 }] })
    assert.strictEqual(present(within("a", "b"), view), "a gets those of b within 0.9 s")
    assert.strictEqual(missing(within("a", "c"), view), "a gets those of c within 1.1 s")
    assert.strictEqual(missing(within("b", "a"), view), "b gets those of a none")
    assert.strictEqual(missing(within("d", "a"), view), "d is not running")
  })

  it("no more than so many bytes", () => {
    const most = (observer: "a" | typeof everyone, bytes: number) => ({ unread: [{ observer, subject: "b", bytes }] })
    assert.strictEqual(present(most("a", 5_000), view), "a keeps 5000 bytes for b")
    assert.strictEqual(missing(most("a", 4_999), view), "a keeps 5000 bytes for b")
    assert.strictEqual(missing(most(everyone, 4_999), view), "a keeps 5000 bytes for b")
    assert.isTrue(holds(most(everyone, 5_000), view))
  })
})

describe("scenario facts: sessions", () => {
  const once = { how: "exactly", n: 1 } as const
  const view = world(0, {
    a: { sessions: { b: 1, c: 2 } },
    b: { sessions: { a: 1 } },
    c: { sessions: { a: 1, b: 0 } },
    d: { ...crashed, sessions: { a: 7 } }
  })
  it("one node counts its own with another", () => {
    assert.strictEqual(present({ sessions: [{ observer: "a", subject: "b", count: once }] }, view), "a has 1 with b")
    assert.strictEqual(missing({ sessions: [{ observer: "a", subject: "c", count: once }] }, view), "a has 2 with c")
    assert.strictEqual(missing({ sessions: [{ observer: "d", subject: "a", count: once }] }, view), "d is not running")
  })
  it("everyone is all who run but the other; anyone is one of them", () => {
    const everyone = { word: "everyone" } as const
    const anyone = { word: "anyone" } as const
    assert.isTrue(holds({ sessions: [{ observer: everyone, subject: "a", count: once }] }, view))
    assert.strictEqual(
      missing({ sessions: [{ observer: everyone, subject: "b", count: once }] }, view),
      "c has 0 with b"
    )
    const two = { how: "at least", n: 2 } as const
    assert.strictEqual(present({ sessions: [{ observer: anyone, subject: "c", count: two }] }, view), "a has 2 with c")
    assert.strictEqual(
      missing({ sessions: [{ observer: anyone, subject: "a", count: two }] }, view),
      "nobody: b and c have 1 with a"
    )
  })
  it("is told as it was written", () => {
    assert.strictEqual(
      question({ sessions: [{ observer: "a", subject: "b", count: { how: "at most", n: 2 } }] }).told,
      "a has at most 2 sessions with b"
    )
  })
})

describe("scenario facts: trusts", () => {
  const view = world(0, {
    a: { trusts: { b: "field" } },
    b: { trusts: { a: "planner" } },
    c: { trusts: { a: "planner" } },
    d: { ...crashed, trusts: { a: "field" } }
  })
  const says = (
    observer: string | { readonly word: "everyone" | "anyone" },
    subject: string,
    as: "field" | "planner" | "nothing"
  ) => ({
    trusts: [{ observer, subject, as }]
  })
  it("in a role, or not at all", () => {
    assert.strictEqual(present(says("a", "b", "field"), view), "a trusts b as field")
    assert.strictEqual(missing(says("a", "b", "planner"), view), "a trusts b as field")
    assert.strictEqual(present(says("a", "c", "nothing"), view), "a does not trust c")
    assert.strictEqual(missing(says("d", "a", "field"), view), "d is not running")
    assert.isTrue(holds(says({ word: "everyone" }, "a", "planner"), view))
    assert.strictEqual(missing(says({ word: "everyone" }, "b", "field"), view), "c does not trust b")
    assert.strictEqual(question(says("a", "b", "nothing")).told, "a does not trust b")
  })
})

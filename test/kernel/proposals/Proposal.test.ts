/** B27 to B33: what a proposal is, by the facts that are held of it. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { Config } from "../../../kernel/Config.ts"
import { AGAIN_MS } from "../../../kernel/actuation/Guard.ts"
import {
  factOf,
  idOf,
  PROPOSAL_MS,
  proposalOf,
  proposalsOf,
  said,
  shortOf,
  type Body,
  type Fact
} from "../../../kernel/proposals/Proposal.ts"
import { closeOver } from "../../../kernel/proposals/Proposing.ts"
import { trustOf } from "../../../kernel/wire/ContextFrame.ts"
import { hold } from "../../../kernel/world/Holding.ts"
import * as World from "../../../kernel/world/World.ts"
import { configOf, id } from "../drive.ts"
import { signed } from "../world/frames.ts"
import { approved, body, frameOf, intentOf, proposed } from "./facts.ts"

const config: Config = configOf(
  { roles: { a: "field", b: "planner", c: "standby-planner", d: "node", f: "field", g: "planner" } },
  "a"
)

type Saying = readonly [by: string, fact: Fact, ageMs?: number]

/** As a node has it that holds these, in this order. */
const known = (sayings: ReadonlyArray<Saying>, mono = 0) => {
  const seqs = new Map<string, number>()
  let world = World.make()
  for (const [by, fact, ageMs = 0] of sayings) {
    const seq = (seqs.get(by) ?? 0) + 1
    seqs.set(by, seq)
    world = hold(world, frameOf(by, seq, fact, ageMs), 100, config, mono)
  }
  const all = proposalsOf(world, config, mono)
  for (const one of all) assert.deepEqual(proposalOf(world, config, one.id, mono), one)
  return all
}

const only = (sayings: ReadonlyArray<Saying>, mono = 0) => {
  const all = known(sayings, mono)
  assert.strictEqual(all.length, 1)
  return all[0]!
}

const no: Fact = { fact: "reject", id: intentOf(), by: "ravi" }
const done: Fact = { fact: "result", id: intentOf(), outcome: "done" }
/** The first approval of this one is none. */
const taken = (by: string): Fact => ({
  fact: "void",
  id: intentOf(),
  voids: [{ approval: `${by}-1-1`, code: "TARGET_CHANGED" }]
})
const failed: Fact = { fact: "result", id: intentOf(), outcome: "TARGET_BUSY" }

describe("the intent of a proposal", () => {
  it("is of what is moved, by whom, to what, and why; of nothing else", () => {
    assert.strictEqual(idOf("mesh", { ...body, forMs: 7 }), intentOf())
    assert.strictEqual(idOf("mesh", { ...body, because: ["x", "y"] }), idOf("mesh", { ...body, because: ["y", "x"] }))
    const others: ReadonlyArray<Body> = [
      { ...body, actuator: "actuator:valve" },
      { ...body, guardian: id("b") },
      { ...body, state: "closed" },
      { ...body, because: ["b-1-2"] },
      { ...body, request: "b-1-1" }
    ]
    assert.strictEqual(new Set([intentOf(), idOf("other", body), ...others.map((one) => idOf("mesh", one))]).size, 7)
  })

  it("is said in six characters by people", () => {
    assert.match(shortOf(intentOf()), /^P-[0-9A-HJKMNP-TV-Z]{4}$/u)
  })
})

describe("what a frame says of a proposal", () => {
  it("is what was said, and of another mesh nothing", () => {
    for (const fact of [
      proposed(),
      approved("t"),
      no,
      done,
      failed,
      { fact: "adopt", id: intentOf(), term: 3 } as const,
      { fact: "close", id: intentOf(), as: "superseded" } as const,
      taken("d")
    ]) {
      assert.deepStrictEqual(factOf(frameOf("b", 1, fact), "mesh"), fact)
      const { data, kind } = said(fact)
      const other = kind === "event" ? "human_input" : "event"
      assert.isNull(
        factOf(signed({ by: "b", seq: 1, kind: other }, { data, trust: trustOf(other) }), "mesh"),
        "as another kind"
      )
    }
    assert.isNull(factOf(frameOf("b", 1, proposed()), "another"))
  })

  it("is nothing that does not read: total over anything", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          "propose",
          "adopt",
          "close",
          "void",
          "approve",
          "reject",
          "result",
          "x",
          "__proto__",
          "toString"
        ),
        fc.oneof(fc.constant(intentOf()), fc.string(), fc.anything()),
        fc.oneof(
          fc.anything(),
          fc.record(
            {
              body: fc.oneof(
                fc.constant(body),
                fc.record(
                  {
                    actuator: fc.oneof(fc.constant(body.actuator), fc.anything()),
                    guardian: fc.oneof(fc.constant(body.guardian), fc.anything()),
                    state: fc.anything(),
                    forMs: fc.anything(),
                    because: fc.oneof(fc.constant(body.because), fc.anything()),
                    request: fc.anything(),
                    again: fc.anything()
                  },
                  { requiredKeys: [] }
                )
              ),
              term: fc.anything(),
              token: fc.anything(),
              by: fc.anything(),
              outcome: fc.anything()
            },
            { requiredKeys: [] }
          )
        ),
        fc.constantFrom("event" as const, "human_input" as const),
        (fact, zone, proposal, kind) => {
          const data = { metric: `proposal.${fact}`, zone, proposal }
          const frame = { ...frameOf("b", 1, done), kind, data: data as { readonly [key: string]: unknown } }
          const read = factOf(frame, "mesh")
          if (read === null) return
          assert.strictEqual(read.id, intentOf())
          assert.strictEqual(said(read).kind, kind)
          if ("body" in read) assert.strictEqual(idOf("mesh", read.body), read.id)
        }
      ),
      { numRuns: 20_000 }
    )
  })
})

describe("what becomes of a proposal", () => {
  it("follows from the facts, in whichever order they came", () => {
    const facts: ReadonlyArray<Saying> = [
      ["b", proposed()],
      ["c", { fact: "adopt", id: intentOf(), term: 2 }],
      ["d", approved("t")],
      ["f", no],
      ["a", done]
    ]
    const whole = only(facts)
    assert.deepInclude(whole, { status: "completed", owner: id("c"), proposer: id("b"), term: 2 })
    fc.assert(
      fc.property(fc.shuffledSubarray([...facts], { minLength: 5 }), (order) => {
        assert.deepStrictEqual(only(order), whole)
      })
    )
  })

  const cases: ReadonlyArray<readonly [what: string, status: string, sayings: ReadonlyArray<Saying>]> = [
    ["proposed", "awaiting_approval", [["b", proposed()]]],
    [
      "approved",
      "approved",
      [
        ["b", proposed()],
        ["d", approved("t")]
      ]
    ],
    [
      "a no beats a yes",
      "rejected",
      [
        ["b", proposed()],
        ["d", approved("t")],
        ["f", no]
      ]
    ],
    [
      "a result beats a no",
      "completed",
      [
        ["b", proposed()],
        ["f", no],
        ["a", done]
      ]
    ],
    [
      "a result of its guardian alone",
      "approved",
      [
        ["b", proposed()],
        ["d", approved("t")],
        ["f", done]
      ]
    ],
    [
      "failed",
      "failed",
      [
        ["b", proposed()],
        ["d", approved("t")],
        ["a", failed]
      ]
    ],
    [
      "closed for its age",
      "expired",
      [
        ["b", proposed()],
        ["c", { fact: "close", id: intentOf(), as: "expired" }]
      ]
    ],
    [
      "closed by nobody who may",
      "awaiting_approval",
      [
        ["b", proposed()],
        ["f", { fact: "close", id: intentOf(), as: "expired" }]
      ]
    ],
    [
      "a yes that its guardian does not take",
      "awaiting_approval",
      [
        ["b", proposed()],
        ["d", approved("t")],
        ["a", taken("d")]
      ]
    ],
    [
      "a yes that whoever said it takes back",
      "awaiting_approval",
      [
        ["b", proposed()],
        ["d", approved("t")],
        ["d", taken("d")]
      ]
    ],
    [
      "a yes that somebody else takes back",
      "approved",
      [
        ["b", proposed()],
        ["d", approved("t")],
        ["f", taken("d")]
      ]
    ],
    [
      "another yes after that",
      "approved",
      [
        ["b", proposed()],
        ["d", approved("t")],
        ["a", taken("d")],
        ["f", approved("u")]
      ]
    ],
    ["old, and nobody has said so", "awaiting_approval", [["b", proposed(), PROPOSAL_MS]]],
    [
      "a yes to something else",
      "awaiting_approval",
      [
        ["b", proposed()],
        ["d", approved("t", { ...body, forMs: 60_000 })]
      ]
    ]
  ]
  for (const [what, status, sayings] of cases)
    it(`${what}: ${status}`, () => {
      assert.strictEqual(only(sayings).status, status)
    })

  it("is nothing where nobody proposed it who may", () => {
    assert.deepStrictEqual(
      known([
        ["f", proposed()],
        ["d", approved("t")],
        ["a", done]
      ]),
      []
    )
  })

  it("two planners that see the same propose one; the lower text stands until a person approved the other", () => {
    const longer: Body = { ...body, forMs: 60_000 }
    const both: ReadonlyArray<Saying> = [
      ["b", proposed(longer)],
      ["c", proposed()]
    ]
    assert.strictEqual(only(both).body.forMs, 5_000)
    assert.strictEqual(only([...both, ["d", approved("t", longer)]]).body.forMs, 60_000)
  })

  it("another for the same, made at about that time, is superseded by the one that was done (C47): for the leader to say", () => {
    const other: Body = { ...body, because: ["c-1-1"] }
    const of = (ageMs: number) =>
      closeOver(
        known([
          ["b", proposed(), ageMs],
          ["c", proposed(other)],
          ["a", done]
        ])
      )
    assert.deepStrictEqual(of(0), [{ fact: "close", id: intentOf(other), as: "superseded" }])
    assert.deepStrictEqual(of(AGAIN_MS), [])
  })

  it("what nobody decided for half an hour is over: for the leader to say", () => {
    assert.deepStrictEqual(closeOver(known([["b", proposed(), PROPOSAL_MS - 1]])), [])
    assert.deepStrictEqual(closeOver(known([["b", proposed(), PROPOSAL_MS]])), [
      { fact: "close", id: intentOf(), as: "expired" }
    ])
    assert.deepStrictEqual(
      closeOver(
        known([
          ["b", proposed(), PROPOSAL_MS],
          ["f", no]
        ])
      ),
      []
    )
  })
})

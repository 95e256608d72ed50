/** Mistakes with the words of trust, keys and handshakes, each at its place. */
import { assert, describe, it } from "@effect/vitest"
import { readScenario } from "../../../sim/scenario/read.ts"
import { assertMistakes, expectWith, scenarioWith, timelineWith } from "./marked.ts"

const step = (verb: string): string => timelineWith(`  - { at: 1s, ${verb} }`)
const nodes = (text: string, more: { readonly [heading: string]: string } = {}): string =>
  scenarioWith({ nodes: `\n  laptop: { role: planner }\n${text}`, timeline: " []", ...more })

describe("words of identity", () => {
  it("trust and revoke: whose, whom, in which role", () => {
    assertMistakes(step("trust: «{ by: laptop }»"), /^trust needs by: and whom:/u)
    assertMistakes(step("revoke: «{ whom: laptop }»"), /^revoke needs by: and whom:/u)
    assertMistakes(step("trust: { by: «laptp», whom: backup }"), 'unknown node "laptp"; did you mean laptop?')
    assertMistakes(step("trust: { by: laptop, whom: «bakcup» }"), 'unknown node "bakcup"; did you mean backup?')
    assertMistakes(step("revoke: { by: laptop, whom: «laptop» }"), /^a node needs no trust in itself/u)
    assertMistakes(step("trust: { by: laptop, whom: backup, as: «captain» }"), /^one of node, planner/u)
    assertMistakes(step("trust: { by: everyone but backup, whom: backup }, for: 5s"))
  })

  it("keys-fail: whose, at what", () => {
    assertMistakes(step("keys-fail: «{ who: laptop }»"), /^write at what/u)
    assertMistakes(step("keys-fail: { who: laptop, at: «sining» }"), /^one of signing, checking/u)
  })

  it("ask: who, whom, how often, and until when", () => {
    assertMistakes(step("ask: «{ from: laptop, each: 1s }», for: 5s"), /^ask needs from, to and each/u)
    assertMistakes(step("ask: «{ from: laptop, to: backup }», for: 5s"), /^ask needs each:/u)
    assertMistakes(step("ask: { from: laptop, to: «bakcup», each: 1s }, for: 5s"), /did you mean backup/u)
    assertMistakes(
      step("ask: { from: laptop, to: «laptop», each: 1s }, for: 5s"),
      /^a node has no session with itself/u
    )
    assertMistakes(step("ask: { from: laptop, to: backup, each: «0ms» }, for: 5s"), /^that would never end/u)
    assertMistakes(step("«ask»: { from: laptop, to: backup, each: 1s }"), /^ask needs to end: add for:/u)
    assertMistakes(step("ask: { from: laptop, to: backup, each: 1s }, for: 5s"))
  })

  it("connect: where, as whom, with which lie", () => {
    assertMistakes(step("connect: «{ as: laptop }»"), /^connect needs to:/u)
    assertMistakes(step("connect: { to: laptop, as: «laptop» }"), /^nobody logs in at itself/u)
    assertMistakes(
      step("connect: { to: laptop, with: «another key» }"),
      "another key than whose? Write as:, such as as: laptop"
    )
    assertMistakes(step("connect: { to: laptop, with: «an old login» }"), /^an old login than whose/u)
    assertMistakes(
      step("connect: { to: laptop, as: jetson-1, with: «a relayed login» }"),
      /^a relayed login needs through:/u
    )
    assertMistakes(
      step("connect: { to: laptop, as: jetson-1, «through»: jetson-2 }"),
      /^through: goes with: a relayed login/u
    )
    assertMistakes(
      step("connect: { to: laptop, as: jetson-1, with: a relayed login, through: «jetson-1» }"),
      /^three nodes have a part in it/u
    )
    assertMistakes(
      step("connect: { to: laptop, as: backup, with: «another kei» }"),
      /^one of its own key, another key/u
    )
    assertMistakes(step("connect: { to: laptop, over: «wss» }"), /^one of no tls, tls without its key/u)
    assertMistakes(step("connect: { to: laptop }, «for»: 5s"), /^connect cannot be undone/u)
  })

  it("trusts, as a fact", () => {
    const fact = (text: string): string => expectWith(`  - { always: { trusts: ${text} } }`)
    assertMistakes(fact("{ laptop: { «laptp»: field } }"), 'unknown node "laptp"; did you mean laptop?')
    assertMistakes(fact("{ laptop: { backup: «captain» } }"), /^one of node, planner, .*, nothing/u)
    assertMistakes(fact("«{}»"), /^nobody here; write who and whom, such as .*planner/u)
    const read = readScenario(
      "test.yaml",
      fact("{ everyone: { backup: standby-planner }, laptop: { jetson-1: nothing } }")
    )
    if ("mistakes" in read) throw new Error(read.mistakes.map(({ message }) => message).join("\n"))
    assert.strictEqual(
      read.scenario.expect[0]!.name,
      "always: everyone trusts backup as standby-planner and laptop does not trust jetson-1"
    )
  })

  it("trusted-by: unknown nodes", () => {
    assertMistakes(nodes("  field: { role: field, trusted-by: [«laptp»] }"), /^unknown node "laptp"/u)
    assertMistakes(nodes("  field: { role: field, trusted-by: none }"))
    assertMistakes(nodes("  field: { role: field, trusted-by: everyone }"))
  })

  it("same-key-as: itself, one that has it from another, an elector", () => {
    const electors = { electors: " [laptop]" }
    assertMistakes(nodes("  a: { role: field, same-key-as: «a» }", electors), /^a node has its own key anyway/u)
    assertMistakes(
      nodes(
        "  a: { role: field }\n  b: { role: field, same-key-as: a }\n  c: { role: field, same-key-as: «b» }",
        electors
      ),
      "b has its key from another node; write that one"
    )
    assertMistakes(
      nodes("  a: { role: field }\n  b: { role: field, same-key-as: «a» }"),
      "a is an elector, and two with one key could vote twice; write electors: without it"
    )
    assertMistakes(
      nodes("  a: { role: field }\n  b: { role: field, same-key-as: «a» }", { electors: " [laptop, b]" }),
      /^b is an elector/u
    )
  })

  it("a second process with a key is no elector unless the file says so", () => {
    const read = readScenario("test.yaml", nodes("  a: { role: sensor }\n  b: { role: field, same-key-as: a }"))
    if ("mistakes" in read) throw new Error(read.mistakes.map(({ message }) => message).join("\n"))
    assert.deepStrictEqual(read.scenario.electors, ["laptop"])
  })
})

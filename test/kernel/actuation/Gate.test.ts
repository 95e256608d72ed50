/** P16.1, P16.2, S4: the gate, each code by the least that earns it; and that no claim makes it looser. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { judge, type Carried, type Demand } from "../../../kernel/actuation/Gate.ts"
import { sources, tiers } from "../../../kernel/wire/ContextFrame.ts"

const good = {
  action_type: "actuation",
  evidence_trust_tier: "T2_operational_observation",
  minimum_trust_tier: "T1_unverified_observation",
  verification_required: "none",
  evidence_sources: ["sensor"]
}
const command = (trust: unknown, more: object = {}) => ({
  version: 1,
  kind: "clawmesh.command",
  commandId: "c",
  createdAtMs: 1,
  target: { kind: "capability", ref: "actuator:pump" },
  operation: { name: "set", params: { state: "open" } },
  ...(trust === undefined ? {} : { trust }),
  ...more
})
const without = (key: keyof typeof good) => Object.fromEntries(Object.entries(good).filter(([name]) => name !== key))
const codeOf = (carried: Carried, demand?: Demand): string => judge(carried, demand).refused?.code ?? "let through"
const of = (trust: unknown, more: object = {}): Carried => ({ to: "x", command: command(trust, more) })

describe("the gate", () => {
  const cases: ReadonlyArray<readonly [string, Carried, string]> = [
    ["all is said", of(good), "let through"],
    ["a message without a command", { to: "sensor:x" }, "let through"],
    ["no envelope", { to: "x", command: { version: 1 } }, "INVALID_COMMAND_ENVELOPE"],
    ["another version", of(good, { version: 2 }), "INVALID_COMMAND_ENVELOPE"],
    ["two trusts", { ...of(good), trust: { ...good, evidence_sources: ["human"] } }, "TRUST_ENVELOPE_MISMATCH"],
    [
      "the same trust twice, in another order",
      { ...of(good), trust: Object.fromEntries(Object.entries(good).toReversed()) },
      "let through"
    ],
    ["an actuator, undeclared", of(undefined), "ACTUATION_DECLARATION_REQUIRED"],
    ["an actuator as an observation", of({ ...good, action_type: "observation" }), "ACTUATION_DECLARATION_REQUIRED"],
    ["a message to an actuator", { to: "actuator:pump" }, "ACTUATION_DECLARATION_REQUIRED"],
    ["a source in capitals", of({ ...good, evidence_sources: ["SENSOR"] }), "INVALID_TRUST_POLICY"],
    ["a tier that there is not", of({ ...good, evidence_trust_tier: "T9" }), "INVALID_TRUST_POLICY"],
    ["sources that are no list", of({ ...good, evidence_sources: "sensor" }), "INVALID_TRUST_POLICY"],
    ["satisfied by a word", of({ ...good, verification_satisfied: "yes" }), "INVALID_TRUST_POLICY"],
    ["no tier", of(without("evidence_trust_tier")), "TRUST_METADATA_REQUIRED"],
    ["no minimum", of(without("minimum_trust_tier")), "TRUST_METADATA_REQUIRED"],
    ["no verification", of(without("verification_required")), "TRUST_METADATA_REQUIRED"],
    ["a language model alone", of({ ...good, evidence_sources: ["llm"] }), "LLM_ONLY_ACTUATION_BLOCKED"],
    ["no sources", of(without("evidence_sources")), "LLM_ONLY_ACTUATION_BLOCKED"],
    ["an empty list of sources", of({ ...good, evidence_sources: [] }), "LLM_ONLY_ACTUATION_BLOCKED"],
    [
      "below its own minimum",
      of({ ...good, minimum_trust_tier: "T3_verified_action_evidence" }),
      "INSUFFICIENT_TRUST_TIER"
    ],
    [
      "verified by a person, it says",
      of({ ...good, verification_required: "human", verification_satisfied: true, approved_by: ["asha"] }),
      "VERIFICATION_REQUIRED"
    ]
  ]
  it.each(cases)("%s", (_, carried, code) => {
    assert.strictEqual(codeOf(carried), code)
  })

  it("what the owner demands counts besides", () => {
    const demand: Demand = { minimum: "T3_verified_action_evidence", verification: "none" }
    assert.strictEqual(codeOf(of(good), demand), "INSUFFICIENT_TRUST_TIER")
    const human: Demand = { minimum: "T0_planning_inference", verification: "human" }
    assert.strictEqual(codeOf(of({ ...good, verification_satisfied: true }), human), "VERIFICATION_REQUIRED")
  })

  it("is total, and lets nothing through that rests on a language model or on less than is demanded", () => {
    const word = fc.oneof(fc.constantFrom(...sources, ...tiers, "actuation", "none", "human", "LLM"), fc.anything())
    const trust = fc.record(
      {
        action_type: fc.oneof({ weight: 8, arbitrary: fc.constant("actuation") }, word),
        evidence_trust_tier: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...tiers) }, word),
        minimum_trust_tier: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...tiers) }, word),
        verification_required: fc.oneof({ weight: 8, arbitrary: fc.constant("none") }, word),
        verification_satisfied: fc.oneof({ weight: 8, arbitrary: fc.boolean() }, word),
        evidence_sources: fc.oneof({ weight: 8, arbitrary: fc.subarray([...sources]) }, word)
      },
      { requiredKeys: [] }
    )
    let through = 0
    fc.assert(
      fc.property(trust, fc.constantFrom(...tiers), (said, minimum) => {
        if (judge(of(said), { minimum, verification: "none" }).refused !== null) return
        through++
        assert.isTrue((said.evidence_sources as ReadonlyArray<string>).some((source) => source !== "llm"))
        assert.isAtLeast(tiers.indexOf(said.evidence_trust_tier as "T0_planning_inference"), tiers.indexOf(minimum))
      }),
      { numRuns: 20_000, seed: 16 }
    )
    assert.isAbove(through, 500)
  })
})

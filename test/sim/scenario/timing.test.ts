/** `timing:`: which constants there are, what has to hold among them, and that a run goes by them. */
import { assert, describe, it } from "@effect/vitest"
import { profiles } from "../../../kernel/Profile.ts"
import { runScenario } from "../../../sim/run.ts"
import { Language } from "../../../sim/scenario/Language.ts"
import { readScenario } from "../../../sim/scenario/read.ts"
import type { Scenario } from "../../../sim/scenario/Scenario.ts"
import { rules } from "../../../sim/scenario/Timing.ts"
import { assertMistakes, scenarioWith } from "./marked.ts"

const timing = (text: string, more: { readonly [heading: string]: string } = {}): string =>
  scenarioWith({ timing: ` ${text}`, ...more })
const read = (text: string): Scenario => {
  const found = readScenario("test.yaml", text)
  if ("mistakes" in found) throw new Error(found.mistakes.map(({ message }) => message).join("\n"))
  return found.scenario
}

const hyphened = (constant: string): string =>
  constant.replace(/Ms$/u, "").replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)

describe("timing", () => {
  it("every constant of a profile by its name, and no other word", () => {
    const constants = Object.keys(profiles.lan).filter((constant) => constant !== "name")
    const words = Object.keys(Language.fields.timing.schema.fields)
    assert.deepStrictEqual(words.toSorted(), constants.map(hyphened).toSorted())
    for (const constant of constants) {
      const value = profiles.lan[constant as keyof typeof profiles.lan]
      const same = Array.isArray(value)
        ? `[${value.map((ms) => `${ms}ms`).join(", ")}]`
        : constant.endsWith("Ms")
          ? `${value}ms`
          : `exactly ${value}`
      assert.deepStrictEqual(read(timing(`{ ${hyphened(constant)}: ${same} }`)).timing, { [constant]: value })
    }
  })

  it("the profiles of the kernel keep all rules", () => {
    for (const profile of Object.values(profiles))
      for (const { holds, why } of rules) assert.isTrue(holds(profile), `${profile.name}: ${why}`)
  })

  /** For each rule, in order, a file that breaks it alone, at its place. */
  const breaking = [
    "{ promise: «2200ms» }",
    "{ lead: «601ms», promise: 2404ms }",
    "{ lead: 590ms, promise: «2300ms», lease: 1180ms }",
    "{ stall: «300ms» }",
    "{ stall-voids-lease: «1200ms» }",
    "{ rank: «1001ms» }",
    "{ candidacy: «8s» }",
    "{ probe-deadline-min: «701ms» }",
    "{ probe-deadline-max: «699ms» }",
    "{ beat: «700ms» }",
    "{ misses-to-bad: «exactly 3» }",
    "{ misses-to-terminate: «exactly 2» }",
    "{ probation: «[2s, 1s]» }",
    "{ repeat: «[230ms, 700ms]» }",
    "{ redial: «8s» }",
    "{ redial-refused: «8s» }",
    "{ redial-reset: «8s» }",
    "{ nonce: «9s» }",
    "{ displace-probe: «10s» }"
  ]

  it("what breaks a rule is told at the constant that was written, with the rule and the values", () => {
    assert.strictEqual(breaking.length, rules.length)
    breaking.forEach((text, place) => {
      const { why } = rules[place]!
      assertMistakes(
        timing(text),
        new RegExp(`^${why.replaceAll(/[.*+?()]/gu, "\\$&")} \\(here .* and .*\\)|^${why}`, "u")
      )
    })
    assertMistakes(timing("{ promise: «2200ms» }"), /\(here lease 1200ms and promise 2200ms\)$/u)
  })

  it("of two that break it together the last; of a profile that is not the first", () => {
    assertMistakes(timing("{ promise: 5s, lease: «3s» }"), /^a lease on a clock/u)
    assertMistakes(timing("{ lease: 3s, promise: «5s» }"), /^a lease on a clock/u)
    assertMistakes(timing("{ lease: 2s, promise: 4s }", { profile: " lan" }))
    assertMistakes(timing("{ promise: «9s» }", { profile: " wan" }), /\(here lease 5s and promise 9s\)$/u)
  })

  it("unknown words, values of the wrong form", () => {
    assertMistakes(timing("{ «leese»: 1s }"), "no such constant of the kernel; did you mean lease?")
    assertMistakes(timing("{ lease: «1» }"), /^write a time with a unit/u)
    assertMistakes(timing("{ redial: «0s» }"), "a constant of the kernel is more than nothing")
    assertMistakes(timing("{ misses-to-terminate: «at least 3» }"), "write exactly how many, such as exactly 2")
    assertMistakes(timing("{ probation: «[]» }"), "the list is empty; write [2s, 30s]")
    assertMistakes(timing("«[lease]»"), /^write a mapping/u)
  })

  it("a run goes by it: who promises for longer elects later", () => {
    const electedMs = (text: string): number => {
      const steps = { timeline: "\n  - { at: 0s, start: everyone }\n  - { at: 20s, crash: laptop }" }
      const { happenings } = runScenario(read(timing(text, steps)))
      return happenings.find(({ atMs, event }) => event === "leader.elected" && atMs > 20_000)!.atMs
    }
    const usual = electedMs("{ promise: 2400ms }")
    assert.approximately(electedMs("{ promise: 6s }") - usual, 3_600, 700)
  })
})

describe("fuzz.vary of crash-at-write", () => {
  const fuzz = (vary: string) =>
    scenarioWith({
      timeline: `
  - { at: 0s, start: everyone }
  - { at: 10s, id: cut, crash-at-write: { who: laptop, after: exactly 1 }, for: 5s }
  - { at: 20s, id: power-cut, crash: laptop }`,
      fuzz: ` { vary: { ${vary} } }`
    })

  it("reads, and is refused where there is no such count", () => {
    assert.deepStrictEqual(read(fuzz("timeline.cut.after: exactly 0..9")).fuzz!.vary[0]!.range, { min: 0, max: 9 })
    assertMistakes(fuzz("«timeline.power-cut.after»: exactly 0..9"), /^power-cut is no crash-at-write/u)
    assertMistakes(fuzz("timeline.cut.after: «1s..2s»"), /^write exactly how many/u)
    assertMistakes(fuzz("timeline.cut.at: «exactly 1..2»"), /^write a time with a unit/u)
  })
})

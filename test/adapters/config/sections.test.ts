/** The sections `sensors` and `rules` of node.yaml: what reads, and each mistake at its place. */
import { assert, describe, it } from "@effect/vitest"
import { mistakes, settings } from "./Reading.ts"

const file = (section: string, role = "planner"): string => `name: laptop\nrole: ${role}\n${section}`

describe("sensors", () => {
  it("a program that is read each so often, with its bounds", () => {
    const { sensors } = settings({
      file: file(`sensors:
  - { metric: moisture, zone: field-1, unit: "%", every: 30s, at-least: 0, at-most: 100.5, exec: [cat, /tmp/moisture] }
  - { metric: flow, every: 1m, exec: [flow] }
`)
    })
    assert.deepStrictEqual(sensors, [
      {
        metric: "moisture",
        zone: "field-1",
        unit: "%",
        everyMs: 30_000,
        atLeast: 0,
        atMost: 100.5,
        command: ["cat", "/tmp/moisture"]
      },
      {
        metric: "flow",
        zone: null,
        unit: null,
        everyMs: 60_000,
        atLeast: Number.NEGATIVE_INFINITY,
        atMost: Number.POSITIVE_INFINITY,
        command: ["flow"]
      }
    ])
  })

  const wrong: ReadonlyArray<readonly [string, string, RegExp]> = [
    ["{ metric: moisture, every: 30s }", "4:5", /exec is missing/u],
    ["{ metric: Soil moisture, every: 30s, exec: [a] }", "4:15", /metric is what is read, one word/u],
    ["{ metric: moisture, every: 30, exec: [a] }", "4:32", /every is how often/u],
    ["{ metric: moisture, every: 30s, exec: cat }", "4:43", /exec is a list/u],
    ["{ metric: moisture, every: 30s, at-least: much, exec: [a] }", "4:47", /at-least is a number/u],
    ["{ metric: moisture, every: 30s, at-least: 9, at-most: 3, exec: [a] }", "4:59", /no reading is at least that/u],
    ["{ metric: moisture, evry: 30s, exec: [a] }", "4:25", /no such word; did you mean every\?/u]
  ]
  it.each(wrong)("%s", (one, place, message) => {
    const found = mistakes({ file: file(`sensors:\n  - ${one}\n`) }).find((mistake) => message.test(mistake.message))
    const { origin } = found!
    assert.strictEqual(origin._tag === "File" ? `${origin.line}:${origin.column}` : "nowhere", place)
  })

  it("one reading has one sensor", () => {
    const one = "  - { metric: moisture, zone: field-1, every: 30s, exec: [a] }\n"
    assert.match(mistakes({ file: file(`sensors:\n${one}${one}`) })[0]!.message, /stands here a second time/u)
  })
})

describe("rules", () => {
  it("a threshold, and what is proposed", () => {
    const { rules } = settings({
      file: file(`rules:
  - name: dry-1
    metric: moisture
    zone: field-1
    below: 20.5
    clear: 25
    propose: { actuator: pump-1, state: open, for: 20m }
    cooldown: 2h
    tier: T3_verified_action_evidence
    priority: 3
  - { name: hot, metric: heat, above: 35, propose: { actuator: vent, state: closed } }
`)
    })
    assert.deepStrictEqual(rules, [
      {
        name: "dry-1",
        metric: "moisture",
        zone: "field-1",
        when: { below: 20.5 },
        clear: 25,
        then: { actuator: "actuator:pump-1", state: "open", forMs: 1_200_000 },
        cooldownMs: 7_200_000,
        tier: "T3_verified_action_evidence",
        priority: 3
      },
      {
        name: "hot",
        metric: "heat",
        zone: null,
        when: { above: 35 },
        clear: 35,
        then: { actuator: "actuator:vent", state: "closed", forMs: 0 },
        cooldownMs: 600_000,
        tier: "T2_operational_observation",
        priority: 0
      }
    ])
  })

  const propose = "propose: { actuator: p, state: open }"
  const wrong: ReadonlyArray<readonly [string, RegExp]> = [
    [`{ name: a, metric: m, ${propose} }`, /one threshold/u],
    [`{ name: a, metric: m, below: 1, above: 2, ${propose} }`, /one threshold/u],
    [`{ name: a, metric: m, below: 20, clear: 10, ${propose} }`, /wrong side/u],
    [`{ name: a, metric: m, above: 20, clear: 30, ${propose} }`, /wrong side/u],
    ["{ name: a, metric: m, below: 20 }", /propose is missing/u],
    [
      "{ name: a, metric: m, below: 20, propose: { actuator: p, stat: open } }",
      /did you mean state\?|state is missing/u
    ],
    [`{ name: a, metric: m, below: wet, ${propose} }`, /below is a number/u],
    [`{ name: a, metric: m, below: 20, priority: 10, ${propose} }`, /priority is a whole number/u]
  ]
  it.each(wrong)("%s", (one, message) => {
    const found = mistakes({ file: file(`rules:\n  - ${one}\n`) })
    assert.match(found.map((mistake) => mistake.message).join("\n"), message)
    for (const { origin } of found) assert.strictEqual(origin._tag, "File")
  })

  it("are for planners", () => {
    const found = mistakes({ file: file(`rules:\n  - { name: a, metric: m, below: 1, ${propose} }\n`, "field") })
    assert.match(found[0]!.message, /a field proposes nothing/u)
  })
})

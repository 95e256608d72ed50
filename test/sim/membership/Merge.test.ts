/** A39: two halves of a hundred nodes that come together again. */
import { assert, describe, it } from "@effect/vitest"
import { runScenario } from "../../../sim/run.ts"
import { readScenario } from "../../../sim/scenario/read.ts"

const HALF = Array.from({ length: 50 }, (_, n) => n + 1)
const left = HALF.map((n) => `a${n}`)
const right = HALF.map((n) => `b${n}`)

const role = (name: string): string =>
  name.endsWith("1") && name.length === 2
    ? "planner"
    : name.endsWith("2") && name.length === 2
      ? "standby-planner"
      : "field"

const halves = readScenario(
  "halves.yaml",
  `
scenario: Two halves of a hundred
seed: 1
lasts: 155s
electors: [a1, a2, a3, b1, b2]
nodes:
${[...left, ...right].map((name) => `  ${name}: { role: ${role(name)} }`).join("\n")}
sites:
  left: [${left.join(", ")}]
  right: [${right.join(", ")}]
network: { delay: 2ms..20ms }
timeline:
  - { at: 0s, start: everyone }
  - { at: 20s, id: line-cut, partition: [[site left], [site right]], for: 120s }
  - { at: 30s, sense: { frame: dry, by: [a7, b7], zone: zone-1, metric: moisture, value: 17, times: exactly 50, each: 1s } }
  - { at: 140s, id: back, throttle: { between: everyone, down-to: 1250kB/s }, for: 10s }
expect:
  - name: one leads, and everybody says who, within five seconds
    within: 5s
    after: back
    that: { leaders: exactly 1, agree-on: [leader, term] }
  - name: everybody knows the same within ten
    within: 10s
    after: back
    that: { agree-on: [frames] }`
)

describe("A39", () => {
  // A hundred nodes: half a minute of a core, and more where others want it as well.
  it("one leader within 5 s, and the same known everywhere within 10 s", { timeout: 240_000 }, () => {
    if ("mistakes" in halves) throw new Error(JSON.stringify(halves.mistakes))
    const { expectations, violations } = runScenario(halves.scenario, { seed: 1 })
    assert.deepStrictEqual(violations, [])
    assert.deepStrictEqual(
      expectations.map(({ status }) => status),
      ["held", "held"]
    )
  })
})

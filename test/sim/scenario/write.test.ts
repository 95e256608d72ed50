import { globSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { readScenario } from "../../../sim/scenario/read.ts"
import type { Scenario } from "../../../sim/scenario/Scenario.ts"
import { writeScenario } from "../../../sim/scenario/write.ts"
import { scenarioFrom } from "../search/Field.ts"

const root = new URL("../../../", import.meta.url)

const PLACES = new Set(["place", "base", "fromBase", "untilBase"])

/** Without what says where in its file something stands, and of which step a moment is reckoned. */
const meaning = ({ file: _, fuzz: __, text: ___, ...scenario }: Scenario): unknown =>
  JSON.parse(JSON.stringify(scenario, (key, value: unknown) => (PLACES.has(key) ? undefined : value)))

const again = (scenario: Scenario): Scenario => {
  const written = writeScenario(scenario, { schema: "scenario.schema.json", comment: ["an origin", ""] })
  const read = readScenario("again.yaml", written)
  if ("mistakes" in read)
    throw new Error(`${read.mistakes.map(({ message, place }) => `${place.line} ${message}`).join("\n")}\n${written}`)
  return read.scenario
}

const files = globSync("scenarios/**/*.yaml", { cwd: root.pathname }).toSorted()

describe("writeScenario", () => {
  it("what it writes of each scenario of the project reads as that scenario", () => {
    assert.isAbove(files.length, 40)
    for (const file of files) {
      const read = readScenario(file, readFileSync(new URL(file, root)))
      assert.isTrue("scenario" in read, file)
      if ("scenario" in read) assert.deepStrictEqual(meaning(again(read.scenario)), meaning(read.scenario), file)
    }
  })

  it("writes what no scenario of the project has", () => {
    const scenario = scenarioFrom(`scenario: "true: [no] # text"
seed: 1
lasts: 100.5s
ties: drawn
afterwards: a part gets well
nodes:
  main: { role: planner, clock-skew: -3s, clock-rate: -300ppm }
  one: { role: field, can: ["a: b", "actuator:tap"] }
  copy: { role: field, placed: beside, same-key-as: two }
  two: { role: field }
network: { discovery: mdns }
timeline:
  - { at: 0s, start: everyone }
  - { at: 1s, slow: { between: everyone, delay: { usual: 1ms..2ms, rarely: 3ms, share: 0.5% } }, key: mix/slow/1, for: 2s }
  - { at: 1s, slow: { from: leader, to: the others, delay: { least: 8ms, more: 20ms }, loss: 0.0001% }, for: 2s }
  - { at: 1s, slow: { from: one, to: main, delay: { table: [1ms, 1ms] } }, for: 2s }
  - { at: 2s, half-open: { from: one, to: main, known-to: nobody, answer: silence } }
  - { at: 2s, reset: { between: [one, main] } }
  - { at: 2s, reset: { from: one, to: main, told: both } }
  - { at: 2s, cut: { from: [one, two], to: main } }
  - { at: 3s, crash: { who: any node, disk: torn }, note: "so: it goes" }
  - { at: 3s, throttle: { between: everyone, down-to: 16kB/s } }
  - { at: 3s, advertise: { node: one, incarnation: old, address: nowhere, mesh: another, copies: exactly 3, heard-by: [two] } }
  - { at: 3s, connect: { to: one, as: two, with: a relayed login, through: main } }
  - { at: 3s, skew: { who: one, to: 1970 }, for: 4s }
  - { at: 90s, heal: { what: everything, paths: { delay: 1ms..5ms, loss: 1% } } }
expect:
  - { always: { leaders: at most 1 }, judge: scripted }
  - { always: { actuators: { tap: { runs: at most 1, position: closed, last-run-by: main } } } }
  - { name: "yes", never: { leader: [main] }, from: 2s, until: 3s }
`)
    assert.deepStrictEqual(meaning(again(scenario)), meaning(scenario))
  })
})

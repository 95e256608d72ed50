/** What takes a fault back, and what does not. */
import { assert, describe, it } from "@effect/vitest"
import { runScenario } from "../../../sim/run.ts"
import { scenarioOf } from "../oracles/Broken.ts"

const after = (steps: string, who = "everyone"): ReadonlyArray<string> =>
  runScenario(
    scenarioOf(`scenario: Undoing
seed: 1
lasts: 60s
nodes:
  a: { role: planner }
  b: { role: field }
timeline:
  - { at: 0s, start: ${who} }
${steps}`)
  ).happenings.flatMap(({ about, atMs, event }) =>
    event.startsWith("world.") && about === "b" ? [`${atMs} ${event}`] : []
  )

describe("the undoing of faults", () => {
  it("healing the network leaves the frozen their thaw and the crashed their restart", () => {
    assert.deepStrictEqual(
      after(`  - { at: 10s, freeze: b, for: 5s }
  - { at: 12s, heal: everything }
  - { at: 20s, crash: b, for: 5s }
  - { at: 22s, heal: everything }`),
      ["10000 world.freeze", "15000 world.thaw", "20000 world.crash", "25000 world.restart"]
    )
  })

  it("who was ended twice starts when the last of both is taken back", () => {
    assert.deepStrictEqual(
      after(`  - { at: 10s, crash: b, for: 10s }
  - { at: 15s, crash: b, for: 20s }`),
      ["10000 world.crash", "15000 world.crash", "35000 world.restart"]
    )
  })

  it("what was never on does not start as power comes back", () => {
    const off = `  - { at: 10s, crash: b, for: 5s }
  - { at: 20s, stop: b, for: 5s }`
    assert.deepStrictEqual(after(off, "a"), ["10000 world.crash", "20000 world.stop"])
    assert.deepStrictEqual(after(`${off}\n  - { at: 30s, start: b }\n  - { at: 40s, crash: b, for: 5s }`, "a"), [
      "10000 world.crash",
      "20000 world.stop",
      "30000 world.start",
      "40000 world.crash",
      "45000 world.restart"
    ])
  })

  it("who was ended for good stays down when another end is taken back, and starts by hand", () => {
    assert.deepStrictEqual(
      after(`  - { at: 10s, crash: b }
  - { at: 12s, crash: b, for: 3s }
  - { at: 30s, start: b }
  - { at: 40s, crash: b, for: 1s }`),
      ["10000 world.crash", "12000 world.crash", "30000 world.start", "40000 world.crash", "41000 world.restart"]
    )
  })
})

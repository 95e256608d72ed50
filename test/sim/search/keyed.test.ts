/**
 * Randomness is keyed: what happens in one part of a world moves no draw in another. Two meshes that cannot hear each other
 * live in one world; a fault in one must leave every event of the other identical, to the bit.
 */
import { assert, describe, it } from "@effect/vitest"
import { vi } from "vitest"
import type { Input } from "../../../kernel/Input.ts"
import { runScenario } from "../../../sim/run.ts"
import { scenarioFrom } from "./Field.ts"

/** Every draw of the run under way: by its function and key, what it gave. */
const draws = vi.hoisted(() => new Map<string, string>())
vi.mock("../../../kernel/Draw.ts", async (original) => {
  const module = await original<{ readonly [name: string]: (...args: ReadonlyArray<unknown>) => unknown }>()
  const watched = ([name, draw]: readonly [string, (typeof module)[string]]) => [
    name,
    (...args: ReadonlyArray<unknown>) => {
      const drawn = draw(...args)
      const key = JSON.stringify([name, ...args])
      const value = JSON.stringify(drawn)
      draws.set(key, draws.has(key) && draws.get(key) !== value ? "not one value" : value)
      return drawn
    }
  ]
  return Object.fromEntries(Object.entries(module).map(watched)) as typeof module
})

const worldWith = (faults: string) =>
  scenarioFrom(`scenario: Two meshes that never meet
seed: 3
lasts: 40s
electors: [a1, a2, a3]
nodes:
  a1: { role: planner }
  a2: { role: standby-planner }
  a3: { role: field }
  b1: { role: planner }
  b2: { role: standby-planner, clock-rate: +1% }
  b3: { role: field }
network: { delay: 1ms..30ms, loss: 3% }
timeline:
  - { at: 0s, partition: [[a1, a2, a3], [b1, b2, b3]] }
  - { at: 0s, start: everyone }
${faults}  - { at: 30s, crash: b2, for: 3s }
expect:
  - { always: { leaders-per-term: at most 1 } }
`)

/** Everything that the nodes of one mesh took up and did. */
const lived = (faults: string, mesh: string, seed: number, ties: "fifo" | "drawn") => {
  const steps: { [node: string]: Array<string> } = {}
  runScenario(worldWith(faults), {
    seed,
    ties,
    onStep: ({ name, world }, input: Input, commands) => {
      if (name.startsWith(mesh)) (steps[name] ??= []).push(JSON.stringify([world.nowMs, input, commands]))
    }
  })
  return steps
}

const FAULTS = `  - { at: 10s, crash: a2, for: 5s }
  - { at: 12s, slow: { between: [a1, a3], delay: 300ms..900ms, loss: 20% }, for: 8s }
  - { at: 20s, freeze: a1, for: 4s }
  - { at: 25s, cut: { from: a3, to: a1 }, for: 3s }
`

describe("two meshes in one world", () => {
  for (const ties of ["fifo", "drawn"] as const)
    it(`faults in one leave every event of the other identical (ties ${ties})`, () => {
      for (const seed of [1, 2, 3]) {
        const quiet = lived("", "b", seed, ties)
        assert.isAbove(Object.values(quiet).flat().length, 400)
        assert.deepStrictEqual(lived(FAULTS, "b", seed, ties), quiet)
        assert.notDeepEqual(lived(FAULTS, "a", seed, ties), lived("", "a", seed, ties))
      }
    })

  it("another seed is another life", () => {
    assert.notDeepEqual(lived("", "b", 1, "fifo"), lived("", "b", 2, "fifo"))
  })
})

describe("two runs that differ by one fault", () => {
  const drawnIn = (faults: string): ReadonlyMap<string, string> => {
    draws.clear()
    runScenario(worldWith(faults), { seed: 5, ties: "drawn" })
    return new Map(draws)
  }

  it("give every draw whose key occurs in both the same value", () => {
    const quiet = drawnIn("")
    for (const fault of FAULTS.trimEnd().split("\n")) {
      const faulty = drawnIn(`${fault}\n`)
      const common = [...quiet.keys()].filter((key) => faulty.has(key))
      assert.isAbove(common.length, 1_000)
      assert.deepStrictEqual(
        common.filter((key) => quiet.get(key) !== faulty.get(key)),
        []
      )
      assert.notDeepEqual([...faulty.keys()].sort(), [...quiet.keys()].sort(), "the fault changed nothing")
    }
  })
})

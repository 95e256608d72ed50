/** One scenario with steps of a test's own, run under all oracles: what each step touched, and what came of it. */
import { assert } from "@effect/vitest"
import type { Input } from "../../../kernel/Input.ts"
import type { Machine } from "../../../sim/engine/Machine.ts"
import { type RunOptions, type RunResult, runScenario } from "../../../sim/run.ts"
import { scenarioOf } from "../oracles/Broken.ts"

export interface Taken {
  readonly atMs: number
  readonly name: string
  readonly input: Input
  readonly machine: Machine
  /** Who was at the other end of the link that it came over; `null`: it came over none. */
  readonly from: string | null
}

export interface Bitten {
  readonly result: RunResult
  readonly taken: ReadonlyArray<Taken>
  /** `10000 world.crash b: …`, of the world only. */
  readonly told: ReadonlyArray<string>
}

const NODES = `
  a: { role: planner }
  b: { role: standby-planner }
  c: { role: field }
  d: { role: field }
  e: { role: field }`

export const bitten = (steps: string, nodes = NODES, options: RunOptions = {}): Bitten => {
  const taken: Array<Taken> = []
  const result = runScenario(
    scenarioOf(`scenario: Bite
seed: 1
lasts: 60s
electors: [a, b, c]
nodes:${nodes}
timeline:
  - { at: 0s, start: everyone }
${steps}`),
    {
      ...options,
      onStep: (machine, input) => {
        const from = "link" in input ? (machine.farEnd(input.link)?.name ?? null) : null
        taken.push({ atMs: machine.world.nowMs, name: machine.name, input, machine, from })
      }
    }
  )
  assert.deepStrictEqual(result.violations, [])
  const told = result.happenings.flatMap(({ about, atMs, detail, event }) =>
    event.startsWith("world.") && event !== "world.start"
      ? [`${atMs} ${event} ${about ?? "-"}: ${detail.reason ?? ""}`]
      : []
  )
  return { result, taken, told }
}

/** What step `place` of the timeline touched; the start of everyone is step 0. */
export const touchedBy = ({ result }: Bitten, place: number): number => {
  const touched = result.effects[place]
  assert.isNumber(touched)
  return touched!
}

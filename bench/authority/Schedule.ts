/**
 * What strikes two planners and the guardian of a valve, drawn by a seed: pauses to 30 s, partitions and cuts to 20 s, delays to 20 s,
 * restarts, messages of the past again, clocks that are up to 30 % fast or slow. Each seed is one schedule, the same for every rule.
 */
import { between } from "../../kernel/Draw.ts"
import { readScenario } from "../../sim/scenario/read.ts"
import type { Scenario } from "../../sim/scenario/Scenario.ts"

export const PLANNERS = ["laptop", "backup"] as const
export const GUARDIAN = "board"
export const VALVE = "actuator:valve"

/** Nothing strikes before the mesh is one and the guardian may grant leases, nor in the last seconds. */
const FROM_MS = 25_000
const CALM_MS = 100_000
export const LASTS_MS = 130_000

type Draw = (what: string, min: number, max: number) => number

const drawn = (seed: number): Draw => {
  let n = 0
  return (what, min, max) => between(seed, "authority", what, n++, min, max)
}

const pick = <A>(draw: Draw, of: ReadonlyArray<A>): A => of[draw("pick", 0, of.length - 1)]!

type Fault = readonly [most: number, write: (draw: Draw) => string]

const faults: ReadonlyArray<Fault> = [
  [3, (draw) => `freeze: ${pick(draw, PLANNERS)}, for: ${draw("freeze", 500, 30_000)}ms`],
  [1, (draw) => `freeze: ${GUARDIAN}, for: ${draw("freeze-board", 500, 5_000)}ms`],
  [2, (draw) => `crash: ${pick(draw, PLANNERS)}, for: ${draw("crash", 1_000, 15_000)}ms`],
  [2, (draw) => `crash: ${GUARDIAN}, for: ${draw("crash-board", 500, 5_000)}ms`],
  [2, (draw) => `partition: [[laptop, mast], [backup, board]], for: ${draw("split", 2_000, 20_000)}ms`],
  [2, (draw) => `partition: [[laptop, board], [backup, mast]], for: ${draw("split", 2_000, 20_000)}ms`],
  [2, (draw) => `cut: [laptop, backup], for: ${draw("cut", 2_000, 20_000)}ms`],
  [2, (draw) => `cut: [${pick(draw, PLANNERS)}, board], for: ${draw("cut", 2_000, 20_000)}ms`],
  [
    3,
    (draw) =>
      `slow: { from: ${pick(draw, PLANNERS)}, to: board, delay: ${draw("delay", 200, 20_000)}ms }, for: ${draw("slow", 2_000, 20_000)}ms`
  ],
  [3, (draw) => `replay: { from: ${pick(draw, PLANNERS)}, to: board, message: ${pick(draw, ["last", "all"])} }`]
]

const node = (draw: Draw, name: string, role: string, rest = ""): string =>
  `  ${name}: { role: ${role}, clock-rate: ${draw("rate", -30, 30)}%${rest} }`

const nodesOf = (draw: Draw): ReadonlyArray<string> => [
  "electors: [laptop, backup, board]",
  "nodes:",
  node(draw, "laptop", "planner"),
  node(draw, "backup", "standby-planner"),
  node(draw, GUARDIAN, "field", `, can: ["${VALVE}"]`),
  node(draw, "mast", "sensor"),
  "network: { delay: 1ms..20ms }",
  "timeline:",
  "  - { at: 0s, start: everyone }"
]

const steps = (draw: Draw): ReadonlyArray<string> =>
  faults
    .flatMap(([most, write]) =>
      Array.from({ length: draw("count", 0, most) }, () => [draw("at", FROM_MS, CALM_MS), write(draw)] as const)
    )
    .toSorted(([a], [b]) => a - b)
    .map(([at, step]) => `  - { at: ${at}ms, ${step} }`)

const scenarioOf = (seed: number, lines: ReadonlyArray<string>): Scenario => {
  const text = [
    "scenario: Authority",
    `seed: ${seed}`,
    `lasts: ${LASTS_MS}ms`,
    ...lines,
    "expect:",
    "  - always: { leaders: at most 2 }",
    ""
  ].join("\n")
  const read = readScenario("bench/authority.yaml", text)
  if ("mistakes" in read) throw new Error(`${read.mistakes.map(({ message }) => message).join("; ")}\n${text}`)
  return read.scenario
}

export const schedule = (seed: number): Scenario => {
  const draw = drawn(seed)
  return scenarioOf(seed, [...nodesOf(draw), ...steps(draw)])
}

/** When whoever leads goes, in its seed. */
export const goesAtMs = (seed: number): number => between(seed, "authority", "goes", 0, 40_000, 42_000)

/** No fault but one: the planner that everybody follows crashes, or takes its leave. */
export const departure = (seed: number, how: "crash" | "stop"): Scenario => {
  const draw: Draw = (what, min, max) => (what === "rate" ? 0 : between(seed, "authority", what, 0, min, max))
  return scenarioOf(seed, [...nodesOf(draw), `  - { at: ${goesAtMs(seed)}ms, ${how}: laptop }`])
}

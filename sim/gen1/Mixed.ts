/** Devices of generation 1 put beside a scenario that knows nothing of them (`--with gen1=1`). */
import type { NodeSpec, Scenario } from "../scenario/Scenario.ts"

/** More of them than the mesh has nodes would be another scenario. */
export const GEN1_MAX = 16

const PLACE = { line: 0, column: 0 }

const nameOf = (taken: ReadonlySet<string>, n: number): string => {
  let name = `gen1-${n}`
  while (taken.has(name)) name += "x"
  return name
}

/** The same scenario, and `count` such devices besides, next to everybody and started with the run. */
export const mixed = (scenario: Scenario, count: number): Scenario => {
  const taken = new Set(scenario.nodes.map(({ name }) => name))
  const names = Array.from({ length: count }, (_, i) => nameOf(taken, i + 1))
  const beside = names.map((name): NodeSpec => ({
    name,
    role: "sensor",
    capabilities: [],
    clockSkewMs: 0,
    clockRatePpm: 0,
    generation: 1,
    beside: true
  }))
  return {
    ...scenario,
    with: `gen1=${count}`,
    nodes: [...scenario.nodes, ...beside],
    // Last, so that the steps of the file keep their places.
    timeline: [
      ...scenario.timeline,
      { place: PLACE, atMs: 0, id: null, note: null, verb: { _tag: "start", who: names }, forMs: null }
    ]
  }
}

/**
 * Kernel steps per second: a mesh of ten nodes, one leader, everybody linked to everybody, on the fast driver. The same world
 * runs bare, with its trace hash, and with hash and oracles, as every scenario does; one step is one input taken up.
 */
import { World, type WorldOptions } from "../sim/engine/World.ts"
import { everyOracle } from "../sim/oracles/all.ts"
import type { NodeSpec, Scenario } from "../sim/scenario/Scenario.ts"
import { machine, median, rounded, table, timed } from "./Measure.ts"

export const about = "kernel steps per second, ten nodes on the fast driver, without and with hash and oracles"

const NODES = 10
const VIRTUAL_MS = 600_000
const RUNS = 5
/** The compiler goes on improving the code for about a million steps; what is wanted is the rate of a long campaign. */
const WARM_UP_RUNS = 8
const GOAL_PER_SECOND = 500_000

const node = (index: number): NodeSpec => ({
  name: `node-${index}`,
  role: index === 0 ? "planner" : index === 1 ? "standby-planner" : index === 9 ? "viewer" : "field",
  capabilities: [],
  clockSkewMs: 0,
  clockRatePpm: 0
})

const nodes = Array.from({ length: NODES }, (_, index) => node(index))

const scenario: Scenario = {
  file: "bench/step.ts",
  text: "",
  title: "ten idle nodes",
  seed: 1,
  lastsMs: VIRTUAL_MS,
  profile: "lan",
  electors: ["node-0", "node-1", "node-2"],
  nodes,
  network: { delayMs: { min: 2, max: 20 }, lossPpm: 0, links: "everyone" },
  timeline: [
    {
      place: { line: 1, column: 1 },
      atMs: 0,
      id: null,
      note: null,
      verb: { _tag: "start", who: nodes.map(({ name }) => name) },
      forMs: null
    }
  ],
  expect: []
}

const variants: ReadonlyArray<{ readonly name: string; readonly options: () => Partial<WorldOptions> }> = [
  { name: "bare", options: () => ({ withoutHash: true }) },
  { name: "with hash", options: () => ({}) },
  { name: "with hash and oracles", options: () => ({ oracles: everyOracle() }) }
]

const run = (options: Partial<WorldOptions>): World => {
  const world = new World({ scenario, seed: 1, ...options })
  world.run(VIRTUAL_MS)
  const leads = world.view.nodes.filter(({ leader }) => leader === "node-0").length
  if (leads !== NODES)
    throw new Error(`only ${leads} of ${NODES} nodes followed node-0: this is not the idle mesh meant here`)
  return world
}

const bench = async (): Promise<void> => {
  console.log(machine())
  const rates: Array<{ readonly name: string; readonly perSecond: number; readonly steps: number }> = []
  for (const { name, options } of variants) {
    let steps = 0
    for (let i = 0; i < WARM_UP_RUNS; i++) steps = run(options()).events
    const ms = median(await timed(RUNS, () => run(options())))
    rates.push({ name, perSecond: (steps / ms) * 1000, steps })
  }
  const bare = rates[0]!.perSecond
  console.log(
    table(
      ["world of ten nodes", "steps", "steps/s", "of bare", "× real time"],
      rates.map(({ name, perSecond, steps }) => [
        name,
        String(steps),
        rounded(perSecond),
        `${Math.round((100 * perSecond) / bare)} %`,
        `${Math.round((perSecond / steps) * (VIRTUAL_MS / 1000))}`
      ])
    )
  )
  console.log(`goal: ${rounded(GOAL_PER_SECOND)} steps/s bare: ${bare >= GOAL_PER_SECOND ? "reached" : "NOT reached"}`)
}

export { bench as run }

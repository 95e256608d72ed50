/**
 * Forks of running worlds, with hash and oracles as in every run: ten nodes that are all linked, and a ring of a thousand, in
 * which each node trusts its two neighbours only. A fork shares what neither side has touched yet, so that going on costs something
 * too: the copies of what its first event touches are measured beside it.
 */
import { fastHost } from "../../sim/engine/Host.ts"
import { World } from "../../sim/engine/World.ts"
import { everyOracle } from "../../sim/oracles/all.ts"
import type { NodeSpec, Scenario } from "../../sim/scenario/Scenario.ts"
import { median } from "../Measure.ts"

const FORKS = 400
/** Before that, as a search is by then that forks all the time: until the optimising compiler has had its say. */
const WARM_UP_MS = 1_500

const spec = (index: number): NodeSpec => ({
  name: `node-${index}`,
  role: index === 0 ? "planner" : "field",
  capabilities: [],
  clockSkewMs: 0,
  clockRatePpm: 0
})

/** Settled: everybody has met its neighbours. */
const settled = (count: number, links: Scenario["network"]["links"], ms: number): World => {
  const nodes = Array.from({ length: count }, (_, index) => spec(index))
  const verb = { _tag: "start", who: nodes.map(({ name }) => name) } as const
  const scenario: Scenario = {
    file: "bench/sim/Forks.ts",
    text: "",
    title: "forks",
    seed: 1,
    lastsMs: 2 * ms,
    profile: "lan",
    electors: ["node-0", "node-1", "node-2"],
    nodes,
    network: { delayMs: { min: 2, max: 20 }, lossPpm: 0, links },
    timeline: [{ place: { line: 1, column: 1 }, atMs: 0, id: null, note: null, verb, forMs: null }],
    expect: []
  }
  const world = new World({
    scenario,
    seed: 1,
    oracles: everyOracle(),
    // A table of a thousand strangers at each node is a measure of the kernel, not of forks.
    makeHost: (kernel, config, context) =>
      fastHost(kernel, { ...config, trusted: config.trusted.filter(({ address }) => address !== null) }, context)
  })
  world.run(ms)
  const sessions = world.machines.reduce((sum, machine) => sum + (machine.state()?.links.links.length ?? 0), 0)
  if (world.violations.length > 0 || sessions < count) throw new Error("this is not the settled mesh meant here")
  return world
}

interface Forked {
  readonly pending: number
  readonly forkUs: number
  /** A fork and the first event in it. */
  readonly onwardUs: number
}

const measured = (world: World): Forked => {
  const times = (work: () => World): number => {
    const once = (): number => {
      const startedMs = performance.now()
      const fork = work()
      const tookMs = performance.now() - startedMs
      if (fork.agenda.size === 0 || fork.nowMs < world.nowMs) throw new Error("a fork in another state than its origin")
      return tookMs * 1_000
    }
    for (const untilMs = performance.now() + WARM_UP_MS; performance.now() < untilMs;) once()
    return median(Array.from({ length: FORKS }, once))
  }
  const forkUs = times(() => world.fork())
  const onwardUs = times(() => {
    const fork = world.fork()
    fork.run(Number.MAX_SAFE_INTEGER, undefined, () => true)
    return fork
  })
  return { pending: world.agenda.size, forkUs, onwardUs }
}

export const ofTen = (): Forked => measured(settled(10, "everyone", 20_000))
export const ofThousand = (): Forked => measured(settled(1_000, "ring", 3_000))

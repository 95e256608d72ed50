/**
 * Power cuts in a mesh of any size, and when its survivors know: for measures and tests.
 *
 * A world without oracles and hash, so that a thousand nodes are feasible: everybody starts, the mesh settles, some machines
 * lose power at one moment, and the run goes on until every survivor has every one of them as down, or the time is up. Meanwhile
 * each word of a survivor against another survivor is counted.
 */
import { below } from "../kernel/Draw.ts"
import type { Profile } from "../kernel/Profile.ts"
import type { Machine } from "../sim/engine/Machine.ts"
import { World } from "../sim/engine/World.ts"
import type { NodeSpec, Range, Scenario } from "../sim/scenario/Scenario.ts"

export interface PowerCuts {
  readonly nodes: number
  readonly seed: number
  /** How many of them lose power. */
  readonly crashes: number
  readonly profile?: Profile["name"]
  readonly delayMs?: Range
  readonly lossPpm?: number
  readonly links?: Scenario["network"]["links"]
  /** Until then everybody has to be up for everybody. */
  readonly settleMs?: number
  /** How long is waited for the last to know. */
  readonly waitMs?: number
}

export interface Detected {
  /** Pairs that were not up for each other when the power went; 0, or the measure is not what it is meant to be. */
  readonly unsettled: number
  /** The first survivor says down, and the last one does, ms after the cut, worst of those that were cut; `null`: not all did. */
  readonly firstMs: number
  readonly allMs: number | null
  /** Words `down` of survivors about survivors. */
  readonly falseDowns: number
  /** What a node sends while nothing happens: frames and pings of our own, and their answers. */
  readonly messagesPerNodeSecond: number
  readonly bytesPerNodeSecond: number
  readonly linksMean: number
  readonly linksMax: number
}

/** Over this time before the cut the messages are counted. */
const QUIET_MS = 4_000
const PING_BYTES = 24

const specOf = (index: number): NodeSpec => ({
  name: `node-${index}`,
  role: index === 0 ? "planner" : index === 1 ? "standby-planner" : "field",
  capabilities: [],
  clockSkewMs: 0,
  clockRatePpm: 0
})

const scenarioOf = (cuts: PowerCuts): Scenario => {
  const nodes = Array.from({ length: cuts.nodes }, (_, index) => specOf(index))
  return {
    file: "bench/Detection.ts",
    text: "",
    title: `power cuts among ${cuts.nodes}`,
    seed: cuts.seed,
    lastsMs: Number.MAX_SAFE_INTEGER,
    profile: cuts.profile ?? "lan",
    electors: nodes.slice(0, 3).map(({ name }) => name),
    nodes,
    network: {
      delayMs: cuts.delayMs ?? { min: 1, max: 1 },
      lossPpm: cuts.lossPpm ?? 0,
      links: cuts.links ?? "everyone"
    },
    timeline: [],
    expect: []
  }
}

/** Those that lose power: none of them twice. */
const victims = (machines: ReadonlyArray<Machine>, { crashes, nodes, seed }: PowerCuts): ReadonlySet<Machine> => {
  const chosen = new Set<Machine>()
  for (let n = 0; chosen.size < Math.min(crashes, nodes - 1); n++)
    chosen.add(machines[below(seed, "victim", "power-cut", n, nodes)]!)
  return chosen
}

export const detect = (cuts: PowerCuts): Detected => {
  const { seed, settleMs = 20_000, waitMs = 10_000 } = cuts
  // The moment of the cut in the survivors' beats is what makes the difference.
  const cutMs = settleMs + below(seed, "cut", "power-cut", 0, 1_000)
  /** Of each that was cut: who has it as down, and since when, ms after the cut. */
  const known = new Map<string, Map<string, number>>()
  let falseDowns = 0
  let counting = false
  let messages = 0
  let bytes = 0
  const world = new World({
    scenario: scenarioOf(cuts),
    seed,
    withoutHash: true,
    onHappening: ({ about, atMs, event, node }) => {
      if (about === null || node === null || atMs < cutMs) return
      const by = known.get(about)
      if (event === "peer.up") by?.delete(node)
      if (event !== "peer.down") return
      if (by === undefined) falseDowns++
      else by.set(node, atMs - cutMs)
    },
    onStep: (_, input, commands) => {
      if (!counting) return
      // What is asked of us by a ping is answered below the kernel: each answer that comes in was sent by somebody.
      if (input._tag === "Ponged") messages++
      for (const command of commands) {
        if (command._tag === "Ping") bytes += 2 * PING_BYTES
        else if (command._tag === "Send") bytes += JSON.stringify(command.frame).length
        if (command._tag === "Ping" || command._tag === "Send") messages++
      }
    }
  })
  for (const machine of world.machines) machine.start()
  world.run(cutMs - QUIET_MS)
  counting = true
  world.run(cutMs - 1)
  counting = false
  const unsettled = world.machines.reduce(
    (count, machine) =>
      count + (machine.state()?.membership.members ?? []).filter(({ state }) => state !== "up").length,
    0
  )
  const links = world.machines.map(
    (machine) => (machine.state()?.links.links ?? []).filter(({ _tag }) => _tag === "Session").length
  )
  const cut = victims(world.machines, cuts)
  for (const { name } of cut) known.set(name, new Map())
  for (const machine of cut) machine.crash(true)
  world.run(cutMs + waitMs)
  const survivors = cuts.nodes - cut.size
  const all = [...known.values()].map((by) => [...by.values()])
  const nodeSeconds = (cuts.nodes * QUIET_MS) / 1_000
  return {
    unsettled,
    firstMs: Math.max(...all.map((times) => Math.min(...times))),
    allMs: all.every((times) => times.length === survivors) ? Math.max(...all.flat()) : null,
    falseDowns,
    messagesPerNodeSecond: messages / nodeSeconds,
    bytesPerNodeSecond: bytes / nodeSeconds,
    linksMean: links.reduce((sum, count) => sum + count, 0) / links.length,
    linksMax: Math.max(...links)
  }
}

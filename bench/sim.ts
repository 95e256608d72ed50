/**
 * The simulator's measures: what a laptop gets through. Engine alone (token gossip), whole kernel with oracles, forks of running
 * worlds, seeds of a scenario over all cores, and memory over a hundred thousand runs in one process. Bounds are those of the
 * project. A flag, or several: these measures alone.
 */
import { readFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { once } from "node:events"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Worker } from "node:worker_threads"
import { runScenario } from "../sim/run.ts"
import { readScenario } from "../sim/scenario/read.ts"
import type { Scenario } from "../sim/scenario/Scenario.ts"
import { machine, median, rounded, table, timed } from "./Measure.ts"
import { ofTen, ofThousand } from "./sim/Forks.ts"
import { effectTestClock, fakeTimers, fastCheckScheduler } from "./tokenGossip/engines.ts"
import { Job } from "./tokenGossip/Job.ts"

export const about =
  "the simulator: engine, whole kernel with oracles, forks, seeds a minute, memory over 100,000 runs (minutes)"
export const flags = ["--forks", "--engine", "--kernel", "--seeds", "--memory"]

const ROOT = fileURLToPath(new URL("../", import.meta.url))

interface Measured {
  readonly what: string
  readonly is: string
  readonly bound: string
  readonly held: boolean
}

/** The clocks that npm has, each at what it can, behind ours in the same process that no other bench has used. */
const others = async (ours: number): Promise<ReadonlyArray<Measured>> => {
  const measured: Array<Measured> = []
  for (const [other, deliveries] of [
    [fakeTimers, 300_000],
    [fastCheckScheduler, 150_000],
    [effectTestClock, 60_000]
  ] as const) {
    const once = async (): Promise<void> => {
      const job = new Job({ seed: 1, nodes: 1_000, deliveries })
      await other.run(job)
      job.assertDone(other.name)
    }
    await once()
    const perSecond = (deliveries / median(await timed(3, once))) * 1_000
    const is = `${rounded(perSecond)}, ours ${rounded(ours / perSecond)} times`
    measured.push({ what: `the same on ${other.name}`, is, bound: "shown", held: true })
  }
  return measured
}

const engine = async (): Promise<ReadonlyArray<Measured>> => {
  const worker = new Worker(new URL("sim/engineWorker.ts", import.meta.url))
  const [perSecond] = (await once(worker, "message")) as [number]
  await worker.terminate()
  const ours: Measured = {
    what: "token gossip, 1,000 tokens, events/s",
    is: rounded(perSecond),
    bound: "≥ 10,000,000",
    held: perSecond >= 10_000_000
  }
  return [ours, ...(await others(perSecond))]
}

const scenarioOf = (file: string, text = readFileSync(`${ROOT}${file}`)): Scenario => {
  const read = readScenario(file, text)
  if (!("scenario" in read)) throw new Error(`${file} does not read`)
  return read.scenario
}

const FAILOVER = "scenarios/failover.yaml"

/** Five nodes; hash, judge and oracles as in every run. */
const wholeKernel = async (): Promise<Measured> => {
  const scenario = scenarioOf(FAILOVER)
  if (scenario.nodes.length !== 5)
    throw new Error(`${FAILOVER} has ${scenario.nodes.length} nodes, not the five meant here`)
  let seed = 0
  const run = () => {
    const { endedMs, violations } = runScenario(scenario, { seed: ++seed })
    if (endedMs !== scenario.lastsMs || violations.length > 0) throw new Error(`seed ${seed} ended at ${endedMs} ms`)
  }
  await timed(300, run)
  const times = (scenario.lastsMs * 200) / (await timed(200, run)).reduce((sum, ms) => sum + ms, 0)
  return {
    what: "five nodes with oracles, × real time on a core",
    is: rounded(times),
    bound: "≥ 2,000",
    held: times >= 2_000
  }
}

const forks = (): ReadonlyArray<Measured> =>
  [
    { nodes: "10", boundUs: 20, measure: ofTen },
    { nodes: "1,000", boundUs: 500, measure: ofThousand }
  ].map(({ boundUs, measure, nodes }) => {
    const { forkUs, onwardUs, pending } = measure()
    return {
      what: `a fork of ${nodes} nodes, ${pending} events pending, µs (with its first event)`,
      is: `${rounded(forkUs)} (${rounded(onwardUs)})`,
      bound: `≤ ${boundUs}`,
      held: forkUs <= boundUs
    }
  })

const SEEDS = 10_000
const JOBS = Math.min(2, availableParallelism())

const fuzz = async (args: ReadonlyArray<string>): Promise<number> => {
  const startedMs = performance.now()
  const all = ["sim/main.ts", "fuzz", FAILOVER, ...args, "--jobs", String(JOBS)]
  const child = spawn(process.execPath, all, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] })
  let output = ""
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, "close")) as [number | null]
  if (code !== 0) throw new Error(`pnpm sim fuzz ended with ${code}:\n${output}`)
  return (performance.now() - startedMs) / 60_000
}

/**
 * The scenario by itself: its own faults and what it varies, as 2,000 × real time on each core is meant. With the default mix of
 * faults on top of it, and a calm behind them, a run is several times as long: shown for a tenth of the seeds.
 */
const seeds = async (): Promise<ReadonlyArray<Measured>> => {
  const minutes = await fuzz(["--seeds", `1..${SEEDS}`, "--no-swarm"])
  const mixed = await fuzz(["--seeds", `1..${SEEDS / 10}`])
  return [
    {
      what: `${rounded(SEEDS)} seeds of failover.yaml, ${JOBS} jobs, minutes`,
      is: rounded(minutes),
      bound: "≤ 5",
      held: minutes <= 5
    },
    {
      what: `${rounded(SEEDS / 10)} of them with the default mix, minutes`,
      is: rounded(mixed),
      bound: "shown",
      held: true
    }
  ]
}

const SHORT = Buffer.from(`scenario: a short life
seed: 1
lasts: 4s
nodes: { a: { role: planner }, b: { role: field }, c: { role: field } }
timeline:
  - { at: 0s, start: everyone }
  - { at: 2s, crash: b, for: 1s }
expect:
  - always: { leaders: at most 1 }
`)
const FEW = 1_000
const MANY = 100_000

/** Whether runs leave anything behind: heap that is still held after a collection, and what the process holds of the machine. */
const memory = (): ReadonlyArray<Measured> => {
  const scenario = scenarioOf("bench/short.yaml", SHORT)
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as () => void
  let seed = 0
  const upTo = (runs: number) => {
    while (seed < runs) {
      const { events } = runScenario(scenario, { seed: ++seed })
      if (events < 100) throw new Error(`seed ${seed}: ${events} events are no life`)
    }
    collect()
    return process.memoryUsage()
  }
  const few = upTo(FEW)
  const many = upTo(MANY)
  const growth = (many.rss / few.rss - 1) * 100
  const megabytes = (bytes: number) => `${Math.round(bytes / 1_048_576)} MiB`
  return [
    {
      what: `resident memory after ${rounded(MANY)} runs, against ${rounded(FEW)}`,
      is: `${megabytes(many.rss)} against ${megabytes(few.rss)}: ${growth.toFixed(0)} %`,
      bound: "≤ +20 %",
      held: growth <= 20
    }
  ]
}

const bench = async (given: ReadonlyArray<string>): Promise<void> => {
  console.log(machine())
  const parts: { readonly [flag: string]: () => ReadonlyArray<Measured> | Promise<ReadonlyArray<Measured>> } = {
    // Memory first: what the others leave in this process is not what is asked for.
    "--memory": memory,
    "--engine": engine,
    "--kernel": async () => [await wholeKernel()],
    "--forks": forks,
    "--seeds": seeds
  }
  const measured: Array<Measured> = []
  for (const [flag, part] of Object.entries(parts)) {
    if (given.length > 0 && !given.includes(flag)) continue
    for (const line of await part()) {
      measured.push(line)
      console.log(`  ${line.what}: ${line.is}`)
    }
  }
  console.log(
    table(
      ["measure", "is", "bound", ""],
      measured.map(({ bound, held, is, what }) => [what, is, bound, held ? "held" : "NOT held"])
    )
  )
}

export { bench as run }

/**
 * A planner with a thousand zones: how long from a reading to what is proposed by it, what share of a core ten readings a second of each
 * zone take, how many readings a second its rules judge; and how long a simulated day on a farm takes.
 *
 * Readings come at their times, to one that serves one after another: what a reading waits for those before it counts. Each is signed
 * with a real key, as it is said to the mesh. Each line is measured against its bound; `--assert`: those that do not hold are a failure.
 */
import { readFileSync } from "node:fs"
import { runScenario } from "../sim/run.ts"
import { readScenario } from "../sim/scenario/read.ts"
import { Planner, DRY, WET, ZONES } from "./farm/Planner.ts"
import { judged } from "./farm/Rules.ts"
import { machine, quantile, rounded } from "./Measure.ts"
import { type Bound, close, lineOf } from "./node/Bound.ts"

export const about = "a planner with a thousand zones; a simulated day on a farm (a minute)"
export const flags = ["--assert", "--zones", "--rules", "--day"]

const READINGS_PER_ZONE = 10
const SECONDS = 10
const WARM_UP = 20_000

/** So many zones get dry meanwhile: a node holds 1,024 entries of one device, and what it proposed is among them. */
const DRY_ZONES = 20

interface Watched {
  /** From when a reading is there to when it is judged, of all readings, and of those by which something was proposed. */
  readonly judged: { readonly p50Ms: number; readonly p99Ms: number }
  readonly proposedMaxMs: number
  /** Of the time that passed. */
  readonly busy: number
}

const watched = (): Watched => {
  const planner = new Planner()
  // Warm first: a node runs for months.
  for (let i = 0; i < WARM_UP; i++) planner.senses(i % ZONES, WET)
  const perSecond = ZONES * READINGS_PER_ZONE
  const count = perSecond * SECONDS
  const begins = planner.now
  /** One after another, and each stays so. */
  const isDry = (zone: number, i: number): boolean =>
    zone % (ZONES / DRY_ZONES) === 0 && i / count > (0.9 * zone) / ZONES
  const waits: Array<number> = []
  let proposedMaxMs = 0
  let freeAt = 0
  let busyMs = 0
  for (let i = 0; i < count; i++) {
    const arrivesMs = (i * 1_000) / perSecond
    const zone = i % ZONES
    const before = planner.triggered.size
    const begun = performance.now()
    planner.passTo(begins + Math.floor(arrivesMs))
    planner.senses(zone, isDry(zone, i) ? DRY : WET)
    const took = performance.now() - begun
    busyMs += took
    freeAt = Math.max(arrivesMs, freeAt) + took
    waits.push(freeAt - arrivesMs)
    if (planner.triggered.size > before) proposedMaxMs = Math.max(proposedMaxMs, freeAt - arrivesMs)
  }
  if (planner.triggered.size !== DRY_ZONES)
    throw new Error(`it has proposed for ${planner.triggered.size} of ${DRY_ZONES} zones`)
  if (!planner.leads) throw new Error("it does not lead any more")
  waits.sort((a, b) => a - b)
  const judged = { p50Ms: quantile(waits, 0.5), p99Ms: quantile(waits, 0.99) }
  return { judged, proposedMaxMs, busy: busyMs / (SECONDS * 1_000) }
}

const day = (): number => {
  const file = "scenarios/farm-day.yaml"
  const read = readScenario(file, readFileSync(new URL(`../${file}`, import.meta.url)))
  if ("mistakes" in read) throw new Error(`${file} does not read`)
  const begun = performance.now()
  const { verdict } = runScenario(read.scenario)
  if (verdict !== "passed") throw new Error(`${file}: ${verdict}`)
  return (performance.now() - begun) / 1_000
}

export const run = (given: ReadonlyArray<string>): void => {
  console.log(machine())
  const chosen = given.filter((flag) => flag !== "--assert")
  const wants = (flag: string): boolean => chosen.length === 0 || chosen.includes(flag)
  const bounds: Array<Bound> = []
  const say = (bound: Bound): void => {
    bounds.push(bound)
    console.log(lineOf(bound))
  }
  if (wants("--rules")) {
    console.log("\nrules alone, a thousand of them")
    say({ what: "readings judged", value: judged(), atLeast: 100_000, unit: "/s" })
  }
  if (wants("--zones")) {
    console.log(`\na planner with ${rounded(ZONES)} zones, ${READINGS_PER_ZONE} readings a second of each, signed`)
    const { busy, judged: decided, proposedMaxMs } = watched()
    say({ what: "from a reading to its judgement, p99", value: decided.p99Ms, atMost: 50, unit: "ms" })
    say({ what: `and to a proposal by it, worst of ${DRY_ZONES}`, value: proposedMaxMs, atMost: 50, unit: "ms" })
    say({ what: "of one core, signatures with it", value: busy, atMost: 1, unit: "cores" })
    console.log(`    from a reading to its judgement, p50             ${rounded(decided.p50Ms)} ms`)
  }
  if (wants("--day")) {
    console.log("\na simulated day on a farm (scenarios/farm-day.yaml)")
    say({ what: "takes", value: day(), atMost: 10, unit: "s" })
  }
  close(bounds, given)
}

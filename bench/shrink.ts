/**
 * How small the shrinker makes what a campaign found, and what that takes: forty planted bugs, each found by one seed of the fuzzer
 * in a scenario of the project. Beside it fast-check's `commands` on the same bugs, with the same time; it has to find each
 * of them first. Seconds are those of the processor.
 *
 * Throws where a bug is not there any more, is not 1-minimal, or does not fail when it is read back from its file.
 */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { runScenario } from "../sim/run.ts"
import { readScenario } from "../sim/scenario/read.ts"
import type { Scenario } from "../sim/scenario/Scenario.ts"
import { failureOf, failureWords } from "../sim/shrink/Failure.ts"
import { once } from "../sim/shrink/Once.ts"
import { regression } from "../sim/shrink/Regression.ts"
import { shrink } from "../sim/shrink/Shrink.ts"
import { machine, median, table } from "./Measure.ts"
import { type Bug, corpus } from "./shrink/Bugs.ts"
import { byCommands, type ByCommands } from "./shrink/Commands.ts"

export const about =
  "shrinking: forty planted bugs, how small and how fast, and fast-check's commands beside it (minutes)"
export const flags = ["--alone"]

const ROOT = fileURLToPath(new URL("../", import.meta.url))
const LIMIT_MS = 5_000
const FAULTS_MEDIAN = 6
/** Looked through for a bug. */
const SEEDS_MAX = 200

const scenarioOf = (name: string): Scenario => {
  const file = `scenarios/${name}.yaml`
  const read = readScenario(file, readFileSync(`${ROOT}${file}`))
  if (!("scenario" in read)) throw new Error(`${file} does not read`)
  return read.scenario
}

/** Of the processor, in this process, ms. */
const cpuMs = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1_000
}

interface Measured {
  readonly bug: Bug
  readonly what: string
  readonly faultsBefore: number
  readonly faults: number
  readonly nodes: number
  readonly runs: number
  readonly ms: number
  readonly complete: boolean
  /** The right kernel passes what was shrunk: it is about the bug. */
  readonly aboutTheBug: boolean
  readonly commands: ByCommands | null
}

/** By its seed, or by the next one that does: what seeds draw, and what the kernel does, changes. */
const found = ({ kernel, name, scenario: file, seed: first }: Bug, scenario: Scenario) => {
  for (let seed = first; seed < first + SEEDS_MAX; seed++) {
    const wanted = { scenario, seed, fuzzed: { swarm: true, points: [] } }
    const ran = once(wanted, { kernel })
    const failure = failureOf(ran.result)
    if (failure !== null && failureOf(once(wanted).result) === null) return { ran, failure }
  }
  throw new Error(`${name}: no seed from ${first} on finds it in ${file} any more`)
}

const measured = (bug: Bug, alone: boolean): Measured => {
  const { kernel, name } = bug
  const scenario = scenarioOf(bug.scenario)
  const { failure, ran } = found(bug, scenario)
  const fromMs = cpuMs()
  const shrunk = shrink(ran, failure, { kernel })
  const ms = cpuMs() - fromMs
  if (shrunk === null) throw new Error(`${name}: no schedule of its run fails`)
  const origin = { again: "", kernel: null, schema: "../scenario.schema.json" }
  const written = regression(shrunk, origin, `${name}.yaml`, kernel)
  if ("problem" in written) throw new Error(`${name}: ${written.problem}`)
  return {
    bug,
    what: failureWords(failure).replace("invariant ", "").slice(0, 24),
    faultsBefore: shrunk.from.faults,
    faults: shrunk.to.faults,
    nodes: shrunk.to.nodes,
    runs: shrunk.runs,
    ms,
    complete: shrunk.certificate.complete,
    aboutTheBug: failureOf(runScenario(shrunk.scenario)) === null,
    commands: alone ? null : byCommands(bug, scenario, failure, LIMIT_MS)
  }
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(2)

const rowOf = ({ aboutTheBug, bug, commands, complete, faults, faultsBefore, ms, nodes, runs, what }: Measured) => [
  bug.name,
  what,
  `${faultsBefore} → ${faults}`,
  String(nodes),
  String(runs),
  seconds(ms),
  complete ? "yes" : "no",
  aboutTheBug ? "yes" : "no",
  commands === null ? "" : commands.commands === null ? "not found" : String(commands.commands),
  commands === null ? "" : String(commands.runs)
]

export const run = (given: ReadonlyArray<string> = []): void => {
  const alone = given.includes("--alone")
  console.log(machine())
  const all = corpus.map((bug) => measured(bug, alone))
  const header = ["bug", "broke", "faults", "nodes", "runs", "s", "1-minimal", "about it", "commands", "runs"]
  console.log(table(header, all.map(rowOf)))
  const faults = all.map((one) => one.faults)
  const times = all.map(({ ms }) => ms)
  const minimal = all.filter(({ complete }) => complete).length
  const bounds: ReadonlyArray<readonly [what: string, is: string, bound: string, held: boolean]> = [
    ["1-minimal", `${minimal} of ${all.length}`, "all", minimal === all.length],
    ["faults left, median", String(median(faults)), `≤ ${FAULTS_MEDIAN}`, median(faults) <= FAULTS_MEDIAN],
    ["seconds of one core, worst", seconds(Math.max(...times)), "≤ 5", Math.max(...times) <= LIMIT_MS],
    ["seconds of one core, median", seconds(median(times)), "", true],
    ["passed by the right kernel", `${all.filter((one) => one.aboutTheBug).length} of ${all.length}`, "", true]
  ]
  console.log(
    `\n${table(
      ["measure", "is", "bound", ""],
      bounds.map(([a, b, c, held]) => [a, b, c, held ? "held" : "MISSED"])
    )}`
  )
  if (alone) return
  const theirs = all.flatMap(({ commands }) => (commands?.commands == null ? [] : [commands.commands]))
  console.log(
    `\nfast-check's commands, ${LIMIT_MS / 1_000} s each for finding and shrinking: found ${theirs.length} of ${all.length}; commands left, median ${median(theirs)}`
  )
}

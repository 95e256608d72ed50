/**
 * `pnpm fuzz [--events N]`: runs every scenario in turn with seeds of this commit, until N inputs were delivered, oracles on.
 *
 * The budget is events and the seeds come from the commit, so that two machines do the same work and every commit does other
 * work; a red run is repeated by the line that it prints. It varies the seed and nothing else of a scenario.
 */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { runScenario } from "../sim/run.ts"
import { readScenario, renderMistakes } from "../sim/scenario/read.ts"
import { root, run, seconds } from "./Run.ts"

const EVENTS_DEFAULT = 3_000_000
/** As many seeds as there are; `pnpm sim --seed` takes each. */
const SEEDS = 2 ** 32
/** A campaign that fails everywhere is told by its first failures. */
const FAILURES_TOLD_MAX = 20

const { values } = parseArgs({ options: { events: { type: "string", default: String(EVENTS_DEFAULT) } } })
const budget = Number(values.events)
if (!Number.isSafeInteger(budget) || budget <= 0) {
  console.log(`--events ${values.events}: a whole number of events, such as --events ${EVENTS_DEFAULT}`)
  process.exit(2)
}

const { code, output: commit } = await run("git", ["rev-parse", "HEAD"])
if (code !== 0) {
  console.log(`the seeds come from the commit, and there is none: ${commit}`)
  process.exit(2)
}
const firstSeed = Number.parseInt(commit.slice(0, 8), 16)

const scenarios = globSync("scenarios/**/*.yaml", { cwd: root })
  .sort()
  .map((file) => {
    const read = readScenario(file, readFileSync(join(root, file)))
    if ("scenario" in read) return { file, scenario: read.scenario }
    console.log(renderMistakes(file, read.mistakes))
    process.exit(2)
  })
if (scenarios.length === 0) {
  console.log("there is no scenario in scenarios/")
  process.exit(2)
}

const startedMs = performance.now()
let events = 0
let rounds = 0
let passed = 0
let failed = 0

/** The run's events; 0 when it broke before it could tell. */
const runOne = ({ file, scenario }: (typeof scenarios)[number], seed: number): number => {
  const problem = (what: string) => {
    failed++
    if (failed <= FAILURES_TOLD_MAX) console.log(`${what}\n  again   pnpm sim ${file} --seed ${seed}`)
  }
  try {
    const result = runScenario(scenario, { seed })
    if (result.verdict === "passed" && result.events > 0) passed++
    else problem(`${file} with seed ${seed}: ${result.events === 0 ? "nothing happened" : result.verdict}`)
    return result.events
  } catch (error) {
    problem(`${file} with seed ${seed}: the simulator broke: ${error instanceof Error ? error.stack : String(error)}`)
    return 0
  }
}

const seedOf = (round: number): number => (firstSeed + round) % SEEDS

while (events < budget) {
  const before = events
  for (const one of scenarios) events += runOne(one, seedOf(rounds))
  rounds++
  if (events === before) break // nothing runs: more seeds would not end it
}

const tookMs = performance.now() - startedMs
const seeds = `seeds ${seedOf(0)}..${seedOf(rounds - 1)} from commit ${commit.slice(0, 8)}`
console.log(
  `fuzz: ${passed + failed} runs of ${scenarios.length} scenarios, ${events} events, ${seeds}, ${seconds(tookMs)}`
)
console.log(`${passed} passed, ${failed} failed, 0 skipped`)
process.exitCode = failed === 0 ? 0 : 1

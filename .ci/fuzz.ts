/**
 * `pnpm fuzz [--events N]`: `pnpm sim fuzz` on every scenario, with seeds of this commit, until nodes have taken up N inputs;
 * then on those of `scenarios/long/`, with two seeds each and without the default mix: one of them would use up all of N.
 *
 * The budget is events and the seeds come from the commit, so that two machines do the same work and every commit does other
 * work. Whatever of the campaign is not as it has to be is a failure: findings, runs that differ, faults that touch nothing.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { root, run } from "./Run.ts"

const EVENTS_DEFAULT = 3_000_000
/** As many seeds as `pnpm sim --seed` takes, and how many of them at most in one campaign: no budget reaches so far. */
const SEEDS = 2 ** 32
const CAMPAIGN_SEEDS = 2 ** 24
const LONG_SEEDS = 2

interface End {
  readonly runs: number
  readonly findings: number
  readonly scenarios: ReadonlyArray<{ readonly failed: number }>
}

const { values } = parseArgs({ options: { events: { type: "string", default: String(EVENTS_DEFAULT) } } })
const { code, output: commit } = await run("git", ["rev-parse", "HEAD"])
if (code !== 0) {
  console.log(`the seeds come from the commit, and there is none: ${commit}`)
  process.exit(2)
}
const first = Number.parseInt(commit.slice(0, 8), 16) % (SEEDS - CAMPAIGN_SEEDS)
const seeds = (count: number): ReadonlyArray<string> => ["--seeds", `${first}..${first + count - 1}`]

interface Campaign {
  readonly exit: number
  /** `null`: it did not come so far; what it said stands above. */
  readonly end: End | null
}

const campaign = async (words: ReadonlyArray<string>): Promise<Campaign> => {
  const folder = mkdtempSync(join(tmpdir(), "clawmesh-fuzz-"))
  const records = join(folder, "records.json")
  const exit = await new Promise<number>((resolve, reject) => {
    const child = spawn(process.execPath, ["sim/main.ts", "fuzz", ...words, `--json=${records}`], {
      cwd: root,
      stdio: "inherit"
    })
    child.on("error", reject)
    child.on("close", (exitCode) => resolve(exitCode ?? 1))
  })
  const end = endIn(records)
  rmSync(folder, { recursive: true })
  return { exit: end === null && exit === 0 ? 1 : exit, end }
}

const endIn = (records: string): End | null => {
  try {
    const last = readFileSync(records, "utf8").trimEnd().split("\n").at(-1) ?? ""
    const end = JSON.parse(last) as Partial<End>
    return end.runs === undefined ? null : (end as End)
  } catch {
    return null
  }
}

const failedRuns = ({ end, exit }: Campaign): number => {
  const failed = end?.scenarios.reduce((n, scenario) => n + scenario.failed, 0) ?? 0
  // What no single run can be blamed for is one failure all the same.
  return exit === 0 ? 0 : Math.max(1, failed)
}

const campaigns = [
  await campaign(["scenarios/{*,regressions/*}.yaml", ...seeds(CAMPAIGN_SEEDS), "--events", values.events]),
  await campaign(["scenarios/long/*.yaml", ...seeds(LONG_SEEDS), "--no-swarm"])
]
const failed = campaigns.reduce((n, one) => n + failedRuns(one), 0)
const runs = campaigns.reduce((n, { end }) => n + (end?.runs ?? 0), 0)
console.log(`seeds from commit ${commit.slice(0, 8)}`)
console.log(`${Math.max(0, runs - failed)} passed, ${failed} failed, 0 skipped`)
process.exitCode = campaigns.find(({ exit }) => exit !== 0)?.exit ?? 0

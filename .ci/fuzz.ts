/**
 * `pnpm fuzz [--events N]`: `pnpm sim fuzz` on every scenario, with seeds of this commit, until nodes have taken up N inputs.
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
const seeds = `${first}..${first + CAMPAIGN_SEEDS - 1}`

const folder = mkdtempSync(join(tmpdir(), "clawmesh-fuzz-"))
const records = join(folder, "records.json")
const words = ["sim/main.ts", "fuzz", "scenarios/**/*.yaml", "--seeds", seeds, "--events", values.events]
const exit = await new Promise<number>((resolve, reject) => {
  const child = spawn(process.execPath, [...words, `--json=${records}`], { cwd: root, stdio: "inherit" })
  child.on("error", reject)
  child.on("close", (exitCode) => resolve(exitCode ?? 1))
})

const endOf = (): End | null => {
  try {
    const last = readFileSync(records, "utf8").trimEnd().split("\n").at(-1) ?? ""
    const end = JSON.parse(last) as Partial<End>
    return end.runs === undefined ? null : (end as End)
  } catch {
    return null // it did not come so far; what it said stands above
  }
}
const end = endOf()
rmSync(folder, { recursive: true })
if (end === null) {
  console.log("0 passed, 1 failed, 0 skipped")
  process.exit(exit === 0 ? 1 : exit)
}
const failedRuns = end.scenarios.reduce((n, { failed }) => n + failed, 0)
// What no single run can be blamed for is one failure all the same.
const failed = exit === 0 ? 0 : Math.max(1, failedRuns)
console.log(`seeds from commit ${commit.slice(0, 8)}`)
console.log(`${end.runs - Math.min(end.runs, failed)} passed, ${failed} failed, 0 skipped`)
process.exitCode = exit

/**
 * `pnpm fuzz [--events N]`: `pnpm sim fuzz` on every scenario, with seeds of this commit, until nodes have taken up N inputs;
 * then `pnpm sim` on each of `scenarios/long/` but `BY_HAND`, once, as that seed draws it without the default mix: a campaign of them would
 * use up all of N and the time of this stage.
 *
 * A scenario of which a declared fault touched nothing in so few seeds gets more of them, by itself: then it is a failure.
 *
 * The budget is events and the seeds come from the commit, so that two machines do the same work and every commit does other
 * work. Whatever of the campaign is not as it has to be is a failure: findings, runs that differ, faults that touch nothing.
 */
import { spawn } from "node:child_process"
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { root, run } from "./Run.ts"

const EVENTS_DEFAULT = 5_000_000
/** As many seeds as `pnpm sim --seed` takes, and how many of them at most in one campaign: no budget reaches so far. */
const SEEDS = 2 ** 32
/** Longer than this stage may take: run by hand. */
const BY_HAND = ["scenarios/long/idle-week.yaml"]
const CAMPAIGN_SEEDS = 2 ** 24
/** The exit code of `pnpm sim fuzz` where nothing failed, and something was not tested; and how many seeds show whether it ever is. */
const UNDECIDED = 3
const SEEDS_MORE = 60

interface End {
  readonly runs: number
  readonly findings: number
  readonly scenarios: ReadonlyArray<{ readonly file: string; readonly failed: number; readonly undecided: boolean }>
}

interface Campaign {
  readonly exit: number
  /** `null`: it did not come so far; what it said stands above. */
  readonly end: End | null
}

/** The exit code of `pnpm sim` with these words. */
const sim = (words: ReadonlyArray<string>): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["sim/main.ts", ...words], { cwd: root, stdio: "inherit" })
    child.on("error", reject)
    child.on("close", (exitCode) => resolve(exitCode ?? 1))
  })

const campaign = async (words: ReadonlyArray<string>): Promise<Campaign> => {
  const folder = mkdtempSync(join(tmpdir(), "clawmesh-fuzz-"))
  const records = join(folder, "records.json")
  const exit = await sim(["fuzz", ...words, `--json=${records}`])
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

const { values } = parseArgs({ options: { events: { type: "string", default: String(EVENTS_DEFAULT) } } })
const { code, output: commit } = await run("git", ["rev-parse", "HEAD"])
if (code !== 0) {
  console.log(`the seeds come from the commit, and there is none: ${commit}`)
  process.exit(2)
}
const first = Number.parseInt(commit.slice(0, 8), 16) % (SEEDS - CAMPAIGN_SEEDS)
const last = first + CAMPAIGN_SEEDS - 1
const files = "scenarios/{*,regressions/*}.yaml"
const short = await campaign([files, "--seeds", `${first}..${last}`, "--events", values.events])
const exits: Array<number> = []
const undecided = short.end?.scenarios.filter((one) => one.undecided) ?? []
if (short.exit === UNDECIDED && undecided.length > 0) {
  console.log(`more seeds for ${undecided.map(({ file }) => file).join(", ")}`)
  const more = await campaign([...undecided.map(({ file }) => file), "--seeds", `${first}..${first + SEEDS_MORE - 1}`])
  exits.push(more.exit)
} else exits.push(short.exit)
for (const file of globSync("scenarios/long/*.yaml", { cwd: root, exclude: BY_HAND }).toSorted())
  exits.push(await sim([file, "--seed", String(first), "--fuzzed", "--no-swarm", "--reporter", "failures"]))

const failed = (exits[0] === 0 ? 0 : failedRuns(short)) + exits.slice(1).filter((exit) => exit !== 0).length
const runs = (short.end?.runs ?? 0) + exits.length - 1
console.log(`seeds from commit ${commit.slice(0, 8)}`)
console.log(`${Math.max(0, runs - failed)} passed, ${failed} failed, 0 skipped`)
process.exitCode = exits.find((exit) => exit !== 0) ?? 0

/**
 * `pnpm sim fuzz`: a campaign, from its order to an exit code. What it finds it tells at the end, and keeps at once, each first
 * run of a finding in `out/`.
 */
import { mkdirSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join, resolve } from "node:path"
import { campaignText, doubtful, hasCause, progressLine } from "../report/CampaignText.ts"
import type { Range } from "../scenario/Scenario.ts"
import { SEED_MAX } from "../scenario/Seed.ts"
import { pointsText, type Points } from "../search/Points.ts"
import type { Tally } from "../search/Tally.ts"
import { commit } from "./Commit.ts"
import { type Exit, exits, gravest } from "./Exit.ts"
import { endRecord, findingRecord, seedRecord } from "./FuzzRecords.ts"
import { type FuzzOrder, withOthers, withWords } from "./Order.ts"
import { lookOf, readAll, type Ready, type Records, shellWord, type Surroundings } from "./Surroundings.ts"
import { isNoFolder, whyUnwritten, writeWhole } from "./Writing.ts"

const FOLDER = "out"
/** Of a file that says no `seeds:`. */
const SEEDS_DEFAULT: Range = { min: 1, max: 1_000 }
const PROGRESS_EVERY_MS = 250
/** Of more findings the first have pages; the rest have commands. */
const PAGES_MAX = 5
/** As many digits as a transcript shows. */
const HASH_SHOWN = 8

/** The seeds of each scenario. A budget of events or time goes on beyond those of the file. */
const rangesOf = ({ eventsMax, forMs, seeds }: FuzzOrder, ready: ReadonlyArray<Ready>): ReadonlyArray<Range> =>
  ready.map(({ scenario }) => {
    if (seeds !== null) return seeds
    const own = scenario.fuzz?.seeds ?? SEEDS_DEFAULT
    return eventsMax === null && forMs === null ? own : { min: own.min, max: SEED_MAX }
  })

/** Writes traces of findings; remembers once why it could not. */
class Keeper {
  readonly #cwd: string
  readonly problems = new Set<string>()

  constructor(cwd: string) {
    this.#cwd = cwd
  }

  keep(hash: string, text: string): string | null {
    const path = join(FOLDER, `${hash.slice(0, HASH_SHOWN)}.jsonl`)
    try {
      mkdirSync(resolve(this.#cwd, FOLDER), { recursive: true })
      writeWhole(resolve(this.#cwd, path), text)
      return path
    } catch (error) {
      const why = isNoFolder(error) ? `${FOLDER} is a file, and has to be a folder` : whyUnwritten(error)
      this.problems.add(`${path} cannot be written: ${why}; the commands below run it again`)
      return null
    }
  }
}

const exitOf = ({ findings, scenarios }: Tally, interrupted: boolean): Exit => {
  const codes = findings.map(({ fault: { _tag } }): Exit => {
    if (_tag === "defect" || _tag === "death") return exits.defect
    return _tag === "parted" ? exits.notDeterministic : exits.failed
  })
  // Somebody who stopped it early did not ask whether the seeds were enough.
  const undecided = !interrupted && scenarios.some(doubtful)
  return gravest([...codes, ...(undecided ? [exits.undecided] : [])])
}

export const fuzz = async (order: FuzzOrder, around: Surroundings, records: Records): Promise<Exit> => {
  const read = await readAll(order.files, around, records)
  if ("exit" in read) return read.exit
  const { failures } = read
  if (read.ready.length === 0 || (failures.length > 0 && !order.keepGoing)) return gravest(failures)
  const ready = read.ready.map(({ file, scenario }) => ({ file, scenario: withOthers(scenario, order.with) }))
  const files = ready.map(({ file }) => file)
  const jobs = order.jobs ?? availableParallelism()
  const again = (scenario: number, seed: number, points: Points): string =>
    `pnpm sim ${shellWord(files[scenario]!)} --seed ${seed} --fuzzed${order.swarm ? "" : " --no-swarm"}${
      points.length === 0 ? "" : ` --branch ${pointsText(points)}`
    }${withWords(order.with)}`
  const keeper = new Keeper(around.cwd)
  const startedMs = around.nowMs()
  let toldMs = startedMs
  const { Campaign } = await import("../search/Campaign.ts")
  const campaign = new Campaign({
    scenarios: ready.map(({ scenario }) => scenario),
    ranges: rangesOf(order, ready),
    shard: order.shard,
    eventsMax: order.eventsMax,
    forMs: order.forMs,
    jobs,
    swarm: order.swarm,
    ledger: order.ledger,
    branching: order.branching,
    twicePercent: order.twicePercent,
    keepGoing: order.keepGoing,
    maker: { kernel: commit(), node: process.versions.node },
    kernelModule: around.kernelModule ?? null,
    nowMs: around.nowMs,
    keep: (hash, text) => keeper.keep(hash, text),
    onRun: (task, report, tally) => {
      if (order.verbose && order.json !== null) records.write(seedRecord(files[task.scenario]!, task, report))
      const nowMs = around.nowMs()
      if (around.progress === undefined || nowMs - toldMs < PROGRESS_EVERY_MS) return
      toldMs = nowMs
      around.progress(progressLine(tally, jobs, nowMs - startedMs))
    }
  })
  const forget = around.onInterrupt?.(() => campaign.stop())
  const { interrupted, tally, tookMs } = await campaign.run()
  forget?.()
  around.progress?.(null)

  const problems = [...keeper.problems]
  for (const problem of problems) records.error("UNWRITABLE", exits.wrongUse, problem)
  const exit = gravest([exitOf(tally, interrupted), ...failures, ...(problems.length > 0 ? [exits.wrongUse] : [])])
  for (const finding of tally.findings)
    records.write(
      findingRecord(files[finding.scenario]!, finding, tally, again(finding.scenario, finding.seed, finding.points))
    )
  const pages = new Map<string, string>()
  const events = Math.round(tally.events / Math.max(1, tally.runs))
  for (const { fault, hash, points, scenario: index, seed } of tally.findings.slice(0, PAGES_MAX)) {
    if (hash === null || !hasCause(fault) || order.json === "stdout" || interrupted) continue
    const { file, scenario } = ready[index]!
    const subject = { scenario, seed, fuzzed: { swarm: order.swarm, points } }
    const words = again(index, seed, points).slice("pnpm sim ".length)
    const { keepPage } = await import("./Pages.ts")
    const { path } = await keepPage({ file, subject, hash, events, untilMs: null, words }, around)
    if (path !== null) pages.set(hash, path)
  }
  records.write(endRecord(files, tally, { tookMs, jobs, interrupted, exit }))
  if (order.json !== "stdout")
    around.out(
      campaignText({ tally, files, tookMs, jobs, interrupted, verbose: order.verbose, again, pages }, lookOf(around))
    )
  return exit
}

/**
 * `pnpm sim fuzz`: a campaign, from its order to an exit code. What it finds it tells at the end, and keeps at once, each first
 * run of a finding in `out/`.
 */
import { availableParallelism } from "node:os"
import { campaignText, doubtful, hasCause, progressLine } from "../report/CampaignText.ts"
import type { Range } from "../scenario/Scenario.ts"
import { SEED_MAX } from "../scenario/Seed.ts"
import type { Points } from "../search/Points.ts"
import type { Subject } from "../search/Subject.ts"
import type { Finding, Tally } from "../search/Tally.ts"
import { type Exit, exits, gravest } from "./Exit.ts"
import { endRecord, findingRecord, seedRecord } from "./FuzzRecords.ts"
import { Keeper } from "./Keeper.ts"
import { versionOf } from "./KernelVersion.ts"
import { type FuzzOrder, withOthers } from "./Order.ts"
import { runWords } from "./RunWords.ts"
import type { Smaller } from "./Smaller.ts"
import { kernelOf, lookOf, readAll, type Ready, type Records, type Surroundings } from "./Surroundings.ts"

/** Of a file that says no `seeds:`. */
const SEEDS_DEFAULT: Range = { min: 1, max: 1_000 }
const PROGRESS_EVERY_MS = 250
/** Of more findings the first have pages; the rest have commands. */
const PAGES_MAX = 5

/** The seeds of each scenario. A budget of events or time goes on beyond those of the file. */
const rangesOf = ({ eventsMax, forMs, seeds }: FuzzOrder, ready: ReadonlyArray<Ready>): ReadonlyArray<Range> =>
  ready.map(({ scenario }) => {
    if (seeds !== null) return seeds
    const own = scenario.fuzz?.seeds ?? SEEDS_DEFAULT
    return eventsMax === null && forMs === null ? own : { min: own.min, max: SEED_MAX }
  })

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
  const subjectOf = (index: number, seed: number, points: Points): Subject => ({
    scenario: ready[index]!.scenario,
    seed,
    fuzzed: { swarm: order.swarm, points }
  })
  const again = (index: number, seed: number, points: Points): string =>
    `pnpm sim ${runWords(files[index]!, subjectOf(index, seed, points), order.with)}`
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
    maker: { kernel: versionOf(around), node: process.versions.node },
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

  const smaller =
    interrupted || !order.shrinking || tally.findings.length === 0
      ? new Map<Finding, Smaller>()
      : await (
          await import("./Smaller.ts")
        ).makeSmaller(
          tally.findings,
          {
            scenarios: ready.map(({ scenario }) => scenario),
            files,
            swarm: order.swarm,
            again: ({ points, scenario, seed }) => again(scenario, seed, points),
            kernel: await kernelOf(around)
          },
          around
        )

  const unsaved = [...smaller.values()].flatMap(({ problem }) => (problem === null ? [] : [problem]))
  const problems = [...keeper.problems, ...unsaved].map((problem) => `${problem}; the commands below run it again`)
  for (const problem of problems) records.error("UNWRITABLE", exits.wrongUse, problem)
  const exit = gravest([exitOf(tally, interrupted), ...failures, ...(problems.length > 0 ? [exits.wrongUse] : [])])
  for (const finding of tally.findings)
    records.write(
      findingRecord(files[finding.scenario]!, finding, tally, {
        again: again(finding.scenario, finding.seed, finding.points),
        smaller: smaller.get(finding) ?? null
      })
    )
  const pages = new Map<string, string>()
  const events = Math.round(tally.events / Math.max(1, tally.runs))
  for (const { fault, hash, points, scenario: index, seed } of tally.findings.slice(0, PAGES_MAX)) {
    if (hash === null || !hasCause(fault) || order.json === "stdout" || interrupted) continue
    const subject = subjectOf(index, seed, points)
    const words = runWords(files[index]!, subject, order.with)
    const { keepPage } = await import("./Pages.ts")
    const { path } = await keepPage({ file: files[index]!, subject, hash, events, untilMs: null, words }, around)
    if (path !== null) pages.set(hash, path)
  }
  records.write(endRecord(files, tally, { tookMs, jobs, interrupted, exit }))
  if (order.json !== "stdout")
    around.out(
      campaignText(
        { tally, files, tookMs, jobs, interrupted, verbose: order.verbose, again, pages, smaller },
        lookOf(around)
      )
    )
  return exit
}

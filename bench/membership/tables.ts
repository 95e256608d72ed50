/** The experiments as tables, ours between the baselines, and our bounds beside what was measured. */
import { quantile, rounded } from "../Measure.ts"
import { falseDeaths } from "./falseDeaths.ts"
import { gossip } from "./gossip/GossipMesh.ts"
import { memberlist, noLifeguard, swim } from "./gossip/Parameters.ts"
import { interval, type Cell } from "./interval.ts"
import { ours } from "./KernelMesh.ts"
import { lossy } from "./lossy.ts"
import { isUndone, type Contender, type Undone } from "./Mesh.ts"
import type { Plan } from "./Plan.ts"
import { powerCut } from "./powerCut.ts"
import { reproduce } from "./published.ts"
import { seconds, type Report } from "./Report.ts"
import { traffic } from "./traffic.ts"

const contenders: ReadonlyArray<Contender> = [gossip(swim), gossip(memberlist(noLifeguard)), gossip(memberlist()), ours]
/** Of a measure that has one. */
const NOT_MEASURED = "not measured"

/** Only ours may be too much: the baselines are there to be compared with, whatever they cost. */
const limitOf = (contender: Contender, plan: Plan): number =>
  contender === ours ? plan.secondsMost : Number.POSITIVE_INFINITY

/** Runs it unless a mesh of ours of that size, or a smaller one, was too much already. */
const tried = <A extends object>(
  report: Report,
  contender: Contender,
  size: number,
  run: () => A | Undone
): A | null => {
  if (contender === ours && !report.canRun(size)) return null
  const result = run()
  if (!isUndone(result)) return result
  report.note(`${contender.name}, ${result.undone}: not measured`)
  report.couldNotRun(size)
  return null
}

export const publishedTable = (plan: Plan, isQuick: boolean, report: Report): boolean => {
  const all = reproduce(isQuick, plan.publishedCells)
  report.section(
    "what the baselines' authors published, and what they do here",
    ["figure", "published", "here", "tolerance", ""],
    all.map(({ holds, is, published, tolerance, what }) => [
      what,
      published,
      is,
      tolerance,
      holds ? "reproduced" : "NOT reproduced"
    ])
  )
  return all.every(({ holds }) => holds)
}

export const powerCutTable = (plan: Plan, report: Report): void => {
  const rows: Array<ReadonlyArray<string>> = []
  for (const { baselineSeeds, boundMs, seeds, size, victims } of plan.powerCut) {
    const named = `N=${size}${victims === 1 ? "" : `, ${victims} crashes`}`
    for (const contender of contenders) {
      const runs = contender === ours ? seeds : baselineSeeds
      const what = { size, victims, seeds: runs, secondsMost: limitOf(contender, plan) }
      const result = tried(report, contender, size, () => powerCut(contender, what))
      if (result === null) {
        if (contender === ours && boundMs !== null)
          report.bound(`power cut, ${named}: all know, p99, s`, NOT_MEASURED, `≤ ${boundMs / 1_000}`, false)
        continue
      }
      const { allMs, falsely, firstMs, unknown } = result
      const p99 = quantile(allMs, 0.99)
      const percentiles = [firstMs, allMs].flatMap((values) => [quantile(values, 0.5), quantile(values, 0.99)])
      rows.push([named, contender.name, String(runs), ...percentiles.map(seconds), String(unknown), String(falsely)])
      if (contender === ours && boundMs !== null) {
        const held = unknown === 0 && falsely === 0 && p99 <= boundMs
        report.bound(`power cut, ${named}: all know, p99, s`, seconds(p99), `≤ ${boundMs / 1_000}`, held)
      }
    }
  }
  report.section(
    "power cut without FIN: seconds until the first survivor knows (D1) and until all do (DA)",
    ["mesh", "who", "seeds", "D1 p50", "D1 p99", "DA p50", "DA p99", "not all in 60 s", "others declared down"],
    rows
  )
}

const LOSS_PPM = 150_000
/** From here on no loss of this kind may kill anybody. */
const ENOUGH_OBSERVERS = 5

export const falseDeathsTable = (plan: Plan, report: Report): void => {
  const rows: Array<ReadonlyArray<string>> = []
  for (const size of [2, 3, 5, 10])
    for (const lossPpm of [0, LOSS_PPM])
      for (const contender of contenders) {
        const secondsMost = limitOf(contender, plan)
        const { edgeSeconds } = plan
        const result = tried(report, contender, size, () =>
          falseDeaths(contender, { size, lossPpm, edgeSeconds, secondsMost })
        )
        const loss = lossPpm === 0 ? "none" : `${lossPpm / 10_000} %`
        const rate = (count: number) => rounded((count * 1_000_000) / (result?.edgeSeconds ?? Number.NaN))
        if (result !== null)
          rows.push([
            `N=${size}`,
            loss,
            contender.name,
            rounded(result.edgeSeconds),
            rate(result.suspected),
            rate(result.died)
          ])
        if (contender !== ours) continue
        const what = `false deaths in 10⁶ edge-seconds, N=${size}, ${lossPpm === 0 ? "no loss" : `${loss} loss`}`
        const isBound = lossPpm === 0 || size >= ENOUGH_OBSERVERS
        if (result === null) report.bound(what, NOT_MEASURED, isBound ? "0" : "shown", false)
        else report.bound(what, rate(result.died), isBound ? "0" : "shown", !isBound || result.died === 0)
      }
  report.section(
    "false words about healthy members, in 10⁶ edge-seconds (loss: of datagrams; of the packets below TCP for ours)",
    ["mesh", "loss", "who", "edge-seconds", "suspected", "declared down"],
    rows
  )
}

const cellText = ({ blocked, blockedMs, openMs }: Cell): string =>
  `C=${blocked} D=${blockedMs / 1_000} s I=${openMs} ms`

/** Lifeguard's authors measured with what was the default then. */
export const intervalTable = (plan: Plan, report: Report): void => {
  for (const { cells, size } of plan.interval) {
    const columns: Array<{ readonly name: string; readonly found: ReadonlyArray<string> }> = []
    for (const contender of contenders) {
      let total = 0
      let byHealthy = 0
      const found: Array<string> = []
      for (const cell of cells) {
        const result = tried(report, contender, size, () =>
          interval(contender, size, cell, 1, limitOf(contender, plan))
        )
        if (result === null) break
        total += result.aboutHealthy
        byHealthy += result.byHealthy
        found.push(`${result.aboutHealthy} (${result.byHealthy})`)
      }
      const whole = found.length === cells.length
      columns.push({ name: contender.name, found: whole ? [...found, `${total} (${byHealthy})`] : [] })
      if (contender === ours)
        report.bound(
          `interval experiment, N=${size}: false positives about healthy members`,
          whole ? String(total) : NOT_MEASURED,
          "0",
          whole && total === 0
        )
    }
    report.section(
      `Lifeguard's interval experiment, N=${size}, two minutes: healthy members declared down, in brackets by healthy ones`,
      ["cell", ...columns.map(({ name }) => name)],
      [...cells.map(cellText), "all"].map((cell, row) => [cell, ...columns.map(({ found }) => found[row] ?? "–")])
    )
  }
}

const REMOVED_MS = 12_000
const DISAGREED_MS = 4_000
const LOSSY_PPM = 800_000

export const lossyTable = (plan: Plan, report: Report): void => {
  const rows: Array<ReadonlyArray<string>> = []
  for (const { faulty, seeds, size } of plan.lossy)
    for (const direction of ["egress", "ingress"] as const)
      for (const contender of contenders) {
        const removedMs: Array<number> = []
        const disagreedMs: Array<number> = []
        let ran = 0
        let takenBack = 0
        let healthyRemoved = 0
        for (let seed = 1; seed <= seeds; seed++) {
          const result = tried(report, contender, size, () =>
            lossy(contender, { size, faulty, direction, ppm: LOSSY_PPM, seed, secondsMost: limitOf(contender, plan) })
          )
          if (result === null) break
          ran++
          if (result.removedMs !== null) removedMs.push(result.removedMs)
          if (result.disagreedMs !== null) disagreedMs.push(result.disagreedMs)
          takenBack += result.takenBack
          healthyRemoved += result.healthyRemoved
        }
        const named = `N=${size}, ${faulty} with 80 % ${direction} loss`
        const worstOf = (all: ReadonlyArray<number>) => (all.length === seeds ? Math.max(...all) : Number.NaN)
        const worstMs = worstOf(removedMs)
        const apartMs = worstOf(disagreedMs)
        if (ran === seeds)
          rows.push([
            named,
            contender.name,
            String(seeds),
            `${removedMs.length}`,
            seconds(
              quantile(
                removedMs.toSorted((a, b) => a - b),
                0.5
              )
            ),
            seconds(worstMs),
            seconds(apartMs),
            String(takenBack),
            String(healthyRemoved)
          ])
        if (contender !== ours) continue
        const measured = ran === seeds
        const is = (text: string) => (measured ? text : NOT_MEASURED)
        report.bound(`${named}: removed everywhere, worst, s`, is(seconds(worstMs)), "≤ 12", worstMs <= REMOVED_MS)
        report.bound(`${named}: first to last, worst, s`, is(seconds(apartMs)), "≤ 4", apartMs <= DISAGREED_MS)
        report.bound(`${named}: taken back`, is(String(takenBack)), "0", measured && takenBack === 0)
        report.bound(`${named}: healthy removed`, is(String(healthyRemoved)), "0", measured && healthyRemoved === 0)
      }
  report.section(
    "Rapid's experiment, two minutes: seconds until all healthy members have all faulty ones down at once",
    ["mesh", "who", "seeds", "removed in", "p50", "worst", "first to last", "taken back", "healthy removed"],
    rows
  )
}

const TIMES_MEMBERLIST = 5
const TRAFFIC_BOUND_TO = 128

export const trafficTable = (plan: Plan, report: Report): void => {
  const rows: Array<ReadonlyArray<string>> = []
  for (const size of plan.trafficSizes) {
    const found = contenders.map((contender) =>
      tried(report, contender, size, () => traffic(contender, size, limitOf(contender, plan)))
    )
    rows.push([
      `N=${size}`,
      ...found.flatMap((result) => (result === null ? ["–", "–"] : [rounded(result.messages), rounded(result.bytes)])),
      found[3] === null || found[3] === undefined ? "–" : rounded(found[3].membership)
    ])
    if (size > TRAFFIC_BOUND_TO) continue
    const [theirs, mine] = [found[2]!, found[3]]
    const times = mine === null || mine === undefined || theirs === null ? Number.NaN : mine.messages / theirs.messages
    report.bound(
      `messages a node and second, N=${size}, times memberlist's`,
      Number.isNaN(times) ? NOT_MEASURED : rounded(times),
      `≤ ${TIMES_MEMBERLIST}`,
      times <= TIMES_MEMBERLIST
    )
  }
  report.section(
    "nothing happens: messages and bytes a node and second (payload; a probe of ours counts with its answer)",
    ["mesh", ...contenders.flatMap(({ name }) => [name, "bytes"]), "ours without elections"],
    rows
  )
}

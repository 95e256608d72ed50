/**
 * Who may move a valve: the same schedules of faults under five rules, and how soon somebody else acts when the one who did is gone.
 *
 * The first four rules are what systems of this kind run on: the planner with the lowest id that is visible; the same at a valve that
 * takes no intent twice; a leader with a lease by a majority; and that at a valve that takes no lower term either (M. Burrows, "The
 * Chubby lock service", 2006; D. Ongaro, J. Ousterhout, "In search of an understandable consensus algorithm", 2014). The fifth is the
 * kernel's own guardian. Everything but the durations comes out the same each time.
 *
 * `--quick`: forty schedules. `--assert`: bounds that do not hold are a failure. `--soak`: schedules until a million orders of ours were given
 * (half an hour and more).
 */
import { Report } from "./membership/Report.ts"
import { Authority, type Result } from "./authority/Run.ts"
import { departure, goesAtMs, LASTS_MS, schedule } from "./authority/Schedule.ts"
import { rules } from "./authority/Rules.ts"
import { machine, quantile, rounded } from "./Measure.ts"

export const about = "who may move a valve: 400 schedules of faults under five rules, and failover times (two minutes)"
export const flags = ["--quick", "--assert", "--soak"]

const SCHEDULES = 400
const QUICK = 40
const SOAK_ORDERS = 1_000_000
/** Between two lines of a run that takes long. */
const TOLD_ORDERS = 100_000
const DEPARTURES = 200

interface Sum {
  repeats: number
  inversions: number
  interleavings: number
  executed: number
  reached: number
  executedOfReached: number
  orders: number
  effects: number
}

const none = (): Sum => ({
  repeats: 0,
  inversions: 0,
  interleavings: 0,
  executed: 0,
  reached: 0,
  executedOfReached: 0,
  orders: 0,
  effects: 0
})

const add = (sum: Sum, result: Result): void => {
  sum.repeats += result.repeats
  sum.inversions += result.inversions
  sum.interleavings += result.interleavings
  sum.executed += result.executed
  sum.reached += result.reached
  sum.executedOfReached += result.executedOfReached
  sum.orders += result.orders
  sum.effects += result.effects.length
}

const share = (part: number, of: number): string => (of === 0 ? "–" : `${((100 * part) / of).toFixed(2)} %`)

const JOBS = { fromMs: 20_000, untilMs: 110_000, eachMs: 2_000, thinksMs: 1_000, tickMs: 100 }

const schedules = (report: Report, goesOn: (n: number, orders: number) => boolean): void => {
  const sums = new Map(rules.map(({ name }) => [name, none()]))
  const ours = sums.get(rules.at(-1)!.name)!
  let n = 0
  for (let told = TOLD_ORDERS; goesOn(n, ours.orders); n++) {
    for (const result of new Authority(schedule(n + 1), n + 1, JOBS).run(LASTS_MS)) add(sums.get(result.rule)!, result)
    if (ours.orders < told) continue
    told += TOLD_ORDERS
    const { interleavings, inversions, orders, repeats } = ours
    const done = share(ours.executedOfReached, ours.reached)
    report.note(
      `${n + 1} schedules, ${rounded(orders)} orders of ours: ${repeats} repeats, ${inversions} inversions, ${interleavings} interleavings, ${done} done`
    )
  }
  report.section(
    `${n} schedules of faults, two planners and a valve`,
    ["rule", "orders", "moved", "repeats", "inversions", "interleavings", "jobs done", "of those that could be"],
    [...sums].map(([rule, sum]) => [
      rule,
      rounded(sum.orders),
      rounded(sum.effects),
      String(sum.repeats),
      String(sum.inversions),
      String(sum.interleavings),
      String(sum.executed),
      share(sum.executedOfReached, sum.reached)
    ])
  )
  for (const what of ["repeats", "inversions", "interleavings"] as const)
    report.bound(`${what} in ${rounded(ours.orders)} orders`, String(ours[what]), "0", ours[what] === 0)
  const done = ours.executedOfReached / ours.reached
  report.bound("jobs done where leader and guardian reach each other", share(done, 1), "≥ 97 %", done >= 0.97)
}

/** From the moment in which who leads goes until another planner has moved the valve. */
const departures = (report: Report, count: number): void => {
  const rows: Array<ReadonlyArray<string>> = []
  for (const [how, boundMs] of [
    ["crash", 3_500],
    ["stop", 500]
  ] as const) {
    const times = new Map<string, Array<number>>(rules.map(({ name }) => [name, []]))
    for (let seed = 1; seed <= count; seed++) {
      const goesMs = goesAtMs(seed)
      const jobs = { fromMs: goesMs - 10_000, untilMs: goesMs + 15_000, eachMs: 2_000, thinksMs: 0, tickMs: 10 }
      for (const { effects, rule } of new Authority(departure(seed, how), seed, jobs).run(goesMs + 15_000)) {
        const first = effects.find(({ atMs, planner }) => planner !== "laptop" && atMs >= goesMs)
        times.get(rule)!.push(first === undefined ? Number.POSITIVE_INFINITY : first.atMs - goesMs)
      }
    }
    for (const [rule, all] of times) {
      const ordered = all.toSorted((a, b) => a - b)
      const [half, most] = [quantile(ordered, 0.5), quantile(ordered, 0.99)]
      rows.push([
        how === "crash" ? "it crashes" : "it leaves",
        rule,
        (half / 1_000).toFixed(2),
        (most / 1_000).toFixed(2)
      ])
      if (rule === "ours")
        report.bound(
          `${how === "crash" ? "crash" : "leave"} of the leader to the other's first effect, p99, s`,
          (most / 1_000).toFixed(2),
          `≤ ${(boundMs / 1_000).toFixed(1)}`,
          most <= boundMs
        )
    }
  }
  report.section(
    `who leads goes, ${count} times: seconds until another moves the valve`,
    ["", "rule", "p50", "p99"],
    rows
  )
}

export const run = (given: ReadonlyArray<string>): void => {
  console.log(machine())
  const report = new Report((text) => console.log(text))
  const isQuick = given.includes("--quick")
  if (given.includes("--soak")) schedules(report, (_, orders) => orders < SOAK_ORDERS)
  else {
    schedules(report, (n) => n < (isQuick ? QUICK : SCHEDULES))
    departures(report, isQuick ? DEPARTURES / 10 : DEPARTURES)
  }
  const missed = report.bounds()
  if (given.includes("--assert") && missed > 0) throw new Error(`${missed} bounds do not hold`)
}

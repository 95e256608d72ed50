/**
 * Who is alive, and how soon everybody knows: whole kernels of ours in the simulator beside SWIM and memberlist with Lifeguard,
 * on the experiments of their papers. The baselines first reproduce what their authors published. Everything but the durations
 * comes out the same each time.
 *
 * `--quick`: about a minute, small meshes. `--real`: real processes instead, Debian's `serf` beside our daemon (three minutes; `apt-get install serf`).
 */
import {
  falseDeathsTable,
  intervalTable,
  lossyTable,
  powerCutTable,
  publishedTable,
  trafficTable
} from "./membership/tables.ts"
import { quick, whole } from "./membership/Plan.ts"
import { realTable } from "./membership/real.ts"
import { Report } from "./membership/Report.ts"
import { machine } from "./Measure.ts"

export const about = "who is alive: ours beside SWIM, memberlist and Lifeguard (about half an hour)"
export const flags = ["--quick", "--real"]

export const run = async (given: ReadonlyArray<string>): Promise<void> => {
  console.log(machine())
  const report = new Report((text) => console.log(text))
  if (given.includes("--real")) await realTable(report)
  else {
    const isQuick = given.includes("--quick")
    const plan = isQuick ? quick : whole
    if (!publishedTable(plan, isQuick, report)) throw new Error("a baseline is not what it is called")
    powerCutTable(plan, report)
    falseDeathsTable(plan, report)
    intervalTable(plan, report)
    lossyTable(plan, report)
    trafficTable(plan, report)
  }
  report.bounds()
}

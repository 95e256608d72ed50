/**
 * Who is alive, and how soon everybody knows: whole kernels of ours in the simulator beside SWIM and memberlist with Lifeguard,
 * on the experiments of their papers. The baselines first reproduce what their authors published. Everything but the durations
 * comes out the same each time.
 *
 * The name of an experiment, such as `--interval`: that one, or several, and not the others. `--quick`: about a minute, small meshes. `--real`: real processes instead, Debian's `serf` beside our daemon (three minutes; `apt-get install serf`).
 */
import {
  falseDeathsTable,
  intervalTable,
  lossyTable,
  powerCutTable,
  publishedTable,
  trafficTable
} from "./membership/tables.ts"
import { quick, whole, type Plan } from "./membership/Plan.ts"
import { realTable } from "./membership/real.ts"
import { Report } from "./membership/Report.ts"
import { machine } from "./Measure.ts"

export const about = "who is alive: ours beside SWIM, memberlist and Lifeguard (a quarter of an hour of processor)"

const experiments: { readonly [flag: string]: (plan: Plan, report: Report) => void } = {
  "--power-cut": powerCutTable,
  "--false-deaths": falseDeathsTable,
  "--interval": intervalTable,
  "--lossy": lossyTable,
  "--traffic": trafficTable
}

export const flags = ["--quick", "--real", ...Object.keys(experiments)]

export const run = async (given: ReadonlyArray<string>): Promise<void> => {
  console.log(machine())
  const report = new Report((text) => console.log(text))
  if (given.includes("--real")) await realTable(report)
  else {
    const isQuick = given.includes("--quick")
    const plan = isQuick ? quick : whole
    if (!publishedTable(plan, isQuick, report)) throw new Error("a baseline is not what it is called")
    const named = Object.keys(experiments).filter((flag) => given.includes(flag))
    for (const flag of named.length > 0 ? named : Object.keys(experiments)) experiments[flag]!(plan, report)
  }
  report.bounds()
}

/**
 * Which runs of a campaign turn off, and where: at the last place that no run of the campaign had reached before, or else at a
 * drawn one of the situations that none had been in. From there a few other futures are run, which may turn off again.
 *
 * Promises: a function of what the campaign has come to so far, in the order of its plan. What branches find out is known to the
 * campaign only a fixed number of runs later, so that it does not depend on which thread is quick; and all branches together
 * take up no more inputs than plain runs do, give or take those that are under way.
 */
import { below } from "../../kernel/Draw.ts"
import { pointsText, type Points } from "./Points.ts"
import type { SeedReport } from "./OneSeed.ts"
import type { Task } from "./Plan.ts"
import type { Tally } from "./Tally.ts"

/** Other futures from one moment. */
const FUTURES = 3
/** A branch of a branch of a branch, and no further. */
const DEPTH_MAX = 3
/** The reports of branches are taken up before the run that is so many behind the one that they turned off from. */
const LAG_RUNS = 16

export interface Turn {
  readonly task: Task
  readonly base: Points
  readonly after: number
  readonly futures: number
  /** Its reports are taken up before the run of this number. */
  readonly before: number
}

/** To be asked before the report is added. `n`: of the run that is being taken up. */
export const turnOf = (tally: Tally, task: Task, report: SeedReport, n: number): Turn | null => {
  if (report.points.length >= DEPTH_MAX || 2 * tally.branchEvents > tally.events) return null
  const places = report.firsts.filter(([mark]) => !tally.reached.has(mark))
  const known = tally.scenarios[task.scenario]!.situations
  const fresh = places.length > 0 ? places.slice(-1) : report.situations.filter(([situation]) => !known.has(situation))
  if (fresh.length === 0) return null
  const drawn = below(report.seed, "branch-at", pointsText(report.points), 0, fresh.length)
  return { task, base: report.points, after: fresh[drawn]![1], futures: FUTURES, before: n + LAG_RUNS }
}

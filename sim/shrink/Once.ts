/** The run that somebody wants shrunk, run; and whether it is the same run every time. */
import type { Kernel } from "../engine/Host.ts"
import { moment } from "../judge/Words.ts"
import { Run, type RunOptions, type RunResult } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import { runBranch } from "../search/OneSeed.ts"
import { partingOf } from "../search/Parting.ts"
import type { Points } from "../search/Points.ts"
import type { Log } from "../trace/TraceFile.ts"
import type { Origin } from "./Freeze.ts"

export interface Wanted {
  /** As its file has it. */
  readonly scenario: Scenario
  readonly seed: number
  /** As a campaign draws it; `null`: as it is written. */
  readonly fuzzed: { readonly swarm: boolean; readonly points: Points } | null
}

export interface Ran extends Origin {
  readonly result: RunResult
  /** Where it really turned off: fewer than were wanted when the run does not come so far. */
  readonly points: Points
}

export const once = ({ fuzzed, scenario, seed }: Wanted, options: Pick<RunOptions, "kernel" | "onStep"> = {}): Ran => {
  if (fuzzed === null) {
    const run = new Run(scenario, { ...options, seed })
    run.go()
    const result = run.finish()
    const { liveness = false, ties = "fifo" } = scenario
    return { scenario, seed, ties, liveness, run, result, points: [] }
  }
  const { drawn, result, run } = runBranch(scenario, seed, fuzzed.swarm, fuzzed.points, options)
  const { liveness, points, ties } = drawn
  return { scenario: drawn.scenario, seed, ties, liveness, run, result, points }
}

const ours = (kernel: Kernel | undefined): Pick<RunOptions, "kernel"> => (kernel === undefined ? {} : { kernel })

const logOf = (wanted: Wanted, kernel: Kernel | undefined): Log => {
  const told: Array<string> = []
  const whole: Array<string> = []
  const { result } = once(wanted, {
    ...ours(kernel),
    onStep: ({ name, world }, input, commands) => {
      const did = commands.map(({ _tag }) => _tag).join(" ")
      told.push(`${moment(world.nowMs)}  ${name}  ${input._tag}, then ${did === "" ? "nothing" : did}`)
      whole.push(JSON.stringify([world.nowMs, name, input, commands]))
    }
  })
  return { hash: result.hash, told, whole }
}

/** Where two runs of it part: a bug of the simulator, or of a kernel that remembers what is over. */
export const parting = (wanted: Wanted, kernel: Kernel | undefined): ReadonlyArray<string> =>
  partingOf(logOf(wanted, kernel), logOf(wanted, kernel))

/** The run that somebody wants shrunk, run; and whether it is the same run every time. */
import type { Kernel } from "../engine/Host.ts"
import { moment } from "../judge/Words.ts"
import type { RunOptions, RunResult } from "../run.ts"
import { ofOneSeed } from "../search/OneSeed.ts"
import { partingOf } from "../search/Parting.ts"
import type { Points } from "../search/Points.ts"
import { begin, type Subject } from "../search/Subject.ts"
import type { Log } from "../trace/TraceFile.ts"
import type { Origin } from "./Freeze.ts"

export interface Ran extends Origin {
  readonly result: RunResult
  /** Where it really turned off: fewer than were wanted when the run does not come so far. */
  readonly points: Points
}

export const once = (wanted: Subject, options: Pick<RunOptions, "kernel" | "onStep" | "untilMs"> = {}): Ran => {
  const { drawn, run } = begin(wanted, options)
  run.go()
  const result = run.finish()
  const { liveness, points, scenario, ties } = drawn
  const { fuzzed, seed } = wanted
  return {
    scenario,
    seed,
    ties,
    liveness,
    run,
    points,
    result: fuzzed === null ? result : { ...ofOneSeed(result), seed }
  }
}

const ours = (kernel: Kernel | undefined): Pick<RunOptions, "kernel"> => (kernel === undefined ? {} : { kernel })

const logOf = (wanted: Subject, kernel: Kernel | undefined): Log => {
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
export const parting = (wanted: Subject, kernel: Kernel | undefined): ReadonlyArray<string> =>
  partingOf(logOf(wanted, kernel), logOf(wanted, kernel))

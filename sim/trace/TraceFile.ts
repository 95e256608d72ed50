/** A run, made once more to be written down: as a trace file, or as lines in which to find where two runs part. */
import { moment } from "../judge/Words.ts"
import type { Input } from "../../kernel/Input.ts"
import type { RunResult } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import type { Points } from "../search/Points.ts"
import { runBranch } from "../search/OneSeed.ts"
import type { Kernel } from "../engine/Host.ts"
import type { Maker } from "./Format.ts"
import { Recorder } from "./Recorder.ts"

/** Which of a scenario's runs: what its seed makes of it, turned off at these points. */
export interface Which {
  readonly seed: number
  readonly points: Points
}

/** Runs it once more, and writes down what goes in. */
export const record = (
  scenario: Scenario,
  { points, seed }: Which,
  swarm: boolean,
  maker: Maker,
  kernel?: Kernel
): { readonly text: string; readonly result: RunResult } => {
  const recorder = new Recorder()
  const { drawn, result } = runBranch(scenario, seed, swarm, points, {
    ...(kernel === undefined ? {} : { kernel }),
    onStep: recorder.onStep
  })
  return { text: recorder.text({ scenario, drawn: { drawn, swarm }, untilMs: null, maker }, result), result }
}

const brief = (input: Input): string => {
  if (input._tag !== "Received") return input._tag
  const { frame } = input
  return `${input._tag} ${frame.type === "event" ? frame.event : frame.type === "req" ? frame.method : "an answer"}`
}

/** Every step of a run as a line for people, and as all of it, to find where two runs part. */
export interface Log {
  readonly hash: string
  readonly told: ReadonlyArray<string>
  readonly whole: ReadonlyArray<string>
}

export const log = (scenario: Scenario, { points, seed }: Which, swarm: boolean, kernel?: Kernel): Log => {
  const told: Array<string> = []
  const whole: Array<string> = []
  const { result } = runBranch(scenario, seed, swarm, points, {
    liveness: false,
    ...(kernel === undefined ? {} : { kernel }),
    onStep: ({ name, world }, input, commands) => {
      told.push(
        `${moment(world.nowMs)}  ${name}  ${brief(input)}, then ${commands.map(({ _tag }) => _tag).join(" ") || "nothing"}`
      )
      whole.push(JSON.stringify([world.nowMs, name, input, commands]))
    }
  })
  return { hash: result.hash, told, whole }
}

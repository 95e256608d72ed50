/** A run, written down while it goes by: as a trace file (Format.ts), or as lines in which to find where two runs part. */
import { moment } from "../judge/Words.ts"
import type { Input } from "../../kernel/Input.ts"
import type { RunResult } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import type { Drawn } from "../search/Drawn.ts"
import { pointsText, type Points } from "../search/Points.ts"
import { runBranch } from "../search/OneSeed.ts"
import type { Kernel } from "../engine/Host.ts"
import type { Machine } from "../engine/Machine.ts"
import {
  hashOf,
  line,
  sumOf,
  TYPE,
  type DrawnHeader,
  type End,
  type Header,
  type InputLine,
  type Maker,
  type Told
} from "./Format.ts"

/** Which of a scenario's runs: what its seed makes of it, turned off at these points. */
export interface Which {
  readonly seed: number
  readonly points: Points
}

/** What was run, beside the scenario. */
export interface What {
  readonly scenario: Scenario
  /** `null`: as it is written. */
  readonly drawn: { readonly drawn: Drawn; readonly swarm: boolean } | null
  readonly untilMs: number | null
  readonly maker: Maker
}

const drawnHeader = ({ drawn, swarm }: NonNullable<What["drawn"]>): DrawnHeader => {
  const { class: run, liveness, points, scenario, settings, sources, ties } = drawn
  const faults = scenario.timeline.flatMap(({ atMs, forMs, verb }, step) =>
    sources[step]?.startsWith("step/") ? [] : [{ atMs, forMs, source: sources[step], verb }]
  )
  return {
    class: run,
    swarm,
    ties,
    liveness,
    settings,
    faults,
    ...(points.length === 0 ? {} : { branch: pointsText(points) })
  }
}

const toldOf = ({ config, name, spec: { generation } }: Machine): Told => ({
  name,
  ...(generation === undefined ? {} : { generation }),
  config
})

/** Listens to one run. */
export class Recorder {
  readonly #lines: Array<string> = []
  /** Of a world in which nobody ever starts, nobody. */
  #nodes: ReadonlyArray<Told> = []

  readonly onStep = ({ name, world }: Machine, input: Input): void => {
    if (this.#lines.length === 0) this.#nodes = world.machines.map(toldOf)
    this.#lines.push(line({ atMs: world.nowMs, node: name, input, hash: world.traceHash() } satisfies InputLine))
  }

  text({ drawn, maker, scenario, untilMs }: What, result: RunResult): string {
    const header = line({
      $type: TYPE,
      scenario: scenario.text,
      scenarioHash: hashOf(scenario.text),
      file: scenario.file,
      seed: result.seed,
      ...(scenario.with === undefined ? {} : { with: scenario.with }),
      untilMs,
      drawn: drawn === null ? null : drawnHeader(drawn),
      nodes: this.#nodes,
      ...maker
    } satisfies Header)
    const { endedMs: atMs, events, hash, verdict } = result
    const end: End = { hash, verdict, atMs, events }
    const before = header + this.#lines.join("")
    return before + line({ end: { ...end, sum: sumOf(before, end) } })
  }
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

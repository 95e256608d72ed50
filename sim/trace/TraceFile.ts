/**
 * A run as a file, JSON Lines: a header that says what ran, each input that a node took up, in order, and how it ended.
 *
 * A seed is only a recipe: what the fuzzer draws from it changes when the fuzzer does. The inputs are the run itself. Outputs
 * are not kept: the kernel makes them again from the inputs, and the hash at the end says whether they are the same.
 */
import { moment } from "../judge/Words.ts"
import type { Input } from "../../kernel/Input.ts"
import type { RunResult } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import { pointsText, type Points } from "../search/Points.ts"
import { runBranch } from "../search/OneSeed.ts"
import type { Kernel } from "../engine/Host.ts"
import * as Hash from "./Hash.ts"

export interface Maker {
  /** The commit of the kernel; `null`: not known. */
  readonly kernel: string | null
  readonly node: string
}

/** One line of the middle. `atMs`: true time; the node's own is in the input. */
interface InputLine {
  readonly atMs: number
  readonly node: string
  readonly input: Input
}

const line = (value: unknown): string => `${JSON.stringify(value)}\n`

const hashOf = (text: string): string => {
  const hash = Hash.make()
  Hash.absorb(hash, 0, 0, text)
  return Hash.hex(hash)
}

/** Which of a scenario's runs: what its seed makes of it, turned off at these points. */
export interface Which {
  readonly seed: number
  readonly points: Points
}

/** Runs it once more, and writes down what goes in. */
export const record = (
  scenario: Scenario,
  { points, seed: drawnFrom }: Which,
  swarm: boolean,
  maker: Maker,
  kernel?: Kernel
): { readonly text: string; readonly result: RunResult } => {
  const lines: Array<string> = []
  const { drawn, result } = runBranch(scenario, drawnFrom, swarm, points, {
    ...(kernel === undefined ? {} : { kernel }),
    onStep: ({ name, world }, input) =>
      void lines.push(line({ atMs: world.nowMs, node: name, input } satisfies InputLine))
  })
  const { class: run, liveness, seed, settings, ties } = drawn
  const faults = drawn.scenario.timeline.flatMap(({ atMs, forMs, verb }, step) =>
    drawn.sources[step]?.startsWith("step/") ? [] : [{ atMs, forMs, source: drawn.sources[step], verb }]
  )
  const header = line({
    $type: "clawmesh.trace/1",
    scenario: scenario.text,
    scenarioHash: hashOf(scenario.text),
    file: drawn.scenario.file,
    seed,
    ...(drawn.scenario.with === undefined ? {} : { with: drawn.scenario.with }),
    drawn: {
      class: run,
      ties,
      liveness,
      settings,
      faults,
      ...(points.length === 0 ? {} : { branch: pointsText(points) })
    },
    ...maker
  })
  return {
    text: header + lines.join("") + line({ end: { hash: result.hash, verdict: result.verdict, atMs: result.endedMs } }),
    result
  }
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

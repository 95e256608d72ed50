/** A run, run once more under observation: what came of it, what led to what, and what it broke. */
import { withPoison } from "../engine/Poison.ts"
import { Run, type RunOptions, type RunResult } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import { goTo, turnOff, type OnItsWay } from "../search/Branch.ts"
import { draw } from "../search/Draw.ts"
import type { Drawn } from "../search/Drawn.ts"
import { ofOneSeed } from "../search/OneSeed.ts"
import type { Points } from "../search/Points.ts"
import { type Break, breaksOf } from "./Breaks.ts"
import { Recorder, type Recording } from "./Recording.ts"

/** Which run of a scenario. */
export interface Subject {
  readonly scenario: Scenario
  readonly seed: number
  /** As a campaign draws it; `null`: as written. */
  readonly fuzzed: { readonly swarm: boolean; readonly points: Points } | null
}

export interface Examined {
  readonly subject: Subject
  /** The scenario that ran, with what was drawn. */
  readonly scenario: Scenario
  /** `null`: it ran as written. */
  readonly drawn: Drawn | null
  readonly result: RunResult
  readonly recording: Recording
  /** In order of time. */
  readonly breaks: ReadonlyArray<Break>
}

type BeginOptions = Omit<RunOptions, "seed" | "ties" | "liveness">

/** A run at its beginning, or, of a branch, at the last of its points. `options` go to each part of it. */
export const begin = ({ fuzzed, scenario, seed }: Subject, options: BeginOptions = {}): OnItsWay => {
  if (fuzzed === null)
    return { run: withPoison(() => new Run(scenario, { ...options, seed })), drawn: asWritten(scenario, seed) }
  const drawn = draw(scenario, seed, fuzzed)
  const { liveness, ties } = drawn
  const run = withPoison(() => new Run(drawn.scenario, { liveness, ...options, seed, ties }))
  let now: OnItsWay = { run, drawn }
  for (const [i, { after }] of fuzzed.points.entries())
    if (goTo(now, after)) now = turnOff(scenario, now, fuzzed.points.slice(0, i + 1), fuzzed.swarm, options)
  return now
}

/** What would have been drawn for it, if that had been nothing. */
const asWritten = (scenario: Scenario, seed: number): Drawn => ({
  seed,
  class: "scripted",
  scenario,
  ties: "fifo",
  liveness: false,
  settings: [],
  expectations: scenario.expect.map((_, place) => place),
  sources: scenario.timeline.map(() => null),
  calmMs: scenario.lastsMs,
  points: []
})

export const examine = (subject: Subject, options: Pick<RunOptions, "kernel" | "untilMs"> = {}): Examined => {
  const recorder = new Recorder()
  const { onHappening, onStep, watcher } = recorder
  const { drawn, run } = begin(subject, { ...options, watchers: [watcher], onHappening, onStep })
  run.go()
  const recording = recorder.finish()
  const finished = run.finish()
  const result = subject.fuzzed === null ? finished : { ...ofOneSeed(finished), seed: subject.seed }
  return {
    subject,
    scenario: drawn.scenario,
    drawn: subject.fuzzed === null ? null : drawn,
    result,
    recording,
    breaks: breaksOf(result, recording.nodes)
  }
}

/** A run, run once more under observation: what came of it, what led to what, and what it broke. */
import type { RunOptions, RunResult } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import type { Drawn } from "../search/Drawn.ts"
import { ofOneSeed } from "../search/OneSeed.ts"
import { begin, type Subject } from "../search/Subject.ts"
import { type Break, breaksOf } from "./Breaks.ts"
import { Recorder, type Recording } from "./Recording.ts"

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

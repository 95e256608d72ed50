/** One run of a scenario, named by what it is made from: what commands that look into a run are about. */
import { withPoison } from "../engine/Poison.ts"
import { Run, type RunOptions } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import { goTo, turnOff, type OnItsWay } from "./Branch.ts"
import { draw } from "./Draw.ts"
import type { Drawn } from "./Drawn.ts"
import type { Points } from "./Points.ts"

export interface Subject {
  /** As its file has it. */
  readonly scenario: Scenario
  readonly seed: number
  /** As a campaign draws it; `null`: as written. */
  readonly fuzzed: { readonly swarm: boolean; readonly points: Points } | null
  /** What was drawn for it once, which goes before what is drawn of its seed by now. */
  readonly drawn?: Drawn
}

type BeginOptions = Omit<RunOptions, "seed" | "ties">

/** What is drawn is added to what the file says. */
export const drawnOptions = ({ liveness, seed, ties }: Pick<Drawn, "liveness" | "seed" | "ties">) => ({
  ...(liveness ? { liveness } : {}),
  seed,
  ties
})

/** Of a run as it was written: what would have been drawn for it, if that had been nothing. */
const asWritten = (scenario: Scenario, seed: number): Drawn => ({
  seed,
  class: "scripted",
  scenario,
  ties: scenario.ties ?? "fifo",
  liveness: scenario.liveness === true,
  settings: [],
  expectations: scenario.expect.map((_, place) => place),
  sources: scenario.timeline.map(() => null),
  calmMs: scenario.lastsMs,
  points: [],
  turns: []
})

/** As it was drawn once, whatever is drawn by now: nothing is drawn again but by the world itself. Ends before a turn that it does not reach. */
export const beginAsDrawn = (
  drawn: Pick<Drawn, "liveness" | "scenario" | "seed" | "ties" | "turns">,
  options: BeginOptions = {}
): Run => {
  const { scenario, turns } = drawn
  const later = turns.reduce((sum, { more }) => sum + more.length, 0)
  const timeline = scenario.timeline.slice(0, scenario.timeline.length - later)
  let run = withPoison(() => new Run({ ...scenario, timeline }, { ...drawnOptions(drawn), ...options }))
  for (const { after, more, seed, without } of turns) {
    if (run.go(() => run.world.events >= after) === "over") break
    run = run.fork({ ...options, seed })
    run.world.script.change(new Set(without), more)
  }
  return run
}

/** A run at its beginning, or, of a branch, at the last of its points. `options` go to each part of it. */
export const begin = ({ drawn: once, fuzzed, scenario, seed }: Subject, options: BeginOptions = {}): OnItsWay => {
  if (once !== undefined) return { run: beginAsDrawn(once, options), drawn: once }
  if (fuzzed === null)
    return { run: withPoison(() => new Run(scenario, { ...options, seed })), drawn: asWritten(scenario, seed) }
  const { points, swarm } = fuzzed
  const drawn = draw(scenario, seed, { swarm })
  const run = withPoison(() => new Run(drawn.scenario, { ...drawnOptions(drawn), ...options }))
  let now: OnItsWay = { run, drawn }
  for (const [i, { after }] of points.entries())
    if (goTo(now, after)) now = turnOff(scenario, now, points.slice(0, i + 1), swarm, options)
  return now
}

/**
 * Another future of a run: from a moment on, everything that is still to be drawn comes from another seed, and other random
 * faults strike. What was, the nodes' own seeds, and what the file says stay.
 *
 * A branch is a function of the seed and of its points: how many inputs nodes had taken up when the run turned off, and which of
 * the futures from there. The points of a branch of a branch follow one another.
 */
import type { Run, RunOptions } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import { strikesOf } from "./Draw.ts"
import { isAboutOthers } from "./Kinds.ts"
import type { Drawn, Turned } from "./Drawn.ts"
import { seedOf, type Points } from "./Points.ts"

/** A run, with what was drawn for it so far. */
export interface OnItsWay {
  readonly run: Run
  readonly drawn: Drawn
}

/** What a fork of it is listened to by. */
export type Listening = Pick<RunOptions, "watchers" | "onHappening" | "onStep">

/** Runs on to where the next branch is; `false`: it was over before. */
export const goTo = ({ run }: OnItsWay, after: number): boolean => run.go(() => run.world.events >= after) === "paused"

/** A fork that turns off here. `points`: all of its own, the last one being this. */
export const turnOff = (
  scenario: Scenario,
  from: OnItsWay,
  points: Points,
  swarm: boolean,
  by: Listening
): OnItsWay => {
  const { drawn } = from
  const seed = seedOf(drawn.seed, points)
  const run = from.run.fork({ ...by, seed })
  const { nowMs, script } = run.world
  const struck = drawn.scenario.timeline.flatMap(({ atMs }, place) => {
    const source = drawn.sources[place] ?? null
    return atMs > nowMs && source !== null && !source.startsWith("step/") ? [place] : []
  })
  // What is judged was chosen for the run that this one leaves: nobody begins to lie about others where that is asked for.
  const liars = drawn.scenario.timeline.some(({ verb }) => isAboutOthers(verb))
  const more = strikesOf(scenario, drawn, swarm, seed).filter(
    ({ step }) => step.atMs > nowMs && (liars || !isAboutOthers(step.verb))
  )
  const turned: Turned = {
    after: points.at(-1)!.after,
    seed,
    without: struck,
    more: more.map(({ step }) => step)
  }
  script.change(new Set(struck), turned.more)
  const timeline = [...drawn.scenario.timeline, ...turned.more]
  return {
    run,
    drawn: {
      ...drawn,
      points,
      turns: [...drawn.turns, turned],
      scenario: { ...drawn.scenario, timeline },
      sources: [...drawn.sources, ...more.map(({ source }) => source)]
    }
  }
}

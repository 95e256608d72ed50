/** A run of a scenario, two times: the second is compared with the first step by step. */
import { kernel as ours } from "../engine/Host.ts"
import { partingWords, sign, text } from "../report/ReplayText.ts"
import { expectationsLine, scoreOf } from "../report/Score.ts"
import { StepView } from "../report/StepView.ts"
import { transcript } from "../report/Transcript.ts"
import { drawnWords } from "../report/DrawnWords.ts"
import type { RunOptions, RunResult } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import type { Points } from "../search/Points.ts"
import { Beside, type Parting } from "../trace/Beside.ts"
import { Lines } from "../trace/Lines.ts"
import { type Exit, exitOf, exits } from "./Exit.ts"
import { type ReplayOrder, withOthers } from "./Order.ts"
import { runRecord } from "./Records.ts"
import { replayRecord } from "./ReplayRecords.ts"
import { astray, runWords } from "./RunWords.ts"
import {
  type Engine,
  kernelOf,
  lookOf,
  notYours,
  prepare,
  type Records,
  stackOf,
  type Surroundings
} from "./Surroundings.ts"

/** A run, the scenario that ran, and what was drawn for it. */
export interface Ran {
  readonly scenario: Scenario
  readonly result: RunResult
  readonly drawn: string | null
  /** Of the points of a branch those that it came to. */
  readonly points: Points
}

/** The run that was asked for, or recorded. */
export const runOnce = (
  engine: Engine,
  scenario: Scenario,
  { fuzzed, seed }: Pick<ReplayOrder, "fuzzed" | "seed">,
  options: RunOptions
): Ran => {
  if (fuzzed === null) {
    const result = engine.run(scenario, { ...options, ...(seed === null ? {} : { seed }) })
    return { scenario, result, drawn: null, points: [] }
  }
  const { drawn, result } = engine.runFuzzed(scenario, seed ?? scenario.seed, fuzzed, options)
  return { scenario: drawn.scenario, result, drawn: drawnWords(drawn), points: drawn.points }
}

const commandOf = (order: ReplayOrder, { seed }: Scenario): string => {
  const until = order.untilMs === null ? "" : ` --until ${order.untilMs}ms`
  return `pnpm sim replay ${runWords(order.file, { ...order, seed: order.seed ?? seed }, order.with)}${until}`
}

/** What came of it; `parting`: `null`, it is the same run. */
interface Twice {
  readonly first: Ran
  readonly second: Ran
  readonly lines: Lines
  readonly parting: Parting | null
}

export const replaySeed = async (order: ReplayOrder, around: Surroundings, records: Records): Promise<Exit> => {
  const prepared = await prepare([order.file], around, records)
  if ("exit" in prepared) return prepared.exit
  const { engine, ready } = prepared
  const [one] = ready
  if (one === undefined || ready.length > 1) {
    records.error("WRONG_USE", exits.wrongUse, `${order.file}: one scenario at a time; ${ready.length} match`)
    return exits.wrongUse
  }
  const scenario = withOthers(one.scenario, order.with)
  const look = lookOf(around)
  const again = commandOf(order, scenario)
  const view = order.step ? new StepView({ fromMs: order.fromMs, untilMs: order.untilMs ?? scenario.lastsMs }) : null
  const kernel = (await kernelOf(around)) ?? ours
  const startedMs = around.nowMs()
  let wallMs = 0
  const twice = (): Twice => {
    const bounds = { kernel, ...(order.untilMs === null ? {} : { untilMs: order.untilMs }) }
    const lines = new Lines()
    const first = runOnce(engine, scenario, order, {
      ...bounds,
      onStep: (machine, input, commands) => {
        lines.onStep(machine, input)
        view?.onStep(machine, input, commands)
      },
      ...(view === null ? {} : { onHappening: view.onHappening })
    })
    wallMs = around.nowMs() - startedMs
    const beside = new Beside(lines.lines, { open: false, verbatim: false })
    const second = runOnce(engine, scenario, order, { ...bounds, onStep: beside.onStep })
    return { first, second, lines, parting: beside.end() }
  }
  let ran: Twice
  try {
    ran = twice()
  } catch (error) {
    const broke = `the simulator broke on ${order.file}. ${notYours}\n${stackOf(error)}\n\n  again   ${again}`
    records.error("DEFECT", exits.defect, broke)
    return exits.defect
  }
  const { first, lines, parting, second } = ran
  const { result } = first
  const lost = astray({ ...order, seed: result.seed }, first.points.length, result)
  if (lost !== null) {
    records.error("WRONG_USE", exits.wrongUse, lost)
    return exits.wrongUse
  }
  const same = parting === null && result.hash === second.result.hash
  const exit = same ? exitOf(result.verdict) : exits.notDeterministic
  const { file } = one
  records.write(runRecord({ file, scenario: first.scenario, result, secondHash: second.result.hash, exit }))
  records.write(
    replayRecord({
      trace: null,
      file,
      outcome: same ? "same" : "not deterministic",
      parting,
      exit,
      recorded: null,
      kernel: null,
      damage: null,
      inputs: result.events,
      hash: second.result.hash
    })
  )
  if (order.json === "stdout") return exit
  const telling = { file, scenario: first.scenario, result, wallMs, again, drawn: first.drawn, fromMs: order.fromMs }
  around.out(transcript({ ...telling, ...(view === null ? {} : { log: view.lines }) }, look))
  if (same) {
    around.out(
      `${sign.right} two runs, step by step the same: trace ${result.hash}\n${expectationsLine(scoreOf(result))}\n`
    )
    return exit
  }
  const before = parting === null ? null : (lines.lines[parting.event - 2] ?? null)
  around.out(
    text([
      `${sign.wrong} not deterministic: seed ${result.seed} gave trace ${result.hash} and trace ${second.result.hash}`,
      ...(parting === null
        ? ["  Every step was the same; what is hashed beside them was not."]
        : partingWords(parting, before, result.events, lines.nameOf, ["first", "second"])),
      "  Common causes: a Map or Set filled in another order, Date.now, Math.random, a promise in the kernel, state that",
      "  outlives a run."
    ])
  )
  return exit
}

/**
 * The run of a trace, made once more beside the recorded one: from its scenario and seed; where that is another run by now, from
 * what was drawn then; and where that is another one too, of its inputs alone.
 */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import type { Kernel } from "../engine/Host.ts"
import { drawnWords } from "../report/DrawnWords.ts"
import { StepView } from "../report/StepView.ts"
import type { RunOptions } from "../run.ts"
import { runAsDrawn } from "../search/OneSeed.ts"
import { Beside, type Parting } from "../trace/Beside.ts"
import { refeed, type Refed } from "../trace/Feed.ts"
import type { InputLine } from "../trace/Format.ts"
import type { Trace } from "../trace/ReadTrace.ts"
import { sameKernel, versionOf } from "./KernelVersion.ts"
import type { ReplayOrder } from "./Order.ts"
import { type Ran, runOnce } from "./ReplaySeed.ts"
import type { Engine, Surroundings } from "./Surroundings.ts"
import { recordedSubject, scenarioOf } from "./TracedRun.ts"

type FileNow = "as recorded" | "changed" | "not there"

/** Everything that is known when the run, or what is left of it, has gone by. */
export interface Replayed {
  readonly trace: Trace
  /** Its inputs up to `--until`. */
  readonly lines: ReadonlyArray<InputLine>
  readonly order: ReplayOrder
  /** The run that is made now; `null`: none. */
  readonly ran: Ran | null
  /** Where it parts from the recorded one. */
  readonly parting: Parting | null
  /** It is made of what was drawn then: the seed gives another run by now, or the text is none that reads. */
  readonly asDrawn: "draws otherwise" | "reads otherwise" | null
  /** Of the inputs alone, where no run is the recorded one. */
  readonly fed: Refed | null
  readonly view: StepView | null
  readonly wallMs: number
  readonly file: FileNow
  /** The kernel that this one is. */
  readonly version: string | null
}

/** A run that was made, and where it parts from the recorded one. */
interface Attempt {
  readonly ran: Ran
  readonly parting: Parting | null
  readonly view: StepView | null
}

/** What became of the file that the scenario was read from. */
const fileNow = (cwd: string, { header: { file, scenario } }: Trace): FileNow => {
  try {
    return readFileSync(resolve(cwd, file), "utf8").replace(/^\ufeff/u, "") === scenario ? "as recorded" : "changed"
  } catch {
    return "not there"
  }
}

/** Where it stops: at `--until`, where the recorded run was stopped, or where the file is cut off. */
const endOf = ({ end, header, lines }: Trace, { untilMs }: ReplayOrder): number | null => {
  const ends = end === null ? [lines.at(-1)?.atMs ?? 0] : []
  const bounds = [untilMs, header.untilMs, ...ends].filter((bound) => bound !== null)
  return bounds.length === 0 ? null : Math.min(...bounds)
}

/** What was drawn then, made a run of. Throws what it may, if it is none of this simulator's. */
const recordedRun = (trace: Trace, engine: Engine, options: RunOptions): Ran => {
  const { drawn, scenario, seed } = recordedSubject(trace)
  if (drawn === undefined)
    return { scenario, result: engine.run(scenario, { ...options, seed }), drawn: null, points: [] }
  return { scenario, result: runAsDrawn(drawn, options), drawn: drawnWords(drawn), points: drawn.points }
}

export const runTrace = (
  trace: Trace,
  order: ReplayOrder,
  around: Surroundings,
  engine: Engine,
  kernel: Kernel
): Replayed => {
  const { damage, end, header, points } = trace
  const untilMs = endOf(trace, order)
  const lines = untilMs === null ? trace.lines : trace.lines.filter(({ atMs }) => atMs <= untilMs)
  const viewed = (): StepView | null =>
    order.step ? new StepView({ fromMs: order.fromMs, untilMs: order.untilMs ?? Number.POSITIVE_INFINITY }) : null
  const attempt = (run: (options: RunOptions) => Ran): Attempt => {
    const beside = new Beside(lines, {
      open: end === null || lines.length < trace.lines.length,
      verbatim: damage?._tag === "edited"
    })
    const view = viewed()
    const ran = run({
      ...(untilMs === null ? {} : { untilMs }),
      kernel,
      onStep: (machine, input, commands) => {
        beside.onStep(machine, input, commands)
        view?.onStep(machine, input, commands)
      },
      ...(view === null ? {} : { onHappening: view.onHappening })
    })
    return { ran, parting: beside.end(), view }
  }
  const tried = (run: (options: RunOptions) => Ran): Attempt | null => {
    try {
      return attempt(run)
    } catch {
      // Not even a run: then its inputs alone say what was.
      return null
    }
  }

  const version = versionOf(around)
  const startedMs = around.nowMs()
  const scenario = scenarioOf(trace, engine)
  const which = { seed: header.seed, fuzzed: header.drawn === null ? null : { swarm: header.drawn.swarm, points } }
  const now = scenario === null ? null : attempt((options) => runOnce(engine, scenario, which, options))
  const known = damage === null && now !== null && sameKernel(header.kernel, version)
  const then = now?.parting === null || known ? null : tried((options) => recordedRun(trace, engine, options))
  const wallMs = around.nowMs() - startedMs
  const common = { trace, lines, order, file: fileNow(around.cwd, trace), version, wallMs }
  const asDrawn = now === null ? "reads otherwise" : "draws otherwise"
  if (now?.parting === null) return { ...common, ...now, asDrawn: null, fed: null }
  if (then?.parting === null) return { ...common, ...then, asDrawn, fed: null }
  const view = viewed()
  const fed = refeed(header, lines, kernel, view?.onFed)
  return { ...common, ran: now?.ran ?? null, parting: now?.parting ?? null, asDrawn: null, fed, view }
}

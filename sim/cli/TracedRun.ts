/**
 * Which run a trace is, for commands that look into a run by making it again: that of its scenario and seed; where these give
 * another one by now, that of what was drawn then; and where that is another one too, none, which is said.
 */
import { kernel as ours, type Kernel } from "../engine/Host.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import type { Drawn } from "../search/Drawn.ts"
import { begin, type Subject } from "../search/Subject.ts"
import { Beside } from "../trace/Beside.ts"
import type { Trace } from "../trace/ReadTrace.ts"
import { type Exit, exits } from "./Exit.ts"
import { readWith, type With, withOthers } from "./Order.ts"
import { runWords } from "./RunWords.ts"
import { type Engine, kernelOf, loadEngine, type Records, shellWord, type Surroundings } from "./Surroundings.ts"
import { openTrace } from "./Traces.ts"

export interface TracedRun {
  /** The file of its scenario. */
  readonly file: string
  readonly subject: Subject
  /** Where it was stopped; `null`: it ran to its end. */
  readonly untilMs: number | null
  /** The words after `pnpm sim COMMAND` that name it. */
  readonly words: string
  /** The command that makes it again. */
  readonly again: string
}

export const othersOf = ({ header }: Trace): With =>
  (header.with === undefined ? null : readWith(header.with)) ?? { gen1: 0 }

/** The scenario of the trace, with what was put beside it; `null`: it does not read by now, or is another one. */
export const scenarioOf = (trace: Trace, engine: Engine): Scenario | null => {
  const { header, scenarioIntact } = trace
  if (!scenarioIntact) return null
  const read = engine.read(header.file, Buffer.from(header.scenario))
  return "scenario" in read ? withOthers(read.scenario, othersOf(trace)) : null
}

/** What was read and drawn then, as a run. */
export const recordedSubject = ({ header, points }: Trace): Subject => {
  const { drawn, scenario: text, seed } = header
  const scenario: Scenario = { ...header.ran, text }
  if (drawn === null) return { scenario, seed, fuzzed: null }
  const { swarm, ...rest } = drawn
  const whole: Drawn = { ...rest, points, scenario, seed }
  return { scenario, seed, fuzzed: { swarm, points }, drawn: whole }
}

/** The run that its seed makes by now. */
const presentSubject = ({ header: { drawn, seed }, points }: Trace, scenario: Scenario): Subject => ({
  scenario,
  seed,
  fuzzed: drawn === null ? null : { swarm: drawn.swarm, points }
})

/** Whether that run is the recorded one, as far as this goes. */
const isIt = ({ end, header, lines }: Trace, subject: Subject, kernel: Kernel): boolean => {
  const beside = new Beside(lines, { open: end === null, verbatim: false })
  const { untilMs } = header
  begin(subject, { kernel, ...(untilMs === null ? {} : { untilMs }), onStep: beside.onStep }).run.go()
  return beside.end() === null
}

/** The same of what was drawn then, of which this simulator may make nothing. */
const wasIt = (trace: Trace, kernel: Kernel): boolean => {
  try {
    return isIt(trace, recordedSubject(trace), kernel)
  } catch {
    return false
  }
}

/** What is to be known of the run is told on standard error. */
export const findTraced = async (
  name: string,
  around: Surroundings,
  records: Records
): Promise<TracedRun | { readonly exit: Exit }> => {
  const trace = openTrace(around.cwd, name)
  if ("problem" in trace) {
    records.error("UNREADABLE", exits.wrongUse, trace.problem)
    return { exit: exits.wrongUse }
  }
  const { damage, header } = trace
  const { file, seed, untilMs } = header
  const replay = `pnpm sim replay ${shellWord(name)}`
  const parted = (message: string): { readonly exit: Exit } => {
    records.error("PARTED", exits.parted, message)
    return { exit: exits.parted }
  }
  if (damage?._tag === "edited") return parted(`${damage.words}; what still stands of it: ${replay}`)
  const engine = await loadEngine(around, records)
  if (engine === null) return { exit: exits.defect }
  const kernel = (await kernelOf(around)) ?? ours
  if (damage !== null) around.err(`! ${damage.words}: this is the run up to there, and how it may have gone on\n`)
  const scenario = scenarioOf(trace, engine)
  const present = scenario === null ? null : presentSubject(trace, scenario)
  if (present !== null && isIt(trace, present, kernel)) {
    const named = runWords(file, present, othersOf(trace))
    // Only a trace says where a run was stopped.
    const words = untilMs === null ? named : shellWord(name)
    const again = untilMs === null ? `pnpm sim ${named}` : `pnpm sim ${named} --until ${untilMs}ms`
    return { file, subject: present, untilMs, words, again }
  }
  if (wasIt(trace, kernel)) {
    around.err(
      present === null
        ? "! the text of its scenario is none that this simulator reads: this is the run that was read then\n"
        : `! of seed ${seed} this simulator makes another run: this is the one that was drawn then\n`
    )
    return { file, subject: recordedSubject(trace), untilMs, words: shellWord(name), again: replay }
  }
  const by = header.kernel === null ? "" : `, which kernel ${header.kernel} made,`
  return parted(`${name}${by} does not come out as it was recorded with this version; where it parts: ${replay}`)
}

/**
 * `pnpm sim replay` of a trace: what came of the run that was made once more, in an exit code and in words. Where it parts from the
 * recorded one, the recorded inputs alone tell whether the kernel or the simulated world is another one.
 */
import { kernel as ours } from "../engine/Host.ts"
import { moment } from "../judge/Words.ts"
import { grouped } from "../report/CampaignText.ts"
import { otherwiseWords, partingWords, sign, text } from "../report/ReplayText.ts"
import { expectationsLine, scoreOf } from "../report/Score.ts"
import { storyText, transcript } from "../report/Transcript.ts"
import type { Trace } from "../trace/ReadTrace.ts"
import { type Exit, exitOf, exits } from "./Exit.ts"
import { isDirty, sameKernel } from "./KernelVersion.ts"
import type { ReplayOrder } from "./Order.ts"
import { runRecord } from "./Records.ts"
import { type Outcome, replayRecord } from "./ReplayRecords.ts"
import { type Replayed, runTrace } from "./ReplayRun.ts"
import { runWords } from "./RunWords.ts"
import {
  kernelOf,
  loadEngine,
  lookOf,
  notYours,
  type Records,
  shellWord,
  stackOf,
  type Surroundings
} from "./Surroundings.ts"
import { othersOf } from "./TracedRun.ts"
import { openTrace } from "./Traces.ts"

/** The command that makes the run from its seed. */
const seedCommand = (trace: Trace): string => {
  const { drawn, file, seed } = trace.header
  const fuzzed = drawn === null ? null : { swarm: drawn.swarm, points: trace.points }
  return `pnpm sim ${runWords(file, { seed, fuzzed }, othersOf(trace))}`
}

const nameOfIn =
  ({ header: { nodes } }: Trace) =>
  (deviceId: string): string =>
    nodes.find(({ config }) => config.deviceId === deviceId)?.name ?? deviceId.slice(0, 8)

const judgedOtherwise = ({ lines, ran, trace: { damage, end, lines: all } }: Replayed): boolean =>
  ran !== null &&
  damage === null &&
  end !== null &&
  lines.length === all.length &&
  ran.result.endedMs === end.atMs &&
  end.verdict !== ran.result.verdict

const outcomeOf = (replayed: Replayed): Outcome => {
  const { fed, parting, ran, trace, version } = replayed
  const { damage, header } = trace
  const known = damage === null && sameKernel(header.kernel, version)
  const kernel = fed !== null && (fed.parted !== null || fed.threw !== null)
  if (damage?._tag === "edited" && (kernel || parting !== null || ran === null)) return "edited"
  if (kernel) return known ? "not deterministic" : "kernel"
  if (parting !== null) return known ? "not deterministic" : "simulator"
  if (ran === null) return "simulator"
  return judgedOtherwise(replayed) ? (known ? "not deterministic" : "judged otherwise") : "same"
}

const exitFor = ({ file, ran, trace }: Replayed, outcome: Outcome): Exit => {
  if (outcome === "not deterministic") return exits.notDeterministic
  if (outcome !== "same" || ran === null || trace.damage !== null || file === "changed") return exits.parted
  return exitOf(ran.result.verdict)
}

const byWords = (version: string | null): string =>
  version === null ? "a kernel that nobody named" : `kernel ${version}`

/** What the one has to be told who reads on: by whom the trace was made, what is wrong with it, what became of its scenario. */
const notes = ({ asDrawn, file, ran, trace, version }: Replayed): ReadonlyArray<string> => {
  const { damage, header, scenarioIntact } = trace
  const { kernel } = header
  return [
    ...(damage === null ? [] : [`${sign.known} ${damage.words}`]),
    ...(sameKernel(kernel, version) || (kernel === version && kernel !== null)
      ? []
      : [
          `${sign.known} this recording was made by ${byWords(kernel)}; you run ${version ?? "one that no commit names"}`
        ]),
    ...(file === "changed" && scenarioIntact
      ? [
          `${sign.known} ${header.file} has changed since: what is replayed is the scenario as it was recorded`,
          `  The file as it is now   ${seedCommand(trace)}`
        ]
      : []),
    ...(asDrawn === null || !scenarioIntact
      ? []
      : [
          asDrawn === "draws otherwise"
            ? `${sign.known} of seed ${header.seed} this simulator makes another run: replayed is what was drawn then`
            : `${sign.known} the text of its scenario is none that this simulator reads: replayed is what was read then`
        ]),
    ...(ran === null && scenarioIntact
      ? [`${sign.known} the scenario in it is none that this simulator reads: only its inputs are replayed`]
      : [])
  ]
}

const wayOut = ({ asDrawn, file, trace, version }: Replayed, outcome: Outcome): ReadonlyArray<string> => {
  const { kernel } = trace.header
  const asOf =
    kernel === null || sameKernel(kernel, version) || outcome === "same" || outcome === "edited"
      ? []
      : isDirty(kernel)
        ? [`  The old behaviour is in no commit: ${kernel} was not clean when it was made`]
        : [`  To see the old behaviour   pnpm sim replay ${shellWord(trace.file)} --as-of ${kernel}`]
  const again =
    file === "not there" || !trace.scenarioIntact ? [] : [`  The seed as it runs now    ${seedCommand(trace)}`]
  return [...asOf, ...(outcome === "same" && asDrawn !== "draws otherwise" ? [] : again)]
}

/** Of a trace that was edited: from where on it is another one than was written. */
const editedWords = ({ fed, lines, parting, trace }: Replayed): ReadonlyArray<string> => {
  const nameOf = nameOfIn(trace)
  const at = Math.min(parting?.event ?? Infinity, fed?.parted?.event ?? Infinity, fed?.threw?.event ?? Infinity)
  if (at === Infinity) return [`  Nodes do with all ${grouped(lines.length)} inputs what was recorded`]
  const line = `${trace.file}:${at + 1}`
  if (parting !== null && parting.event === at) {
    const before = lines[at - 2] ?? null
    return [
      `  It is another run from ${line} on`,
      ...partingWords(parting, before, lines.length, nameOf, ["written", "run"])
    ]
  }
  if (fed?.parted?.event === at)
    return [`  It is another run from ${line} on`, ...otherwiseWords(at, fed.parted.fed, lines.length, nameOf)]
  return [`  ${line}: the kernel takes this for no input: ${String(fed?.threw?.error)}`]
}

/** The inputs alone, where the world has made another run, or none. */
const fedWords = (replayed: Replayed, outcome: Outcome): ReadonlyArray<string> => {
  const { fed, lines, parting, ran, trace } = replayed
  if (fed === null) return []
  if (outcome === "edited") return editedWords(replayed)
  const nameOf = nameOfIn(trace)
  const { header, end } = trace
  const recorded = end === null ? [] : [`  Recorded was: ${end.verdict}, at ${moment(end.atMs)}, trace ${end.hash}`]
  if (fed.threw !== null)
    return [
      `  ${trace.file}:${fed.threw.event + 1}: the kernel breaks on this input: ${String(fed.threw.error)}`,
      ...recorded
    ]
  if (fed.parted !== null)
    return [...otherwiseWords(fed.parted.event, fed.parted.fed, lines.length, nameOf), ...recorded]
  const same = `  The inputs replayed as recorded: nodes do the same with all ${grouped(lines.length)} of them`
  if (parting === null || ran === null) return [same, ...recorded]
  const before = lines[parting.event - 2] ?? null
  return [
    outcome === "not deterministic"
      ? `${sign.wrong} the run does not come again: ${byWords(header.kernel)} recorded it, and makes another one of seed ${header.seed}`
      : `${sign.known} the simulator makes another run of seed ${header.seed} by now`,
    ...partingWords(parting, before, lines.length, nameOf, ["recorded", "now"]),
    same,
    ...recorded
  ]
}

const tell = (replayed: Replayed, outcome: Outcome, around: Surroundings): void => {
  const { fed, lines, order, ran, trace, view, wallMs } = replayed
  const look = lookOf(around)
  const { header } = trace
  const { fromMs } = order
  if (ran !== null && fed === null) {
    const again = `pnpm sim replay ${shellWord(trace.file)}`
    const telling = {
      file: header.file,
      scenario: ran.scenario,
      result: ran.result,
      wallMs,
      again,
      drawn: ran.drawn,
      fromMs
    }
    around.out(transcript({ ...telling, ...(view === null ? {} : { log: view.lines }) }, look))
    const what = `${grouped(lines.length)} inputs of ${trace.file}`
    around.out(
      text([
        ...notes(replayed),
        outcome === "same"
          ? `${sign.right} replayed, step by step the same: ${what}, trace ${ran.result.hash}`
          : `${sign.wrong} replayed, step by step the same, and judged otherwise: recorded was ${trace.end?.verdict}, now it is ${ran.result.verdict}`,
        ...wayOut(replayed, outcome)
      ])
    )
    return around.out(`${expectationsLine(scoreOf(ran.result))}\n`)
  }
  const untilMs = fed?.parted?.fed.line.atMs ?? Number.POSITIVE_INFINITY
  const story =
    view?.lines ??
    (ran === null || fed === null ? [] : storyText(ran.scenario, fed.happenings, { fromMs, untilMs }, look))
  around.out(
    text([
      ...(story.length === 0 ? [] : ["What nodes told, as it was recorded:", "", ...story, ""]),
      ...notes(replayed),
      ...fedWords(replayed, outcome),
      ...wayOut(replayed, outcome)
    ])
  )
}

export const replayTrace = async (order: ReplayOrder, around: Surroundings, records: Records): Promise<Exit> => {
  const trace = openTrace(around.cwd, order.file)
  if ("problem" in trace) {
    records.error("UNREADABLE", exits.wrongUse, trace.problem)
    return exits.wrongUse
  }
  const engine = await loadEngine(around, records)
  if (engine === null) return exits.defect
  let replayed: Replayed
  try {
    replayed = runTrace(trace, order, around, engine, (await kernelOf(around)) ?? ours)
  } catch (error) {
    records.error("DEFECT", exits.defect, `the simulator broke on ${order.file}. ${notYours}\n${stackOf(error)}`)
    return exits.defect
  }
  const outcome = outcomeOf(replayed)
  const exit = exitFor(replayed, outcome)
  const { fed, lines, parting, ran, version } = replayed
  const { file, kernel } = trace.header
  if (ran !== null && fed === null)
    records.write(runRecord({ file, scenario: ran.scenario, result: ran.result, secondHash: null, exit }))
  const parted = fed?.parted ?? null
  records.write(
    replayRecord({
      trace: trace.file,
      file,
      outcome,
      parting: parted === null ? parting : { event: parted.event, recorded: parted.fed.line, now: null },
      damage: trace.damage?.words ?? null,
      inputs: lines.length,
      hash: ran?.result.hash ?? null,
      recorded: kernel,
      kernel: version,
      exit
    })
  )
  if (order.json !== "stdout") tell(replayed, outcome, around)
  return exit
}

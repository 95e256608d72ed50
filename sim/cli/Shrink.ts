/** `pnpm sim shrink`: from a run that fails to the smallest one that still does, as a file to commit. */
import type { Kernel } from "../engine/Host.ts"
import { shrinkText } from "../report/ShrinkText.ts"
import type { Subject } from "../search/Subject.ts"
import { type Failure, failureOf, failureWords } from "../shrink/Failure.ts"
import { once, parting, type Ran } from "../shrink/Once.ts"
import { regression } from "../shrink/Regression.ts"
import { shrink as shrinkRun, type Shrunk } from "../shrink/Shrink.ts"
import { type Exit, exits } from "./Exit.ts"
import { versionOf } from "./KernelVersion.ts"
import { isTrace, type ShrinkOrder, withOthers } from "./Order.ts"
import { line } from "./Records.ts"
import { astray, runWords } from "./RunWords.ts"
import { saveRegression, schemaFor } from "./Regressions.ts"
import {
  kernelOf,
  lookOf,
  notYours,
  prepare,
  type Records,
  shellWord,
  stackOf,
  type Surroundings
} from "./Surroundings.ts"
import { findTraced } from "./TracedRun.ts"

const PROGRESS_EVERY_MS = 250

/** A run, with what it is called. */
export interface Named extends Subject {
  readonly file: string
  readonly untilMs: number | null
  /** The words after `pnpm sim shrink`. */
  readonly words: string
  /** The command that makes it again. */
  readonly again: string
}

/** What is to be shrunk; an exit code: there is none, and why has been told. */
const wantedOf = async (order: ShrinkOrder, around: Surroundings, records: Records): Promise<Named | Exit> => {
  if (isTrace(order.file)) {
    const traced = await findTraced(order.file, around, records)
    return "exit" in traced ? traced.exit : { ...traced, ...traced.subject }
  }
  const prepared = await prepare([order.file], around, records)
  if ("exit" in prepared) return prepared.exit
  const [ready, second] = prepared.ready
  if (ready === undefined || second !== undefined) {
    records.error("WRONG_USE", exits.wrongUse, `one run at a time; ${order.file} is several files`)
    return exits.wrongUse
  }
  const scenario = withOthers(ready.scenario, order.with)
  const { file } = ready
  const subject = { scenario, seed: order.seed ?? scenario.seed, fuzzed: order.fuzzed }
  const words = runWords(file, subject, order.with)
  return { ...subject, file, untilMs: null, words, again: `pnpm sim ${words}` }
}

/** Two runs of the same: the first, or an exit code where they are not the same. */
const checked = (run: Named, kernel: Kernel | undefined, records: Records): Ran | Exit => {
  const { untilMs } = run
  const ours = { ...(kernel === undefined ? {} : { kernel }), ...(untilMs === null ? {} : { untilMs }) }
  const first = once(run, ours)
  const lost = astray(run, first.points.length, first.result)
  if (lost !== null) {
    records.error("WRONG_USE", exits.wrongUse, lost)
    return exits.wrongUse
  }
  const second = once(run, ours)
  if (second.result.hash === first.result.hash) return first
  const message = [
    `not deterministic: seed ${run.seed} gave trace ${first.result.hash} and trace ${second.result.hash}, so there is nothing to`,
    "shrink that would fail again. This is a defect of the simulator, or of a kernel that remembers what is over.",
    ...parting(run, kernel).map((words) => `  ${words}`)
  ].join("\n")
  records.error("NOT_DETERMINISTIC", exits.notDeterministic, message)
  return exits.notDeterministic
}

interface ShrinkRecord {
  readonly run: Named
  readonly failure: Failure | null
  readonly shrunk: Shrunk | null
  readonly text: string | null
  readonly saved: string | null
  readonly exit: Exit
}

const record = ({ exit, failure, run, saved, shrunk, text }: ShrinkRecord): string =>
  line({
    $type: "clawmesh.shrink/1",
    file: run.file,
    seed: run.seed,
    failure:
      failure === null
        ? null
        : {
            kind: failure._tag,
            what: failureWords(failure),
            atMs: failure.atMs,
            words: failure._tag === "invariant" ? failure.message : failure.witness
          },
    from: shrunk?.from ?? null,
    to: shrunk?.to ?? null,
    runs: shrunk?.runs ?? 0,
    events: shrunk?.events ?? 0,
    certificate: shrunk?.certificate ?? null,
    text,
    saved,
    exit
  })

export const shrink = async (order: ShrinkOrder, around: Surroundings, records: Records): Promise<Exit> => {
  const kernel = await kernelOf(around)
  const run = await wantedOf(order, around, records)
  if (typeof run === "number") return run
  try {
    return made(order, run, kernel, around, records)
  } catch (error) {
    records.error("DEFECT", exits.defect, `the simulator broke on ${run.file}. ${notYours}\n${stackOf(error)}`)
    return exits.defect
  }
}

const made = (
  order: ShrinkOrder,
  run: Named,
  kernel: Kernel | undefined,
  around: Surroundings,
  records: Records
): Exit => {
  const tell = (text: string): void => {
    if (order.json !== "stdout") around.out(text)
  }
  const ran = checked(run, kernel, records)
  if (typeof ran === "number") return ran
  const failure = failureOf(ran.result)
  if (failure === null) {
    records.write(record({ run, failure, shrunk: null, text: null, saved: null, exit: exits.passed }))
    tell(
      `nothing broke in ${run.file} with seed ${run.seed}, so there is nothing to shrink; pnpm sim fuzz ${shellWord(run.file)} looks for a seed that breaks something\n`
    )
    return exits.passed
  }
  const startedMs = around.nowMs()
  let toldMs = startedMs
  const shrunk = shrinkRun(ran, failure, {
    ...(kernel === undefined ? {} : { kernel }),
    ...(order.runsMax === null ? {} : { runsMax: order.runsMax }),
    onRun: (runs, { nodes, timeline }) => {
      const nowMs = around.nowMs()
      if (around.progress === undefined || nowMs - toldMs < PROGRESS_EVERY_MS) return
      toldMs = nowMs
      around.progress(` ${runs} runs · ${timeline.length} steps · ${nodes.length} nodes`)
    }
  })
  around.progress?.(null)
  const tookMs = around.nowMs() - startedMs
  const found = { again: run.again, kernel: versionOf(around), schema: schemaFor(around.cwd) }
  const written = shrunk === null ? null : regression(shrunk, found, run.file, kernel)
  if (shrunk === null || written === null || "problem" in written) {
    const why =
      written !== null && "problem" in written
        ? written.problem
        : `as an explicit schedule it does not fail any more${ran.points.length > 0 ? ", as a branch may not: its draws come from two seeds" : ""}`
    const message = `${failureWords(failure)} broke, and could not be made smaller: ${why}; ${run.again} runs it again`
    records.write(record({ run, failure, shrunk: null, text: null, saved: null, exit: exits.failed }))
    if (order.json !== "stdout") around.err(`${message}\n`)
    return exits.failed
  }
  const { text } = written
  const place = order.save ? saveRegression(around.cwd, run.file, run.seed, text) : null
  if (place !== null && "problem" in place) records.error("UNWRITABLE", exits.wrongUse, place.problem)
  const saved = place !== null && "path" in place ? place.path : null
  const exit = order.save && saved === null ? exits.wrongUse : exits.failed
  records.write(record({ run, failure: shrunk.failure, shrunk, text, saved, exit }))
  const next =
    saved === null
      ? `pnpm sim shrink ${isTrace(order.file) ? shellWord(order.file) : run.words} --save`
      : `pnpm sim ${shellWord(saved)}`
  const { seed } = run
  tell(shrinkText({ title: run.scenario.title, seed, shrunk, text, tookMs, saved, next }, lookOf(around)))
  return exit
}

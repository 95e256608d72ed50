/**
 * Which run a command is about: a scenario with its flags, or a trace file, which says all of that itself. A trace is run again from what
 * its header says, and has to come to the hash of its end; else it is said how it differs, and what still can be done.
 */
import { resolve } from "node:path"
import { examine, type Examined, type Subject } from "../explain/Examine.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import { pointsText, readPoints } from "../search/Points.ts"
import type { Kernel } from "../engine/Host.ts"
import { type Exit, exits } from "./Exit.ts"
import { type AboutRun, readWith, withOthers, withWords } from "./Order.ts"
import { notYours, readAll, type Records, shellWord, stackOf, type Surroundings } from "./Surroundings.ts"
import { readTraceHead } from "./TraceHead.ts"

export interface Told {
  /** As the user named it; of a trace, the file of its scenario. */
  readonly file: string
  readonly examined: Examined
  /** The words after `pnpm sim COMMAND` that name this run. */
  readonly words: string
}

export type Found = Told | { readonly exit: Exit }

/** Another than ours, where a test says so. */
export const kernelOf = async ({ kernelModule }: Surroundings): Promise<Kernel | undefined> =>
  kernelModule === undefined ? undefined : ((await import(kernelModule)) as { readonly kernel: Kernel }).kernel

const wordsOf = (file: string, { fuzzed, seed }: Subject, besides: string): string => {
  const branch = fuzzed === null || fuzzed.points.length === 0 ? "" : ` --branch ${pointsText(fuzzed.points)}`
  const drawn = fuzzed === null ? "" : ` --fuzzed${fuzzed.swarm ? "" : " --no-swarm"}${branch}`
  return `${shellWord(file)} --seed ${seed}${drawn}${besides}`
}

const ofScenario = async (order: AboutRun, around: Surroundings, records: Records): Promise<Found> => {
  const read = await readAll([order.file], around, records)
  if ("exit" in read) return read
  const [ready, another] = read.ready
  if (ready === undefined) return { exit: read.failures[0] ?? exits.wrongUse }
  if (another !== undefined) {
    const message = `${order.file} is more than one scenario; name the one whose run is meant`
    records.error("WRONG_USE", exits.wrongUse, message)
    return { exit: exits.wrongUse }
  }
  const scenario = withOthers(ready.scenario, order.with)
  const subject = { scenario, seed: order.seed ?? scenario.seed, fuzzed: order.fuzzed }
  const kernel = await kernelOf(around)
  const examined = examine(subject, kernel === undefined ? {} : { kernel })
  const unreached = order.fuzzed?.points[examined.drawn?.points.length ?? 0]
  if (unreached !== undefined) {
    const message =
      `--branch ${pointsText(order.fuzzed?.points ?? [])}: the run of seed ${subject.seed} never comes to ${pointsText([unreached])}; ` +
      "write the points as pnpm sim fuzz --branching told them, with the same seed, file and flags"
    records.error("WRONG_USE", exits.wrongUse, message)
    return { exit: exits.wrongUse }
  }
  return { file: ready.file, examined, words: wordsOf(ready.file, subject, withWords(order.with)) }
}

const ofTrace = async ({ file }: AboutRun, around: Surroundings, records: Records): Promise<Found> => {
  const refuse = (message: string, exit: Exit = exits.wrongUse): Found => {
    records.error(exit === exits.wrongUse ? "UNREADABLE" : "PARTED", exit, message)
    return { exit }
  }
  const head = readTraceHead(file, resolve(around.cwd, file))
  if (typeof head === "string") return refuse(head)
  const engine = await around.engine()
  const read = engine.read(head.file, new TextEncoder().encode(head.scenario))
  if (!("scenario" in read))
    return refuse(`${file}: the scenario in it does not read with this version\n${read.told.trimEnd()}`)
  const others = readWith(head.with ?? "gen1=0")
  const points = head.branch === null ? [] : readPoints(head.branch)
  if (others === null || points === null) return refuse(`${file}: its first line names a run that there is not`)
  const scenario: Scenario = withOthers(read.scenario, others)
  const kernel = await kernelOf(around)
  const drawn = [true, false].map((swarm) => ({ swarm, points }))
  const tried = (head.written ? [null] : drawn).map((fuzzed) => ({ scenario, seed: head.seed, fuzzed }))
  const options = {
    ...(kernel === undefined ? {} : { kernel }),
    ...(head.untilMs === null ? {} : { untilMs: head.untilMs })
  }
  for (const subject of tried) {
    const examined = examine(subject, options)
    if (head.hash === null)
      around.err(`! ${file} has no end: it was cut off, so this may be another run than the one recorded\n`)
    if (head.hash === null || examined.result.hash === head.hash)
      return { file: head.file, examined, words: wordsOf(head.file, subject, withWords(others)) }
  }
  const by = head.kernel === null ? "" : `, which kernel ${head.kernel} made,`
  return refuse(
    `${file}${by} does not come out as it was recorded with this version (trace ${head.hash?.slice(0, 8)}); what this version makes ` +
      `of it: pnpm sim ${wordsOf(head.file, tried[0]!, withWords(others))}`,
    exits.parted
  )
}

export const find = async (order: AboutRun, around: Surroundings, records: Records): Promise<Found> => {
  try {
    return await (order.file.endsWith(".jsonl") ? ofTrace : ofScenario)(order, around, records)
  } catch (error) {
    const message = `the simulator broke on ${order.file}. ${notYours}\n${stackOf(error)}`
    records.error("DEFECT", exits.defect, message)
    return { exit: exits.defect }
  }
}

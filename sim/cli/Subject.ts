/**
 * Which run a command is about: a scenario with its flags, or a trace file, which says all of that itself. A trace is run again from what
 * its header says, and has to come to the hash of its end; else it is said how it differs, and what still can be done.
 */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { examine, type Examined, type Subject } from "../explain/Examine.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import { pointsText, readPoints } from "../search/Points.ts"
import type { Kernel } from "../engine/Host.ts"
import { type Exit, exits } from "./Exit.ts"
import { type AboutRun, readWith, withOthers, withWords } from "./Order.ts"
import { readAll, type Records, shellWord, type Surroundings } from "./Surroundings.ts"

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

interface Head {
  readonly scenario: string
  readonly file: string
  readonly seed: number
  readonly with: string | null
  readonly branch: string | null
  readonly kernel: string | null
  /** Of its end; `null`: it was cut off. */
  readonly hash: string | null
}

type Json = { readonly [key: string]: unknown }

const json = (line: string): Json | null => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null
  } catch {
    return null
  }
}

const isText = (value: unknown): value is string => typeof value === "string"

/** The header and the end of a trace; a sentence, where it is none. */
const headOf = (text: string): Head | string => {
  const lines = text.trimEnd().split("\n")
  const head = json(lines[0] ?? "")
  if (head === null || head["$type"] !== "clawmesh.trace/1")
    return "no trace: its first line does not say clawmesh.trace/1"
  const { drawn, file, kernel, scenario, seed, with: besides } = head
  if (!isText(scenario) || !isText(file) || !Number.isSafeInteger(seed))
    return "no whole trace: its first line lacks the scenario, its file or the seed"
  const end = json(lines.at(-1) ?? "")?.["end"] as Json | undefined
  const branch = (drawn as Json | undefined)?.["branch"]
  return {
    scenario,
    file,
    seed: seed as number,
    with: isText(besides) ? besides : null,
    branch: isText(branch) ? branch : null,
    kernel: isText(kernel) ? kernel : null,
    hash: isText(end?.["hash"]) ? end["hash"] : null
  }
}

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
  return { file: ready.file, examined, words: wordsOf(ready.file, subject, withWords(order.with)) }
}

const ofTrace = async ({ file }: AboutRun, around: Surroundings, records: Records): Promise<Found> => {
  const refuse = (message: string, exit: Exit = exits.wrongUse): Found => {
    records.error(exit === exits.wrongUse ? "UNREADABLE" : "PARTED", exit, message)
    return { exit }
  }
  let text: string
  try {
    text = readFileSync(resolve(around.cwd, file), "utf8")
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return refuse(`${file} cannot be read: ${code === "ENOENT" ? "there is no such file" : (code ?? String(error))}`)
  }
  const head = headOf(text)
  if (typeof head === "string") return refuse(`${file} is ${head}`)
  const engine = await around.engine()
  const read = engine.read(head.file, new TextEncoder().encode(head.scenario))
  if (!("scenario" in read))
    return refuse(`${file}: the scenario in it does not read with this version\n${read.told.trimEnd()}`)
  const others = readWith(head.with ?? "gen1=0")
  const points = head.branch === null ? [] : readPoints(head.branch)
  if (others === null || points === null) return refuse(`${file}: its first line names a run that there is not`)
  const scenario: Scenario = withOthers(read.scenario, others)
  const kernel = await kernelOf(around)
  const tried = [true, false].map((swarm) => ({ scenario, seed: head.seed, fuzzed: { swarm, points } }))
  for (const subject of tried) {
    const examined = examine(subject, kernel === undefined ? {} : { kernel })
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

export const find = (order: AboutRun, around: Surroundings, records: Records): Promise<Found> =>
  order.file.endsWith(".jsonl") ? ofTrace(order, around, records) : ofScenario(order, around, records)

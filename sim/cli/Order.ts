/** What `pnpm sim` is asked to do, and what the readers of its words share. */
import { GEN1_MAX, mixed } from "../gen1/Mixed.ts"
import type { Range, Scenario } from "../scenario/Scenario.ts"
import type { Points } from "../search/Points.ts"

/** What is put beside every scenario. */
export interface With {
  /** So many devices of generation 1. */
  readonly gen1: number
}

export interface RunOrder {
  readonly _tag: "run"
  /** As written, patterns not yet expanded; at least one. */
  readonly files: ReadonlyArray<string>
  readonly seed: number | null
  readonly untilMs: number | null
  readonly twice: boolean
  /** As a campaign draws it from the seed; `null`: as it is written. */
  readonly fuzzed: { readonly swarm: boolean; readonly points: Points } | null
  readonly reporter: Reporter
  /** Nothing but the closing lines. */
  readonly quiet: boolean
  /** Every input, and what it changed, in place of the story. */
  readonly step: boolean
  /** Keep it as a trace. */
  readonly record: boolean
  readonly with: With
  /** `null`: text for people. */
  readonly json: JsonTarget | null
}

export interface ReplayOrder {
  readonly _tag: "replay"
  /** As written: a trace, or a scenario. */
  readonly file: string
  readonly isTrace: boolean
  /** Of a scenario, in place of its own. */
  readonly seed: number | null
  readonly fuzzed: RunOrder["fuzzed"]
  readonly with: With
  /** What is told begins there. */
  readonly fromMs: number
  readonly untilMs: number | null
  /** Every input, and what it changed, in place of the story. */
  readonly step: boolean
  /** Of a trace: with the simulator of that commit. */
  readonly asOf: string | null
  readonly json: JsonTarget | null
}

export interface DiffOrder {
  readonly _tag: "diff"
  readonly first: string
  readonly second: string
  readonly json: JsonTarget | null
}

export interface FromRecordingOrder {
  readonly _tag: "from-recording"
  /** Bundles, recordings or state directories, of several nodes; at least one. */
  readonly files: ReadonlyArray<string>
  /** As written: a bare name, or a path; `null`: to standard output. */
  readonly save: string | null
  readonly json: JsonTarget | null
}

export interface FuzzOrder {
  readonly _tag: "fuzz"
  readonly files: ReadonlyArray<string>
  /** In place of the seeds that each file says. */
  readonly seeds: Range | null
  readonly eventsMax: number | null
  readonly forMs: number | null
  /** `null`: as many as there are cores. */
  readonly jobs: number | null
  readonly shard: { readonly n: number; readonly of: number }
  readonly swarm: boolean
  readonly with: With
  readonly ledger: boolean
  readonly branching: boolean
  /** What is found is made small at the end. */
  readonly shrinking: boolean
  /** Of a hundred runs so many are done twice. */
  readonly twicePercent: number
  /** Past a file that does not read, and a thread that dies. */
  readonly keepGoing: boolean
  readonly verbose: boolean
  readonly json: JsonTarget | null
}

export interface ShrinkOrder {
  readonly _tag: "shrink"
  /** A scenario, or a trace that a campaign kept. */
  readonly file: string
  /** `null`: the scenario's. */
  readonly seed: number | null
  readonly fuzzed: { readonly swarm: boolean; readonly points: Points } | null
  readonly with: With
  readonly save: boolean
  /** `null`: as many as it takes, within reason. */
  readonly runsMax: number | null
  readonly json: JsonTarget | null
}

export interface CheckOrder {
  readonly _tag: "check"
  readonly files: ReadonlyArray<string>
  readonly twice: boolean
  readonly reporter: Reporter
  readonly quiet: boolean
  readonly json: JsonTarget | null
}

export interface ListOrder {
  readonly _tag: "list"
  /** Empty: all of `scenarios/`. */
  readonly files: ReadonlyArray<string>
  readonly json: JsonTarget | null
}

export interface NewOrder {
  readonly _tag: "new"
  /** As written: a bare name, or a path. */
  readonly name: string
  readonly json: JsonTarget | null
}

export interface SchemaOrder {
  readonly _tag: "schema"
  /** Only the schema, there; `-`: standard output; `null`: everything that is made of it, where it belongs. */
  readonly out: string | null
  readonly json: JsonTarget | null
}

/** One run, of which something is to be told. */
export interface AboutRun {
  /** A scenario, or a trace. */
  readonly file: string
  readonly seed: number | null
  readonly fuzzed: RunOrder["fuzzed"]
  readonly with: With
  /** Try other futures of it. */
  readonly futures: boolean
}

export interface ExplainOrder {
  readonly _tag: "explain"
  readonly about: AboutRun
  /** Which failure; `null`: the first. */
  readonly why: string | null
  /** Not a failure, but what a node was in then. */
  readonly atMs: number | null
  readonly node: string | null
  readonly json: JsonTarget | null
}

export interface ReportOrder {
  readonly _tag: "report"
  readonly about: AboutRun
  /** `null`: in `out/`, by the run's hash. */
  readonly out: string | null
  readonly open: boolean
  readonly json: JsonTarget | null
}

/**
 * What people are told of each run: its story; every input and command in place of it; only runs that did not pass; the same, with
 * annotations that GitHub shows beside the lines of a pull request.
 */
const reporters = ["story", "full", "failures", "github"] as const
export type Reporter = (typeof reporters)[number]

export const isReporter = (word: string): word is Reporter => reporters.some((reporter) => reporter === word)
export const reporterKind = { needs: `one of ${reporters.join(", ")}, such as --reporter github` }
export const reporterMistake = (word: string): string => `--reporter ${word}: there are ${reporters.join(", ")}`

export type JsonTarget = "stdout" | { readonly path: string }

export type Order =
  | RunOrder
  | FuzzOrder
  | ShrinkOrder
  | ReplayOrder
  | DiffOrder
  | CheckOrder
  | ListOrder
  | NewOrder
  | FromRecordingOrder
  | SchemaOrder
  | ExplainOrder
  | ReportOrder
  | { readonly _tag: "help"; readonly text: string }
  | { readonly _tag: "version" }
  /** `words` are arguments that are neither flag, command nor file, for a better answer than this module can give. */
  | { readonly _tag: "misuse"; readonly message: string; readonly json: JsonTarget | null }
  | { readonly _tag: "no such command"; readonly word: string; readonly json: JsonTarget | null }

export const isFile = (word: string): boolean => word.includes("/") || /\.ya?ml$/u.test(word)

export const isTrace = (word: string): boolean => word.endsWith(".jsonl")

export const withKind = { needs: "what to put beside the scenario, such as --with gen1=1" }

/** What stands after `--with`; `null`: it does not read. */
export const readWith = (text: string): With | null => {
  const count = Number(/^gen1=(\d{1,3})$/u.exec(text)?.[1] ?? Number.NaN)
  return count <= GEN1_MAX ? { gen1: count } : null
}

export const withMistake = (text: string): string =>
  `--with ${text}: write how many devices of generation 1 come along, from 0 to ${GEN1_MAX}, such as --with gen1=1`

/** The scenario with what comes along. */
export const withOthers = (scenario: Scenario, { gen1 }: With): Scenario =>
  gen1 === 0 ? scenario : mixed(scenario, gen1)

/** To be said again in a command that repeats a run. */
export const withWords = ({ gen1 }: With): string => (gen1 === 0 ? "" : ` --with gen1=${gen1}`)

/** A time with a unit, in whole ms above 0; else `null`. */
export const readTime = (text: string): number | null => {
  const found = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/u.exec(text)
  if (found === null) return null
  const scale = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[found[2] as "ms" | "s" | "m" | "h"]
  const exact = Number(found[1]) * scale
  const ms = Math.round(exact)
  return Math.abs(exact - ms) < 1e-4 && ms > 0 ? ms : null
}

/** What is wrong with the value of `--json=`; `null`: nothing. */
export const jsonMistake = (value: string | undefined): string | null => {
  if (value === "") return "--json= names no file; write --json=out.json, or --json alone for stdout"
  return value !== undefined && /\.ya?ml$/u.test(value)
    ? `--json=${value} would overwrite a scenario; write --json=out.json`
    : null
}

type Tokens = ReadonlyArray<{ readonly kind: string; readonly name?: string; readonly value?: string | undefined }>

/** Known before anything else is, because it decides how mistakes are told. The last one counts. */
export const jsonTarget = (tokens: Tokens): JsonTarget | null => {
  const token = tokens.findLast(({ kind, name }) => kind === "option" && name === "json")
  if (token === undefined) return null
  return token.value === undefined || token.value === "" || /\.ya?ml$/u.test(token.value)
    ? "stdout"
    : { path: token.value }
}

/**
 * What the commands share: the world outside and the simulator, as a test can replace them, and where their words go.
 */
import { closeSync, existsSync, openSync, statSync, writeFileSync } from "node:fs"
import { resolve } from "node:path"
import type { Kernel } from "../engine/Host.ts"
import { annotation, mistakeAnnotations } from "../report/Annotations.ts"
import type { Look } from "../report/Transcript.ts"
import type { RunOptions, RunResult } from "../run.ts"
import type { Mistake } from "../scenario/Mistakes.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import type { DrawOptions } from "../search/Draw.ts"
import type { Drawn } from "../search/Drawn.ts"
import { type Exit, exits, gravest } from "./Exit.ts"
import { readSources, type Source } from "./Files.ts"
import type { Points } from "../search/Points.ts"
import type { JsonTarget, Reporter } from "./Order.ts"
import { type About, type ErrorCode, errorRecord } from "./Records.ts"
import { whyUnwritten } from "./Writing.ts"

export interface Engine {
  /** The scenario, or its mistakes, and what `pnpm sim` prints of them. */
  readonly read: (
    file: string,
    bytes: Uint8Array
  ) => { readonly scenario: Scenario } | { readonly mistakes: ReadonlyArray<Mistake>; readonly told: string }
  readonly run: (scenario: Scenario, options: RunOptions) => RunResult
  /** As a campaign draws the scenario from the seed, turned off at these points. */
  readonly runFuzzed: (
    scenario: Scenario,
    seed: number,
    how: DrawOptions & { readonly points: Points },
    options: RunOptions
  ) => { readonly drawn: Drawn; readonly result: RunResult }
}

export interface Surroundings {
  readonly cwd: string
  readonly env: { readonly [name: string]: string | undefined }
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Of standard output; `null`: it is no terminal. */
  readonly terminal: { readonly columns: number } | null
  /** A clock for "in 31 ms", ms. */
  readonly nowMs: () => number
  /** The calendar, for "two days ago", ms since 1970. */
  readonly dateMs: () => number
  readonly engine: () => Promise<Engine>
  /** A line that is overwritten by the next one, where standard error is a terminal; `null`: away with it. */
  readonly progress?: (text: string | null) => void
  /** Calls back at the first Ctrl-C; undone by what it returns. */
  readonly onInterrupt?: (stop: () => void) => () => void
  /** Shows a page, where a test is the browser. */
  readonly show?: (path: string) => void
  /** The project's top folder, where it is not the one that this file is in. */
  readonly project?: string
  /** A module that exports a `kernel` in place of ours, for tests. */
  readonly kernelModule?: string
  /** Which kernel and simulator these are; absent: what git says. */
  readonly kernelVersion?: () => string | null
}

/** Another kernel than ours. */
export const kernelOf = async ({ kernelModule }: Surroundings): Promise<Kernel | undefined> =>
  kernelModule === undefined ? undefined : ((await import(kernelModule)) as { readonly kernel: Kernel }).kernel

const COLUMNS_MIN = 72
const COLUMNS_MAX = 100

export const lookOf = ({ env, terminal }: Surroundings): Look => ({
  // https://no-color.org: set and not empty.
  colour: terminal !== null && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb",
  width: Math.min(COLUMNS_MAX, Math.max(COLUMNS_MIN, terminal?.columns ?? COLUMNS_MAX))
})

/** Where records go: kept until the end when they are for a file. */
export class Records {
  readonly #around: Surroundings
  readonly #target: JsonTarget | null
  readonly #annotate: boolean
  #kept = ""

  constructor(around: Surroundings, target: JsonTarget | null, reporter: Reporter = "story") {
    this.#around = around
    this.#target = target
    this.#annotate = reporter === "github"
  }

  write(record: string): void {
    if (this.#target === "stdout") this.#around.out(record)
    else if (this.#target !== null) this.#kept += record
  }

  /** A sentence for people; with `--json` on standard output, a record in its place. */
  error(code: ErrorCode, exit: Exit, message: string, about: About | null = null): void {
    this.write(errorRecord(code, exit, message.trimEnd(), about))
    if (this.#annotate) {
      const { file = null, mistakes = [] } = about ?? {}
      this.annotate(
        file !== null && mistakes.length > 0
          ? mistakeAnnotations(file, mistakes)
          : annotation({ level: "error", file, message: message.trimEnd() })
      )
    }
    if (this.#target !== "stdout") this.#around.err(message.endsWith("\n") ? message : `${message}\n`)
  }

  /** Only for `--reporter github`. */
  annotate(annotations: string): void {
    if (this.#annotate && annotations !== "") this.#around.out(annotations)
  }

  /** Whether the records will have somewhere to go, told before hours are spent on them. */
  begin(): boolean {
    if (this.#target === null || this.#target === "stdout") return true
    const path = resolve(this.#around.cwd, this.#target.path)
    // A pipe is opened once: its reader would take a second time for the end.
    if (existsSync(path) && !statSync(path).isFile() && !statSync(path).isDirectory()) return true
    return this.#attempt(this.#target.path, () => closeSync(openSync(path, "a")))
  }

  finish(exit: Exit): Exit {
    if (this.#target === null || this.#target === "stdout") return exit
    const path = resolve(this.#around.cwd, this.#target.path)
    const written = this.#attempt(this.#target.path, () => writeFileSync(path, this.#kept))
    return written ? exit : gravest([exit, exits.wrongUse])
  }

  #attempt(name: string, write: () => void): boolean {
    try {
      write()
      return true
    } catch (error) {
      this.#around.err(`--json=${name} cannot be written: ${whyUnwritten(error)}\n`)
      return false
    }
  }
}

export interface Ready {
  readonly file: string
  readonly scenario: Scenario
}

const readOne = ({ bytes, file }: Source, engine: Engine, records: Records): Ready | { readonly exit: Exit } => {
  try {
    const read = engine.read(file, bytes)
    if ("scenario" in read) return { file, scenario: read.scenario }
    records.error("DOES_NOT_READ", exits.wrongUse, read.told, { file, mistakes: read.mistakes })
    return { exit: exits.wrongUse }
  } catch (error) {
    records.error("DEFECT", exits.defect, `the simulator broke while it read ${file}. ${notYours}\n${stackOf(error)}`)
    return { exit: exits.defect }
  }
}

export const notYours = "This is a defect of clawmesh, not of your scenario."

export const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)

/** A word of a shell, quoted where it has to be. */
export const shellWord = (word: string): string =>
  /^[\w./:@%+=,-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

/** `null`: it cannot be loaded, which has been told. */
export const loadEngine = async (around: Surroundings, records: Records): Promise<Engine | null> => {
  try {
    return await around.engine()
  } catch (error) {
    const message = `the simulator could not be loaded. This is a defect of clawmesh.\n${stackOf(error)}`
    records.error("DEFECT", exits.defect, message)
    return null
  }
}

/** The simulator, every scenario that reads, and an exit code for each that does not: all of it has been told then. */
export const readAll = async (
  words: ReadonlyArray<string>,
  around: Surroundings,
  records: Records
): Promise<
  | { readonly engine: Engine; readonly ready: ReadonlyArray<Ready>; readonly failures: ReadonlyArray<Exit> }
  | { readonly exit: Exit }
> => {
  const { problems, sources } = readSources(around.cwd, words)
  for (const problem of problems) records.error("UNREADABLE", exits.wrongUse, problem)
  if (sources.length === 0) return { exit: exits.wrongUse }
  const engine = await loadEngine(around, records)
  if (engine === null) return { exit: exits.defect }
  // All files are read before the first one runs: somebody who mends mistakes wants all of them.
  const readings = sources.map((source) => readOne(source, engine, records))
  const failures = readings.flatMap((reading) => ("exit" in reading ? [reading.exit] : []))
  return {
    engine,
    ready: readings.flatMap((reading) => ("exit" in reading ? [] : [reading])),
    failures: [...failures, ...problems.map(() => exits.wrongUse)]
  }
}

/** The simulator and every scenario; or the exit code, when one does not read. */
export const prepare = async (
  words: ReadonlyArray<string>,
  around: Surroundings,
  records: Records
): Promise<{ readonly engine: Engine; readonly ready: ReadonlyArray<Ready> } | { readonly exit: Exit }> => {
  const read = await readAll(words, around, records)
  if ("exit" in read) return read
  return read.failures.length > 0 ? { exit: gravest(read.failures) } : read
}

/**
 * `pnpm sim`: from words to an exit code. Everything it does to the world outside goes through `Surroundings`, so that a test
 * can be the terminal, and through `Engine`, so that a test can be the simulator.
 *
 * The engine is asked for only when there is something to run: help and mistakes answer without loading it.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { resolve } from "node:path"
import type { Verdict } from "../judge/Verdict.ts"
import { expectationsLine, NO_SCORE, type Score, scenariosLine, scoreOf, sum } from "../report/Score.ts"
import { type Look, notDeterministic, transcript } from "../report/Transcript.ts"
import type { RunOptions, RunResult } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import { commands, help, type JsonTarget, readArguments, type RunOrder } from "./Arguments.ts"
import { type Exit, exitOf, exits, gravest } from "./Exit.ts"
import { readSources, type Source, unknownWord } from "./Files.ts"
import { type ErrorCode, errorRecord, runRecord } from "./Records.ts"

export interface Engine {
  /** The scenario, or what `pnpm sim` prints of its mistakes. */
  readonly read: (file: string, bytes: Uint8Array) => { readonly scenario: Scenario } | { readonly mistakes: string }
  readonly run: (scenario: Scenario, options: RunOptions) => RunResult
}

export interface Surroundings {
  readonly cwd: string
  readonly env: { readonly [name: string]: string | undefined }
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Of standard output; `null`: it is no terminal. */
  readonly terminal: { readonly columns: number } | null
  /** Wall clock for "in 31 ms", ms. */
  readonly nowMs: () => number
  readonly engine: () => Promise<Engine>
}

const COLUMNS_MIN = 72
const COLUMNS_MAX = 100

const lookOf = ({ env, terminal }: Surroundings): Look => ({
  // https://no-color.org: set and not empty.
  colour: terminal !== null && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb",
  width: Math.min(COLUMNS_MAX, Math.max(COLUMNS_MIN, terminal?.columns ?? COLUMNS_MAX))
})

const version = (): string => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8")
  return `clawmesh ${(JSON.parse(text) as { readonly version: string }).version}\n`
}

/** Where records go: kept until the end when they are for a file. */
class Records {
  readonly #around: Surroundings
  readonly #target: JsonTarget | null
  #kept = ""

  constructor(around: Surroundings, target: JsonTarget | null) {
    this.#around = around
    this.#target = target
  }

  write(record: string): void {
    if (this.#target === "stdout") this.#around.out(record)
    else if (this.#target !== null) this.#kept += record
  }

  /** A sentence for people; with `--json` on standard output, a record in its place. */
  error(code: ErrorCode, exit: Exit, message: string): void {
    this.write(errorRecord(code, exit, message.trimEnd()))
    if (this.#target !== "stdout") this.#around.err(message.endsWith("\n") ? message : `${message}\n`)
  }

  finish(exit: Exit): Exit {
    if (this.#target === null || this.#target === "stdout") return exit
    try {
      writeFileSync(resolve(this.#around.cwd, this.#target.path), this.#kept)
      return exit
    } catch (error) {
      const { message } = error as Error
      this.#around.err(`--json=${this.#target.path} cannot be written: ${message}\n`)
      return gravest([exit, exits.wrongUse])
    }
  }
}

export const command = async (words: ReadonlyArray<string>, around: Surroundings): Promise<Exit> => {
  const order = readArguments(words)
  switch (order._tag) {
    case "help":
      around.out(help)
      return exits.passed
    case "version":
      around.out(version())
      return exits.passed
    case "misuse":
    case "no such command": {
      const records = new Records(around, order.json)
      const message = order._tag === "misuse" ? order.message : unknownWord(around.cwd, order.word, commands)
      records.error("WRONG_USE", exits.wrongUse, message)
      return records.finish(exits.wrongUse)
    }
    case "run": {
      const records = new Records(around, order.json)
      return records.finish(await runAll(order, around, records))
    }
  }
}

const runAll = async (order: RunOrder, around: Surroundings, records: Records): Promise<Exit> => {
  const { problems, sources } = readSources(around.cwd, order.files)
  for (const problem of problems) records.error("UNREADABLE", exits.wrongUse, problem)
  if (sources.length === 0) return exits.wrongUse
  let engine: Engine
  try {
    engine = await around.engine()
  } catch (error) {
    records.error(
      "DEFECT",
      exits.defect,
      `the simulator could not be loaded. This is a defect of clawmesh.\n${stackOf(error)}`
    )
    return exits.defect
  }
  // All files are read before the first one runs: somebody who mends mistakes wants all of them.
  const readings = sources.map((source) => readOne(source, engine, records))
  const failures = readings.flatMap((reading) => ("exit" in reading ? [reading.exit] : []))
  if (problems.length > 0 || failures.length > 0) return gravest([...failures, exits.wrongUse])
  const ready = readings.flatMap((reading) => ("exit" in reading ? [] : [reading]))

  const campaign = new Campaign(order, around, records, engine)
  const codes = ready.map((reading) => campaign.run(reading, ready.length > 1))
  campaign.close(ready.length > 1)
  return gravest(codes)
}

interface Ready {
  readonly file: string
  readonly scenario: Scenario
}

const readOne = ({ bytes, file }: Source, engine: Engine, records: Records): Ready | { readonly exit: Exit } => {
  try {
    const read = engine.read(file, bytes)
    if ("scenario" in read) return { file, scenario: read.scenario }
    records.error("DOES_NOT_READ", exits.wrongUse, read.mistakes)
    return { exit: exits.wrongUse }
  } catch (error) {
    records.error("DEFECT", exits.defect, `the simulator broke while it read ${file}. ${notYours}\n${stackOf(error)}`)
    return { exit: exits.defect }
  }
}

const notYours = "This is a defect of clawmesh, not of your scenario."

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** A word of a shell, quoted where it has to be. */
const shellWord = (word: string): string =>
  /^[\w./:@%+=,-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

class Campaign {
  readonly #order: RunOrder
  readonly #around: Surroundings
  readonly #records: Records
  readonly #engine: Engine
  readonly #look: Look
  readonly #verdicts: Array<Verdict> = []
  #score: Score = NO_SCORE

  constructor(order: RunOrder, around: Surroundings, records: Records, engine: Engine) {
    this.#order = order
    this.#around = around
    this.#records = records
    this.#engine = engine
    this.#look = lookOf(around)
  }

  #tell(text: string): void {
    if (this.#order.json !== "stdout") this.#around.out(text)
  }

  #again(file: string, seed: number): string {
    const until = this.#order.untilMs === null ? "" : ` --until ${this.#order.untilMs}ms`
    return `pnpm sim ${shellWord(file)} --seed ${seed}${until}`
  }

  run({ file, scenario }: Ready, oneOfSeveral: boolean): Exit {
    const { seed, twice, untilMs } = this.#order
    const options: RunOptions = { ...(seed === null ? {} : { seed }), ...(untilMs === null ? {} : { untilMs }) }
    try {
      const startedMs = this.#around.nowMs()
      const result = this.#engine.run(scenario, options)
      const wallMs = this.#around.nowMs() - startedMs
      const second = twice ? this.#engine.run(scenario, options) : null
      const same = second === null || second.hash === result.hash
      const exit = same ? exitOf(result.verdict) : exits.notDeterministic
      this.#records.write(runRecord({ file, scenario, result, secondHash: second?.hash ?? null, exit }))
      this.#tell(transcript({ file, scenario, result, wallMs, again: this.#again(file, result.seed) }, this.#look))
      this.#verdicts.push(same ? result.verdict : "failed")
      const score = scoreOf(result)
      this.#score = sum(this.#score, score)
      if (!same) this.#tell(notDeterministic(result, second, this.#look))
      else {
        if (second !== null) this.#tell(`first run   ${result.hash}\nsecond run  ${second.hash}   the same\n`)
        if (!oneOfSeveral) this.#tell(`${expectationsLine(score)}\n`)
      }
      return exit
    } catch (error) {
      this.#verdicts.push("failed")
      const message = [
        `the simulator broke on ${file}. ${notYours}`,
        stackOf(error),
        "",
        `Please report it with the lines above and the scenario.   again   ${this.#again(file, seed ?? scenario.seed)}`
      ].join("\n")
      this.#records.error("DEFECT", exits.defect, message)
      return exits.defect
    }
  }

  close(severalFiles: boolean): void {
    if (severalFiles) this.#tell(`${expectationsLine(this.#score)}\n${scenariosLine(this.#verdicts)}\n`)
  }
}

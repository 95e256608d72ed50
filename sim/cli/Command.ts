/**
 * `pnpm sim`: from words to an exit code. Everything it does to the world outside goes through `Surroundings`, so that a test
 * can be the terminal, and through `Engine`, so that a test can be the simulator.
 *
 * The engine is asked for only when there is something to run, and a command is loaded when it is called: help and mistakes
 * answer without either.
 */
import { readFileSync } from "node:fs"
import type { Verdict } from "../judge/Verdict.ts"
import { annotation, runAnnotations } from "../report/Annotations.ts"
import { expectationsLine, NO_SCORE, type Score, scenariosLine, scoreOf, sum } from "../report/Score.ts"
import { drawnWords } from "../report/DrawnWords.ts"
import { FullLog } from "../report/FullLog.ts"
import { type Look, notDeterministic, type Telling, transcript } from "../report/Transcript.ts"
import type { StepView } from "../report/StepView.ts"
import type { RunOptions, RunResult } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import type { Drawn } from "../search/Drawn.ts"
import { commands, readArguments } from "./Arguments.ts"
import { type Exit, exitOf, exits, gravest } from "./Exit.ts"
import { unknownWord } from "./Files.ts"
import { remember } from "./LastRuns.ts"
import { type JsonTarget, type Reporter, type RunOrder, withOthers } from "./Order.ts"
import type { Recording } from "./Recording.ts"
import { runRecord } from "./Records.ts"
import { astray, runWords } from "./RunWords.ts"
import {
  type Engine,
  lookOf,
  notYours,
  prepare,
  type Ready,
  Records,
  stackOf,
  type Surroundings
} from "./Surroundings.ts"

const version = (): string => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8")
  return `clawmesh ${(JSON.parse(text) as { readonly version: string }).version}\n`
}

export const command = async (words: ReadonlyArray<string>, outside: Surroundings): Promise<Exit> => {
  const end = words.indexOf("--")
  const plain = words.some((word, i) => word === "--no-color" && (end === -1 || i < end))
  const around = plain ? { ...outside, env: { ...outside.env, NO_COLOR: "1" } } : outside
  const order = readArguments(words.filter((word, i) => word !== "--no-color" || (end !== -1 && i > end)))
  switch (order._tag) {
    case "help":
      around.out(order.text)
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
    case "run":
      return recorded(order.json, around, order.reporter, (records) => runAll(order, around, records))
    case "fuzz":
      return recorded(order.json, around, "story", async (records) =>
        (await import("./Fuzz.ts")).fuzz(order, around, records)
      )
    case "replay":
      return recorded(order.json, around, "story", async (records) =>
        (await import("./Replay.ts")).replay(order, around, records)
      )
    case "diff":
      return recorded(order.json, around, "story", async (records) =>
        (await import("./Diff.ts")).diff(order, around, records)
      )
    case "shrink":
      return recorded(order.json, around, "story", async (records) =>
        (await import("./Shrink.ts")).shrink(order, around, records)
      )
    case "check":
      return recorded(order.json, around, order.reporter, async (records) =>
        (await import("./Check.ts")).check(order, around, records)
      )
    case "list":
      return recorded(order.json, around, "story", async (records) =>
        (await import("./List.ts")).list(order, around, records)
      )
    case "new":
      return recorded(order.json, around, "story", async (records) =>
        (await import("./New.ts")).begin(order, around, records)
      )
    case "from-recording":
      return recorded(order.json, around, "story", async (records) =>
        (await import("./FromRecording.ts")).fromRecording(order, around, records)
      )
    case "explain":
      return recorded(order.json, around, "story", async (records) =>
        (await import("./Explain.ts")).explain(order, around, records)
      )
    case "report":
      return recorded(order.json, around, "story", async (records) =>
        (await import("./Report.ts")).report(order, around, records)
      )
    case "schema":
      return recorded(order.json, around, "story", async (records) =>
        (await import("./SchemaFiles.ts")).writeSchema(order, around, records)
      )
  }
}

/** Where records have nowhere to go, nothing is begun. */
const recorded = async (
  json: JsonTarget | null,
  around: Surroundings,
  reporter: Reporter,
  work: (records: Records) => Promise<Exit>
): Promise<Exit> => {
  const records = new Records(around, json, reporter)
  return records.begin() ? records.finish(await work(records)) : exits.wrongUse
}

const runAll = async (order: RunOrder, around: Surroundings, records: Records): Promise<Exit> => {
  const prepared = await prepare(order.files, around, records)
  if ("exit" in prepared) return prepared.exit
  const { engine, ready } = prepared
  const besides: Besides = {
    view: order.step ? await stepByStep() : null,
    recording: order.record ? new (await import("./Recording.ts")).Recording(order, around) : null
  }
  const campaign = new Campaign(order, around, records, engine, besides)
  const codes: Array<Exit> = []
  for (const reading of ready) codes.push(await campaign.run(reading, ready.length > 1))
  campaign.close(ready.length > 1)
  return gravest([...codes, ...campaign.unkept()])
}

const stepByStep = async (): Promise<() => StepView> => {
  const { StepView } = await import("../report/StepView.ts")
  return () => new StepView({ fromMs: 0, untilMs: Number.POSITIVE_INFINITY })
}

/** Loaded only where somebody asks for it. */
interface Besides {
  /** Tells every step of a run. */
  readonly view: (() => StepView) | null
  readonly recording: Recording | null
}

interface Ran {
  readonly scenario: Scenario
  readonly result: RunResult
  /** `null`: it ran as written. */
  readonly drawn: Drawn | null
  /** Of the points of a branch it came to so many. */
  readonly points: number
}

class Campaign {
  readonly #order: RunOrder
  readonly #around: Surroundings
  readonly #records: Records
  readonly #engine: Engine
  readonly #look: Look
  readonly #verdicts: Array<Verdict> = []
  readonly #besides: Besides
  #score: Score = NO_SCORE

  constructor(order: RunOrder, around: Surroundings, records: Records, engine: Engine, besides: Besides) {
    this.#besides = besides
    this.#order = order
    this.#around = around
    this.#records = records
    this.#engine = engine
    this.#look = lookOf(around)
  }

  #tell(text: string): void {
    if (this.#order.json !== "stdout") this.#around.out(text)
  }

  /** Whether people want to hear more of this run than how it counts. */
  #wanted(verdict: Verdict): boolean {
    const { quiet, reporter } = this.#order
    return !quiet && (reporter === "story" || reporter === "full" || verdict !== "passed")
  }

  #again(file: string, seed: number): string {
    const until = this.#order.untilMs === null ? "" : ` --until ${this.#order.untilMs}ms`
    return `pnpm sim ${this.#words(file, seed)}${until}`
  }

  /** What names the run after `pnpm sim COMMAND`. */
  #words(file: string, seed: number): string {
    return runWords(file, { fuzzed: this.#order.fuzzed, seed }, this.#order.with)
  }

  /** The run, and the scenario that ran with what was drawn for it. */
  #once(written: Scenario, options: RunOptions): Ran {
    const { fuzzed, seed } = this.#order
    if (fuzzed === null)
      return { scenario: written, result: this.#engine.run(written, options), drawn: null, points: 0 }
    const { drawn, result } = this.#engine.runFuzzed(written, seed ?? written.seed, fuzzed, options)
    return { scenario: drawn.scenario, result, drawn, points: drawn.points.length }
  }

  /** A branch that there is not. */
  #astray(message: string): Exit {
    this.#records.error("WRONG_USE", exits.wrongUse, message)
    this.#verdicts.push("failed")
    return exits.wrongUse
  }

  /** Why it failed, in a line, and where more of that is. */
  async #failure(
    file: string,
    scenario: Scenario,
    { events, hash, seed }: RunResult
  ): Promise<Pick<Telling, "because" | "besides">> {
    const { fuzzed, untilMs } = this.#order
    const { keepPage } = await import("./Pages.ts")
    const words = this.#words(file, seed)
    const subject = { scenario, seed, fuzzed }
    const { because, path } = await keepPage({ file, subject, hash, events, untilMs, words }, this.#around)
    const besides = [
      ["smaller", `pnpm sim shrink ${words}`],
      ["why", `pnpm sim explain ${words}`],
      ["see", path ?? `pnpm sim report ${words}`]
    ] as const
    return { because, besides }
  }

  async run({ file, scenario: read }: Ready, oneOfSeveral: boolean): Promise<Exit> {
    const written = withOthers(read, this.#order.with)
    const { json, quiet, reporter, seed, twice, untilMs } = this.#order
    const options: RunOptions = { ...(seed === null ? {} : { seed }), ...(untilMs === null ? {} : { untilMs }) }
    const told = !quiet && json !== "stdout"
    const { recording, view } = this.#besides
    const log = told && view !== null ? view() : told && reporter === "full" ? new FullLog() : null
    const recorder = recording?.recorder() ?? null
    const watched: RunOptions = {
      ...options,
      ...(log === null ? {} : { onHappening: log.onHappening }),
      ...(log === null && recorder === null
        ? {}
        : {
            onStep: (machine, input, commands) => {
              recorder?.onStep(machine, input)
              log?.onStep(machine, input, commands)
            }
          })
    }
    try {
      const startedMs = this.#around.nowMs()
      const { drawn, points, result, scenario } = this.#once(written, watched)
      const lost = astray({ fuzzed: this.#order.fuzzed, seed: result.seed }, points, result)
      if (lost !== null) return this.#astray(lost)
      const wallMs = this.#around.nowMs() - startedMs
      const second = twice ? this.#once(written, options).result : null
      const same = second === null || second.hash === result.hash
      const exit = same ? exitOf(result.verdict) : exits.notDeterministic
      this.#records.write(runRecord({ file, scenario, result, secondHash: second?.hash ?? null, exit }))
      if (this.#order.fuzzed === null && untilMs === null && written === read)
        remember(this.#around, { file, scenario, result, wallMs, exit })
      const again = this.#again(file, result.seed)
      const wanted = this.#wanted(same ? result.verdict : "failed")
      const failed = wanted && json !== "stdout" && result.verdict === "failed"
      const failure = failed ? await this.#failure(file, written, result) : {}
      const full = log === null ? {} : { log: log.lines }
      const words = drawn === null ? null : drawnWords(drawn)
      const telling = { file, scenario, result, wallMs, again, drawn: words, ...failure, ...full }
      if (wanted) this.#tell(transcript(telling, this.#look))
      this.#records.annotate(runAnnotations(file, scenario, result))
      const kept = recorder === null ? null : recording!.keep(recorder, written, drawn, result)
      if (kept !== null && !quiet) this.#tell(`saved  ${kept}\n`)
      this.#verdicts.push(same ? result.verdict : "failed")
      const score = scoreOf(result)
      this.#score = sum(this.#score, score)
      if (!same) {
        this.#tell(notDeterministic(result, second, this.#look))
        this.#tell(`  step by step   ${again.replace(/^pnpm sim /u, "pnpm sim replay ")}\n`)
        const message = `not deterministic: seed ${result.seed} gave trace ${result.hash} and trace ${second.hash}`
        this.#records.annotate(annotation({ level: "error", file, message }))
      } else {
        if (second !== null && wanted) this.#tell(`first run   ${result.hash}\nsecond run  ${second.hash}   the same\n`)
        if (!oneOfSeveral) this.#tell(`${expectationsLine(score)}\n`)
      }
      return exit
    } catch (error) {
      this.#verdicts.push("failed")
      const message = [
        `the simulator broke on ${file}. ${notYours}`,
        stackOf(error),
        "",
        `Please report it with the lines above and the scenario.   again   ${this.#again(file, seed ?? written.seed)}`
      ].join("\n")
      this.#records.error("DEFECT", exits.defect, message)
      return exits.defect
    }
  }

  /** Traces that were asked for and could not be written. */
  unkept(): ReadonlyArray<Exit> {
    return (this.#besides.recording?.problems ?? []).map((problem) => {
      this.#records.error("UNWRITABLE", exits.wrongUse, problem)
      return exits.wrongUse
    })
  }

  close(severalFiles: boolean): void {
    if (severalFiles) this.#tell(`${expectationsLine(this.#score)}\n${scenariosLine(this.#verdicts)}\n`)
  }
}

/**
 * The same bugs by fast-check's model of commands: each command is one fault, a list of them is a timeline, and the property is
 * that what broke in the corpus does not break. fast-check has to find a list that breaks it first, and shrinks that.
 *
 * Given to it: the nodes and the network of the scenario, the seed, and the kinds of fault that it may use.
 */
import * as fc from "fast-check"
import { runScenario } from "../../sim/run.ts"
import type { Scenario, Step, Verb } from "../../sim/scenario/Scenario.ts"
import { sameIn, type Failure } from "../../sim/shrink/Failure.ts"
import type { Bug } from "./Bugs.ts"

/** What the commands write. */
interface Script {
  readonly steps: Array<Step>
  atMs: number
}

const PLACE = { line: 0, column: 0 }
const COMMANDS_MAX = 40
const RUNS_MAX = 1_000
/** After the last command. */
const REST_MS = 5_000

class Does implements fc.Command<object, Script> {
  readonly verb: Verb
  readonly waitMs: number
  readonly forMs: number | null

  constructor(verb: Verb, waitMs: number, forMs: number | null) {
    this.verb = verb
    this.waitMs = waitMs
    this.forMs = forMs
  }

  check(): boolean {
    return true
  }

  run(_: object, script: Script): void {
    script.atMs += this.waitMs
    script.steps.push({ place: PLACE, atMs: script.atMs, id: null, note: null, verb: this.verb, forMs: this.forMs })
  }

  toString(): string {
    return `${this.waitMs} ms later ${JSON.stringify(this.verb)} for ${this.forMs} ms`
  }
}

const verbs = ({ nodes }: Scenario): fc.Arbitrary<Verb> => {
  const name = fc.constantFrom(...nodes.map((node) => node.name))
  const pair = fc.uniqueArray(name, { minLength: 2, maxLength: 2 })
  return fc.oneof(
    name.map((one): Verb => ({ _tag: "crash", who: [one] })),
    name.map((one): Verb => ({ _tag: "crash", who: [one], disk: "lost" })),
    name.map((one): Verb => ({ _tag: "stop", who: [one] })),
    name.map((one): Verb => ({ _tag: "freeze", who: [one] })),
    name.map((one): Verb => ({ _tag: "isolate", who: [one] })),
    name.map((one): Verb => ({ _tag: "slow-cpu", who: [one], takesMs: { min: 500, max: 500 } })),
    pair.map(([a = "", b = ""]): Verb => ({ _tag: "cut", from: [a], to: [b], oneWay: false })),
    pair.map(([a = "", b = ""]): Verb => ({
      _tag: "reset",
      from: [a, b],
      to: [a, b],
      oneWay: false,
      rule: { _tag: "reset", ends: "both" }
    })),
    pair.map((both): Verb => ({
      _tag: "corrupt",
      from: both,
      to: both,
      oneWay: false,
      rule: { _tag: "corrupt", ppm: 50_000 }
    })),
    pair.map(([a = "", b = ""]): Verb => ({ _tag: "connect", to: [a], as: b, lie: "another signature" })),
    pair.map(([a = "", b = ""]): Verb => ({ _tag: "revoke", by: [a], whom: b }))
  )
}

const commands = (scenario: Scenario) =>
  fc.commands(
    [
      fc
        .tuple(verbs(scenario), fc.integer({ min: 0, max: 4_000 }), fc.integer({ min: 1, max: 8_000 }))
        .map(
          ([verb, waitMs, forMs]) =>
            new Does(verb, waitMs, verb._tag === "reset" || verb._tag === "connect" ? null : forMs)
        )
    ],
    { maxCommands: COMMANDS_MAX, size: "max" }
  )

export interface ByCommands {
  /** Commands in the smallest list that it came to; `null`: it found none that breaks it. */
  readonly commands: number | null
  readonly runs: number
}

/** For as long as `limitMs`, finding and shrinking together. */
export const byCommands = (bug: Bug, scenario: Scenario, failure: Failure, limitMs: number): ByCommands => {
  const everyone: Step = {
    place: PLACE,
    atMs: 0,
    id: null,
    note: null,
    verb: { _tag: "start", who: [{ word: "everyone" }] },
    forMs: null
  }
  let runs = 0
  let least: number | null = null
  const property = fc.property(commands(scenario), (list) => {
    const script: Script = { steps: [everyone], atMs: 0 }
    fc.modelRun(() => ({ model: {}, real: script }), list)
    runs++
    const expect = failure._tag === "expectation" ? [failure.expectation] : []
    const result = runScenario(
      {
        ...scenario,
        ...(failure._tag === "invariant" && failure.afterwards ? { liveness: true } : {}),
        lastsMs: failure._tag === "expectation" ? Math.max(scenario.lastsMs, script.atMs) : script.atMs + REST_MS,
        timeline: script.steps,
        expect
      },
      { kernel: bug.kernel }
    )
    const broken = sameIn(failure, result) !== null
    if (broken) least = Math.min(least ?? COMMANDS_MAX, script.steps.length - 1)
    return !broken
  })
  fc.check(property, {
    seed: bug.seed,
    numRuns: RUNS_MAX,
    interruptAfterTimeLimit: limitMs,
    markInterruptAsFailure: false
  })
  return { commands: least, runs }
}

/**
 * The oracles over the recording of one node of a real run: those that need no more than what one node took up, knew and did.
 *
 * A recording knows neither true time nor what the others did. Time is the node's own: its monotonic clock within a process, its
 * calendar between two of them. What was stored is what it was told is stored.
 *
 * An oracle that remembers is asked only of what begins with a start: where the ring has dropped the beginning it would take for
 * new what is old.
 */
import * as Durable from "../../kernel/Durable.ts"
import type { Fed, Life } from "../../adapters/recorded/Replay.ts"
import type { Recording } from "../../adapters/recorded/Open.ts"
import { type Kernel, type Report, reportOf } from "../../adapters/recorded/Report.ts"
import type { Machine } from "../engine/Machine.ts"
import { commands } from "../oracles/K1Commands.ts"
import { told } from "../oracles/K3Told.ts"
import { settled } from "../oracles/K4Settled.ts"
import { timers } from "../oracles/K5Timers.ts"
import { whole } from "../oracles/K6Whole.ts"
import { moves } from "../oracles/K7Moves.ts"
import { needs } from "../oracles/K9Needs.ts"
import { decisions } from "../oracles/L4Decisions.ts"
import { demands } from "../oracles/Demands.ts"
import type { Oracle } from "../oracles/Oracle.ts"
import { bounds } from "../oracles/S10Bounds.ts"
import { hold } from "../oracles/S13Hold.ts"
import { promises } from "../oracles/S1Promises.ts"
import { atMostOnce } from "../oracles/S3AtMostOnce.ts"
import { rows } from "../oracles/S6Rows.ts"
import { durability } from "../oracles/S9Durability.ts"

/** Of a step in itself. */
const ofSteps = (): ReadonlyArray<Oracle> => [bounds(), rows(), commands(), told(), settled(), whole()]
/** Of a process from its start on, and of what it kept from those before. */
const ofLives = (): ReadonlyArray<Oracle> => [
  promises(),
  atMostOnce(),
  durability(),
  hold(),
  timers(),
  moves(),
  needs(),
  decisions()
]

/** What the recording of one node does not show, by the ids of the invariants. */
export const unjudged: ReadonlyArray<readonly [ids: string, why: string]> = [
  ["S2", "who led the term of a grant: only the leader itself knows since when"],
  ["S1", "two leaders at one moment, and L1 to L3, L5: what the other nodes held and saw"],
  ["S4", "whose word it was, and S5, S7: the keys and the words of the others"],
  ["S6", "displaced sessions, and S11: what was true of the other end"],
  ["S8", "and G1: what the others are"],
  ["K2", "and K8, L6: whether the node had its processor, and what else befell it"]
]

export interface Violation {
  readonly oracle: string
  readonly file: string
  /** Of the file, from 1. */
  readonly at: number
  readonly wallMs: number
  readonly message: string
}

/** The node as oracles see it. */
class Subject {
  durable: Durable.Durable = Durable.empty
  wipes = 0
  #nowMs = 0
  #monoAtZero = 0
  readonly machine: Machine
  readonly #asked = new Map<number, Durable.Record>()

  constructor(name: string, life: Life) {
    const { config } = life.segments[0]!.header
    const subject = this
    const nameOf = (deviceId: string): string => {
      if (deviceId === config.deviceId) return name
      return this.durable.trusted.find((one) => one.deviceId === deviceId)?.name || deviceId.slice(0, 8)
    }
    const seen = {
      index: 0,
      name,
      config,
      running: true,
      clock: {
        mono: (trueMs: number) => trueMs + this.#monoAtZero,
        trueMs: (mono: number) => mono - this.#monoAtZero
      },
      world: {
        nameOf,
        get nowMs() {
          return subject.#nowMs
        }
      },
      get durable() {
        return subject.durable
      },
      get wipes() {
        return subject.wipes
      }
    }
    // Who is asked here looks at no more of a machine; `test/sim/recorded/Judge.test.ts` shows it.
    this.machine = seen as unknown as Machine
  }

  get nowMs(): number {
    return this.#nowMs
  }

  take({ commands: out, line: { input } }: Fed, startMs: number): void {
    if (input._tag === "Started") {
      if (input.amnesia === true) this.wipes++
      this.#asked.clear()
      this.durable = input.durable
      this.#monoAtZero = input.at.mono - Math.max(startMs, this.#nowMs)
    }
    this.#nowMs = input.at.mono - this.#monoAtZero
    if (input._tag === "Stored") {
      const record = this.#asked.get(input.ticket)
      if (record !== undefined) this.durable = Durable.apply(this.durable, record)
    }
    for (const command of out) if (command._tag === "Persist") this.#asked.set(command.ticket, command.record)
  }
}

export interface Judged {
  readonly report: Report
  readonly violations: ReadonlyArray<Violation>
  /** Whose memory could not be used, since the ring has dropped the start; ids. */
  readonly partly: ReadonlyArray<string>
  readonly judged: ReadonlyArray<string>
}

const startOf = ({ segments: [first] }: Life): boolean => first!.header.state === null

/** Replays it, and has every step looked at. */
export const judge = (recording: Recording, kernel?: Kernel, digest?: string): Judged => {
  const violations: Array<Violation> = []
  const partly = new Set<string>()
  const judged = new Set<string>()
  let subject: Subject | null = null
  let life: Life | null = null
  let oracles: ReadonlyArray<Oracle> = []
  const begin = (next: Life): void => {
    const before = life
    life = next
    const follows =
      before !== null &&
      startOf(before) &&
      startOf(next) &&
      before.segments.at(-1)!.header.segment + 1 === next.segments[0]!.header.segment &&
      before.segments.every(({ damage }) => damage === null)
    if (follows && subject !== null) return
    subject = new Subject(recording.name, next)
    const lasting = ofLives()
    oracles = startOf(next) ? [...ofSteps(), ...lasting] : ofSteps()
    for (const { id } of oracles) judged.add(id)
    if (!startOf(next)) for (const { id } of lasting) partly.add(id)
  }
  const originMs = recording.lives[0]!.segments[0]!.header.at.wall
  const report = reportOf(
    recording,
    kernel,
    (fed, of) => {
      if (of !== life) begin(of)
      const { after, at, before, commands: out, file, line } = fed
      subject!.take(fed, of.segments[0]!.header.at.wall - originMs)
      if (after === before && out.length === 0 && !demands(before, line.input)) return
      const { machine, nowMs } = subject!
      for (const oracle of oracles) {
        const message = oracle.stepped({
          nowMs,
          machines: [machine],
          machine,
          before,
          input: line.input,
          after,
          commands: out
        })
        if (message !== null) violations.push({ oracle: oracle.id, file, at, wallMs: line.input.at.wall, message })
      }
    },
    digest
  )
  return { report, violations, partly: [...partly], judged: [...judged] }
}

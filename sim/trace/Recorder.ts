/** Writes a run down while it goes by, as a trace file (Format.ts). Needs nothing of the simulator itself, so that starting is cheap. */
import type { Input } from "../../kernel/Input.ts"
import type { Machine } from "../engine/Machine.ts"
import type { RunResult } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import type { Drawn } from "../search/Drawn.ts"
import { pointsText } from "../search/Points.ts"
import {
  hashOf,
  line,
  sumOf,
  TYPE,
  type DrawnHeader,
  type End,
  type Header,
  type InputLine,
  type Maker,
  type Told
} from "./Format.ts"

/** What was run, beside the scenario. */
export interface What {
  readonly scenario: Scenario
  /** `null`: as it is written. */
  readonly drawn: { readonly drawn: Drawn; readonly swarm: boolean } | null
  readonly untilMs: number | null
  readonly maker: Maker
}

const drawnHeader = ({ drawn, swarm }: NonNullable<What["drawn"]>): DrawnHeader => {
  const { points, scenario: _, seed: __, ...rest } = drawn
  return {
    ...rest,
    swarm,
    ...(points.length === 0 ? {} : { branch: pointsText(points) })
  }
}

const toldOf = ({ config, name, spec: { generation } }: Machine): Told => ({
  name,
  ...(generation === undefined ? {} : { generation }),
  config
})

/** Listens to one run. */
export class Recorder {
  readonly #lines: Array<string> = []
  /** Of a world in which nobody ever starts, nobody. */
  #nodes: ReadonlyArray<Told> = []

  readonly onStep = ({ name, world }: Machine, input: Input): void => {
    if (this.#lines.length === 0) this.#nodes = world.machines.map(toldOf)
    this.#lines.push(line({ atMs: world.nowMs, node: name, input, hash: world.traceHash() } satisfies InputLine))
  }

  text({ drawn, maker, scenario, untilMs }: What, result: RunResult): string {
    const { text: _, ...ran } = drawn?.drawn.scenario ?? scenario
    const header = line({
      $type: TYPE,
      scenario: scenario.text,
      scenarioHash: hashOf(scenario.text),
      file: scenario.file,
      seed: result.seed,
      ...(scenario.with === undefined ? {} : { with: scenario.with }),
      untilMs,
      drawn: drawn === null ? null : drawnHeader(drawn),
      ran,
      nodes: this.#nodes,
      ...maker
    } satisfies Header)
    const { endedMs: atMs, events, hash, verdict } = result
    const end: End = { hash, verdict, atMs, events }
    const before = header + this.#lines.join("")
    return before + line({ end: { ...end, sum: sumOf(before, end) } })
  }
}

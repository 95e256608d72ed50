/** `pnpm sim run --record`: keeps each run as a trace. */
import type { RunResult } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import type { Drawn } from "../search/Drawn.ts"
import { Recorder } from "../trace/Recorder.ts"
import { Keeper } from "./Keeper.ts"
import { versionOf } from "./KernelVersion.ts"
import type { RunOrder } from "./Order.ts"
import type { Surroundings } from "./Surroundings.ts"

export class Recording {
  readonly #order: RunOrder
  readonly #around: Surroundings
  readonly #keeper: Keeper

  constructor(order: RunOrder, around: Surroundings) {
    this.#order = order
    this.#around = around
    this.#keeper = new Keeper(around.cwd)
  }

  /** Listens to the next run. */
  recorder(): Recorder {
    return new Recorder()
  }

  /** Where it is kept; `null`: it could not be written. `drawn`: `null`, it ran as written. */
  keep(recorder: Recorder, scenario: Scenario, drawn: Drawn | null, result: RunResult): string | null {
    const { fuzzed, untilMs } = this.#order
    const maker = { kernel: versionOf(this.#around), node: process.versions.node }
    const how = drawn === null || fuzzed === null ? null : { drawn, swarm: fuzzed.swarm }
    return this.#keeper.keep(result.hash, recorder.text({ scenario, drawn: how, untilMs, maker }, result))
  }

  /** Why traces could not be written. */
  get problems(): ReadonlyArray<string> {
    return [...this.#keeper.problems]
  }
}

/** What the threads of a campaign say to each other. Plain data only. */
import type { Scenario } from "../scenario/Scenario.ts"
import type { Maker } from "../trace/Format.ts"
import type { Log } from "../trace/TraceFile.ts"
import type { Points } from "./Points.ts"
import type { SeedReport } from "./OneSeed.ts"

/** Given to a worker once. */
export interface Setup {
  readonly scenarios: ReadonlyArray<Scenario>
  readonly swarm: boolean
  readonly maker: Maker
  /** A module that exports `kernel`, in place of ours: for tests that need a broken one. */
  readonly kernelModule: string | null
}

export type Job =
  | { readonly _tag: "run"; readonly scenario: number; readonly seed: number; readonly ledger: boolean }
  /** The first futures of a run from one moment on. */
  | {
      readonly _tag: "branch"
      readonly scenario: number
      readonly seed: number
      readonly base: Points
      readonly after: number
      readonly futures: number
    }
  /** Only for its hash. */
  | { readonly _tag: "again"; readonly scenario: number; readonly seed: number; readonly points: Points }
  | { readonly _tag: "record"; readonly scenario: number; readonly seed: number; readonly points: Points }
  | { readonly _tag: "log"; readonly scenario: number; readonly seed: number; readonly points: Points }

export type Answer =
  | { readonly _tag: "report"; readonly report: SeedReport }
  | { readonly _tag: "branches"; readonly reports: ReadonlyArray<SeedReport> }
  | { readonly _tag: "hash"; readonly hash: string }
  | { readonly _tag: "recorded"; readonly text: string; readonly hash: string }
  | { readonly _tag: "logged"; readonly log: Log }
  /** The simulator threw. */
  | { readonly _tag: "defect"; readonly stack: string }

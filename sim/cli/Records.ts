/**
 * What `--json` writes: one object a line, each with its `$type`. Numbers are ms of true time; what is not there is `null`,
 * so that every record of a type has the same keys.
 */
import type { RunResult } from "../run.ts"
import type { Mistake } from "../scenario/Mistakes.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import type { Exit } from "./Exit.ts"

/** One line of NDJSON. */
export const line = (value: unknown): string => `${JSON.stringify(value)}\n`

export interface RunRecord {
  readonly file: string
  readonly scenario: Scenario
  readonly result: RunResult
  /** Hash of the second run of `--twice`. */
  readonly secondHash: string | null
  readonly exit: Exit
}

export const runRecord = ({ exit, file, result, scenario, secondHash }: RunRecord): string =>
  line({
    $type: "clawmesh.run/1",
    file,
    title: scenario.title,
    ...(scenario.with === undefined ? {} : { with: scenario.with }),
    seed: result.seed,
    hash: result.hash,
    ...(secondHash === null ? {} : { secondHash }),
    events: result.events,
    endedMs: result.endedMs,
    verdict: result.verdict,
    expectations: result.expectations.map(({ atMs, expectation, limitMs, marginMs, status, witness }) => ({
      name: expectation.name,
      line: expectation.place.line,
      status,
      atMs: atMs ?? null,
      marginMs: marginMs ?? null,
      limitMs: limitMs ?? null,
      witness: witness ?? null
    })),
    violations: result.violations,
    faultsWithoutEffect: result.faultsWithoutEffect.map((step) => ({
      id: step.id,
      verb: step.verb._tag,
      atMs: step.atMs,
      line: step.place.line
    })),
    exit
  })

export type ErrorCode =
  | "WRONG_USE"
  | "UNREADABLE"
  | "UNWRITABLE"
  | "DOES_NOT_READ"
  | "PARTED"
  | "NOT_DETERMINISTIC"
  | "DEFECT"

/** The file that an error is about, and its mistakes at their places. */
export interface About {
  readonly file: string
  readonly mistakes: ReadonlyArray<Mistake>
}

export const errorRecord = (code: ErrorCode, exit: Exit, message: string, about: About | null): string =>
  line({
    $type: "clawmesh.error/1",
    code,
    exit,
    message,
    file: about?.file ?? null,
    mistakes: (about?.mistakes ?? []).map(({ length, message: what, place }) => ({ ...place, length, message: what }))
  })

/** What `check` says of a file that reads. */
export const checkRecord = (
  { file, scenario }: { readonly file: string; readonly scenario: Scenario },
  hashes: readonly [first: string, second: string] | null,
  exit: Exit
): string =>
  line({
    $type: "clawmesh.check/1",
    file,
    title: scenario.title,
    lastsMs: scenario.lastsMs,
    nodes: scenario.nodes.length,
    steps: scenario.timeline.length,
    expectations: scenario.expect.length,
    hash: hashes?.[0] ?? null,
    secondHash: hashes?.[1] ?? null,
    exit
  })

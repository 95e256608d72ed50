/**
 * What came of the last run of each scenario, for `pnpm sim list`: one small file a scenario in `out/last/` of the folder where it
 * ran, so that runs at the same time do not meet. A convenience: where it cannot be written or read, it is as if there were none.
 *
 * Remembered are runs of files inside that folder, as they are written and to their end.
 */
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync } from "node:fs"
import { join, relative, resolve } from "node:path"
import type { Verdict } from "../judge/Verdict.ts"
import type { RunResult } from "../run.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import { type Exit, exits } from "./Exit.ts"
import type { Surroundings } from "./Surroundings.ts"
import { writeWhole } from "./Writing.ts"

const FOLDER = join("out", "last")

export interface LastRun {
  readonly $type: "clawmesh.last/1"
  /** From the folder where it ran. */
  readonly file: string
  readonly verdict: Verdict | "not deterministic"
  readonly seed: number
  readonly wallMs: number
  /** When, ms since 1970. */
  readonly dateMs: number
  /** Of the scenario's text: it may have changed since. */
  readonly text: string
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16)

const inside = (cwd: string, file: string): string | null => {
  const path = relative(cwd, resolve(cwd, file))
  return path.startsWith("..") || path.startsWith("/") ? null : path
}

const keptIn = (cwd: string, path: string): string => resolve(cwd, FOLDER, `${digest(path)}.json`)

export interface Ended {
  readonly file: string
  readonly scenario: Scenario
  readonly result: RunResult
  readonly wallMs: number
  readonly exit: Exit
}

export const remember = ({ cwd, dateMs }: Surroundings, { exit, file, result, scenario, wallMs }: Ended): void => {
  const path = inside(cwd, file)
  if (path === null) return
  const run: LastRun = {
    $type: "clawmesh.last/1",
    file: path,
    verdict: exit === exits.notDeterministic ? "not deterministic" : result.verdict,
    seed: result.seed,
    wallMs: Math.round(wallMs),
    dateMs: dateMs(),
    text: digest(scenario.text)
  }
  try {
    const kept = keptIn(cwd, path)
    mkdirSync(resolve(cwd, FOLDER), { recursive: true })
    writeWhole(kept, `${JSON.stringify(run)}\n`)
  } catch {
    // A folder that may not be written is no reason to fail a run.
  }
}

/** `null`: none is known. `changed`: the scenario is another one by now. */
export const lastRun = (
  cwd: string,
  file: string,
  text: string
): { readonly run: LastRun; readonly changed: boolean } | null => {
  const path = inside(cwd, file)
  if (path === null) return null
  try {
    const run = JSON.parse(readFileSync(keptIn(cwd, path), "utf8")) as LastRun
    return run.$type === "clawmesh.last/1" && run.file === path ? { run, changed: run.text !== digest(text) } : null
  } catch {
    return null
  }
}

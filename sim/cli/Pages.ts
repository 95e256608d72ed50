/**
 * The page of a run that failed, kept in `out/` beside its trace, by its hash. A convenience of `run` and `fuzz`: where it cannot be
 * kept, or would take long, they name the command that makes one.
 */
import { mkdirSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { examine } from "../explain/Examine.ts"
import { because as becauseOf } from "../explain/Screen.ts"
import { page } from "../report/html/Page.ts"
import type { Subject } from "../search/Subject.ts"
import { keptPath } from "./Keeper.ts"
import { versionOf } from "./KernelVersion.ts"
import { kernelOf, type Surroundings } from "./Surroundings.ts"
import { writeWhole } from "./Writing.ts"

/** A run of so many inputs is recorded and written in some ten seconds. */
const EVENTS_MAX = 200_000

export interface Failed {
  /** As the user named it. */
  readonly file: string
  readonly subject: Subject
  readonly hash: string
  readonly events: number
  readonly untilMs: number | null
  /** The words after `pnpm sim` that run it again. */
  readonly words: string
}

export interface Kept {
  /** `null`: there is none, and `pnpm sim report` says why. */
  readonly path: string | null
  /** What led to each failure, in a line, by the name of its expectation or invariant. */
  readonly because: ReadonlyMap<string, string>
}

const NOTHING: Kept = { path: null, because: new Map() }

export const keepPage = async (
  { events, file, hash, subject, untilMs, words }: Failed,
  around: Surroundings
): Promise<Kept> => {
  if (events > EVENTS_MAX) return NOTHING
  const kernel = await kernelOf(around)
  let because = NOTHING.because
  try {
    const examined = examine(subject, {
      ...(kernel === undefined ? {} : { kernel }),
      ...(untilMs === null ? {} : { untilMs })
    })
    if (examined.result.hash !== hash) return NOTHING
    because = new Map(
      examined.breaks.flatMap((broken) => {
        const words = becauseOf(examined, broken)
        return words === null ? [] : [[broken.id, words] as const]
      })
    )
    const commands = [
      ["again", `pnpm sim ${words}`],
      ["why", `pnpm sim explain ${words}`]
    ] as const
    const path = keptPath(hash, "html")
    const absolute = resolve(around.cwd, path)
    mkdirSync(dirname(absolute), { recursive: true })
    writeWhole(absolute, page({ file, words, examined, futures: null, commands, kernel: versionOf(around) }))
    return { path, because }
  } catch {
    return { path: null, because }
  }
}

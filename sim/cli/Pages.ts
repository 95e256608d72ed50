/**
 * The page of a run that failed, kept in `out/` beside its trace, by its hash. A convenience of `run` and `fuzz`: where it cannot be
 * kept, or would take long, they name the command that makes one.
 */
import { mkdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { examine, type Subject } from "../explain/Examine.ts"
import { because as becauseOf } from "../explain/Screen.ts"
import { page } from "../report/html/Page.ts"
import { commit } from "./Commit.ts"
import { kernelOf } from "./Subject.ts"
import type { Surroundings } from "./Surroundings.ts"
import { writeWhole } from "./Writing.ts"

const FOLDER = "out"
/** As many digits as a transcript shows. */
const HASH_SHOWN = 8
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

/** Where a page of that hash is kept. */
export const pagePath = (hash: string): string => join(FOLDER, `${hash.slice(0, HASH_SHOWN)}.html`)

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
    mkdirSync(resolve(around.cwd, FOLDER), { recursive: true })
    const path = pagePath(hash)
    writeWhole(resolve(around.cwd, path), page({ file, words, examined, futures: null, commands, kernel: commit() }))
    return { path, because }
  } catch {
    return { path: null, because }
  }
}

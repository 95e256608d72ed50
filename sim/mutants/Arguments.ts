/** The words after `pnpm mutants`, understood or refused with the way out. */
import { availableParallelism } from "node:os"
import { readFlags } from "../cli/Flags.ts"
import type { JsonTarget } from "../cli/Order.ts"
import { SEED_MAX } from "../scenario/Seed.ts"

/** Each scenario as written takes up 400 000 inputs in all; the rest are random faults. */
export const EVENTS_DEFAULT = 1_000_000
/** With fewer hardly any scenario is run to its end, and nothing is said by a mutant that survives. */
const EVENTS_MIN = 1_000
const EVENTS_MAX = 1e12
export const MECHANICAL_DEFAULT = 50
const MECHANICAL_MAX = 100_000
const JOBS_MAX = 256

export interface Order {
  readonly _tag: "mutants"
  /** How many of those with a name; `null`: all of them. */
  readonly named: number | null
  readonly mechanical: number
  /** These, of both kinds, and no others; empty: as said above. */
  readonly only: ReadonlyArray<string>
  readonly events: number
  readonly jobs: number
  /** `null`: from the commit. */
  readonly seed: number | null
  readonly json: JsonTarget | null
}

export type Understood =
  | Order
  | { readonly _tag: "help"; readonly text: string }
  | { readonly _tag: "misuse"; readonly message: string }

const kinds = {
  named: "nothing",
  some: { needs: "how many of those with a name, such as --some 5" },
  mechanical: { needs: "how many, such as --mechanical 50" },
  only: { needs: "the name of a mutant, such as --only votes-twice" },
  events: { needs: "how many inputs each of them gets, such as --events 1000000" },
  jobs: { needs: "how many at once, such as --jobs 2" },
  seed: { needs: "a number, such as --seed 1" }
} as const

const whole = (text: string, min: number, max: number): number | null => {
  const n = /^\d[\d_]{0,15}$/u.test(text) ? Number(text.replaceAll("_", "")) : Number.NaN
  return n >= min && n <= max ? n : null
}

export const readArguments = (words: ReadonlyArray<string>): Understood => {
  const flags = readFlags(words, kinds)
  if ("misuse" in flags) return { _tag: "misuse", message: flags.misuse.message }
  if (flags.help) return { _tag: "help", text: help }
  const { json, rest, values } = flags
  const misuse = (message: string): Understood => ({ _tag: "misuse", message })
  const [stray] = rest
  if (stray !== undefined)
    return misuse(
      `mutants takes no ${JSON.stringify(stray)}; one mutant is picked by --only, such as --only votes-twice`
    )
  const read = (flag: string, min: number, max: number): number | null | undefined => {
    const text = values.get(flag)
    return text === undefined ? undefined : whole(text, min, max)
  }
  const [some, mechanical, events, jobs, seed] = [
    read("some", 1, MECHANICAL_MAX),
    read("mechanical", 0, MECHANICAL_MAX),
    read("events", EVENTS_MIN, EVENTS_MAX),
    read("jobs", 1, JOBS_MAX),
    read("seed", 0, SEED_MAX)
  ]
  if (some === null) return misuse(`--some ${values.get("some")}: write how many, from 1 up, such as --some 5`)
  if (mechanical === null)
    return misuse(
      `--mechanical ${values.get("mechanical")}: write how many, from 0 to ${MECHANICAL_MAX}, such as --mechanical 50`
    )
  if (events === null)
    return misuse(
      `--events ${values.get("events")}: write how many inputs each mutant gets, from ${EVENTS_MIN} up, such as --events ${EVENTS_DEFAULT}`
    )
  if (jobs === null)
    return misuse(`--jobs ${values.get("jobs")}: write how many at once, from 1 to ${JOBS_MAX}, such as --jobs 2`)
  if (seed === null) return misuse(`--seed ${values.get("seed")}: write a number from 0 to ${SEED_MAX}`)
  const only = (values.get("only") ?? "").split(",").filter((name) => name !== "")
  if (values.has("only") && only.length === 0)
    return misuse("--only= names no mutant; such as --only votes-twice,forgets-the-term")
  const narrows = ["named", "some", "mechanical"].find((flag) => values.has(flag))
  if (only.length > 0 && narrows !== undefined) return misuse(`--only says which; leave out --${narrows}`)
  // Whoever asks for one kind wants that one.
  const byName = values.has("named") || some !== undefined || mechanical === undefined
  return {
    _tag: "mutants",
    named: byName ? (some ?? null) : 0,
    mechanical: mechanical ?? (byName && (values.has("named") || some !== undefined) ? 0 : MECHANICAL_DEFAULT),
    only,
    events: events ?? EVENTS_DEFAULT,
    jobs: jobs ?? availableParallelism(),
    seed: seed ?? null,
    json
  }
}

const help = `pnpm mutants [FLAGS]: does a bug in the kernel get past the scenarios?

Each mutant is the kernel with one bug. It is put on trial: every scenario as it is written, then random faults, until
something is not as it has to be, or the inputs are used up. What survives is a bug that nobody would find.

  --named           those with a name (sim/mutants/Named.ts), and no mechanical ones
  --some N          N of those with a name, picked by the seed
  --mechanical N    N mechanical ones, picked by the seed: a condition negated, a command dropped, a constant shifted
  --only NAME,NAME  these, of both kinds: a mechanical one is called as it is told, such as links/Login.ts:120:7:negate
  --events N        inputs that each gets (default ${EVENTS_DEFAULT})
  --jobs N          so many at once (default: as many as there are cores)
  --seed N          what is picked, and the first seed of random faults (default: from the commit)
  --json[=FILE]     the result as one record, on standard output or into FILE

Without --named, --some, --mechanical and --only: all with a name, and ${MECHANICAL_DEFAULT} mechanical ones.

Exit 0: 95 of a hundred with a name are caught, and 70 of a hundred mechanical ones (where there are 20 at least).
Exit 1: they are not. Exit 2: wrong use, or a mutant that has lost its place. Exit 70: the kernel without a bug fails.
`

/** `pnpm mutants`, but for the process: which mutants, on which scenarios, and what is told of them. */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { exits, type Exit } from "../cli/Exit.ts"
import { whyUnwritten, writeWhole } from "../cli/Writing.ts"
import { readScenario, renderMistakes } from "../scenario/read.ts"
import { nearest } from "../scenario/Spelling.ts"
import { readArguments, type Order } from "./Arguments.ts"
import { tried, tryAll } from "./Crew.ts"
import { LEFT_OUT, mutantsOf, sampled } from "./Mechanical.ts"
import { Moved, type Mutant } from "./Mutant.ts"
import { LostPlace, namedMutants } from "./Named.ts"
import { holds, ofKind, record, scoreOf, summary, triedLine } from "./Report.ts"
import type { Subject } from "./Trial.ts"

export interface Around {
  readonly project: string
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** The first eight hex digits of the commit; `null`: nobody knows it. */
  readonly commit: () => string | null
}

const SCENARIOS = "scenarios/{*,regressions/*}.yaml"

class Misuse extends Error {}

const subjectsOf = (project: string): ReadonlyArray<Subject> => {
  const files = globSync(SCENARIOS, { cwd: project }).toSorted()
  if (files.length === 0) throw new Misuse(`there is no scenario in ${join(project, "scenarios")} to put them on trial`)
  return files.map((file) => {
    const read = readScenario(file, readFileSync(join(project, file)))
    if ("mistakes" in read) throw new Misuse(renderMistakes(file, read.mistakes).trimEnd())
    return { name: file.slice(file.lastIndexOf("/") + 1, file.lastIndexOf(".")), scenario: read.scenario }
  })
}

/** All that there are, of either kind. */
export const allMutants = (project: string): { readonly [K in Mutant["kind"]]: ReadonlyArray<Mutant> } => {
  const kernel = join(project, "kernel")
  const read = (file: string): string => readFileSync(join(kernel, file), "utf8")
  const files = globSync("**/*.ts", { cwd: kernel })
    .filter((file) => !LEFT_OUT.includes(file))
    .toSorted()
  return { named: namedMutants(read), mechanical: files.flatMap((file) => mutantsOf(file, read(file))) }
}

const chosen = (order: Order, all: ReturnType<typeof allMutants>, seed: number): ReadonlyArray<Mutant> => {
  const { mechanical, named, only } = order
  if (only.length === 0)
    return [
      ...(named === null ? all.named : sampled(all.named, named, seed)),
      ...sampled(all.mechanical, mechanical, seed)
    ]
  const both = [...all.named, ...all.mechanical]
  return only.map((name) => {
    const found = both.find((mutant) => mutant.name === name)
    if (found !== undefined) return found
    const meant = nearest(
      name,
      both.map((mutant) => mutant.name)
    )
    throw new Misuse(
      meant === null
        ? `there is no mutant ${name}; those with a name: ${all.named.map((mutant) => mutant.name).join(" ")}`
        : `there is no mutant ${name}; did you mean ${meant}?`
    )
  })
}

const seedOf = (order: Order, around: Around): number => {
  if (order.seed !== null) return order.seed
  const commit = around.commit()
  if (commit === null)
    throw new Misuse("the seed comes from the commit, and there is none; write one, such as --seed 1")
  return Number.parseInt(commit, 16)
}

const run = async (order: Order, around: Around): Promise<Exit> => {
  const { err, out, project } = around
  const told = order.json === "stdout" ? err : out
  const seed = seedOf(order, around)
  const mutants = chosen(order, allMutants(project), seed)
  const written = subjectsOf(project)
  // As written, and once each: what the kernel makes of them without a bug.
  const sound = await tried({
    mutant: null,
    subjects: written,
    options: { events: Number.MAX_SAFE_INTEGER, known: [], seed }
  })
  if (sound.caught !== null) {
    err(`the kernel without a bug is caught as well: ${sound.caught.by}: ${sound.caught.why}. Mend that first\n`)
    return exits.defect
  }
  // The shortest first: most bugs are found by any of them.
  const order_ = sound.known.map((_, place) => place).sort((a, b) => sound.known[a]!.events - sound.known[b]!.events)
  const subjects = order_.map((place) => written[place]!)
  const known = order_.map((place) => sound.known[place]!)
  told(`${mutants.length} mutants, ${subjects.length} scenarios, ${order.events} inputs each, seed ${seed}\n`)
  const all = await tryAll(mutants, {
    subjects,
    jobs: order.jobs,
    options: { events: order.events, known, seed },
    onTried: (one) => told(triedLine(one))
  })
  told(summary(all))
  const kinds = ["named", "mechanical"] as const
  const enough = kinds.every((kind) => holds(kind, scoreOf(ofKind(all, kind))))
  const { json } = order
  if (json === "stdout") out(record(all, { seed, events: order.events }))
  else if (json !== null)
    try {
      writeWhole(json.path, record(all, { seed, events: order.events }))
    } catch (error) {
      err(`--json=${json.path} cannot be written: ${whyUnwritten(error)}\n`)
      return exits.wrongUse
    }
  return enough ? exits.passed : exits.failed
}

export const command = async (words: ReadonlyArray<string>, around: Around): Promise<Exit> => {
  const order = readArguments(words)
  if (order._tag === "help") {
    around.out(order.text)
    return exits.passed
  }
  if (order._tag === "misuse") {
    around.err(`${order.message}\n`)
    return exits.wrongUse
  }
  try {
    return await run(order, around)
  } catch (error) {
    if (!(error instanceof Misuse || error instanceof LostPlace || error instanceof Moved)) throw error
    around.err(`${error.message}\n`)
    return exits.wrongUse
  }
}

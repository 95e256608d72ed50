/** What is told of mutants: a line for each, the score of either kind, by module, and who survived. */
import type { Tried } from "./Crew.ts"
import { moduleOf, type Mutant } from "./Mutant.ts"

/** Percent that have to be caught, from so many on: of a handful of mechanical ones chance decides. */
export const FLOORS = { named: { percent: 95, from: 1 }, mechanical: { percent: 70, from: 20 } } as const

export interface Score {
  readonly caught: number
  readonly of: number
}

export const scoreOf = (all: ReadonlyArray<Tried>): Score => ({
  caught: all.filter(({ trial }) => trial.caught !== null).length,
  of: all.length
})

export const ofKind = (all: ReadonlyArray<Tried>, kind: Mutant["kind"]): ReadonlyArray<Tried> =>
  all.filter(({ mutant }) => mutant.kind === kind)

/** Whether so many are caught as have to be. */
export const holds = (kind: Mutant["kind"], { caught, of }: Score): boolean =>
  of < FLOORS[kind].from || 100 * caught >= FLOORS[kind].percent * of

const WHY_CHARS_MAX = 140
const shortly = (text: string): string => (text.length > WHY_CHARS_MAX ? `${text.slice(0, WHY_CHARS_MAX - 1)}…` : text)

const inputs = (events: number): string => `${String(events).replaceAll(/\B(?=(?:\d{3})+$)/gu, " ")} inputs`

/** The most useful thing to know of a survivor: did it change anything that was run? */
const traceOf = ({ trial: { compared, differ } }: Tried): string =>
  differ === 0
    ? `not one of ${compared} runs as written differs: nothing there comes by`
    : `${differ} of ${compared} runs as written differ, and nobody minds`

export const triedLine = (tried: Tried): string => {
  const { mutant, trial } = tried
  const { caught } = trial
  const where = mutant.kind === "named" ? `${mutant.name} (${mutant.rule})` : `${mutant.name}: ${mutant.what}`
  return caught === null
    ? `  ✗ ${where}: survives ${inputs(trial.events)}; ${traceOf(tried)}\n`
    : `  ✓ ${where}: ${caught.by}: ${shortly(caught.why)}\n`
}

const percent = ({ caught, of }: Score): string => (of === 0 ? "" : ` (${Math.floor((100 * caught) / of)} %)`)

const scoreLine = (kind: Mutant["kind"], score: Score): string =>
  `${kind}: ${score.caught} of ${score.of} caught${percent(score)}` +
  `${holds(kind, score) ? "" : `; ${FLOORS[kind].percent} % have to be`}\n`

const byModule = (all: ReadonlyArray<Tried>): ReadonlyArray<readonly [module: string, score: Score]> => {
  const modules = [...new Set(all.map(({ mutant }) => moduleOf(mutant)))].sort()
  return modules.map((module) => [module, scoreOf(all.filter(({ mutant }) => moduleOf(mutant) === module))])
}

const survivorLine = ({ mutant, ...tried }: Tried): string =>
  `  kernel/${mutant.file}:${mutant.line}  ${mutant.name}: ${mutant.what}\n      ${traceOf({ mutant, ...tried })}\n`

export const summary = (all: ReadonlyArray<Tried>): string => {
  const parts: Array<string> = []
  for (const kind of ["named", "mechanical"] as const) {
    const those = ofKind(all, kind)
    if (those.length === 0) continue
    parts.push(scoreLine(kind, scoreOf(those)))
    if (kind === "mechanical")
      for (const [module, score] of byModule(those))
        parts.push(`  ${module.padEnd(12)} ${score.caught} of ${score.of}${percent(score)}\n`)
  }
  const survivors = all.filter(({ trial }) => trial.caught === null)
  if (survivors.length > 0) parts.push("survivors:\n", ...survivors.map(survivorLine))
  return parts.join("")
}

export const record = (all: ReadonlyArray<Tried>, about: { readonly seed: number; readonly events: number }): string =>
  `${JSON.stringify({
    $type: "clawmesh.mutants/1",
    ...about,
    named: scoreOf(ofKind(all, "named")),
    mechanical: scoreOf(ofKind(all, "mechanical")),
    modules: Object.fromEntries(byModule(ofKind(all, "mechanical"))),
    mutants: all.map(
      ({ mutant: { file, kind, line, name, rule, what }, trial: { caught, compared, differ, events } }) => ({
        name,
        kind,
        file: `kernel/${file}`,
        line,
        rule,
        what,
        caught,
        events,
        differ,
        compared
      })
    )
  })}\n`

/** The flags that say which run of a scenario is meant, and how far, for every command that takes one. */
import { SEED_MAX } from "../scenario/Seed.ts"
import { readPoints } from "../search/Points.ts"
import type { Kind } from "./Flags.ts"
import { readTime, readWith, withKind, withMistake, type RunOrder } from "./Order.ts"

export const whichKinds: { readonly [flag: string]: Kind } = {
  seed: { needs: "a number, such as --seed 7" },
  until: { needs: "a time with a unit, such as --until 62s" },
  fuzzed: "nothing",
  "no-swarm": "nothing",
  branch: { needs: "where it turns off, such as --branch 12345:3" },
  with: withKind
}

/** Of a run that is looked into as a whole. */
export const wholeKinds = ((): { readonly [flag: string]: Kind } => {
  const { until: _, ...kinds } = whichKinds
  return kinds
})()

/** What a trace says by itself. */
const ofScenarios = Object.keys(wholeKinds)

/** A flag beside a trace that is for scenarios, in a sentence; `null`: there is none. */
export const surplusFlag = (command: string, trace: string, values: Values): string | null => {
  const flag = ofScenarios.find((name) => values.has(name))
  return flag === undefined
    ? null
    : `--${flag} is for scenarios; a trace says by itself which run it is: pnpm sim ${command} ${trace}`
}

type Which = Pick<RunOrder, "seed" | "untilMs" | "with" | "fuzzed">
type Values = ReadonlyMap<string, string>

export const timeMistake = (flag: string, text: string): string =>
  `--${flag} ${text}: write a time with a unit, such as 500ms, 6s, 2m or 1h`

/** What is wrong with a value by itself. */
export const readValues = (values: Values): Omit<Which, "fuzzed"> | { readonly mistake: string } => {
  const seed = values.get("seed")
  if (seed !== undefined && (!/^\d{1,10}$/u.test(seed) || Number(seed) > SEED_MAX))
    return { mistake: `--seed ${seed}: a seed is a whole number from 0 to ${SEED_MAX}` }
  const until = values.get("until")
  const untilMs = until === undefined ? null : readTime(until)
  if (until !== undefined && untilMs === null) return { mistake: timeMistake("until", until) }
  const besides = values.get("with")
  const others = besides === undefined ? { gen1: 0 } : readWith(besides)
  if (others === null) return { mistake: withMistake(besides ?? "") }
  return { seed: seed === undefined ? null : Number(seed), untilMs, with: others }
}

/** What is wrong with values together. */
export const readFuzzed = (values: Values): Pick<Which, "fuzzed"> | { readonly mistake: string } => {
  const swarm = !values.has("no-swarm")
  const fuzzed = values.has("fuzzed")
  if (!swarm && !fuzzed) return { mistake: "--no-swarm goes with --fuzzed, or with pnpm sim fuzz" }
  if (fuzzed && !values.has("seed"))
    return {
      mistake: "--fuzzed needs the seed to draw from: --seed 7 --fuzzed; for many seeds there is pnpm sim fuzz"
    }
  const branch = values.get("branch")
  const points = branch === undefined ? [] : readPoints(branch)
  if (points === null)
    return {
      mistake: `--branch ${branch}: write after how many inputs and which future, such as --branch 12345:3; several in order, with commas`
    }
  if (points.length > 0 && !fuzzed)
    return { mistake: "--branch goes with --fuzzed: it is a future of a run that was drawn" }
  return { fuzzed: fuzzed ? { swarm, points } : null }
}

/** Which run is meant. */
export const readWhole = (
  values: Values
): Pick<RunOrder, "seed" | "with" | "fuzzed"> | { readonly mistake: string } => {
  const which = readValues(values)
  if ("mistake" in which) return which
  const drawn = readFuzzed(values)
  return "mistake" in drawn ? drawn : { seed: which.seed, with: which.with, fuzzed: drawn.fuzzed }
}

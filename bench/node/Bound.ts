/** A figure beside the bound that it is held to. */
import { rounded } from "../Measure.ts"

export interface Bound {
  readonly what: string
  readonly value: number
  readonly unit: string
  /** One of the two. */
  readonly atMost?: number
  readonly atLeast?: number
}

/** What was not measured holds nothing. */
export const holds = ({
  atLeast = Number.NEGATIVE_INFINITY,
  atMost = Number.POSITIVE_INFINITY,
  value
}: Bound): boolean => value >= atLeast && value <= atMost

export const lineOf = (bound: Bound): string => {
  const { atLeast, atMost, unit, value, what } = bound
  const written = (amount: number): string => `${rounded(amount)}${unit.startsWith("/") ? "" : " "}${unit}`
  const limit = atMost === undefined ? `at least ${written(atLeast!)}` : `at most ${written(atMost)}`
  return `  ${holds(bound) ? "✓" : "✗"} ${what.padEnd(47)}  ${written(value).padEnd(16)} ${limit}`
}

/** The last line of a bench; with `--assert` those that do not hold are a failure, and named. */
export const close = (bounds: ReadonlyArray<Bound>, given: ReadonlyArray<string>): void => {
  const missed = bounds.filter((bound) => !holds(bound))
  console.log(`\nbounds: ${bounds.length - missed.length} hold, ${missed.length} do not`)
  if (missed.length > 0 && given.includes("--assert")) {
    console.log(`missed: ${missed.map(({ what }) => what).join("; ")}`)
    process.exitCode = 1
  }
}

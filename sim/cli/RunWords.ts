/** How a run is called in a command that somebody can type. */
import { type Points, pointsText } from "../search/Points.ts"
import type { Subject } from "../search/Subject.ts"
import { type With, withWords } from "./Order.ts"
import { shellWord } from "./Surroundings.ts"

/** The words after `pnpm sim COMMAND`. */
export const runWords = (file: string, { fuzzed, seed }: Pick<Subject, "fuzzed" | "seed">, others: With): string => {
  const branch = fuzzed === null || fuzzed.points.length === 0 ? "" : ` --branch ${pointsText(fuzzed.points)}`
  const drawn = fuzzed === null ? "" : ` --fuzzed${fuzzed.swarm ? "" : " --no-swarm"}${branch}`
  return `${shellWord(file)} --seed ${seed}${drawn}${withWords(others)}`
}

/**
 * Of a branch that there is not: what ran was another run than the one that was asked for. `reached`: how many of its points it came to.
 * `null`: all.
 */
export const astray = (
  { fuzzed, seed }: Pick<Subject, "fuzzed" | "seed">,
  reached: number,
  { events }: { readonly events: number }
): string | null => {
  const points: Points = fuzzed?.points ?? []
  const missing = points[reached]
  return missing === undefined
    ? null
    : `--branch ${pointsText(points)}: the run of seed ${seed} ends after ${events} inputs and never comes to ${pointsText([missing])}; ` +
        "write the points as pnpm sim fuzz --branching told them, with the same seed, file and flags"
}

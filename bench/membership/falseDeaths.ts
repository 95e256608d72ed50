/**
 * A healthy mesh, with and without loss, for so many edge-seconds (one member watching one other for a second): how often one
 * declares another down that lives.
 */
import { isUndone, runWithin, undone, type Contender, type Undone } from "./Mesh.ts"

export interface FalseDeaths {
  readonly size: number
  readonly lossPpm: number
  readonly edgeSeconds: number
  readonly secondsMost: number
}

export interface FalseDeathsResult {
  readonly edgeSeconds: number
  readonly suspected: number
  readonly died: number
}

const DELAY_MS = { min: 1, max: 2 }
/** Of one mesh, before the next seed. */
const RUN_SECONDS = 2_000

const once = (contender: Contender, { secondsMost, lossPpm, size }: FalseDeaths, seed: number, seconds: number) => {
  let counts = false
  let suspected = 0
  let died = 0
  const mesh = contender.make({
    size,
    seed,
    delayMs: DELAY_MS,
    lossPpm,
    onWord: ({ state }) => {
      if (!counts) return
      if (state === "suspect") suspected++
      if (state === "down") died++
    }
  })
  if (!runWithin(mesh, contender.meetsMs, secondsMost)) return undone(size, secondsMost)
  counts = true
  mesh.run(contender.meetsMs + seconds * 1_000)
  return { suspected, died }
}

export const falseDeaths = (contender: Contender, what: FalseDeaths): FalseDeathsResult | Undone => {
  const edges = what.size * (what.size - 1)
  let left = Math.ceil(what.edgeSeconds / edges)
  let lived = 0
  let suspected = 0
  let died = 0
  for (let seed = 1; left > 0; seed++) {
    const seconds = Math.min(left, RUN_SECONDS)
    const result = once(contender, what, seed, seconds)
    if (isUndone(result)) return result
    suspected += result.suspected
    died += result.died
    lived += seconds
    left -= seconds
  }
  return { edgeSeconds: lived * edges, suspected, died }
}

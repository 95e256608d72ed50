/**
 * The power goes at some members at once, without a FIN: when the first survivor has declared them down (D1), and when the last
 * one has (DA). One mesh for each seed; whom it strikes, and when within a second, is drawn.
 */
import { below } from "../../kernel/Draw.ts"
import { isUndone, runWithin, undone, type Contender, type Undone } from "./Mesh.ts"

export interface PowerCut {
  readonly size: number
  readonly victims: number
  readonly seeds: number
  readonly secondsMost: number
}

export interface PowerCutResult {
  /** Of each seed, in order of size, ms. */
  readonly firstMs: ReadonlyArray<number>
  readonly allMs: ReadonlyArray<number>
  /** Seeds in which somebody still did not know a minute later. */
  readonly unknown: number
  /** Declared down, though they lived. */
  readonly falsely: number
}

const DELAY_MS = { min: 1, max: 2 }
const KNOWN_AT_MOST_MS = 60_000
const LOOK_MS = 1_000

const once = (contender: Contender, { secondsMost, size, victims }: PowerCut, seed: number) => {
  const down = new Map<number, number>()
  const struck = new Set<number>()
  let falsely = 0
  let firstMs = Number.NaN
  let lastMs = Number.NaN
  const mesh = contender.make({
    size,
    seed,
    delayMs: DELAY_MS,
    lossPpm: 0,
    onWord: ({ atMs, observer, state, subject }) => {
      if (struck.has(observer)) return
      if (!struck.has(subject)) {
        if (state === "down") falsely++
        return
      }
      const pair = observer * size + subject
      if (state !== "down") return void down.delete(pair)
      down.set(pair, atMs)
      if (Number.isNaN(firstMs)) firstMs = atMs
      lastMs = atMs
    }
  })
  const cutMs = contender.meetsMs + below(seed, "power-cut", "when", 0, 1_000)
  if (!runWithin(mesh, cutMs, secondsMost)) return undone(size, secondsMost)
  for (let n = 0; struck.size < victims; n++) struck.add(below(seed, "power-cut", "whom", n, size))
  for (const victim of struck) mesh.crash(victim)
  const wanted = victims * (size - victims)
  for (let atMs = cutMs; atMs < cutMs + KNOWN_AT_MOST_MS && down.size < wanted; atMs += LOOK_MS)
    mesh.run(atMs + LOOK_MS)
  return { firstMs: firstMs - cutMs, allMs: down.size < wanted ? null : lastMs - cutMs, falsely }
}

export const powerCut = (contender: Contender, what: PowerCut): PowerCutResult | Undone => {
  const firstMs: Array<number> = []
  const allMs: Array<number> = []
  let unknown = 0
  let falsely = 0
  for (let seed = 1; seed <= what.seeds; seed++) {
    const result = once(contender, what, seed)
    if (isUndone(result)) return result
    if (result.allMs === null) unknown++
    else {
      firstMs.push(result.firstMs)
      allMs.push(result.allMs)
    }
    falsely += result.falsely
  }
  const ordered = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)
  return { firstMs: ordered(firstMs), allMs: ordered(allMs), unknown, falsely }
}

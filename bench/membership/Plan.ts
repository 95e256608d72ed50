/** How much of each experiment a run does: `quick` takes half a minute of processor, `whole` a quarter of an hour by its parts. */
import { cellsOf, type Cell } from "./interval.ts"

export interface Plan {
  /** Processor time for nodes of ours to meet, before they are called too many. */
  readonly secondsMost: number
  readonly publishedCells: ReadonlyArray<Cell>
  readonly powerCut: ReadonlyArray<{
    readonly size: number
    readonly victims: number
    readonly seeds: number
    /** Of the baselines, which are there for comparison. */
    readonly baselineSeeds: number
    readonly boundMs: number | null
  }>
  readonly edgeSeconds: number
  readonly interval: ReadonlyArray<{ readonly size: number; readonly cells: ReadonlyArray<Cell> }>
  readonly lossy: ReadonlyArray<{ readonly size: number; readonly faulty: number; readonly seeds: number }>
  readonly trafficSizes: ReadonlyArray<number>
}

const cutSeeds = (size: number, seeds: number, baselineSeeds: number, boundMs: number | null, victims = 1) => ({
  size,
  victims,
  seeds,
  baselineSeeds,
  boundMs
})

export const quick: Plan = {
  secondsMost: 5,
  publishedCells: cellsOf([16, 32], [16_384], [64, 1_024]),
  powerCut: [
    cutSeeds(2, 100, 100, 3_700),
    cutSeeds(3, 100, 100, 3_900),
    cutSeeds(5, 100, 100, 2_800),
    cutSeeds(10, 60, 60, 3_000)
  ],
  edgeSeconds: 30_000,
  interval: [{ size: 16, cells: cellsOf([4], [2_048, 32_768], [64, 1_024]) }],
  lossy: [{ size: 10, faulty: 1, seeds: 3 }],
  trafficSizes: [2, 5, 10, 16]
}

export const whole: Plan = {
  secondsMost: 900,
  publishedCells: cellsOf([4, 16, 32], [512, 2_048, 16_384, 32_768], [1, 64, 1_024]),
  powerCut: [
    cutSeeds(2, 1_000, 1_000, 3_700),
    cutSeeds(3, 1_000, 1_000, 3_900),
    cutSeeds(5, 1_000, 1_000, 2_800),
    cutSeeds(10, 300, 300, 3_000),
    cutSeeds(20, 20, 100, null),
    cutSeeds(128, 20, 100, 3_000),
    cutSeeds(1_000, 3, 5, 3_500, 10)
  ],
  edgeSeconds: 1_000_000,
  interval: [
    { size: 20, cells: cellsOf([5], [2_048, 16_384, 32_768], [64, 1_024]) },
    { size: 128, cells: cellsOf([4, 32], [2_048, 16_384, 32_768], [1, 64, 1_024]) }
  ],
  lossy: [
    { size: 10, faulty: 1, seeds: 20 },
    { size: 20, faulty: 1, seeds: 5 },
    { size: 128, faulty: 1, seeds: 3 },
    { size: 1_000, faulty: 10, seeds: 1 }
  ],
  trafficSizes: [2, 3, 5, 10, 20, 32, 64, 128, 1_000]
}

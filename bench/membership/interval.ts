/**
 * Lifeguard's interval experiment: of N members C, spread evenly, are blocked together for D and open for I, again and again,
 * for two minutes. A false positive is a healthy member declared down: by anybody, or by a healthy one.
 */
import { runWithin, undone, type Contender, type Undone } from "./Mesh.ts"

export interface Cell {
  readonly blocked: number
  readonly blockedMs: number
  readonly openMs: number
}

export interface IntervalResult {
  readonly aboutHealthy: number
  readonly byHealthy: number
}

const LASTS_MS = 120_000
const DELAY_MS = { min: 1, max: 2 }

/** As the paper has them, every second or third value of each. */
export const cellsOf = (
  blocked: ReadonlyArray<number>,
  blockedMs: ReadonlyArray<number>,
  openMs: ReadonlyArray<number>
): ReadonlyArray<Cell> =>
  blocked.flatMap((blocked) =>
    blockedMs.flatMap((blockedMs) => openMs.map((openMs) => ({ blocked, blockedMs, openMs })))
  )

export const interval = (
  contender: Contender,
  size: number,
  cell: Cell,
  seed: number,
  secondsMost: number
): IntervalResult | Undone => {
  const apart = Math.floor(size / cell.blocked)
  const isStalled = (member: number) => member % apart === 0 && member / apart < cell.blocked
  const stalled = Array.from({ length: size }, (_, member) => member).filter(isStalled)
  let begun = false
  let aboutHealthy = 0
  let byHealthy = 0
  const mesh = contender.make({
    size,
    seed,
    delayMs: DELAY_MS,
    lossPpm: 0,
    onWord: ({ observer, state, subject }) => {
      if (!begun || state !== "down" || isStalled(subject)) return
      aboutHealthy++
      if (!isStalled(observer)) byHealthy++
    }
  })
  let atMs = contender.meetsMs
  if (!runWithin(mesh, atMs, secondsMost)) return undone(size, secondsMost)
  begun = true
  const endsMs = atMs + LASTS_MS
  const runFor = (ms: number) => {
    atMs = Math.min(endsMs, atMs + ms)
    mesh.run(atMs)
  }
  while (atMs < endsMs) {
    for (const member of stalled) mesh.block(member)
    runFor(cell.blockedMs)
    for (const member of stalled) mesh.open(member)
    runFor(cell.openMs)
  }
  return { aboutHealthy, byHealthy }
}

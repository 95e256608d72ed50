/**
 * Rapid's experiment: one member in a hundred loses most of what it sends, or of what is sent to it. When it is removed
 * everywhere, whether it stays removed, and whether somebody healthy goes with it.
 */
import { runWithin, undone, type Contender, type Undone } from "./Mesh.ts"

export interface Lossy {
  readonly size: number
  readonly faulty: number
  readonly direction: "egress" | "ingress"
  readonly ppm: number
  readonly seed: number
  readonly secondsMost: number
}

export interface LossyResult {
  /** Until all healthy members first had all faulty ones down at once; `null`: they never did. */
  readonly removedMs: number | null
  /** From the first healthy member that had one of them down to the last, of the worst; `null`: as above. */
  readonly disagreedMs: number | null
  /** A healthy member took a faulty one back. */
  readonly takenBack: number
  /** A healthy member declared a healthy one down. */
  readonly healthyRemoved: number
}

const LASTS_MS = 120_000
const DELAY_MS = { min: 1, max: 2 }

export const lossy = (contender: Contender, what: Lossy): LossyResult | Undone => {
  const { direction, secondsMost, faulty, ppm, seed, size } = what
  const apart = Math.floor(size / faulty)
  const isFaulty = (member: number) => member % apart === apart - 1 && Math.floor(member / apart) < faulty
  const pairs = faulty * (size - faulty)
  const down = new Set<number>()
  let begunMs = Number.POSITIVE_INFINITY
  let removedMs: number | null = null
  const firstMs = new Map<number, number>()
  const lastMs = new Map<number, number>()
  let disagreedMs: number | null = null
  let takenBack = 0
  let healthyRemoved = 0
  const mesh = contender.make({
    size,
    seed,
    delayMs: DELAY_MS,
    lossPpm: 0,
    onWord: ({ atMs, observer, state, subject }) => {
      if (atMs < begunMs || isFaulty(observer)) return
      if (!isFaulty(subject)) {
        if (state === "down") healthyRemoved++
        return
      }
      const pair = observer * size + subject
      if (state === "down") {
        down.add(pair)
        if (!firstMs.has(subject)) firstMs.set(subject, atMs)
        lastMs.set(subject, atMs)
      } else if (down.delete(pair)) takenBack++
      if (down.size !== pairs || removedMs !== null) return
      removedMs = atMs - begunMs
      disagreedMs = Math.max(...[...lastMs].map(([whom, ms]) => ms - firstMs.get(whom)!))
    }
  })
  if (!runWithin(mesh, contender.meetsMs, secondsMost)) return undone(size, secondsMost)
  begunMs = contender.meetsMs
  for (let member = 0; member < size; member++) if (isFaulty(member)) mesh.lose(member, direction, ppm)
  mesh.run(begunMs + LASTS_MS)
  return { removedMs, disagreedMs, takenBack, healthyRemoved }
}

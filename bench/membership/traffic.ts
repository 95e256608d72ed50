/** A healthy mesh in which nothing happens: messages and bytes that each member sends a second. */
import { runWithin, undone, type Contender, type Traffic, type Undone } from "./Mesh.ts"

/** A whole turn of what our nodes do least often: a round trip is measured on each sixtieth beat. */
const LASTS_MS = 60_000
const DELAY_MS = { min: 1, max: 2 }

export const traffic = (contender: Contender, size: number, secondsMost: number): Traffic | Undone => {
  const mesh = contender.make({ size, seed: 1, delayMs: DELAY_MS, lossPpm: 0, onWord: () => {}, countTraffic: true })
  if (!runWithin(mesh, contender.meetsMs, secondsMost)) return undone(size, secondsMost)
  const before = mesh.sent()
  mesh.run(contender.meetsMs + LASTS_MS)
  const after = mesh.sent()
  const memberSeconds = (size * LASTS_MS) / 1_000
  return {
    messages: (after.messages - before.messages) / memberSeconds,
    membership: (after.membership - before.membership) / memberSeconds,
    bytes: (after.bytes - before.bytes) / memberSeconds
  }
}

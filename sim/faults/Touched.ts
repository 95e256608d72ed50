/** How many messages and openings met a fault on some directions, since now. */
import type { Network } from "../network/Network.ts"
import type { Pair } from "./Fault.ts"

export const touchedOn = (network: Network, over: ReadonlyArray<Pair>): (() => number) => {
  const sum = (): number => over.reduce((n, [a, b]) => n + network.touched(a.name, b.name), 0)
  const before = sum()
  return () => sum() - before
}

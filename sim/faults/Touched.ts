/** How many messages and openings met a fault on some directions, since now. */
import type { World } from "../engine/World.ts"
import type { Pair } from "./Fault.ts"

const sum = ({ network }: World, over: ReadonlyArray<Pair>): number =>
  over.reduce((n, [from, to]) => n + network.touched(from, to), 0)

export const touchedOn = (now: World, over: ReadonlyArray<Pair>): ((world: World) => number) => {
  const before = sum(now, over)
  return (world) => sum(world, over) - before
}

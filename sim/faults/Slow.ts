/** Links with another delay or loss than usual, in both directions. Of two on one link the later counts for what it sets. */
import type { Delay } from "../network/Delay.ts"
import { names, pairs, tell, type Fault } from "./Fault.ts"

export const slow: Fault<"slow"> = ({ between, delay: odd, delayMs, lossPpm }, strike) => {
  const machines = strike.resolve(between)
  const delay: Delay | null = odd ?? (delayMs === null ? null : { _tag: "uniform", ms: delayMs })
  const id = strike.world.network.apply({ _tag: "slow", pairs: pairs(machines, machines), delay, lossPpm }, strike.key)
  strike.tell("world.slow", null, names(machines))
  return {
    touched: ({ network }) => network.touched(id),
    undo: (world) => {
      world.network.undo(id)
      tell(world, "world.undo", null, `${names(machines)} as fast as before`)
    }
  }
}

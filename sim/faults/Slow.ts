/** Links with another delay or loss than usual, in both directions. Of two on one link the later counts. */
import { names, pairs, tell, type Fault } from "./Fault.ts"
import { touchedOn } from "./Touched.ts"

export const slow: Fault<"slow"> = ({ between, delayMs, lossPpm }, strike) => {
  const machines = strike.resolve(between)
  const all = pairs(machines, machines)
  const { network } = strike.world
  const touched = touchedOn(strike.world, all)
  for (const [from, to] of all) network.shape(from, to, delayMs, lossPpm)
  strike.tell("world.slow", null, names(machines))
  return {
    touched,
    undo: (world) => {
      for (const [from, to] of all) world.network.shape(from, to, null, null)
      tell(world, "world.undo", null, `${names(machines)} as fast as before`)
    }
  }
}

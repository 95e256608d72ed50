/** Links with another delay or loss than usual, in both directions. Of two on one link the later counts. */
import { names, pairs, type Fault } from "./Fault.ts"
import { touchedOn } from "./Touched.ts"

export const slow: Fault<"slow"> = ({ between, delayMs, lossPpm }, strike) => {
  const machines = strike.resolve(between)
  const all = pairs(machines, machines)
  const { network } = strike.world
  for (const [a, b] of all) network.shape(a.name, b.name, delayMs, lossPpm)
  const touched = touchedOn(network, all)
  strike.tell("world.slow", null, names(machines))
  return {
    touched,
    undo: () => {
      for (const [a, b] of all) network.shape(a.name, b.name, null, null)
      strike.tell("world.undo", null, `${names(machines)} as fast as before`)
    }
  }
}

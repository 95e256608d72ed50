/**
 * The cable of a machine is out, or its radio off: nobody is reached by it and nobody reaches it, and its own interface says so.
 * The daemon tells the kernel within half a second that the carrier went, and that it is back (adapters/node/Carrier.ts).
 *
 * Does not model: other interfaces, and addresses that change meanwhile.
 */
import { inWorld, names, oneOf, pairs, tell, type Fault } from "./Fault.ts"

/** The middle of what the daemon takes. */
const NOTICED_MS = 250

export const unplug: Fault<"unplug"> = ({ who }, strike) => {
  const machines = strike.resolve(who)
  const { machines: all, network } = strike.world
  const away = { _tag: "cut", pairs: [...pairs(machines, all), ...pairs(all, machines)] } as const
  const id = network.apply(away, strike.key)
  strike.tell("world.unplug", oneOf(machines), names(machines))
  for (const machine of machines) machine.carrier(false, NOTICED_MS)
  return {
    touched: (world) => world.network.touched(id),
    undo: (world) => {
      world.network.undo(id)
      tell(world, "world.undo", oneOf(machines), `${names(machines)} plugged in again`)
      for (const machine of inWorld(world, machines)) machine.carrier(true, NOTICED_MS)
    }
  }
}

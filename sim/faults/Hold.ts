/**
 * A person at the device holds all that it moves, and lets go at the end of the step. A device that does not run hears nobody.
 *
 * Does not model: one group of several; who the person is.
 */
import { inWorld, names, oneOf, tell, type Fault } from "./Fault.ts"

export const hold: Fault<"hold"> = ({ who }, strike) => {
  const machines = strike.resolve(who).filter(({ config, running }) => running && (config.actuators ?? []).length > 0)
  strike.tell("world.hold", oneOf(machines), `a person holds what ${names(machines)} moves`)
  for (const machine of machines) machine.hold(true)
  return {
    touched: () => machines.length,
    undo: (world) => {
      tell(world, "world.undo", oneOf(machines), `what ${names(machines)} moves is released`)
      for (const machine of inWorld(world, machines)) machine.hold(false)
    }
  }
}

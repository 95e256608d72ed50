/**
 * The planner of a device works no more, and its node is told so; as long as the step lasts, also each of its next processes. Of several
 * steps the last to end lets it work again.
 */
import { inWorld, names, oneOf, tell, type Fault } from "./Fault.ts"

export const stopEngine: Fault<"stop-engine"> = ({ who }, strike) => {
  const machines = strike.resolve(who)
  strike.tell("world.stop-engine", oneOf(machines), `the planner of ${names(machines)} works no more`)
  for (const machine of machines) machine.stopEngine(true)
  return {
    touched: () => machines.length,
    undo: (world) => {
      tell(world, "world.undo", oneOf(machines), `the planner of ${names(machines)} works again`)
      for (const machine of inWorld(world, machines)) machine.stopEngine(false)
    }
  }
}

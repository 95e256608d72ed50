/**
 * What a device moves is stuck: it stays as it is, also when its own clock says that it has been so for long enough, and each drive
 * is answered with no. Touched are the drives that failed.
 *
 * Does not model: one actuator of several; one that moves by half, or says that it moved and did not.
 */
import { inWorld, names, oneOf, tell, type Fault } from "./Fault.ts"

export const jam: Fault<"jam"> = ({ who }, strike) => {
  const machines = strike.resolve(who).filter(({ config }) => (config.actuators ?? []).length > 0)
  strike.tell("world.jam", oneOf(machines), `what ${names(machines)} moves is stuck`)
  const before = machines.reduce((sum, { failedDrives }) => sum + failedDrives, 0)
  for (const machine of machines) machine.jam(true)
  return {
    touched: (world) => inWorld(world, machines).reduce((sum, { failedDrives }) => sum + failedDrives, 0) - before,
    undo: (world) => {
      tell(world, "world.undo", oneOf(machines), `what ${names(machines)} moves is free again`)
      for (const machine of inWorld(world, machines)) machine.jam(false)
    }
  }
}

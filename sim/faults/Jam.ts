/**
 * What a device moves is stuck: it stays as it is, also when its own clock says that it has been so for long enough, and each drive
 * is answered with no. Touched are the drives that failed.
 *
 * Uncoupled it stays as it is as well, and each drive is answered with yes: touched are the drives that were in vain.
 *
 * Does not model: one actuator of several; one that moves by half.
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

export const uncouple: Fault<"uncouple"> = ({ who }, strike) => {
  const machines = strike.resolve(who).filter(({ config }) => (config.actuators ?? []).length > 0)
  strike.tell(
    "world.uncouple",
    oneOf(machines),
    `what ${names(machines)} moves does not move any more, and says that it does`
  )
  const before = machines.reduce((sum, { vainDrives }) => sum + vainDrives, 0)
  for (const machine of machines) machine.uncouple(true)
  return {
    touched: (world) => inWorld(world, machines).reduce((sum, { vainDrives }) => sum + vainDrives, 0) - before,
    undo: (world) => {
      tell(world, "world.undo", oneOf(machines), `what ${names(machines)} moves is coupled again`)
      for (const machine of inWorld(world, machines)) machine.uncouple(false)
    }
  }
}

/**
 * A slow or busy processor: each input takes so long, drawn anew, and those after it wait in order. Also answers of the process's
 * own (a signature, a stored record) are inputs.
 *
 * Does not model: work inside an input that is done before it has been taken up as a whole; a process that boots slowly.
 */
import { inWorld, names, oneOf, tell, type Fault } from "./Fault.ts"

export const slowCpu: Fault<"slow-cpu"> = ({ takesMs, who }, strike) => {
  const machines = strike.resolve(who)
  const before = machines.reduce((sum, { slowed }) => sum + slowed, 0)
  strike.tellOf("world.slow-cpu", machines)
  for (const machine of machines) if (machine.running) machine.intake.paceAt(takesMs)
  return {
    touched: (world) => inWorld(world, machines).reduce((sum, { slowed }) => sum + slowed, 0) - before,
    whileInForce: true,
    undo: (world) => {
      tell(world, "world.undo", oneOf(machines), `${names(machines)} as fast as before`)
      for (const machine of inWorld(world, machines)) machine.intake.paceAt(null)
    }
  }
}

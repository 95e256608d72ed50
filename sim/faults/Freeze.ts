/** The process stands still and keeps its sockets (SIGSTOP, swap): what comes in waits, and is taken up late when it thaws. */
import { inWorld, names, oneOf, tell, type Fault } from "./Fault.ts"

export const freeze: Fault<"freeze"> = ({ who }, strike) => {
  const machines = strike.resolve(who)
  const running = machines.filter((machine) => machine.running)
  strike.tellOf("world.freeze", machines)
  for (const machine of running) machine.freeze()
  strike.world.visible()
  return {
    touched: () => running.length,
    undo: (world) => {
      tell(world, "world.thaw", oneOf(machines), names(machines))
      for (const machine of inWorld(world, running)) machine.thaw()
    }
  }
}

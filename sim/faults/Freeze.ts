/** The process stands still and keeps its sockets (SIGSTOP, swap): what comes in waits, and is taken up late when it thaws. */
import { names, type Fault } from "./Fault.ts"

export const freeze: Fault<"freeze"> = ({ who }, strike) => {
  const machines = strike.resolve(who)
  const running = machines.filter((machine) => machine.running)
  strike.tellOf("world.freeze", machines)
  for (const machine of running) machine.frozen = true
  strike.world.visible()
  return {
    touched: () => running.length,
    undo: () => {
      strike.tell("world.thaw", machines.length === 1 ? machines[0]!.name : null, names(machines))
      for (const machine of machines) machine.thaw()
    }
  }
}

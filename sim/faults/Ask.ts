/**
 * A program on a device that asks another one for its peers, again and again, over the session that the two have, and reads the
 * answers as fast as its line carries them. It ends with the process; while there is no session it has nobody to ask.
 *
 * Does not model: a program that reads slowly, or not at all; throttle its line.
 */
import { inWorld, tell, type Fault } from "./Fault.ts"

export const ask: Fault<"ask"> = ({ eachMs, from, to }, strike) => {
  const asker = strike.world.machines.find(({ name }) => name === from)
  const asked = strike.world.machines.find(({ name }) => name === to)
  if (asker === undefined || asked === undefined) return { touched: () => 0, undo: null }
  strike.tell("world.ask", from, `each ${eachMs} ms, ${to}`)
  const asking = asker.ask(asked.config.deviceId, eachMs)
  return {
    touched: (now) => inWorld(now, [asker])[0]!.asked(asking),
    undo: (now) => {
      tell(now, "world.undo", from, `${from} asks no more`)
      inWorld(now, [asker])[0]!.stopAsking(asking)
    }
  }
}

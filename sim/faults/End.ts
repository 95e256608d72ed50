/**
 * A process ends: politely (`stop`, it says goodbye first) or with its machine's power (`crash`, no word to anybody, and what
 * the disk has not synced is lost). Taking it back starts it again, unless another step ended it too and still does.
 */
import type { Machine } from "../engine/Machine.ts"
import { inWorld, names, oneOf, tell, type Fault, type Strike, type Struck } from "./Fault.ts"
import { nextIncarnation } from "./Start.ts"

const ended = (strike: Strike, event: "world.stop" | "world.crash", machines: ReadonlyArray<Machine>): Struck => {
  const running = machines.filter((machine) => machine.running).length
  strike.tellOf(event, machines)
  for (const machine of machines) {
    strike.world.script.ends.add(machine.index)
    if (event === "world.stop") machine.leave()
    else machine.crash(true)
  }
  strike.world.visible()
  return {
    touched: () => running,
    undo: (world) => {
      const again = inWorld(world, machines).filter(({ index }) => world.script.ends.takeBack(index))
      if (again.length === 0) return
      tell(world, "world.restart", oneOf(again), names(again), nextIncarnation(again))
      for (const machine of again) machine.start()
    }
  }
}

export const stop: Fault<"stop"> = ({ who }, strike) => ended(strike, "world.stop", strike.resolve(who))

export const crash: Fault<"crash"> = ({ who }, strike) => ended(strike, "world.crash", strike.resolve(who))

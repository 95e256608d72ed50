/**
 * A process ends: politely (`stop`, it says goodbye first) or with its machine's power (`crash`, no word to anybody, and what
 * the disk has not synced is kept, lost or torn, as drawn). Of a disk that is to be torn something must be under way, or it was no
 * such fault. Taking it back starts it again, unless another step ended it too and still does, or it never ran: power that comes back
 * is no reason for somebody to switch on what was off.
 *
 * Does not model: a process that ends while its machine goes on writing, or that takes time to end.
 */
import type { DiskFate } from "../disk/SimVault.ts"
import type { Machine } from "../engine/Machine.ts"
import { inWorld, names, oneOf, tell, type Fault, type Strike, type Struck } from "./Fault.ts"
import { nextIncarnation } from "./Start.ts"

const ended = (
  strike: Strike,
  event: "world.stop" | "world.crash",
  machines: ReadonlyArray<Machine>,
  disk: DiskFate = "keep"
): Struck => {
  let struck = 0
  strike.tellOf(event, machines)
  for (const machine of machines) {
    strike.world.script.ends.add(machine.index)
    const { running } = machine
    const suffered = event === "world.stop" ? (machine.leave(), true) : machine.crash(true, disk)
    if (running && suffered) struck++
  }
  strike.world.visible()
  return {
    touched: () => struck,
    undo: (world) => {
      const again = inWorld(world, machines)
        .filter(({ index }) => world.script.ends.takeBack(index))
        .filter(({ everRan }) => everRan)
      if (again.length === 0) return
      tell(world, "world.restart", oneOf(again), names(again), nextIncarnation(again))
      for (const machine of again) machine.start()
    }
  }
}

export const stop: Fault<"stop"> = ({ who }, strike) => ended(strike, "world.stop", strike.resolve(who))

export const crash: Fault<"crash"> = ({ disk, who }, strike) => ended(strike, "world.crash", strike.resolve(who), disk)

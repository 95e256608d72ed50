/**
 * The power goes in the middle of the n-th record that a machine stores from now on: the record was asked for and is on the
 * disk, in part, or not at all, as drawn. Taking it back starts the machine again, or forgets about it where it never came so far.
 *
 * Of two on one machine the later counts. Does not model: a crash between two blocks of one journal rewrite.
 */
import { inWorld, names, oneOf, tell, type Fault } from "./Fault.ts"

export const crashAtWrite: Fault<"crash-at-write"> = ({ nth, who }, strike) => {
  const machines = strike.resolve(who)
  const before = machines.map(({ trapsSprung }) => trapsSprung)
  for (const machine of machines) machine.setTrap(nth)
  return {
    touched: (world) =>
      inWorld(world, machines).reduce((sum, { trapsSprung }, place) => sum + trapsSprung - before[place]!, 0),
    undo: (world) => {
      const all = inWorld(world, machines)
      for (const machine of all) machine.setTrap(0)
      const fallen = all.filter(({ trapsSprung }, place) => trapsSprung > before[place]!)
      const again = fallen.filter(({ index }) => world.script.ends.takeBack(index))
      if (again.length === 0) return
      tell(world, "world.restart", oneOf(again), names(again))
      for (const machine of again) machine.start()
    }
  }
}

/**
 * The machine sleeps, as a laptop whose lid is closed: no process runs, nothing reaches it or leaves it, connections stay as
 * they are on both sides. Its clocks go on, the monotonic one too (the daemon adds the time asleep); what was due meanwhile is
 * taken up when it wakes, and what was sent to it comes with TCP's next repeat.
 *
 * Does not model: network cards that take a while after waking; a lease of an address that ran out.
 */
import { inWorld, names, oneOf, pairs, tell, type Fault } from "./Fault.ts"

export const suspend: Fault<"suspend"> = ({ who }, strike) => {
  const { machines, network } = strike.world
  const asleep = strike.resolve(who)
  const running = asleep.filter((machine) => machine.running)
  strike.tellOf("world.suspend", asleep)
  const away = { _tag: "cut", pairs: [...pairs(asleep, machines), ...pairs(machines, asleep)] } as const
  const id = network.apply(away, strike.key)
  for (const machine of running) machine.freeze()
  strike.world.visible()
  return {
    touched: () => running.length,
    undo: (world) => {
      tell(world, "world.wake", oneOf(asleep), names(asleep))
      for (const machine of inWorld(world, running)) machine.thaw()
      world.network.undo(id)
    }
  }
}

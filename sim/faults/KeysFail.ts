/**
 * A key store that fails: the key refuses to sign, or every check comes back negative. Handshakes come to nothing meanwhile;
 * sessions, which are made, go on. Of two on one machine the later counts, and the end of either is the end of both.
 *
 * Does not model: a key store that is slow, or that answers wrongly in favour of somebody.
 */
import { inWorld, names, oneOf, tell, type Fault } from "./Fault.ts"

export const keysFail: Fault<"keys-fail"> = ({ at, who }, strike) => {
  const machines = strike.resolve(who)
  const before = machines.reduce((sum, { keyFailures }) => sum + keyFailures, 0)
  strike.tell("world.keys-fail", oneOf(machines), names(machines))
  for (const machine of machines) machine.keysFail = at
  return {
    touched: (world) => inWorld(world, machines).reduce((sum, { keyFailures }) => sum + keyFailures, 0) - before,
    undo: (world) => {
      tell(world, "world.undo", oneOf(machines), `the keys of ${names(machines)} work again`)
      for (const machine of inWorld(world, machines)) machine.keysFail = null
    }
  }
}

/**
 * The process stands still and keeps its sockets (SIGSTOP, swap): what comes in waits, and is taken up late when it thaws.
 *
 * `in: handshake`: each of them when it is next in the middle of a login, after one of the login's first steps, as drawn; who is in
 * none before the step ends was never struck. Of two on one machine the later counts.
 *
 * Does not model: one thread of several that stands still.
 */
import { below } from "../../kernel/Draw.ts"
import type { Machine } from "../engine/Machine.ts"
import type { World } from "../engine/World.ts"
import { inWorld, names, oneOf, tell, type Fault, type Strike, type Struck } from "./Fault.ts"

/** Both take so many steps at least from the login's first words to the session. */
const LOGIN_STEPS = 2

export const freeze: Fault<"freeze"> = (verb, strike) => {
  const machines = strike.resolve(verb.who)
  if (verb.in !== undefined) return inHandshake(machines, strike)
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

const inHandshake = (machines: ReadonlyArray<Machine>, { key, world: { seed } }: Strike): Struck => {
  const before = machines.map(({ loginsFrozen }) => loginsFrozen)
  for (const machine of machines)
    machine.setLoginTrap(1 + below(seed, "login-step", `${key}/${machine.name}`, 0, LOGIN_STEPS))
  const struck = (world: World): ReadonlyArray<Machine> =>
    inWorld(world, machines).filter(({ loginsFrozen }, place) => loginsFrozen > before[place]!)
  return {
    touched: (world) => struck(world).length,
    whileInForce: true,
    undo: (world) => {
      for (const machine of inWorld(world, machines)) machine.setLoginTrap(0)
      const frozen = struck(world)
      if (frozen.length === 0) return
      tell(world, "world.thaw", oneOf(frozen), names(frozen))
      for (const machine of frozen) machine.thaw()
    }
  }
}

/**
 * A machine gets another address, as from a DHCP server: its connections are dead, without a word to either end, and addresses
 * that others were told lead nowhere. It dials as before, and its adverts name the new address at once. Taking it back gives it
 * the address that it had, and ends its connections once more.
 *
 * Does not model: a resolver that learns of it; two machines that get the same address.
 */
import type { Machine } from "../engine/Machine.ts"
import type { World } from "../engine/World.ts"
import { inWorld, names, pairs, tell, type Fault } from "./Fault.ts"

const moved = (world: World, machines: ReadonlyArray<Machine>, by: 1 | -1, key: string): number => {
  const all = world.machines
  const rule = { _tag: "half-open", told: false, answer: "silence" } as const
  // Of each connection one direction is enough.
  const id = world.network.apply({ ...rule, pairs: pairs(machines, all) }, key)
  for (const machine of machines) machine.nearby.move(by)
  return id
}

export const move: Fault<"move"> = ({ who }, strike) => {
  const { key, world } = strike
  const machines = strike.resolve(who)
  const missed = machines.reduce((sum, { nearby }) => sum + nearby.missed, 0)
  strike.tellOf("world.move", machines)
  const id = moved(world, machines, 1, key)
  return {
    touched: (now) =>
      now.network.touched(id) + inWorld(now, machines).reduce((sum, { nearby }) => sum + nearby.missed, 0) - missed,
    undo: (now) => {
      tell(now, "world.undo", null, `${names(machines)} at the address before`)
      moved(now, inWorld(now, machines), -1, `${key}/back`)
    }
  }
}

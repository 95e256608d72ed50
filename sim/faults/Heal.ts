/** Takes back what other steps did to the network: of everything, or of the links among some nodes. No fault. */
import { DONE, names, pairs, type Fault } from "./Fault.ts"

export const heal: Fault<"heal"> = ({ usual, what }, strike) => {
  const { network, script } = strike.world
  if (usual !== undefined) network.setUsual(usual)
  if (what === "everything") {
    network.mendAll()
    // What was undone by hand is not undone again by its `for:`.
    script.forgetUndoing()
    strike.tell("world.heal", null, "everything")
    return DONE
  }
  const machines = strike.resolve(what)
  for (const [from, to] of pairs(machines, machines)) network.restore(from, to)
  strike.tell("world.heal", null, names(machines))
  return DONE
}

/**
 * A disk that is slow, does nothing, fails or is full: for whoever stores on it, and for whoever starts from it. When it is
 * mended it has what it had, and what waited for it is through. A process that cannot store ends by itself.
 *
 * Of two on one disk, the end of either mends it.
 *
 * Does not model: bytes that rot.
 */
import { inWorld, names, oneOf, tell, type Fault } from "./Fault.ts"

const words = { hang: "hangs", error: "fails", full: "is full" } as const

export const disk: Fault<"disk"> = ({ harm, who }, strike) => {
  const machines = strike.resolve(who)
  const before = machines.reduce((sum, { harmed }) => sum + harmed, 0)
  strike.tell("world.disk", oneOf(machines), typeof harm === "string" ? words[harm] : "is slow", {})
  for (const { vault } of machines) {
    if (typeof harm === "string") vault.harm(harm)
    else vault.slow(harm)
  }
  return {
    touched: (world) => inWorld(world, machines).reduce((sum, { harmed }) => sum + harmed, 0) - before,
    undo: (world) => {
      tell(world, "world.undo", oneOf(machines), `the disk of ${names(machines)} is mended`)
      for (const { vault } of inWorld(world, machines)) vault.mend()
    }
  }
}

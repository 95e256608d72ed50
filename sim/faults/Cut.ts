/**
 * Directions of links that carry nothing for a while: what is sent into one waits for TCP's next repeat after the heal. A link
 * may be under several cuts; it carries again when the last is taken back.
 *
 * Does not model: packets that were under way when the cut came are not lost.
 */
import { names, pairs, tell, type Fault, type Pair, type Strike, type Struck } from "./Fault.ts"
import { touchedOn } from "./Touched.ts"

const apart = (
  strike: Strike,
  event: "world.cut" | "world.partition",
  cuts: ReadonlyArray<Pair>,
  words: string
): Struck => {
  const { network } = strike.world
  const touched = touchedOn(strike.world, cuts)
  for (const [from, to] of cuts) network.cut(from, to)
  strike.tell(event, null, words)
  return {
    touched,
    undo: (world) => {
      for (const [from, to] of cuts) world.network.mend(from, to)
      tell(world, "world.undo", null, `${words} together again`)
    }
  }
}

export const cut: Fault<"cut"> = ({ from, oneWay, to }, strike) => {
  const a = strike.resolve(from)
  const b = strike.resolve(to)
  const forth = pairs(a, b)
  const cuts = oneWay ? forth : [...forth, ...pairs(b, a)]
  return apart(strike, "world.cut", cuts, `${names(a)}${oneWay ? " → " : " – "}${names(b)}`)
}

export const partition: Fault<"partition"> = ({ groups }, strike) => {
  const machines = groups.map((group) => strike.resolve(group))
  const cuts = machines.flatMap((a) => machines.flatMap((b) => (a === b ? [] : pairs(a, b))))
  return apart(strike, "world.partition", cuts, machines.map(names).join(" | "))
}

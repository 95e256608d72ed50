/**
 * Directions of links that carry nothing for a while: what is sent into one waits for TCP's next repeat after the heal. A link
 * may be under several cuts; it carries again when the last is taken back.
 *
 * Does not model: packets that were under way when the cut came are not lost.
 */
import type { Rule } from "../network/Rule.ts"
import { names, pairs, tell, type Fault, type Strike, type Struck } from "./Fault.ts"

const apart = (
  strike: Strike,
  event: "world.cut" | "world.partition" | "world.isolate",
  rule: Rule,
  words: string
): Struck => {
  const id = strike.world.network.apply(rule, strike.key)
  strike.tell(event, null, words)
  return {
    touched: ({ network }) => network.touched(id),
    undo: (world) => {
      world.network.undo(id)
      tell(world, "world.undo", null, `${words} together again`)
    }
  }
}

export const cut: Fault<"cut"> = ({ from, oneWay, to }, strike) => {
  const [a = [], b = []] = strike.resolveApart([from, to])
  const forth = pairs(a, b)
  const rule: Rule = { _tag: "cut", pairs: oneWay ? forth : [...forth, ...pairs(b, a)] }
  return apart(strike, "world.cut", rule, `${names(a)}${oneWay ? " → " : " – "}${names(b)}`)
}

export const partition: Fault<"partition"> = ({ groups }, strike) => {
  const machines = strike.resolveApart(groups)
  const rule: Rule = { _tag: "partition", groups: machines.map((group) => group.map(({ name }) => name)) }
  return apart(strike, "world.partition", rule, machines.map(names).join(" | "))
}

/** Nobody is reached by them and nobody reaches them, each other neither. */
export const isolate: Fault<"isolate"> = ({ who }, strike) => {
  const machines = strike.resolve(who)
  const { machines: all } = strike.world
  const rule: Rule = { _tag: "cut", pairs: [...pairs(machines, all), ...pairs(all, machines)] }
  return apart(strike, "world.isolate", rule, names(machines))
}

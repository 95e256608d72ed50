/**
 * What lies on links as a rule of the network (sim/network/Rule.ts): weather, connections that end or are forgotten, messages
 * that are changed. Where nodes are listed with `between:`, on all links among them, both ways; otherwise on one direction.
 *
 * Does not model: rules for single connections.
 */
import type { LinkVerb, Verb } from "../scenario/Scenario.ts"
import { names, pairs, tell, type Strike, type Struck } from "./Fault.ts"

/** As they are told when they end; what happens once has no end. */
const over: { readonly [verb in LinkVerb]: string | null } = {
  slow: "as fast as before",
  detour: "as near as before",
  clog: "unclogged",
  flap: "flapping no more",
  swizzle: "together again",
  throttle: "as wide as before",
  "burst-loss": "without bursts of loss",
  reset: null,
  "half-open": null,
  "idle-cut": "silence is not cut any more",
  duplicate: "nothing comes twice any more",
  reorder: "in order again",
  corrupt: "unharmed again",
  lie: "lying no more",
  "late-close": "closing as fast as before",
  "lossy-close": "closing without loss",
  "lose-adverts": "heard by multicast again"
}

export const link = (verb: Extract<Verb, { readonly _tag: LinkVerb }>, strike: Strike): Struck => {
  const { oneWay, rule } = verb
  const [a = [], b = []] = strike.resolveApart([verb.from, verb.to])
  const words = oneWay ? `${names(a)} → ${names(b)}` : names(a)
  const id = strike.world.network.apply({ ...rule, pairs: pairs(a, b) }, strike.key)
  strike.tell(`world.${verb._tag}`, null, words)
  const end = over[verb._tag]
  return {
    touched: ({ network }) => network.touched(id),
    undo:
      end === null
        ? null
        : (world) => {
            world.network.undo(id)
            tell(world, "world.undo", null, `${words} ${end}`)
          }
  }
}

/** Every verb of the timeline with its rule. */
import type { Verb } from "../scenario/Scenario.ts"
import { cut, partition } from "./Cut.ts"
import { crash, stop } from "./End.ts"
import type { Fault, Strike, Struck } from "./Fault.ts"
import { freeze } from "./Freeze.ts"
import { heal } from "./Heal.ts"
import { replay } from "./Replay.ts"
import { slow } from "./Slow.ts"
import { restart, start } from "./Start.ts"

const rules: { readonly [V in Verb["_tag"]]: Fault<V> } = {
  start,
  restart,
  stop,
  crash,
  freeze,
  cut,
  partition,
  slow,
  heal,
  replay
}

export const strikeWith = (verb: Verb, strike: Strike): Struck =>
  (rules[verb._tag] as (verb: Verb, strike: Strike) => Struck)(verb, strike)

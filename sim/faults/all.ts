/** Every verb of the timeline with its rule. */
import { hold } from "./Hold.ts"
import { jam, uncouple } from "./Jam.ts"
import type { Verb } from "../scenario/Scenario.ts"
import { advertise } from "./Advertise.ts"
import { appoint } from "./Appoint.ts"
import { ask } from "./Ask.ts"
import { connect } from "./Connect.ts"
import { crashAtWrite } from "./CrashAtWrite.ts"
import { cut, isolate, partition } from "./Cut.ts"
import { disk } from "./Disk.ts"
import { crash, stop } from "./End.ts"
import type { Fault, Strike, Struck } from "./Fault.ts"
import { freeze } from "./Freeze.ts"
import { heal } from "./Heal.ts"
import { callOff, infer } from "./Infer.ts"
import { keysFail } from "./KeysFail.ts"
import { link } from "./Links.ts"
import { move } from "./Move.ts"
import { replay } from "./Replay.ts"
import { approve, propose, reject } from "./Propose.ts"
import { send } from "./Send.ts"
import { stopEngine } from "./StopEngine.ts"
import { sense } from "./Sense.ts"
import { skew } from "./Skew.ts"
import { slowCpu } from "./SlowCpu.ts"
import { restart, start } from "./Start.ts"
import { suspend } from "./Suspend.ts"
import { revoke, trust } from "./Trust.ts"
import { unplug } from "./Unplug.ts"

const rules: { readonly [V in Verb["_tag"]]: Fault<V> } = {
  start,
  restart,
  stop,
  crash,
  "crash-at-write": crashAtWrite,
  freeze,
  suspend,
  hold,
  jam,
  uncouple,
  "slow-cpu": slowCpu,
  disk,
  skew,
  cut,
  partition,
  isolate,
  unplug,
  slow: link,
  detour: link,
  clog: link,
  flap: link,
  swizzle: link,
  throttle: link,
  "burst-loss": link,
  reset: link,
  "half-open": link,
  "idle-cut": link,
  duplicate: link,
  reorder: link,
  corrupt: link,
  lie: link,
  "late-close": link,
  "lossy-close": link,
  "lose-adverts": link,
  move,
  advertise,
  trust,
  revoke,
  "keys-fail": keysFail,
  connect,
  ask,
  sense,
  send,
  "stop-engine": stopEngine,
  appoint,
  infer,
  "call-off": callOff,
  propose,
  approve,
  reject,
  heal,
  replay
}

export const strikeWith = (verb: Verb, strike: Strike): Struck =>
  (rules[verb._tag] as (verb: Verb, strike: Strike) => Struck)(verb, strike)

/** A command: the checks, in their order, and what was done before (PROTOCOL.md P16.5, P16.6; S2, S3). */
import { SET, type Actuator } from "./Actuator.ts"
import { isBusy } from "./Drives.ts"
import type { Envelope, Fence } from "./Envelope.ts"
import { judge, type Carried } from "./Gate.ts"
import { AGAIN_MS, put, refuse, REMEMBERED_MS, yes, type Guard, type Step } from "./Guard.ts"
import { forbids } from "./Hold.ts"
import { isHolder } from "./Lease.ts"
import * as Ledger from "./Ledger.ts"
import { NEVER_MS } from "../Time.ts"
import type { Order, Turn } from "../Turn.ts"
import type { Code } from "../wire/Codes.ts"

/** Older than this by its sender's calendar: a command is not for now. */
const COMMAND_AGE_MAX_MS = 60_000
/** Who wait for what comes of one intent. */
const WAITING_MAX = 4

/** In this order: trust, what was done before, hold, journal, epoch and holder, age, again, state. */
export const told = (guard: Guard, actuator: Actuator, order: Order, turn: Turn): Guard | null => {
  const { ref } = actuator
  const carried: Carried = order.params
  const judged = judge(carried, actuator.demand)
  if (judged.refused !== null) return refuse(turn, order, ref, judged.refused.code, judged.refused.message)
  const envelope = judged.envelope!
  const fence = envelope.kernel
  if (fence === undefined)
    return refuse(turn, order, ref, "VERIFICATION_REQUIRED", "without a lease only a person's decision moves it")
  const group = Ledger.groupOf(turn.ledger(), guard.group)
  const before = group.intents.find(({ intentId }) => intentId === fence.intentId)
  if (before !== undefined) return again(guard, before, order, turn)
  const state = envelope.operation.params?.["state"]
  if (envelope.operation.name !== SET || typeof state !== "string" || !actuator.states.includes(state))
    return refuse(turn, order, ref, "NOT_ALLOWED", "it can be set to a state of its own, and to nothing else")
  const why = unfit(guard, group, actuator, envelope, fence, state, order, turn)
  if (why !== null) return refuse(turn, order, ref, why[0], why[1])
  const intent: Ledger.Intent = {
    intentId: fence.intentId,
    actuator: ref,
    state,
    epoch: fence.epoch,
    outcome: "started"
  }
  const stored = put(turn, { _tag: "Intended", group: guard.group, intent })
  const began = [...guard.began, { intentId: fence.intentId, at: turn.at.mono }].slice(-Ledger.INTENTS_MAX)
  const step: Step = { _tag: "Intending", stored, orders: [order.ticket], intent, forMs: fence.forMs }
  return { ...guard, began, step }
}

const unfit = (
  guard: Guard,
  group: Ledger.Group,
  actuator: Actuator,
  envelope: Envelope,
  fence: Fence,
  state: string,
  order: Order,
  turn: Turn
): readonly [Code, string] | null => {
  const { mono } = turn.at
  const isSafe = state === actuator.safe
  if (forbids(guard, isSafe, turn)) return ["ON_HOLD", "a person holds it"]
  if (fence.journalId !== turn.ledger()?.journalId) return ["TARGET_CHANGED", "its journal is another one"]
  if (fence.epoch !== group.epoch || !isHolder(group.holder, order.from) || guard.leaseUntil <= mono)
    return ["STALE_EPOCH", `epoch ${group.epoch} is in force, and not of this sender`]
  if (order.calendarMs !== null && order.calendarMs - envelope.createdAtMs > COMMAND_AGE_MAX_MS)
    return ["EXPIRED_COMMAND", "it was made too long ago"]
  if (!isSafe && (fence.forMs === 0 || fence.forMs > actuator.forMsMax))
    return ["NOT_ALLOWED", `it may be so for ${actuator.forMsMax} ms at most, and for as long as is said`]
  if (!isSafe && fence.again !== true && wasDone(guard, group, actuator.ref, state, mono))
    return ["DUPLICATE_PROPOSAL", "the same was done within ten minutes"]
  const now = guard.places.find(({ ref }) => ref === actuator.ref)
  if (fence.when !== undefined && now?.state !== fence.when)
    return ["PRECONDITION_FAILED", `it is ${now?.state ?? "in an unknown state"}`]
  if (isBusy(guard) || guard.step !== null) return ["TARGET_BUSY", "it is moving"]
  const oldest = guard.began[0]
  if (group.intents.length >= Ledger.INTENTS_MAX && oldest !== undefined && mono - oldest.at < REMEMBERED_MS)
    return ["RATE_LIMITED", "too much was done to it within a day"]
  return null
}

const wasDone = ({ began }: Guard, { intents }: Ledger.Group, ref: string, state: string, now: number): boolean =>
  intents.some(
    (one) =>
      one.actuator === ref &&
      one.state === state &&
      now - (began.find(({ intentId }) => intentId === one.intentId)?.at ?? -NEVER_MS) < AGAIN_MS
  )

/** The same intent as before: what came of it, or, while it is under way, what will. */
const again = (guard: Guard, before: Ledger.Intent, order: Order, turn: Turn): Guard | null => {
  if (before.outcome === "done") {
    yes(turn, order.ticket, { state: before.state })
    return null
  }
  if (before.outcome !== "started")
    return refuse(turn, order, before.actuator, before.outcome, "so it was when it was tried")
  const { move, step } = guard
  const more = (orders: ReadonlyArray<number>) => [...orders, order.ticket].slice(0, WAITING_MAX)
  if (move !== null && move.intent?.intentId === before.intentId && move.orders.length < WAITING_MAX)
    return { ...guard, move: { ...move, orders: more(move.orders) } }
  if (step !== null && step._tag !== "Granting" && step.orders.length < WAITING_MAX)
    return { ...guard, step: { ...step, orders: more(step.orders) } }
  return refuse(turn, order, before.actuator, "TARGET_BUSY", "it is under way")
}

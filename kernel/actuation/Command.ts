/** A command: the checks, in their order, and what was done before (PROTOCOL.md P16.5, P16.6; S2, S3). */
import { demandOf, SET, type Actuator } from "./Actuator.ts"
import { isBusy } from "./Drives.ts"
import type { Envelope, Fence } from "./Envelope.ts"
import { judge, type Carried } from "./Gate.ts"
import {
  AGAIN_MS,
  byRef,
  no,
  put,
  refuse,
  REMEMBERED_MS,
  replaced,
  yes,
  type Guard,
  type Guardian,
  type No,
  type Step
} from "./Guard.ts"
import { forbids } from "./Hold.ts"
import { isHolder } from "./Lease.ts"
import * as Ledger from "./Ledger.ts"
import { unmet } from "./Needs.ts"
import { NEVER_MS } from "../Time.ts"
import { note, type Order, type Turn } from "../Turn.ts"
import type { DeviceId } from "../wire/Frame.ts"

/** Older than this by its sender's calendar: a command is not for now. */
export const COMMAND_AGE_MAX_MS = 60_000
/** Who wait for what comes of one intent. */
const WAITING_MAX = 4

/** In this order: trust, what was done before, hold, journal, epoch and holder, order, age, again, state. */
export const told = (guard: Guard, actuator: Actuator, order: Order, turn: Turn): Guard | null => {
  const { ref } = actuator
  const carried: Carried = order.params
  const judged = judge(carried, demandOf(actuator))
  if (judged.refused !== null) return refuse(turn, order, ref, judged.refused.code, judged.refused.message)
  const envelope = judged.envelope!
  const fence = envelope.kernel
  if (fence === undefined)
    return refuse(turn, order, ref, "VERIFICATION_REQUIRED", "without a lease only a person's decision moves it")
  const group = Ledger.groupOf(turn.ledger(), guard.group)
  const before = Ledger.intentOf(turn.ledger(), fence.intentId)
  if (before !== undefined && before.actuator !== ref)
    return refuse(turn, order, ref, "ALREADY_DECIDED", "what is asked for under this name was something else")
  if (before !== undefined) return again(guard, before, order, turn)
  const state = envelope.operation.params?.["state"]
  if (envelope.operation.name !== SET || typeof state !== "string" || !actuator.states.includes(state))
    return refuse(turn, order, ref, "NOT_ALLOWED", "it can be set to a state of its own, and to nothing else")
  const { again: isAgain, epoch, forMs, intentId, when } = fence
  const wish: Wish = { intentId, actuator: ref, state, forMs, again: isAgain === true, when }
  const fenced = fencedOff(guard, group, envelope, fence, order, turn)
  // Refused or not, what was said before it comes too late from now on.
  const heard: Guard = fenced === null && fence.n !== undefined ? { ...guard, newest: { epoch, n: fence.n } } : guard
  const why = held(guard, actuator, state, turn) ?? fenced ?? unfit(guard, group, actuator, wish, turn)
  if (why === null) return intending(heard, wish, epoch, order.ticket, turn)
  refuse(turn, order, ref, why[0], why[1])
  return heard
}

/** What is to be done, whoever wants it. */
export interface Wish {
  readonly intentId: string
  readonly actuator: string
  readonly state: string
  readonly forMs: number
  /** It is meant though the same was done just now. */
  readonly again: boolean
  /** Not unless it is in this state now; absent: in any. */
  readonly when: string | undefined
}

const held = (guard: Guard, { safe }: Actuator, state: string, turn: Turn): No | null =>
  forbids(guard, state === safe, turn) ? ["ON_HOLD", "a person holds it"] : null

/** Its lease is not this one, or the command is not for now. */
const fencedOff = (
  guard: Guard,
  group: Ledger.Group,
  envelope: Envelope,
  fence: Fence,
  order: Order,
  turn: Turn
): No | null => {
  if (fence.journalId !== turn.ledger()?.journalId) return ["TARGET_CHANGED", "its journal is another one"]
  if (fence.epoch !== group.epoch || !isHolder(group.holder, order.from) || guard.leaseUntil <= turn.at.mono)
    return ["STALE_EPOCH", `epoch ${group.epoch} is in force, and not of this sender`]
  if (fence.n !== undefined && guard.newest.epoch === fence.epoch && fence.n <= guard.newest.n)
    return ["STALE_EPOCH", "a newer command under this lease came before it"]
  const calendarMs = guard.aheadMs === null ? order.calendarMs : turn.at.mono + guard.aheadMs
  if (calendarMs !== null && calendarMs - envelope.createdAtMs > COMMAND_AGE_MAX_MS)
    return ["EXPIRED_COMMAND", "it was made too long ago"]
  return null
}

const unfit = (guard: Guard, group: Ledger.Group, actuator: Actuator, wish: Wish, turn: Turn): No | null => {
  const { mono } = turn.at
  const { forMs, state, when } = wish
  const isSafe = state === actuator.safe
  if (!isSafe && (forMs === 0 || forMs > actuator.forMsMax))
    return ["NOT_ALLOWED", `it may be so for ${actuator.forMsMax} ms at most, and for as long as is said`]
  if (!isSafe && !wish.again && wasDone(guard, group, actuator.ref, state, mono))
    return ["DUPLICATE_PROPOSAL", "the same was done within ten minutes"]
  const now = guard.places.find(({ ref }) => ref === actuator.ref)
  if (when !== undefined && now?.state !== when)
    return ["PRECONDITION_FAILED", `it is ${now?.state ?? "in an unknown state"}`]
  const why = isSafe ? null : unmet(guard, actuator, turn)
  if (why !== null) return why
  if (isBusy(guard) || guard.step !== null) return ["TARGET_BUSY", "it is moving"]
  const oldest = guard.began[0]
  if (group.intents.length >= Ledger.INTENTS_MAX && oldest !== undefined && mono - oldest.at < REMEMBERED_MS)
    return ["RATE_LIMITED", "too much was done to it within a day"]
  return null
}

/** To the disk first. */
const intending = (guard: Guard, wish: Wish, epoch: number, ticket: number, turn: Turn): Guard => {
  const { actuator, forMs, intentId, state } = wish
  const intent: Ledger.Intent = { intentId, actuator, state, epoch, outcome: "started" }
  const stored = put(turn, { _tag: "Intended", group: guard.group, intent })
  const began = [...guard.began, { intentId, at: turn.at.mono }].slice(-Ledger.INTENTS_MAX)
  const step: Step = { _tag: "Intending", stored, orders: [ticket], intent, forMs }
  return { ...guard, began, step }
}

/**
 * What a person approved (proposals/Carrying.ts). It comes before any lease: under the next epoch, that nobody holds, so that whoever
 * held the group has to ask anew. `null`: it was begun before, and what comes of that stands.
 */
export const carryOut = (guardian: Guardian, wish: Wish, by: DeviceId, ticket: number, turn: Turn): Guardian | null => {
  const actuator = byRef(turn, wish.actuator)
  const guard = guardian.guards.find(({ group }) => group === actuator?.group)
  const refuse = ([code, message]: No): Guardian => {
    no(turn, ticket, code, message)
    note(turn, {
      event: "actuator.refused",
      about: by,
      actuator: wish.actuator,
      intent: wish.intentId,
      code,
      reason: message
    })
    return guardian
  }
  if (actuator === undefined || guard === undefined)
    return refuse(["DELIVERY_FAILED", "this node owns no such actuator"])
  const group = Ledger.groupOf(turn.ledger(), guard.group)
  if (Ledger.intentOf(turn.ledger(), wish.intentId) !== undefined) return null
  const why = held(guard, actuator, wish.state, turn) ?? unfit(guard, group, actuator, wish, turn)
  if (why !== null) return refuse(why)
  const epoch = group.epoch + 1
  put(turn, { _tag: "Granted", group: guard.group, epoch, holder: null })
  const free: Guard = { ...guard, leaseUntil: -NEVER_MS }
  return replaced(guardian, guard, intending(free, wish, epoch, ticket, turn))
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

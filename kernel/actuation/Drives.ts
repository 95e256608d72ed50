/** Drives: what moves, what came of it, and what is made safe next (PROTOCOL.md P16.7). */
import {
  byRef,
  DRIVE_MS,
  each,
  put,
  RETRY_MAX_MS,
  RETRY_MS,
  type Guard,
  type Guardian,
  type Move,
  type Place,
  type Verifying
} from "./Guard.ts"
import * as Ledger from "./Ledger.ts"
import { NEVER_MS } from "../Time.ts"
import { note, type Turn } from "../Turn.ts"
import type { Code } from "../wire/Codes.ts"

export const isBusy = ({ move, places, verifying }: Guard): boolean =>
  move !== null || verifying !== null || places.some(({ recall }) => recall !== null)

export interface Drive {
  readonly drive: number
  readonly actuator: string
  readonly state: string
  readonly forMs: number | null
  readonly intentId: string | null
  readonly epoch: number | null
}

export const driving = (
  guard: Guard,
  { drive, ...what }: Drive,
  intent: Ledger.Intent | null,
  orders: ReadonlyArray<number>,
  turn: Turn
): Guard => {
  turn.out.push({ _tag: "Drive", ticket: drive, ...what })
  const { actuator, forMs, state } = what
  return { ...guard, move: { drive, actuator, state, forMs, since: turn.at.mono, intent, orders } }
}

/** The result goes to the disk, and then to whoever asked. */
export const effect = (
  guard: Guard,
  intent: Ledger.Intent,
  orders: ReadonlyArray<number>,
  outcome: "done" | Code,
  turn: Turn
): Guard => {
  const { group } = guard
  const { actuator, intentId, state } = intent
  const stored = put(turn, { _tag: "Effected", group, intentId, outcome })
  note(turn, {
    event: outcome === "done" ? "actuator.done" : "actuator.failed",
    actuator,
    intent: intentId,
    reason: state,
    ...(outcome === "done" ? {} : { code: outcome })
  })
  return { ...guard, step: { _tag: "Effecting", stored, orders, intent, outcome } }
}

export const placed = (guard: Guard, ref: string, change: Partial<Place>): Guard => ({
  ...guard,
  places: guard.places.map((place) => (place.ref === ref ? { ...place, ...change } : place))
})

export const settled = (guard: Guard, move: Move, outcome: "done" | Code, turn: Turn): Guard => {
  const { actuator, forMs, intent, orders, since, state } = move
  const until = forMs === null ? NEVER_MS : since + forMs
  const place = guard.places.find(({ ref }) => ref === actuator)
  const failures = (place?.failures ?? 0) + 1
  // At once the first time: it may be open now. A program that is not there fails each time, and as fast as it is asked.
  // What came while it moved, such as a hold, waits for nothing else.
  const atOnce = failures === 1 || (place !== undefined && place.recall !== null)
  const waitMs = atOnce ? 0 : Math.min(RETRY_MAX_MS, RETRY_MS << Math.min(6, failures - 2))
  const known =
    outcome === "done"
      ? { state, until, failures: 0 }
      : { state: null, until: NEVER_MS, recall: "a drive that failed", recallAt: turn.at.mono + waitMs, failures }
  const after = placed({ ...guard, move: null }, actuator, known)
  const readback = byRef(turn, actuator)?.readback
  if (intent !== null && outcome === "done" && readback?.reads[state] !== undefined)
    return { ...after, verifying: { intent, orders, since, until: turn.at.mono + readback.withinMs } }
  if (intent !== null) return effect(after, intent, orders, outcome, turn)
  if (outcome === "done") note(turn, { event: "actuator.safe", actuator, reason: state })
  else note(turn, { event: "actuator.failed", actuator, code: outcome, reason: state })
  return after
}

/** It is made safe before any sensor showed what it did: that failed, and by whose will is told. */
const unverified = (guard: Guard, { intent, orders }: Verifying, turn: Turn): Guard =>
  effect(
    { ...guard, verifying: null },
    intent,
    orders,
    Ledger.groupOf(turn.ledger(), guard.group).hold ? "ON_HOLD" : "VERIFICATION_REQUIRED",
    turn
  )

/** Makes safe what is to be, where nothing moves. */
export const goOn = (guardian: Guardian, turn: Turn): Guardian => {
  let { drives } = guardian
  const next = each(guardian, (guard) => {
    const isDue = ({ recall, recallAt }: Place): boolean => recall !== null && recallAt <= turn.at.mono
    const place = guard.move === null ? guard.places.find(isDue) : undefined
    const actuator = place === undefined ? undefined : byRef(turn, place.ref)
    if (place === undefined || actuator === undefined) return guard
    drives++
    const { verifying } = guard
    const isOver = verifying !== null && verifying.intent.actuator === place.ref
    const rest = isOver ? unverified(guard, verifying, turn) : guard
    const { ref, safe } = actuator
    note(turn, { event: "actuator.recalled", actuator: ref, reason: place.recall! })
    const drive = { drive: drives, actuator: ref, state: safe, forMs: null, intentId: null, epoch: null }
    return driving(placed(rest, ref, { recall: null, until: NEVER_MS }), drive, null, [], turn)
  })
  return withDue(drives === guardian.drives ? next : { ...next, drives })
}

/**
 * It leaves, and waits for nothing more: what is open is made safe, but for a group in which something moves. That one's own clock
 * makes it safe: two drives at once might end in the wrong order.
 */
export const leave = ({ drives, guards }: Guardian, turn: Turn): void => {
  let drive = drives
  for (const { move, places } of guards)
    for (const { ref, state } of move === null ? places : []) {
      const actuator = byRef(turn, ref)
      if (actuator === undefined || state === actuator.safe) continue
      note(turn, { event: "actuator.recalled", actuator: ref, reason: "this node leaves" })
      drive++
      turn.out.push({
        _tag: "Drive",
        ticket: drive,
        actuator: ref,
        state: actuator.safe,
        forMs: null,
        intentId: null,
        epoch: null
      })
    }
}

const withDue = (guardian: Guardian): Guardian => {
  let due = NEVER_MS
  for (const { lapses, move, places, verifying } of guardian.guards) {
    due = Math.min(due, lapses)
    if (verifying !== null) due = Math.min(due, verifying.until)
    if (move !== null) due = Math.min(due, move.since + DRIVE_MS)
    for (const { recall, recallAt, until } of places) {
      due = Math.min(due, until)
      if (move === null && recall !== null) due = Math.min(due, recallAt)
    }
  }
  return due === guardian.due ? guardian : { ...guardian, due }
}

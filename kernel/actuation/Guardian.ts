/**
 * The node that owns an actuator guards it (PROTOCOL.md part 16; B34 to B36; S2, S3, S13). Safety lives here: it needs no clock of
 * anybody else, no membership and no election.
 *
 * - One holder for each epoch of a group, and epochs only grow; nothing of a lower epoch moves anything.
 * - An intent is in the ledger before it moves anything, and moves it once. What was under way at a crash is never driven again.
 * - Whatever is not safe ends by itself: here, and at the actuator's own clock, which is given the same time.
 * - After a start, a hold, or a drive of which nobody knows what it did: the safe state.
 *
 * One drive is under way in a group at a time. Returns to the safe state wait for nothing but that one, and for no disk.
 *
 * Source of the fencing token: M. Burrows, "The Chubby lock service" (2006), sequencers.
 */
import { told } from "./Command.ts"
import { driving, effect, goOn, isBusy, placed, settled } from "./Drives.ts"
import type { Envelope } from "./Envelope.ts"
import {
  actuatorsOf,
  byRef,
  DRIVE_MS,
  each,
  make,
  no,
  put,
  refuse,
  replaced,
  yes,
  type Guard,
  type Guardian,
  type Place
} from "./Guard.ts"
import { forbids, heldBy, onHold, toldHeld } from "./Hold.ts"
import { lease, leaseResult } from "./Lease.ts"
import { unmet } from "./Needs.ts"
import { unseen } from "./Readback.ts"
import { presented } from "./Takeover.ts"
import * as Ledger from "./Ledger.ts"
import { NEVER_MS } from "../Time.ts"
import { note, type Order, type Turn } from "../Turn.ts"
import { isPlain } from "../wire/ContextFrame.ts"

/** A new process: whoever had a lease has none, whatever was under way is over, and all is made safe. */
export const open = (before: Guardian, turn: Turn, lost: boolean): Guardian => {
  const { words } = before
  const actuators = actuatorsOf(turn)
  if (actuators.length === 0) return make()
  const begins = turn.ledger() === undefined
  const forgot = begins && lost
  if (begins) put(turn, { _tag: "Guarding", journalId: turn.bootId })
  const groups = [...new Set(actuators.map(({ group }) => group))].sort()
  const guards = groups.map((group): Guard => {
    const { epoch, hold, intents } = Ledger.groupOf(turn.ledger(), group)
    put(turn, { _tag: "Granted", group, epoch: epoch + 1, holder: null })
    // What it did before is forgotten with the journal: a person has to look first.
    if (forgot) put(turn, { _tag: "Held", group, on: true })
    for (const { actuator, intentId, outcome } of intents) {
      if (outcome !== "started") continue
      put(turn, { _tag: "Effected", group, intentId, outcome: "OUTCOME_UNKNOWN" })
      note(turn, {
        event: "actuator.unknown",
        actuator,
        intent: intentId,
        code: "OUTCOME_UNKNOWN",
        reason: "it stopped in the middle"
      })
    }
    if (hold || forgot) note(turn, { event: "actuator.hold", actuator: group, reason: "it is on hold" })
    const places = actuators
      .filter((one) => one.group === group)
      .map(({ ref }): Place => ({ ref, state: null, until: NEVER_MS, recall: "a start", recallAt: 0, failures: 0 }))
    const began = intents.map(({ intentId }) => ({ intentId, at: turn.at.mono }))
    return {
      group,
      holding: null,
      leaseUntil: -NEVER_MS,
      aheadMs: null,
      newest: { epoch, n: 0 },
      step: null,
      move: null,
      verifying: null,
      places,
      seen: [],
      lapses: NEVER_MS,
      began
    }
  })
  const opened: Guardian = { ...before, guards, startedAt: turn.at.mono, words: [] }
  let guardian = goOn(opened, turn)
  // Who released it did not know yet that its journal is lost.
  for (const { group, on } of words) if (on || !forgot) guardian = onHold(guardian, group, on, turn)
  return guardian
}

/** Somebody asks for a lease, or a hold, or for a command to be carried out. */
export const onOrder = (guardian: Guardian, order: Order, turn: Turn): Guardian => {
  const { command, message } = order.params
  const holds = command === undefined ? wordIn(message, "hold") : ""
  if (holds !== "") return goOn(heldBy(guardian, holds, order, turn), turn)
  const ref = command === undefined ? wordIn(message, "lease") : ((command as Partial<Envelope>).target?.ref ?? "")
  const actuator = byRef(turn, ref)
  const guard = guardian.guards.find(({ group }) => group === actuator?.group)
  if (actuator === undefined || guard === undefined) {
    no(turn, order.ticket, "DELIVERY_FAILED", "this node owns no such actuator")
    return guardian
  }
  if (!actuator.askers.includes(order.role)) {
    refuse(turn, order, ref, "NOT_ALLOWED", `a ${order.role} may not move it`)
    return guardian
  }
  const shown = command === undefined && isPlain(message) ? message["certificate"] : undefined
  if (shown !== undefined) return presented(guardian, ref, order, shown, turn)
  const next =
    command === undefined ? lease(guardian, guard, actuator, order, null, turn) : told(guard, actuator, order, turn)
  return next === null ? guardian : replaced(guardian, guard, next)
}

const wordIn = (message: unknown, key: "hold" | "lease"): string => {
  const word = isPlain(message) ? message[key] : ""
  return typeof word === "string" ? word : ""
}

/** A record is on the disk. */
export const onStored = (guardian: Guardian, ticket: number, turn: Turn): Guardian => {
  let { drives } = guardian
  const told = each(guardian, (guard) =>
    guard.holding?.stored === ticket ? toldHeld(guard, guard.holding, turn) : guard
  )
  const next = each(told, (guard) => {
    const { step } = guard
    if (step === null || step.stored !== ticket) return guard
    const free: Guard = { ...guard, step: null }
    switch (step._tag) {
      case "Granting": {
        const { epoch, holder } = Ledger.groupOf(turn.ledger(), guard.group)
        for (const order of step.orders) yes(turn, order, leaseResult(guard, step.ref, turn))
        if (holder !== null)
          note(turn, { event: "actuator.lease", about: holder.deviceId, actuator: guard.group, count: epoch })
        return free
      }
      case "Effecting":
        for (const order of step.orders)
          if (step.outcome === "done") yes(turn, order, { state: step.intent.state })
          else no(turn, order, step.outcome, "so it turned out")
        return free
      case "Intending": {
        const { forMs, intent, orders } = step
        const { actuator, epoch, intentId, state } = intent
        const owned = byRef(turn, actuator)
        const isSafe = state === owned?.safe
        // What came meanwhile, such as a hold, comes first: then it never moves.
        if (forbids(guard, isSafe, turn)) return effect(free, intent, orders, "ON_HOLD", turn)
        const why = isSafe || owned === undefined ? null : unmet(guard, owned, turn)
        if (why !== null) return effect(free, intent, orders, why[0], turn)
        if (isBusy(guard)) return effect(free, intent, orders, "TARGET_BUSY", turn)
        drives++
        const drive = { drive: drives, actuator, state, forMs: isSafe ? null : forMs, intentId, epoch }
        return driving(free, drive, intent, orders, turn)
      }
    }
  })
  return goOn(drives === guardian.drives ? next : { ...next, drives }, turn)
}

/** The actuator says what it did. */
export const onDriven = (guardian: Guardian, ticket: number, ok: boolean, turn: Turn): Guardian =>
  goOn(
    each(guardian, (guard) => {
      const { move } = guard
      if (move?.drive !== ticket) return guard
      return settled(guard, move, ok ? "done" : "DELIVERY_FAILED", turn)
    }),
    turn
  )

/** What is over time. */
export const onTime = (guardian: Guardian, turn: Turn): Guardian => {
  const { mono } = turn.at
  return goOn(
    each(guardian, (guard) => {
      const { move } = guard
      let next = guard
      if (next.verifying !== null && next.verifying.until <= mono) next = unseen(next, turn)
      if (move !== null && move.since + DRIVE_MS <= mono) next = settled(guard, move, "OUTCOME_UNKNOWN", turn)
      for (const { ref, until } of next.places)
        if (until <= mono) next = placed(next, ref, { until: NEVER_MS, recall: "its time", recallAt: 0 })
      return next
    }),
    turn
  )
}

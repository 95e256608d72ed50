/** Leases of a group: one holder for each epoch (PROTOCOL.md P16.4; S2). */
import type { Actuator } from "./Actuator.ts"
import { each, LEASE_MS, put, refuse, yes, type Guard, type Guardian } from "./Guard.ts"
import * as Ledger from "./Ledger.ts"
import { compareTerms, TERM_ZERO } from "../leadership/Term.ts"
import { isPlain } from "../wire/ContextFrame.ts"
import type { DeviceId, Term } from "../wire/Frame.ts"
import type { Order, Turn } from "../Turn.ts"

export const isHolder = (holder: Ledger.Holder | null, from: Ledger.Holder): boolean =>
  holder !== null && holder.deviceId === from.deviceId && holder.incarnation === from.incarnation

/** How far the calendar of who asks is ahead of our clock: since its session began it may have been set. */
const aheadIn = ({ params: { message } }: Order, { at }: Turn): number | null => {
  const calendarMs = isPlain(message) ? message["calendarMs"] : undefined
  return Number.isSafeInteger(calendarMs) ? (calendarMs as number) - at.mono : null
}

/**
 * Free or run out, it is granted; to the same holder it goes on. `term`: of a certificate that is true, which is of a higher term than
 * all before it or of none (Takeover.ts).
 */
export const lease = (
  { startedAt }: Guardian,
  guard: Guard,
  actuator: Actuator,
  order: Order,
  term: Term | null,
  turn: Turn
): Guard | null => {
  const { epoch, holder, term: before = TERM_ZERO } = Ledger.groupOf(turn.ledger(), guard.group)
  const { mono } = turn.at
  if (mono - startedAt < LEASE_MS)
    return refuse(turn, order, actuator.ref, "TARGET_BUSY", "it has just started: whoever held it may still act")
  const takesOver = term !== null && compareTerms(term, before) > 0
  if (!takesOver && isHolder(holder, order.from) && guard.step?._tag !== "Granting") {
    yes(turn, order.ticket, leaseResult(guard, actuator.ref, turn))
    return { ...guard, leaseUntil: mono + LEASE_MS, aheadMs: aheadIn(order, turn) }
  }
  if ((guard.leaseUntil > mono && !takesOver) || guard.step?._tag === "Granting")
    return refuse(turn, order, actuator.ref, "TARGET_BUSY", "another one holds it")
  if (guard.step !== null || guard.move !== null || guard.verifying !== null)
    return refuse(turn, order, actuator.ref, "TARGET_BUSY", "it is moving")
  const granted: Ledger.Entry = {
    _tag: "Granted",
    group: guard.group,
    epoch: epoch + 1,
    holder: order.from,
    ...(term === null ? {} : { term })
  }
  const stored = put(turn, granted)
  return {
    ...guard,
    leaseUntil: mono + LEASE_MS,
    aheadMs: aheadIn(order, turn),
    step: { _tag: "Granting", stored, orders: [order.ticket], ref: actuator.ref }
  }
}

export const leaseResult = ({ group, places }: Guard, ref: string, turn: Turn) => ({
  group,
  epoch: Ledger.groupOf(turn.ledger(), group).epoch,
  journalId: turn.ledger()?.journalId ?? "",
  ttlMs: LEASE_MS,
  state: places.find((one) => one.ref === ref)?.state ?? "unknown"
})

/** Its holder has left for good in that life: nothing that it said can come any more, and nobody has to wait for its time to end. */
export const left = (guardian: Guardian, deviceId: DeviceId, incarnation: number, turn: Turn): Guardian =>
  each(guardian, (guard) => {
    const { holder } = Ledger.groupOf(turn.ledger(), guard.group)
    return guard.leaseUntil > turn.at.mono && holder?.deviceId === deviceId && holder.incarnation <= incarnation
      ? { ...guard, leaseUntil: turn.at.mono }
      : guard
  })

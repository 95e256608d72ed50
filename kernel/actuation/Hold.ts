/** Hold: a person keeps a group in its safe state, here or from elsewhere (PROTOCOL.md P16.8, P16.9; S13). */
import { goOn } from "./Drives.ts"
import {
  actuatorsOf,
  byRef,
  no,
  put,
  replaced,
  yes,
  type Guard,
  type Guardian,
  type Holding,
  type Word
} from "./Guard.ts"
import * as Ledger from "./Ledger.ts"
import { note, type Order, type Turn } from "../Turn.ts"
import type { DeviceId } from "../wire/Frame.ts"

/** While it lasts nothing is driven but to the safe state. */
export const forbids = ({ group }: Guard, isSafe: boolean, turn: Turn): boolean =>
  !isSafe && Ledger.groupOf(turn.ledger(), group).hold

/**
 * Somebody elsewhere holds the group of an actuator: whoever is trusted may, whatever its role, since nothing but the safe state
 * comes of it. Letting go is for a person at the guardian. Answered once it is stored.
 */
export const heldBy = (guardian: Guardian, ref: string, { from, ticket }: Order, turn: Turn): Guardian => {
  const guard = guardian.guards.find(({ group }) => group === byRef(turn, ref)?.group)
  if (guard === undefined) {
    no(turn, ticket, "DELIVERY_FAILED", "this node owns no such actuator")
    return guardian
  }
  const { group, holding } = guard
  const isHeld = Ledger.groupOf(turn.ledger(), group).hold
  if (isHeld && holding === null) {
    yes(turn, ticket, { group })
    return guardian
  }
  const stands = isHeld ? guard : holdingOf(guard, true, turn, from.deviceId)
  const waits = { ...stands, holding: { ...stands.holding!, orders: [...stands.holding!.orders, ticket] } }
  return replaced(guardian, guard, waits)
}

const holdingOf = (guard: Guard, on: boolean, turn: Turn, by?: DeviceId): Guard => {
  const { group, places } = guard
  const stored = put(turn, { _tag: "Held", group, on })
  const about = by === undefined ? {} : { about: by }
  note(turn, { event: "actuator.hold", actuator: group, reason: on ? "on hold" : "released", ...about })
  const holding: Holding = { stored, orders: guard.holding?.orders ?? [] }
  const held = { ...guard, holding }
  return on ? { ...held, places: places.map((place) => ({ ...place, recall: "a hold", recallAt: 0 })) } : held
}

/** The hold is stored; or somebody at the guardian let go meanwhile. */
export const toldHeld = (guard: Guard, { orders }: Holding, turn: Turn): Guard => {
  const { group } = guard
  const { hold } = Ledger.groupOf(turn.ledger(), group)
  for (const order of orders)
    if (hold) yes(turn, order, { group })
    else no(turn, order, "TARGET_CHANGED", "a person at it let go meanwhile")
  return { ...guard, holding: null }
}

/** A person holds a group, or all of them, or lets go. */
export const onHold = (guardian: Guardian, only: string | null, on: boolean, turn: Turn): Guardian => {
  const guards = guardian.guards.map((guard): Guard => {
    if (only !== null && only !== guard.group) return guard
    if (Ledger.groupOf(turn.ledger(), guard.group).hold === on) return guard
    return holdingOf(guard, on, turn)
  })
  return goOn({ ...guardian, guards }, turn)
}

/** The same where it still boots, or asks who it was: it takes effect as soon as there is something to hold. */
export const onWord = (guardian: Guardian, { group, on }: Word, turn: Turn): Guardian => {
  const isOurs = group === null || actuatorsOf(turn).some((one) => one.group === group)
  if (!isOurs) return guardian
  const rest = group === null ? [] : guardian.words.filter((word) => word.group !== group)
  return { ...guardian, words: [...rest, { group, on }] }
}

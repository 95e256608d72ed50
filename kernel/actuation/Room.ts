/** The front of the room of actuators: hands each input to the guardian. */
import type { Input } from "../Input.ts"
import { DECISIONS } from "../routing/Forwarding.ts"
import type { Turn } from "../Turn.ts"
import type { Guardian } from "./Guard.ts"
import { onDriven, onOrder, onStored, onTime } from "./Guardian.ts"
import { onHold } from "./Hold.ts"
import { left } from "./Lease.ts"
import * as Needs from "./Needs.ts"
import { onReadings } from "./Readback.ts"
import { onChecked } from "./Takeover.ts"

export const onTurn = (guardian: Guardian, input: Input, woke: boolean, turn: Turn): Guardian => {
  let next = guardian
  // What is due ends before anything new begins.
  if (woke) next = onTime(next, turn)
  if (input._tag === "Stored") next = onStored(next, input.ticket, turn)
  for (const fact of turn.facts)
    if (fact._tag === "Left" || fact._tag === "Gone") next = left(next, fact.peer, fact.incarnation, turn)
  if (turn.checked !== null) next = onChecked(next, turn.checked, turn)
  if (turn.readings.length > 0) next = onReadings(next, turn.readings, turn)
  if (input._tag === "Driven") next = onDriven(next, input.ticket, input.ok, turn)
  if (input._tag === "Hold") next = onHold(next, input.group, input.on, turn)
  for (const order of turn.orders) if (order.params.channel !== DECISIONS) next = onOrder(next, order, turn)
  return Needs.onTurn(next, turn)
}

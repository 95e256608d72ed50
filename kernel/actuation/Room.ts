/** The front of the room of actuators: hands each input to Guardian.ts. */
import type { Input } from "../Input.ts"
import type { Turn } from "../Turn.ts"
import * as Guardian from "./Guardian.ts"

export const onTurn = (guardian: Guardian.Guardian, input: Input, woke: boolean, turn: Turn): Guardian.Guardian => {
  let next = guardian
  // What is due ends before anything new begins.
  if (woke) next = Guardian.onTime(next, turn)
  if (input._tag === "Stored") next = Guardian.onStored(next, input.ticket, turn)
  if (input._tag === "Driven") next = Guardian.onDriven(next, input.ticket, input.ok, turn)
  if (input._tag === "Hold") next = Guardian.onHold(next, input.group, input.on, turn)
  for (const order of turn.orders) next = Guardian.onOrder(next, order, turn)
  return next
}

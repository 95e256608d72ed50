/** The front of the room of messages: hands each input to Forwarding.ts. */
import type { Input } from "../Input.ts"
import type { Turn } from "../Turn.ts"
import * as Forwarding from "./Forwarding.ts"
import type { Known } from "./Routes.ts"

/** What came of leases and commands. */
export const onResults = (routing: Forwarding.Routing, turn: Turn): Forwarding.Routing => {
  let next = routing
  for (const { outcome, ticket } of turn.results) next = Forwarding.onResult(next, ticket, outcome, turn)
  return next === routing ? routing : Forwarding.withDue(next)
}

export const onTurn = (
  routing: Forwarding.Routing,
  input: Input,
  woke: boolean,
  known: Known,
  turn: Turn
): Forwarding.Routing => {
  let next = routing
  if (woke || turn.facts.length > 0) next = Forwarding.onTurn(next, woke, turn)
  if (input._tag === "Asked") next = Forwarding.onAsked(next, input, known, turn)
  if (input._tag === "Delivered") next = Forwarding.onDelivered(next, input, turn)
  const { admitted } = turn
  if (admitted?.frame?.type === "res") next = Forwarding.onResponse(next, admitted.frame, admitted.link, turn)
  if (admitted?.frame?.type === "req" && admitted.frame.method === "mesh.message.forward")
    next = Forwarding.onRequest(next, admitted.frame, admitted.peer, admitted.link, known, turn)
  return next === routing ? routing : Forwarding.withDue(next)
}

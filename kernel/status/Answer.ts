/** Answers the requests that read, for any authenticated peer whose role may ask them (PROTOCOL.md part 8). */
import type { NodeState } from "../Node.ts"
import { reply, type Turn } from "../Turn.ts"
import { query, sync } from "../world/Query.ts"
import { peers, status } from "./Status.ts"

export const answer = (node: NodeState, turn: Turn): void => {
  const admitted = turn.admitted!
  const request = admitted.frame
  if (request?.type !== "req") return
  const { id, method } = request
  const { link } = admitted
  switch (method) {
    case "mesh.status":
      return reply(turn, link, { type: "res", id, ok: true, payload: status(node, turn.at.mono) })
    case "mesh.peers":
      return reply(turn, link, { type: "res", id, ok: true, payload: { peers: peers(node, turn.at.mono) } })
    case "mesh.world.query":
      return reply(turn, link, { type: "res", id, ok: true, payload: query(node.world, request.params, turn.at) })
    case "context.sync":
      return reply(turn, link, { type: "res", id, ok: true, payload: sync(node.world, request.params, turn.at) })
  }
}

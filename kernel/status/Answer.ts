/** Answers the requests that read: `mesh.status` and `mesh.peers`, for any authenticated peer (PROTOCOL.md part 8). */
import type { NodeState } from "../Node.ts"
import type { Turn } from "../Turn.ts"
import type { Frame } from "../wire/Frame.ts"
import { peers, status } from "./Status.ts"

export const answer = (node: NodeState, turn: Turn): void => {
  const admitted = turn.admitted!
  const request = admitted.frame
  if (request?.type !== "req") return
  const reply = (frame: Frame): void => {
    turn.out.push({ _tag: "Send", link: admitted.link, frame })
  }
  switch (request.method) {
    case "mesh.status":
      return reply({ type: "res", id: request.id, ok: true, payload: status(node, turn.at.mono) })
    case "mesh.peers":
      return reply({ type: "res", id: request.id, ok: true, payload: { peers: peers(node, turn.at.mono) } })
  }
}

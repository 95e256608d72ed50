/**
 * Whether a process is in the middle of a login: as dialler from when its connection is open, as acceptor from when it has handed
 * out its nonce, either way until there is a session or the connection is given up.
 *
 * Does not model: devices of generation 1, whose logins are no states of a kernel; a connection on which nothing was said yet.
 */
import type { Link } from "../../kernel/links/Link.ts"
import type { NodeState } from "../../kernel/Node.ts"

const isUnderWay = (link: Link): boolean => link._tag !== "Session" && !(link._tag === "Offered" && link.asked === null)

/** The link on which a login has just gone one on and is not over; `null`: there is none. */
export const loginUnderWay = (before: NodeState, after: NodeState): Link | null => {
  const known = before.links.links
  const now = after.links.links
  if (known === now) return null
  return now.find((link) => isUnderWay(link) && !known.includes(link)) ?? null
}

/**
 * Hands frames on (P14.5): each to every other peer, `HOPS_MAX` hops far, unless that has it from its origin itself. What is lost
 * on the way, or lies further off, is made good where the logs are compared (Exchanging.ts).
 */
import { carries } from "../Config.ts"
import type { Links } from "../links/Link.ts"
import type { Membership } from "../membership/Membership.ts"
import type { Turn } from "../Turn.ts"
import { HOPS_MAX, relayed, type ContextFrame } from "../wire/ContextFrame.ts"
import type { DeviceId } from "../wire/Frame.ts"
import { utf8Bytes } from "../wire/Utf8.ts"
import { SIGNED_BYTES_MAX } from "./Receiving.ts"

const isOnLane = (frame: ContextFrame): boolean => utf8Bytes(JSON.stringify(frame)) <= SIGNED_BYTES_MAX

/** Says one of ours to everybody. */
export const publish = (frame: ContextFrame, { links }: Links, turn: Turn): void => {
  for (const session of links)
    if (session._tag === "Session")
      turn.lower.push({
        lane: "live",
        link: session.link,
        frame: { type: "event", event: "context.frame", payload: frame }
      })
}

/** Hands on what came over `from`, `dwellMs` ago. */
export const handOn = (
  frame: ContextFrame,
  from: number,
  dwellMs: number,
  { links }: Links,
  { rows }: Membership,
  turn: Turn
): void => {
  if (!carries(turn.config.role) || frame.hops >= HOPS_MAX) return
  const payload = relayed(frame, frame.hops + 1, (frame.kernel?.ageMs ?? 0) + dwellMs)
  const { sourceDeviceId: source } = frame
  let fits: boolean | null = null
  for (const session of links) {
    if (session._tag !== "Session" || session.link === from || session.peer === source) continue
    if (session.proven.kernel) {
      if (frame.kernel !== undefined && hears(rows, session.peer, source)) continue
      if (!(fits ??= isOnLane(payload))) continue
    }
    turn.lower.push({ lane: "live", link: session.link, frame: { type: "event", event: "context.frame", payload } })
  }
}

/** By its own word it has a good link with that device. */
const hears = (rows: Membership["rows"], peer: DeviceId, source: DeviceId): boolean => {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (row.observer !== peer) continue
    for (const edge of row.edges) if (edge.subject === source) return edge.good
    return false
  }
  return false
}

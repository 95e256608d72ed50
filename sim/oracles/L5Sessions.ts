/**
 * L5: every live trusted pair that can reach each other has exactly one session, the same at both ends, and no other
 * connection besides; a pair of which neither end keeps the other (in a mesh too large for all to be linked) may have none.
 *
 * The same: each end's link epoch is the other's, seen from the other side.
 */
import { indexOfContact, type Session } from "../../kernel/links/Link.ts"
import type { Machine } from "../engine/Machine.ts"
import type { Core } from "./Core.ts"
import { whyNoSession } from "./Reasons.ts"

const sessionWith = (machine: Machine, other: Machine): Session | null => {
  const links = machine.state()?.links
  const contact = links?.contacts[indexOfContact(links.contacts, other.config.deviceId)]
  const link = links?.links.find((open) => open.link === contact?.session)
  return link?._tag === "Session" ? link : null
}

const keeps = (machine: Machine, other: Machine): boolean => {
  const contacts = machine.state()?.links.contacts ?? []
  return contacts[indexOfContact(contacts, other.config.deviceId)]?.kept === true
}

const openWith = (machine: Machine, other: Machine): number =>
  (machine.state()?.links.links ?? []).filter(
    (link) =>
      ("peer" in link && link.peer === other.config.deviceId) ||
      ("proven" in link && link.proven.peer === other.config.deviceId)
  ).length

const mirrored = ({ epoch: [a, b, c, d] }: Session, { epoch: [e, f, g, h] }: Session): boolean =>
  a === g && b === h && c === e && d === f

export const sessions = ({ inside }: Core): ReadonlyArray<string> =>
  inside.flatMap((a) =>
    inside.flatMap((b) => {
      if (a === b) return []
      const here = sessionWith(a, b)
      if (here === null && sessionWith(b, a) === null && !keeps(a, b) && !keeps(b, a)) return []
      if (here === null) return [`${a.name} has no session with ${b.name}: ${whyNoSession(a, b)}`]
      const there = sessionWith(b, a)
      if (a.farEnd(here.link) !== b || (there !== null && !mirrored(here, there)))
        return [`${a.name} and ${b.name} do not have the same session`]
      const open = openWith(a, b)
      return open === 1 ? [] : [`${a.name} has ${open} connections with ${b.name}`]
    })
  )

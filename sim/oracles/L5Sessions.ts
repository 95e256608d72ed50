/**
 * L5: every live trusted pair that can reach each other has exactly one session, the same at both ends, and no other
 * connection besides; a pair of which neither end keeps the other (in a mesh too large for all to be linked) may have none.
 *
 * The same: each end's link epoch is the other's, seen from the other side.
 */
import { indexOfContact, type Session } from "../../kernel/links/Link.ts"
import type { Machine } from "../engine/Machine.ts"
import { isKernel } from "../engine/Present.ts"
import { isGen1State } from "../gen1/Gen1.ts"
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

/** Of a device of generation 1: its sessions with that one, by the numbers of their links there. */
const sessionsOf = (device: Machine, kernel: Machine): ReadonlyArray<number> => {
  const state = device.state()
  if (state === null || !isGen1State(state)) return []
  const up = state.gen1.lines.filter(({ peer, stage }) => stage === "up" && peer === kernel.config.deviceId)
  return up.map(({ link }) => link)
}

/** One session at each end, over the same connection. */
const withGen1 = (kernel: Machine, device: Machine): ReadonlyArray<string> => {
  const here = sessionWith(kernel, device)
  if (here === null) return [`${kernel.name} has no session with ${device.name}: ${whyNoSession(kernel, device)}`]
  const there = sessionsOf(device, kernel)
  const [link = 0] = there
  const same = there.length === 1 && kernel.farLink(here.link) === link && device.farEnd(link) === kernel
  if (!same) return [`${kernel.name} and ${device.name} do not have the same session`]
  const open = openWith(kernel, device)
  return open === 1 ? [] : [`${kernel.name} has ${open} connections with ${device.name}`]
}

export const sessions = ({ inside }: Core): ReadonlyArray<string> =>
  inside.filter(isKernel).flatMap((a) =>
    inside.flatMap((b) => {
      if (a === b) return []
      if (!isKernel(b)) return withGen1(a, b)
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

/** What stands between a node and what it ought to have come to, in words: for people who ask why a mesh does not get well. */
import { indexOfContact } from "../../kernel/links/Link.ts"
import { indexOfMember } from "../../kernel/membership/Member.ts"
import type { NodeState } from "../../kernel/Node.ts"
import { NEVER_MS } from "../../kernel/Time.ts"
import type { Machine } from "../engine/Machine.ts"

/** A moment of the node's own clock, as true time. */
const moment = (machine: Machine, mono: number): string => `${(machine.clock.trueMs(mono) / 1_000).toFixed(1)} s`

export const whyDown = (machine: Machine): string =>
  machine.running ? `${machine.name} is ${machine.state()?.phase ?? "off"}` : `${machine.name} does not run`

/** Why it has no session with that one. */
export const whyNoSession = (machine: Machine, other: Machine): string => {
  const state = machine.state()
  const contact = state?.links.contacts[indexOfContact(state.links.contacts, other.config.deviceId)]
  if (state == null || contact === undefined) return "it does not know it"
  const open = state.links.links.filter((link) => link._tag !== "Session" && theirs(link) === other.config.deviceId)
  const reasons = [
    ...(contact.refused === null ? [] : [`refused with ${contact.refused}`]),
    ...(contact.leftIncarnation > 0 ? [`incarnation ${contact.leftIncarnation} has left`] : []),
    ...(contact.attempt === null ? [] : [`dial ${contact.attempt} is out`]),
    ...(contact.nextDialAt === NEVER_MS ? [] : [`redial due at ${moment(machine, contact.nextDialAt)}`]),
    ...open.map((link) => `a handshake is at ${link._tag}`)
  ]
  return reasons.length === 0 ? "no dial is due" : reasons.join(", ")
}

const theirs = (link: NodeState["links"]["links"][number]): string | null =>
  "peer" in link ? link.peer : "proven" in link ? link.proven.peer : "params" in link ? link.params.deviceId : null

/** Why it has not that one as up. */
export const whyNotUp = (machine: Machine, other: Machine): string => {
  const state = machine.state()
  const member = state?.membership.members[indexOfMember(state.membership.members, other.config.deviceId)]
  if (member === undefined) return "it does not know it"
  if (member.probationEnds !== NEVER_MS)
    return `on probation until ${moment(machine, member.probationEnds)}, flaps: ${member.flaps}`
  if (member.link === null) return whyNoSession(machine, other)
  return member.good ? "linked, and well" : `linked, ${member.misses} probes missed, not on probation`
}

/** What keeps an elector from a vote or a candidacy. */
export const whyNoLeader = (machine: Machine): string => {
  const state = machine.state()
  if (state === null) return whyDown(machine)
  const { leader, promisedTo, promisedUntil, silentUntil, standAt, standing, term } = state.leadership
  const now = machine.clock.mono(machine.world.nowMs)
  const named = (deviceId: string) => machine.world.nameOf(deviceId)
  const says = [
    `is ${standing._tag.toLowerCase()} in term ${term.counter}`,
    ...(silentUntil > now && silentUntil !== NEVER_MS ? [`silent until ${moment(machine, silentUntil)}`] : []),
    ...(promisedTo !== null && promisedUntil > now
      ? [`promised to ${named(promisedTo)} until ${moment(machine, promisedUntil)}`]
      : []),
    ...(leader === null ? [] : [`heard ${named(leader)} last`]),
    ...(standAt === NEVER_MS ? [] : [`stands at ${moment(machine, standAt)}`])
  ]
  return `${machine.name} ${says.join(", ")}`
}

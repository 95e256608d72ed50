/**
 * K6: the rooms of a node agree with each other, and whatever did not change is the same reference.
 *
 * Each session belongs to the contact that names it and to the peer that is told of it, in the same epoch; lanes and budgets are
 * kept for sessions only; tables are in the order in which they are looked up. Links, or a membership, that are others after a step
 * differ in something: otherwise whoever compares references would do in vain what is dear.
 *
 * Does not judge: whether both ends of a session agree (L5).
 */
import { indexOfLink } from "../../kernel/links/Link.ts"
import { indexOfMember } from "../../kernel/membership/Member.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { MakeOracle } from "./Oracle.ts"

const isSorted = <A>(all: ReadonlyArray<A>, isBefore: (a: A, b: A) => boolean): boolean =>
  all.every((one, place) => place === 0 || isBefore(all[place - 1]!, one))

/** Nothing in it is another, though it is. */
const isCopy = <A extends object>(before: A, after: A): boolean => {
  if (before === after) return false
  for (const name in after) if (after[name] !== before[name]) return false
  return true
}

const copied = (before: NodeState, after: NodeState): string | null => {
  if (isCopy(before.links, after.links)) return "has other links, and nothing of them changed"
  return isCopy(before.membership, after.membership) ? "has another membership, and nothing of it changed" : null
}

const sessionsAgree = ({ links, membership: { members } }: NodeState): string | null => {
  for (const { kernel, peer, session } of links.contacts) {
    const member = members[indexOfMember(members, peer)]
    if (member === undefined) return "keeps in touch with a device that is no peer of it"
    if (member.link !== session) return `has link ${session} with a peer, and takes ${member.link} for it`
    if (session === null) continue
    const link = links.links[indexOfLink(links.links, session)]
    if (link?._tag !== "Session" || link.peer !== peer) return `takes link ${session} for a session that it is not`
    if (link.proven.kernel !== kernel || member.kernel !== kernel) return "does not know what a session speaks"
    if (member.epoch === null || !link.epoch.every((part, place) => part === member.epoch![place]))
      return "has a session in another epoch than it is in"
  }
  for (const link of links.links)
    if (link._tag === "Session" && !links.contacts.some(({ session }) => session === link.link))
      return `keeps session ${link.link}, which belongs to nobody`
  return null
}

const isSession = ({ links: { links } }: NodeState, link: number): boolean =>
  links[indexOfLink(links, link)]?._tag === "Session"

const tablesAgree = (after: NodeState): string | null => {
  const { links } = after
  if (!links.lines.every(({ link }) => isSession(after, link))) return "keeps lanes of a link that is no session"
  if (!links.gen1.every(({ link }) => isSession(after, link))) return "keeps a budget of a link that is no session"
  if (!isSorted(links.links, (a, b) => a.link < b.link)) return "has links out of order"
  return isSorted(links.contacts, (a, b) => a.peer < b.peer) ? null : "has contacts out of order"
}

const rowsAgree = ({ membership: { rows } }: NodeState): string | null =>
  isSorted(rows, (a, b) => a.observer < b.observer) ? null : "has rows out of order"

export const whole: MakeOracle = () => ({
  id: "K6",
  fork: whole,
  stepped: ({ after, before, machine }) => {
    if (before.phase !== "running" || after.phase !== "running") return null
    const { links, membership } = after
    const rewired =
      links.links !== before.links.links ||
      links.contacts !== before.links.contacts ||
      links.lines !== before.links.lines ||
      membership.members.length !== before.membership.members.length
    const why =
      copied(before, after) ??
      (rewired ? (sessionsAgree(after) ?? tablesAgree(after)) : null) ??
      (membership.rows === before.membership.rows ? null : rowsAgree(after))
    return why === null ? null : `${machine.name} ${why}`
  }
})

/**
 * What one step changed in what a node believes, in words: its phase and incarnation, term and vote, lease and promise, whom it
 * follows, its peers, its sessions, whom it trusts. Left out is what changes with every beat and tells nobody anything: when it
 * next has something to do, counters, what is out and not answered yet. Spans are on the node's own clock.
 */
import * as Leadership from "../../kernel/leadership/Leadership.ts"
import type { NodeState } from "../../kernel/Node.ts"
import { exactSpan } from "../judge/Words.ts"

type NameOf = (deviceId: string) => string

const termWords = ({ counter, manifest }: Leadership.Leadership["term"]): string =>
  manifest > 1 ? `term ${counter} of manifest ${manifest}` : `term ${counter}`

const sameTerm = (a: Leadership.Leadership["term"], b: Leadership.Leadership["term"]): boolean =>
  a.counter === b.counter && a.manifest === b.manifest

const leaseOf = ({ standing }: Leadership.Leadership): number => (standing._tag === "Leading" ? standing.leaseUntil : 0)

const leadershipWords = (before: NodeState, after: NodeState, mono: number, nameOf: NameOf): ReadonlyArray<string> => {
  const a = before.leadership
  const b = after.leadership
  if (a === b) return []
  const words: Array<string> = []
  if (!sameTerm(a.term, b.term)) words.push(`${termWords(a.term)} → ${termWords(b.term)}`)
  if (a.standing._tag !== b.standing._tag) words.push(`${a.standing._tag} → ${b.standing._tag}`)
  if (b.votedFor !== null && (a.votedFor !== b.votedFor || !sameTerm(a.votedTerm, b.votedTerm)))
    words.push(`votes for ${nameOf(b.votedFor)} in ${termWords(b.votedTerm)}`)
  const lease = leaseOf(b)
  if (lease !== leaseOf(a))
    words.push(lease > mono ? `its lease runs ${exactSpan(lease - mono)} more` : "it has no lease any more")
  if (b.promisedTo !== null && (a.promisedTo !== b.promisedTo || a.promisedUntil !== b.promisedUntil))
    words.push(`a promise to ${nameOf(b.promisedTo)}, for ${exactSpan(Math.max(0, b.promisedUntil - mono))}`)
  const was = Leadership.named(a, before.config, mono)
  const is = Leadership.named(b, after.config, mono)
  if (was !== is)
    words.push(is === null ? "it names no leader" : `it names ${is === after.config.deviceId ? "itself" : nameOf(is)}`)
  return words
}

const memberWords = (before: NodeState, after: NodeState, nameOf: NameOf): ReadonlyArray<string> => {
  if (before.membership.members === after.membership.members) return []
  const was = new Map(before.membership.members.map((member) => [member.deviceId, member]))
  return after.membership.members.flatMap((member) => {
    const old = was.get(member.deviceId)
    if (old === member) return []
    const name = nameOf(member.deviceId)
    return [
      ...(old?.state === member.state ? [] : [`${name}: ${old?.state ?? "nobody"} → ${member.state}`]),
      ...(old === undefined || old.incarnation === member.incarnation
        ? []
        : [`${name}: incarnation ${old.incarnation} → ${member.incarnation}`])
    ]
  })
}

const sessionsOf = ({ links: { links } }: NodeState): ReadonlyMap<number, string> =>
  new Map(links.flatMap((link) => (link._tag === "Session" ? [[link.link, link.peer] as const] : [])))

const sessionWords = (before: NodeState, after: NodeState, nameOf: NameOf): ReadonlyArray<string> => {
  if (before.links.links === after.links.links) return []
  const was = sessionsOf(before)
  const is = sessionsOf(after)
  const words = (of: ReadonlyMap<number, string>, notIn: ReadonlyMap<number, string>, what: string) =>
    [...of].flatMap(([link, peer]) => (notIn.has(link) ? [] : [`${what} with ${nameOf(peer)}, link ${link}`]))
  return [...words(is, was, "a session"), ...words(was, is, "no session any more")]
}

const trustWords = (before: NodeState, after: NodeState, nameOf: NameOf): ReadonlyArray<string> => {
  if (before.config.trusted === after.config.trusted) return []
  const was = new Map(before.config.trusted.map(({ deviceId, role }) => [deviceId, role]))
  const is = new Map(after.config.trusted.map(({ deviceId, role }) => [deviceId, role]))
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((id) =>
    was.get(id) === is.get(id)
      ? []
      : [`${nameOf(id)}: trusted as ${was.get(id) ?? "nothing"} → ${is.get(id) ?? "nothing"}`]
  )
}

/** `mono`: the instant of the input. */
export const changes = (before: NodeState, after: NodeState, mono: number, nameOf: NameOf): ReadonlyArray<string> =>
  before === after
    ? []
    : [
        ...(before.phase === after.phase ? [] : [`${before.phase} → ${after.phase}`]),
        ...(before.incarnation === after.incarnation ? [] : [`incarnation ${after.incarnation}`]),
        ...leadershipWords(before, after, mono, nameOf),
        ...memberWords(before, after, nameOf),
        ...sessionWords(before, after, nameOf),
        ...trustWords(before, after, nameOf)
      ]

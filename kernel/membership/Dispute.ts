/**
 * Whose word nobody else bears out (A09, C11): an observer that has several devices as bad which we hear ourselves, which others
 * have as good, and which nobody else has as bad; or that has ourselves as bad while we talk to each other.
 *
 * It is told, so that somebody looks after that device, its network or its owner. Nothing else follows from it: a verdict needs
 * two thirds anyway (Verdict.ts), and who is cut off from some of the others says the truth.
 *
 * Promises: whoever says so in eight of twenty beats is told about once, until it has said nothing of the kind for twenty.
 */
import { note, type Turn } from "../Turn.ts"
import type { EdgeRow } from "../wire/Frame.ts"
import { countOf, type Member } from "./Member.ts"
import type { Evidence } from "./Verdict.ts"

/** Of one device it may be right, and the rest slow. */
const DEVICES = 2
const BEATS = 20
const BEATS_TOLD = 8
const ALL_BEATS = (1 << BEATS) - 1

/** Whether anybody says anything bad at all: nearly always nobody does. */
export const isCalm = (members: ReadonlyArray<Member>, rows: ReadonlyArray<EdgeRow>): boolean =>
  rows.every(({ edges }) => edges.every(({ good }) => good)) && members.every(({ disputes }) => disputes === 0)

/** How many devices the observer at `place` has as bad, against everybody else's word and our own ears. */
const againstAll = ({ members, reached, rings, rowOf, us }: Evidence, place: number): number => {
  const accuser = members[place]!
  let count = 0
  for (const { good, left, subject } of rowOf[place]?.edges ?? []) {
    if (good || left === true) continue
    if (subject === us.deviceId) {
      if (accuser.good && accuser.link !== null) count++
      continue
    }
    const at = rings.placeOf.get(subject)
    const accused = at === undefined ? undefined : members[at]
    if (accused === undefined || accused.state !== "up" || !accused.good) continue
    const others = rowOf.flatMap((row, observer) =>
      row === undefined || observer === place || observer === at || reached[observer] !== true
        ? []
        : row.edges.filter((edge) => edge.subject === subject)
    )
    if (others.length > 0 && others.every((edge) => edge.good)) count++
  }
  return count
}

/** By our beat. The same reference where there is nothing new. */
export const onBeat = (member: Member, place: number, evidence: Evidence, turn: Turn): Member => {
  const disputes = ((member.disputes << 1) & ALL_BEATS) | (againstAll(evidence, place) >= DEVICES ? 1 : 0)
  if (disputes === member.disputes) return member
  const disputed = disputes !== 0 && (member.disputed || countOf(disputes) >= BEATS_TOLD)
  if (disputed && !member.disputed)
    note(turn, { event: "peer.disputed", about: member.deviceId, reason: "nobody else misses whom it misses" })
  return { ...member, disputes, disputed }
}

/**
 * The verdict on one device, by each node for itself, from its own edge and the rows of the observers that it can reach
 * (mesh protocol, membership 5 and 6; B3).
 *
 * Counted are the observers in my own component over good edges, and of those only who once had a good edge to this
 * incarnation of the subject. Two thirds of them bad: down. A live edge of my own outweighs everybody. Words of the accused,
 * or of those who cannot see it, change nothing.
 *
 * Every observer watches every device here: rings of six, for larger meshes, are not built yet.
 */
import { compareText } from "../Order.ts"
import type { DeviceId, EdgeRow } from "../wire/Frame.ts"
import { indexOfMember, type Member } from "./Member.ts"

export type Verdict =
  | { readonly state: "up" | "suspect" }
  /** `witnesses`: the observers who have it as bad, in order of id. */
  | { readonly state: "down"; readonly witnesses: ReadonlyArray<DeviceId> }

const UP: Verdict = { state: "up" }
const SUSPECT: Verdict = { state: "suspect" }

/** Observers that I can reach over good edges, me not included. Rows of the unreachable count for nothing. */
export const component = (members: ReadonlyArray<Member>, rows: ReadonlyArray<EdgeRow>): ReadonlyArray<DeviceId> => {
  const reached: Array<DeviceId> = []
  for (let i = 0; i < members.length; i++) {
    const member = members[i]!
    if (member.good && member.link !== null && member.observes) reached.push(member.deviceId)
  }
  for (let i = 0; i < reached.length; i++) {
    const row = rows.find((other) => other.observer === reached[i])
    if (row === undefined) continue
    for (const edge of row.edges) {
      if (!edge.good || reached.includes(edge.subject)) continue
      const at = indexOfMember(members, edge.subject)
      if (at >= 0 && members[at]!.observes) reached.push(edge.subject)
    }
  }
  return reached
}

/** The link to an observer is lost, and its edge not bad yet: whom we know by it only we cannot judge in the meantime. */
export const isCutShort = (members: ReadonlyArray<Member>): boolean =>
  members.some(({ good, link, observes }) => observes && good && link === null)

/**
 * What the observers in `reached`, and we, have to say about `subject`; `null`: nobody has anything to say.
 *
 * @param cutShort see `isCutShort`
 */
export const verdict = (
  us: { readonly deviceId: DeviceId; readonly observes: boolean },
  subject: Member,
  reached: ReadonlyArray<DeviceId>,
  rows: ReadonlyArray<EdgeRow>,
  cutShort: boolean
): Verdict | null => {
  if (subject.good && subject.link !== null) return UP
  let counted = 0
  const witnesses: Array<DeviceId> = []
  if (us.observes && subject.wasGood) {
    counted++
    if (!subject.good) witnesses.push(us.deviceId)
  }
  for (let i = 0; i < reached.length; i++) {
    const observer = reached[i]!
    if (observer === subject.deviceId) continue
    const row = rows.find((other) => other.observer === observer)
    const edge = row?.edges.find((other) => other.subject === subject.deviceId)
    if (edge === undefined || edge.incarnation < subject.incarnation) continue
    counted++
    if (!edge.good) witnesses.push(observer)
  }
  // Whoever reaches no observer that can see it has only its own eyes: what they said before holds no longer.
  if (counted === 0) {
    if (subject.wasGood) return subject.good ? SUSPECT : { state: "down", witnesses: [] }
    if (subject.state !== "up" && subject.state !== "suspect") return null
    return cutShort ? SUSPECT : { state: "down", witnesses: [] }
  }
  if (witnesses.length >= Math.ceil((2 * counted) / 3)) return { state: "down", witnesses: witnesses.sort(compareText) }
  return subject.wasGood || witnesses.length > 0 ? SUSPECT : UP
}

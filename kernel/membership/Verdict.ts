/**
 * The verdict on one device, by each node for itself, from its own edge and the rows of the observers that it can reach
 * (mesh protocol, membership 5 and 6; B3).
 *
 * Counted are the observers of that device on the rings that are in my own component over good edges, and of those only who
 * once had a good edge to this incarnation of it. Two thirds of them bad: down. A live edge of my own outweighs everybody, as
 * long as it is probed at each beat or has answered since the others began to doubt; but a device that is down is not back by
 * my own eyes alone while two thirds have it as bad, until my edge has held for long. Words of the accused, or of those who
 * cannot see it, change nothing. Where not all have it as bad, the rest have a beat to find the same (Membership.ts).
 *
 * Where none of its observers can be counted (a line, a star, a part of a broken mesh) whoever in my component has something
 * to say of it is heard in their place.
 */
import { compareText } from "../Order.ts"
import { NEVER_MS } from "../Time.ts"
import type { DeviceId, Edge, EdgeRow } from "../wire/Frame.ts"
import { isShaky, hearsUs, type Member } from "./Member.ts"
import { EVERYONE_MAX, SELF, type Rings } from "./Rings.ts"

export interface Verdict {
  /** `null`: nobody has anything to say that changes what was said before. */
  readonly state: "up" | "suspect" | "down" | "left" | null
  /** Of those that count, who has it as bad, in order of id. */
  readonly witnesses: ReadonlyArray<DeviceId>
  /** Of those that count, somebody has it as good; or most have it as left, and its own word is not here yet. */
  readonly contested?: boolean
  /** Nobody says anything of it: who did may just have come back, and not have met it yet. */
  readonly unseen?: boolean
}

/** With up to so many that count, one who was asked and was answered outweighs them. */
const FEW_WITNESSES = 2

/** Who is asked, and by what is it known. */
export interface Us {
  readonly deviceId: DeviceId
  readonly observes: boolean
}

/** What all verdicts of one moment rest on, by place. */
export interface Evidence {
  readonly us: Us
  readonly rings: Rings
  readonly members: ReadonlyArray<Member>
  readonly rowOf: ReadonlyArray<EdgeRow | undefined>
  /** Observers that I can reach over good edges. */
  readonly reached: ReadonlyArray<boolean>
  /** An edge of my own has lost its link, and is not bad yet: I cannot say that I am alone. */
  readonly unsettled: boolean
  /** What those that I reach say of each device, whether they observe it on the rings or not. Gathered when first needed. */
  anybody: ReadonlyArray<ReadonlyArray<Said>> | null
}

interface Said {
  readonly observer: DeviceId
  readonly edge: Edge
}

const NOBODY: ReadonlyArray<DeviceId> = []
const UP: Verdict = { state: "up", witnesses: NOBODY }
const SUSPECT: Verdict = { state: "suspect", witnesses: NOBODY }
const NOTHING: Verdict = { state: null, witnesses: NOBODY }
const UNHEARD: ReadonlyArray<Said> = []

export const gather = (
  us: Us,
  rings: Rings,
  members: ReadonlyArray<Member>,
  rows: ReadonlyArray<EdgeRow>
): Evidence => {
  const rowOf: Array<EdgeRow | undefined> = new Array<EdgeRow | undefined>(members.length).fill(undefined)
  for (const row of rows) {
    const place = rings.placeOf.get(row.observer)
    if (place !== undefined) rowOf[place] = row
  }
  const reached = new Array<boolean>(members.length).fill(false)
  const queue: Array<number> = []
  let unsettled = false
  const reach = (place: number): void => {
    if (reached[place] === true || !members[place]!.observes) return
    reached[place] = true
    queue.push(place)
  }
  for (let place = 0; place < members.length; place++) {
    const member = members[place]!
    if (!member.good) continue
    if (member.link === null) unsettled = true
    // A slow link speaks for its own end only, and not at all from the first probe on that it misses (P7.14).
    else if (member.misses === 0 || member.covers || rings.watched[place] === true) reach(place)
  }
  for (let i = 0; i < queue.length; i++) {
    const row = rowOf[queue[i]!]
    if (row === undefined) continue
    for (const edge of row.edges) {
      const place = edge.good ? rings.placeOf.get(edge.subject) : undefined
      if (place !== undefined) reach(place)
    }
  }
  return { us, rings, members, rowOf, reached, unsettled, anybody: null }
}

const edgeTo = (row: EdgeRow | undefined, { deviceId, incarnation }: Member): Edge | undefined => {
  if (row === undefined) return undefined
  for (const edge of row.edges) if (edge.subject === deviceId) return edge.incarnation < incarnation ? undefined : edge
  return undefined
}

/** What everybody that I reach says, by subject. */
const everybodySays = (evidence: Evidence): ReadonlyArray<ReadonlyArray<Said>> => {
  const { members, reached, rings, rowOf } = evidence
  const said: Array<Array<Said>> = members.map(() => [])
  for (let place = 0; place < members.length; place++) {
    const row = reached[place] === true ? rowOf[place] : undefined
    if (row === undefined) continue
    for (const edge of row.edges) {
      const subject = rings.placeOf.get(edge.subject)
      if (subject !== undefined && subject !== place && edge.incarnation >= members[subject]!.incarnation)
        said[subject]!.push({ observer: row.observer, edge })
    }
  }
  return said
}

/**
 * By place: who is seen by somebody that I reach through those whom I watch. My other links would add nothing to what the
 * others can know.
 */
export const seenWithoutMe = ({ members, rings, rowOf }: Evidence): ReadonlyArray<boolean> => {
  const seen = new Array<boolean>(members.length).fill(false)
  const queue: Array<number> = []
  const see = (place: number): void => {
    if (seen[place] === true) return
    seen[place] = true
    if (members[place]!.observes) queue.push(place)
  }
  for (let place = 0; place < members.length; place++) {
    const { good, link } = members[place]!
    if (good && link !== null && rings.watched[place] === true) see(place)
  }
  for (let i = 0; i < queue.length; i++)
    for (const edge of rowOf[queue[i]!]?.edges ?? []) {
      const place = edge.good ? rings.placeOf.get(edge.subject) : undefined
      if (place !== undefined) see(place)
    }
  return seen
}

const threshold = (counted: number): number => Math.ceil((2 * counted) / 3)

/** @param relayed somebody whom I asked was answered by it just now */
export const verdict = (evidence: Evidence, place: number, relayed: boolean): Verdict => {
  const { members, reached, rings, rowOf, us } = evidence
  const subject = members[place]!
  let counted = 0
  let left = 0
  /** It is not of generation 1, which has no incarnation: it has left by its own signed word only (P7.16). */
  let signs = subject.incarnation > 0
  let bad: Array<DeviceId> | null = null
  const count = (observer: DeviceId, good: boolean, hasLeft: boolean, incarnation = 0): void => {
    counted++
    if (incarnation > 0) signs = true
    if (good) return
    if (hasLeft) left++
    ;(bad ??= []).push(observer)
  }
  const observers = rings.observersOf[place]!
  for (let i = 0; i < observers.length; i++) {
    const observer = observers[i]!
    if (observer === SELF) {
      if (subject.wasGood) count(us.deviceId, subject.good, false)
      continue
    }
    const edge = reached[observer] === true ? edgeTo(rowOf[observer], subject) : undefined
    if (edge !== undefined) count(members[observer]!.deviceId, edge.good, edge.left === true, edge.incarnation)
  }
  if (counted === 0 && rings.observers > EVERYONE_MAX) {
    if (us.observes && subject.wasGood) count(us.deviceId, subject.good, false)
    evidence.anybody ??= everybodySays(evidence)
    for (const { edge, observer } of evidence.anybody[place] ?? UNHEARD)
      count(observer, edge.good, edge.left === true, edge.incarnation)
  }
  const witnesses: ReadonlyArray<DeviceId> = bad ?? NOBODY
  const against = witnesses.length
  const outvoted = counted > 0 && against >= threshold(counted)
  if (ownWord(evidence, place, outvoted, against > 0)) return against === 0 ? UP : { state: "up", witnesses }
  if (counted === 0) return alone(evidence, subject)
  if (outvoted) {
    const gone = 2 * left > against
    if (gone && !signs) return { state: "left", witnesses }
    const state = relayed && counted <= FEW_WITNESSES ? "suspect" : "down"
    return { state, witnesses: [...witnesses].sort(compareText), contested: gone || against < counted }
  }
  // Goodbyes come one after another: the first of them is no suspicion.
  if (left > 0 && left === against) return { state: null, witnesses }
  if (against === 1 && counted > 1 && returns(subject) && witnesses[0] === us.deviceId) return UP
  if (against > 0) return { state: "suspect", witnesses }
  return subject.wasGood && rings.watched[place] === true ? SUSPECT : UP
}

/** My own edge says that it is up. One that is probed now and then only has to answer anew once others doubt. */
const ownWord = ({ members, rings }: Evidence, place: number, outvoted: boolean, doubted: boolean): boolean => {
  const { covers, good, history, link, misses, state, sureAt } = members[place]!
  if (!good || link === null) return false
  if (outvoted && state === "down") return sureAt === 0
  if (outvoted && isShaky(history)) return false
  if (rings.watched[place] === true || covers || !doubted) return true
  return misses === 0 && (history & 1) === 0
}

/**
 * It was down, I hear it again, and only my own probation is not over yet. Where all others that count have it as good already,
 * that is no word against it: mine may be longer than theirs, for I had it as down more often.
 */
const returns = (member: Member): boolean =>
  member.state === "down" && member.link !== null && member.probationEnds !== NEVER_MS && hearsUs(member)

/** Whoever reaches no observer that can see it has only its own eyes: what they said before holds no longer. */
const alone = ({ unsettled }: Evidence, { good, state, wasGood }: Member): Verdict => {
  if (wasGood) return good ? SUSPECT : { state: "down", witnesses: NOBODY }
  if (state !== "up" && state !== "suspect") return NOTHING
  return unsettled ? { state: "suspect", witnesses: NOBODY } : { state: "down", witnesses: NOBODY, unseen: true }
}

/** A planner of this node proposes, and a leader adopts what nobody looks after any more (B24, B27, B30, B31). */
import { leadRank } from "../Config.ts"
import type { Input } from "../Input.ts"
import { leaseRuns, type Leadership } from "../leadership/Leadership.ts"
import { indexOfMember } from "../membership/Member.ts"
import { capabilitiesOf, routes, type Known } from "../routing/Routes.ts"
import { done, failed, type Outcome } from "../routing/Outcome.ts"
import { note, type Turn } from "../Turn.ts"
import { CAUSES_MAX } from "../wire/ContextFrame.ts"
import type { DeviceId } from "../wire/Frame.ts"
import { FIELD_CHARS_MAX } from "../wire/Limits.ts"
import {
  idOf,
  isOpen,
  isUndecided,
  occupies,
  PROPOSAL_MS,
  proposalsOf,
  shortOf,
  supersedes,
  type Body,
  type Fact,
  type Proposal
} from "./Proposal.ts"

type Propose = Omit<Extract<Input, { readonly _tag: "Propose" }>, "_tag" | "at" | "call"> & Pick<Body, "model">

/** Who is there; or else who says so and is not: a proposal may wait for it. */
export const ownersOf = (known: Known, actuator: string): ReadonlyArray<DeviceId> => {
  const there = routes(known, actuator).map(({ deviceId }) => deviceId)
  if (there.length > 0) return there
  return known.config.trusted.flatMap(({ deviceId }) =>
    capabilitiesOf(known, deviceId).some(({ id }) => id === actuator) ? [deviceId] : []
  )
}

/** What comes of it, and the fact that says so to all, if there is a new one. */
export const propose = (
  wanted: Propose,
  known: Known,
  leadership: Leadership,
  turn: Turn
): readonly [Outcome, Fact | null] => {
  const { config } = turn
  const { actuator, because, forMs, state } = wanted
  if (leadRank(config.role) === null) return [failed("NOT_AUTHORIZED", `a ${config.role} proposes nothing`), null]
  // By itself only who leads does: what the others see they leave to it (B24).
  if (wanted.autonomous && !leaseRuns(leadership, turn.at.mono))
    return [failed("NO_PLANNER", "it is for the leader to propose, and this is not the leader"), null]
  if (because.length === 0) return [failed("LLM_ONLY_ACTUATION_BLOCKED", "it rests on nothing"), null]
  if (because.length > CAUSES_MAX || [state, actuator, ...because].some((text) => text.length > FIELD_CHARS_MAX))
    return [failed("INVALID_PARAMS", `it rests on ${CAUSES_MAX} frames at most`), null]
  const [owner, other] = ownersOf(known, actuator)
  if (owner === undefined || other !== undefined)
    return [
      owner === undefined
        ? failed("TARGET_DOWN", "nobody who is known moves it")
        : failed("INVALID_PARAMS", "more than one device says that it moves it"),
      null
    ]
  const body: Body = {
    actuator,
    guardian: owner,
    state,
    forMs,
    because,
    ...(wanted.request === undefined ? {} : { request: wanted.request }),
    ...(wanted.again === true ? { again: true as const } : {}),
    ...(wanted.model === undefined ? {} : { model: wanted.model })
  }
  const id = idOf(config.meshId, body)
  const all = proposalsOf(known.world, config, turn.at.mono)
  const before = all.find((one) => one.id === id)
  if (before !== undefined && isOpen(before))
    return [done(config.deviceId, { id, short: shortOf(id), merged: true }), null]
  if (before !== undefined) return [failed("ALREADY_DECIDED", `${shortOf(id)} is ${before.status}`), null]
  const same = wanted.again === true ? undefined : all.find((one) => occupies(one, body))
  if (same !== undefined)
    return [failed("DUPLICATE_PROPOSAL", `${shortOf(same.id)} of ${same.owner.slice(0, 12)} is for the same`), null]
  note(turn, { event: "proposal.made", about: config.deviceId, actuator, proposal: id })
  return [
    done(config.deviceId, { id, short: shortOf(id) }),
    { fact: "propose", id, body, term: leadership.term.counter }
  ]
}

const isGone = ({ config, membership }: Known, { owner }: Proposal): boolean => {
  if (owner === config.deviceId) return false
  const state = membership.members[indexOfMember(membership.members, owner)]?.state
  return state !== "up" && state !== "suspect"
}

/** Of each that is open, and too old, or done for another reason. */
export const closeOver = (all: ReadonlyArray<Proposal>): ReadonlyArray<Fact> =>
  all.filter(isOpen).flatMap((one): ReadonlyArray<Fact> => {
    if (one.ageMs >= PROPOSAL_MS) return [{ fact: "close", id: one.id, as: "expired" }]
    const isDone = isUndecided(one) && all.some((other) => supersedes(other, one))
    return isDone ? [{ fact: "close", id: one.id, as: "superseded" }] : []
  })

/** Of each that is open and whose owner is not there. */
export const adopt = (
  all: ReadonlyArray<Proposal>,
  known: Known,
  leadership: Leadership,
  turn: Turn
): ReadonlyArray<Fact> =>
  all.flatMap((one): ReadonlyArray<Fact> => {
    if (!isOpen(one) || !isGone(known, one)) return []
    note(turn, { event: "proposal.adopted", about: one.owner, actuator: one.body.actuator, proposal: one.id })
    return [{ fact: "adopt", id: one.id, term: leadership.term.counter }]
  })

/**
 * The guardian's part in decisions (B33a, B34): it gives a token for what its actuator is like now, and carries out what was approved
 * under it, once, as soon as the approval reaches it on whatever way. It needs no planner for that, and no leader: the person's word is
 * signed by the device at which it was given, and names all that is to be done.
 *
 * Source of the two steps: IEC 61850-7-2, select before operate.
 */
import { levelOf, type Actuator, type Level } from "../actuation/Actuator.ts"
import { carryOut } from "../actuation/Command.ts"
import { byRef, no, yes, type Guardian, type No } from "../actuation/Guard.ts"
import * as Ledger from "../actuation/Ledger.ts"
import type { Checked } from "../Input.ts"
import { roleOf } from "../Config.ts"
import { isPlain, type ContextFrame } from "../wire/ContextFrame.ts"
import { note, type Order, type Turn } from "../Turn.ts"
import type { Code } from "../wire/Codes.ts"
import type { Known } from "../routing/Routes.ts"
import type { World } from "../world/World.ts"
import { evidenceOf, unfounded } from "./Evidence.ts"
import {
  decisionOf,
  factOf,
  isAmong,
  isOpen,
  isTyped,
  isUndecided,
  levelSaid,
  PROPOSAL_MS,
  proposalOf,
  proposalsOf,
  type Body,
  type Fact,
  type Proposal,
  type Signed
} from "./Proposal.ts"
import { CALLS_FROM, CHECKS_FROM, TOKEN_MS, TOKENS_MAX, unique, type Proposals } from "./Proposals.ts"

/** By its own policy: a person's decision is what it demands at most, and its planner may ask. */
const notAllowed = ({ body, proposer }: Proposal, turn: Turn): No | null => {
  const actuator = byRef(turn, body.actuator)
  if (actuator === undefined || body.guardian !== turn.config.deviceId)
    return ["DELIVERY_FAILED", "this node owns no such actuator"]
  const role = roleOf(turn.config, proposer)
  if (role === undefined || !actuator.askers.includes(role)) return ["NOT_ALLOWED", "its planner may not have it moved"]
  if (actuator.demand.verification === "device" && actuator.readback === undefined)
    return ["VERIFICATION_REQUIRED", "it demands a device's verification, and no sensor is bound to it"]
  if (!actuator.states.includes(body.state))
    return ["NOT_ALLOWED", "it can be set to a state of its own, and to nothing else"]
  return null
}

const unfit = (world: World, proposal: Proposal, turn: Turn): No | null => {
  const { actuator, because } = proposal.body
  return (
    notAllowed(proposal, turn) ??
    unfounded(evidenceOf(world, because), byRef(turn, actuator)!.demand.minimum, turn.at.mono)
  )
}

/** Somebody is about to decide. */
export const select = (proposals: Proposals, order: Order, known: Known, guardian: Guardian, turn: Turn): Proposals => {
  const { message } = order.params
  const id = isPlain(message) ? message["token"] : undefined
  const one = typeof id === "string" ? proposalOf(known.world, turn.config, id, turn.at.mono) : null
  const refuse = (code: Code, why: string): Proposals => {
    no(turn, order.ticket, code, why)
    return proposals
  }
  if (one === null) return refuse("NOT_FOUND", "no such proposal is known here")
  if (one.status === "expired" || one.ageMs >= PROPOSAL_MS)
    return refuse("EXPIRED_COMMAND", "nobody decided it within half an hour")
  if (!isUndecided(one)) return refuse("ALREADY_DECIDED", `it is ${one.status}`)
  const outcome = outcomeOf(one, turn)
  if (outcome !== null) {
    if (outcome !== "started") turn.said.push({ fact: "result", id: one.id, outcome })
    return refuse("ALREADY_DECIDED", "it was carried out before")
  }
  const why = unfit(known.world, one, turn)
  if (why !== null) return refuse(why[0], why[1])
  const state = stateOf(guardian, one.body.actuator)
  if (state === null) return refuse("TARGET_BUSY", "it moves, or nobody knows how it is")
  const numbers = proposals.numbers + 1
  const { deviceId } = order.from
  const token = {
    token: unique(turn, numbers),
    id: one.id,
    state,
    device: deviceId,
    until: turn.at.mono + TOKEN_MS
  }
  const actuator = byRef(turn, one.body.actuator)!
  const safe = state === actuator.safe
  yes(turn, order.ticket, { token: token.token, state, safe, level: levelFor(actuator, one.bodies), validMs: TOKEN_MS })
  return { ...proposals, numbers, tokens: [...proposals.tokens.slice(-TOKENS_MAX + 1), token] }
}

const needsName = ({ actuator: ref }: Body, turn: Turn): boolean => {
  const actuator = byRef(turn, ref)
  return actuator !== undefined && levelOf(actuator) === "L3"
}

/** What a language model had a part in runs by nobody's leave but a person's (P17.11). */
const levelFor = (actuator: Actuator, bodies: ReadonlyArray<Body>): Level => {
  const level = levelOf(actuator)
  return level === "L1" && bodies.some(({ model }) => model !== undefined) ? "L2" : level
}

/** Who has to agree to what is proposed of an actuator of ours, where we have not said so yet. */
const leveled = (world: World, { bodies, body, id }: Proposal, turn: Turn): ReadonlyArray<Fact> => {
  const actuator = body.guardian === turn.config.deviceId ? byRef(turn, body.actuator) : undefined
  if (actuator === undefined) return []
  const level = levelFor(actuator, bodies)
  return levelSaid(world, turn.config.deviceId, id) === level ? [] : [{ fact: "level", id, level }]
}

const stateOf = ({ guards }: Guardian, ref: string): string | null => {
  for (const { move, places, verifying } of guards) {
    const place = places.find((one) => one.ref === ref)
    if (place !== undefined) return place.recall === null && move === null && verifying === null ? place.state : null
  }
  return null
}

/**
 * An approval came, from here or from elsewhere. Under a token of this guardian it is carried out, or refused, and that is then its
 * result. Under none, one of an earlier life, or one that is over, it is nobody's decision about what is now: void, and the proposal
 * waits as before.
 */
export const onApproval = (
  proposals: Proposals,
  frame: ContextFrame,
  known: Known,
  guardian: Guardian,
  turn: Turn,
  looked: Looked = "not yet"
): { readonly proposals: Proposals; readonly guardian: Guardian } => {
  const fact = factOf(frame, turn.config.meshId)
  const same = { proposals, guardian }
  if (fact?.fact !== "approve" || fact.body.guardian !== turn.config.deviceId) return same
  const { body, id } = fact
  const device = frame.sourceDeviceId
  const one = proposalOf(known.world, turn.config, id, turn.at.mono)
  // Whoever said no was first, or it has its result already.
  if (one === null || one.status !== "approved" || !isAmong(body, one.bodies)) return same
  const tell = ([code, reason]: No): void =>
    note(turn, { event: "actuator.refused", about: device, actuator: body.actuator, proposal: id, code, reason })
  const before = outcomeOf({ id, body }, turn)
  if (before !== null) {
    if (before !== "started") turn.said.push({ fact: "result", id, outcome: before })
    return same
  }
  const token = proposals.tokens.find((each) => each.token === fact.token)
  // It was about something else, or about what was: that it is not carried out is all that follows.
  const past: No | null =
    token === undefined || token.id !== id || token.device !== device
      ? ["TARGET_CHANGED", "no token of this guardian is for this decision"]
      : token.until <= turn.at.mono
        ? ["EXPIRED_COMMAND", "it was decided too long ago"]
        : needsName(body, turn) && !isTyped(body, fact.typed)
          ? ["VERIFICATION_REQUIRED", "nobody typed the name of what is moved"]
          : unrecognised(fact, proposals, looked, turn)
  if (past !== null) {
    const [code] = past
    turn.facts.push({ _tag: "Refused", code })
    tell(past)
    turn.said.push({ fact: "void", id, voids: [{ approval: frame.frameId, code }] })
    return same
  }
  if (fact.person !== undefined && looked === "not yet" && asksForKeys(turn))
    return { proposals: check(proposals, frame, fact, fact.person, turn), guardian }
  const rest: Proposals = { ...proposals, tokens: proposals.tokens.filter((each) => each !== token) }
  const why = unfit(known.world, { ...one, body }, turn)
  if (why !== null) {
    turn.facts.push({ _tag: "Refused", code: why[0] })
    tell(why)
    turn.said.push({ fact: "result", id, outcome: why[0] })
    return { proposals: rest, guardian }
  }
  const numbers = proposals.numbers + 1
  const ticket = CALLS_FROM + numbers
  const { actuator, again = false, forMs, state } = body
  const wish = { intentId: id, actuator, state, forMs, again, when: token!.state }
  const carried = carryOut(guardian, wish, device, ticket, turn)
  if (carried === null) return same
  return { proposals: { ...rest, numbers, carried: [...rest.carried, { ticket, id }] }, guardian: carried }
}

type Approval = Extract<Fact, { readonly fact: "approve" }>
/** What the key store said of the person's signature. */
type Looked = "not yet" | "good" | "false"

const asksForKeys = ({ config }: Turn): boolean => (config.persons ?? []).length > 0

/** Where keys of persons are known, only what one of them signed is a decision (P17.10). */
const unrecognised = (
  { body, by, person }: Approval,
  { checking }: Proposals,
  looked: Looked,
  turn: Turn
): No | null => {
  if (!asksForKeys(turn)) return null
  // Somebody may have more keys than one.
  const isKnown = turn.config.persons?.some(({ name, publicKey }) => name === by && publicKey === person?.publicKey)
  if (isKnown !== true) return ["NOT_AUTHORIZED", "it is signed with no key of a person who is known here by that name"]
  if (byRef(turn, body.actuator)?.approvers?.includes(by) === false)
    return ["NOT_AUTHORIZED", "this person may not approve it"]
  if (looked === "false") return ["AUTH_FAILED", "the signature of the person does not fit"]
  return looked === "not yet" && checking.length >= TOKENS_MAX
    ? ["RATE_LIMITED", "too many signatures of persons are being looked at"]
    : null
}

const check = (
  proposals: Proposals,
  frame: ContextFrame,
  fact: Approval,
  { publicKey, signature }: Signed,
  turn: Turn
) => {
  if (proposals.checking.some((one) => one.frame.frameId === frame.frameId)) return proposals
  const numbers = proposals.numbers + 1
  const ticket = CHECKS_FROM + numbers
  const payload = decisionOf(turn.config, fact)
  turn.out.push({ _tag: "Check", ticket, publicKey, proofs: [{ payload, signature }] })
  return { ...proposals, numbers, checking: [...proposals.checking, { ticket, frame }] }
}

/** The key store has looked at the signature of a person. */
export const onChecked = (
  proposals: Proposals,
  { ticket, valid }: typeof Checked.Type,
  known: Known,
  guardian: Guardian,
  turn: Turn
): { readonly proposals: Proposals; readonly guardian: Guardian } => {
  const one = proposals.checking.find((each) => each.ticket === ticket)
  if (one === undefined) return { proposals, guardian }
  const rest = { ...proposals, checking: proposals.checking.filter((each) => each !== one) }
  return onApproval(rest, one.frame, known, guardian, turn, valid[0] === true ? "good" : "false")
}

/** Of one that was begun; `null`: it was not. */
const outcomeOf = (
  { body: { actuator, state }, id }: Pick<Proposal, "body" | "id">,
  turn: Turn
): Ledger.Intent["outcome"] | null => {
  const intent = Ledger.intentOf(turn.ledger(), id)
  if (intent === undefined) return null
  // Somebody asked for something else under its name: that was done, and not this.
  return intent.actuator === actuator && intent.state === state ? intent.outcome : "ALREADY_DECIDED"
}

/**
 * What this node, which guards it, has to say of a proposal: what came of it, if it was carried out, at the word of a leader or in a life
 * before this one, and nobody was told; or else who has to agree.
 */
export const owed = (world: World, one: Proposal, turn: Turn): ReadonlyArray<Fact> => {
  if (one.status === "completed" || one.status === "failed") return []
  const outcome = outcomeOf(one, turn)
  if (outcome !== null) return outcome === "started" ? [] : [{ fact: "result", id: one.id, outcome }]
  return isOpen(one) ? leveled(world, one, turn) : []
}

/** The same of all. */
export const unsaid = (known: Known, turn: Turn): ReadonlyArray<Fact> =>
  turn.ledger() === undefined
    ? []
    : proposalsOf(known.world, turn.config, turn.at.mono).flatMap((one) => owed(known.world, one, turn))

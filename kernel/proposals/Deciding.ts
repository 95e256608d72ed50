/**
 * A person here decides (B28, B33, B33a). To approve, its node first asks the guardian for a token, and then says so to all; what came
 * of it is told as soon as the guardian has said that. While the guardian is out of reach the decision is blind: it waits here, and is
 * void after `TOKEN_MS`, or if the guardian then shows something else than the person saw.
 */
import { nameOf } from "../actuation/Actuator.ts"
import type { Input } from "../Input.ts"
import type { Known } from "../routing/Routes.ts"
import { DECISIONS } from "../routing/Forwarding.ts"
import { done, failed, type Outcome } from "../routing/Outcome.ts"
import type { Turn } from "../Turn.ts"
import { isPlain } from "../wire/ContextFrame.ts"
import { FIELD_CHARS_MAX } from "../wire/Limits.ts"
import { ownRefusal } from "../world/Receiving.ts"
import {
  APPROVAL_MS,
  approvalsOf,
  isTyped,
  isUndecided,
  PROPOSAL_MS,
  proposalOf,
  shortOf,
  type Proposal,
  type Signed
} from "./Proposal.ts"
import {
  ASK_AGAIN_MS,
  hasChanged,
  isOutOfReach,
  mayPass,
  CALLS_FROM,
  DECISIONS_MAX,
  unique,
  TOKEN_MS,
  type Decision,
  type Proposals
} from "./Proposals.ts"

type Decide = Extract<Input, { readonly _tag: "Decide" }>

const answer = (turn: Turn, call: number, outcome: Outcome): void => {
  turn.out.push({ _tag: "Answered", call, outcome })
}

const find = (known: Known, id: string, turn: Turn): Proposal | null =>
  proposalOf(known.world, turn.config, id, turn.at.mono)

const closed = ({ ageMs, id, status }: Proposal): Outcome | null =>
  isUndecided({ status }) && ageMs < PROPOSAL_MS
    ? null
    : status === "expired" || isUndecided({ status })
      ? failed("EXPIRED_COMMAND", `nobody decided ${shortOf(id)} within half an hour`)
      : failed("ALREADY_DECIDED", `${shortOf(id)} is ${status}`)

export const decide = (
  proposals: Proposals,
  { approve, by, call, id, shown, signed, typed }: Decide,
  known: Known,
  turn: Turn
): Proposals => {
  const one = find(known, id, turn)
  const refused =
    ownRefusal(turn.config.role, "human_input") !== null
      ? failed("NOT_AUTHORIZED", `nobody decides at a ${turn.config.role}`)
      : by.length > FIELD_CHARS_MAX || (typed?.length ?? 0) > FIELD_CHARS_MAX
        ? failed("INVALID_PARAMS", "this name is too long")
        : one === null
          ? failed("NOT_FOUND", "no such proposal is known here")
          : (closed(one) ??
            (approve && proposals.decisions.length >= DECISIONS_MAX
              ? failed("RATE_LIMITED", "too many decisions are under way here")
              : null))
  if (refused !== null) {
    answer(turn, call, refused)
    return proposals
  }
  if (!approve) {
    turn.said.push({ fact: "reject", id, by })
    answer(turn, call, done(turn.config.deviceId, { id, status: "rejected" }))
    return proposals
  }
  const decision: Decision = {
    call,
    id,
    by,
    shown: shown ?? null,
    typed: typed ?? null,
    asked: null,
    blind: false,
    told: false,
    askAt: turn.at.mono,
    until: turn.at.mono + TOKEN_MS
  }
  const next = { ...proposals, decisions: [...proposals.decisions, decision] }
  if (signed === undefined) return ask(next, decision, one!, turn)
  const { token, ...person } = signed
  return say(next, decision, one!, token, person, turn)
}

/** For a token, as a message of our own that comes right behind this input. */
const ask = (proposals: Proposals, decision: Decision, { body, id }: Proposal, turn: Turn): Proposals => {
  const numbers = proposals.numbers + 1
  const call = CALLS_FROM + numbers
  turn.behind.push({
    _tag: "Asked",
    at: turn.at,
    call,
    params: {
      channel: DECISIONS,
      to: body.guardian,
      originGatewayId: turn.config.deviceId,
      idempotencyKey: unique(turn, numbers),
      message: { token: id }
    }
  })
  return { ...proposals, numbers, decisions: changed(proposals, decision, { asked: call }) }
}

const changed = ({ decisions }: Proposals, of: Decision, by: Partial<Decision>): ReadonlyArray<Decision> =>
  decisions.map((one) => (one === of ? { ...one, ...by } : one))

const without = (proposals: Proposals, of: Decision): Proposals => ({
  ...proposals,
  decisions: proposals.decisions.filter((one) => one !== of)
})

/** The guardian answers, or is out of reach. */
export const onToken = (proposals: Proposals, call: number, outcome: Outcome, known: Known, turn: Turn): Proposals => {
  const decision = proposals.decisions.find(({ asked }) => asked === call)
  if (decision === undefined) return proposals
  const { id } = decision
  const end = (last: Outcome): Proposals => {
    answer(turn, decision.call, last)
    return without(proposals, decision)
  }
  if (!outcome.ok) {
    if (!mayPass(outcome.code)) return end(outcome)
    const blind = decision.blind || isOutOfReach(outcome.code)
    return {
      ...proposals,
      decisions: changed(proposals, decision, { asked: null, blind, askAt: turn.at.mono + ASK_AGAIN_MS })
    }
  }
  const one = find(known, id, turn)
  const void_ = one === null ? failed("NOT_FOUND", "it is known no more") : closed(one)
  if (void_ !== null) return end(void_)
  const { result } = outcome
  const { level, safe, state, token } = isPlain(result) ? result : {}
  if (typeof token !== "string" || typeof state !== "string" || typeof safe !== "boolean")
    return end(failed("DELIVERY_FAILED", "its guardian answers without a token: it is of another version"))
  if (hasChanged(decision, { safe, state }))
    return end(
      failed("PRECONDITION_FAILED", `it is ${state.slice(0, FIELD_CHARS_MAX)} now, which is not what was seen`)
    )
  if (level === "L3" && !isTyped(one!.body, decision.typed ?? undefined))
    return end(
      failed("VERIFICATION_REQUIRED", `it is for who types the name of what is moved: ${nameOf(one!.body.actuator)}`)
    )
  return say(proposals, decision, one!, token, null, turn)
}

/** To all. */
const say = (
  proposals: Proposals,
  decision: Decision,
  { body, id }: Proposal,
  token: string,
  person: Signed | null,
  turn: Turn
): Proposals => {
  const { by, typed } = decision
  turn.said.push({
    fact: "approve",
    id,
    body,
    token,
    by,
    ...(typed === null ? {} : { typed }),
    ...(person === null ? {} : { person })
  })
  const until = turn.at.mono + APPROVAL_MS
  return { ...proposals, decisions: changed(proposals, decision, { asked: null, told: true, until }) }
}

/** Something was said of it: by its guardian what came of it, or by anybody no. */
export const onFact = (proposals: Proposals, id: string, known: Known, turn: Turn): Proposals => {
  if (!proposals.decisions.some((decision) => decision.id === id)) return proposals
  const one = find(known, id, turn)
  if (one === null) return proposals
  const own = approvalsOf(known.world, id).find(({ sourceDeviceId }) => sourceDeviceId === turn.config.deviceId)
  let next = proposals
  for (const decision of proposals.decisions) {
    if (decision.id !== id) continue
    const outcome = outcomeOf(one, decision, own?.frameId, turn)
    if (outcome === null) continue
    answer(turn, decision.call, outcome)
    next = without(next, decision)
  }
  return next
}

/** `own`: the frame of our approval. `null`: nothing has come of it yet. */
const outcomeOf = (
  { code, id, status, voids }: Proposal,
  { told }: Decision,
  own: string | undefined,
  turn: Turn
): Outcome | null => {
  switch (status) {
    case "completed":
      return told ? done(turn.config.deviceId, { id, status }) : failed("ALREADY_DECIDED", "somebody else decided")
    case "failed":
      return told ? failed(code!, "so its guardian says") : failed("ALREADY_DECIDED", "somebody else decided")
    case "rejected":
    case "expired":
    case "withdrawn":
    case "superseded":
      return failed("ALREADY_DECIDED", `${shortOf(id)} is ${status}`)
    default: {
      const none = told ? voids.find(({ approval }) => approval === own) : undefined
      return none === undefined
        ? null
        : failed(none.code, "its guardian does not take this decision: the proposal waits as before")
    }
  }
}

const takeBack = ({ id }: Decision, known: Known, turn: Turn): void => {
  for (const { frameId, sourceDeviceId } of approvalsOf(known.world, id))
    if (sourceDeviceId === turn.config.deviceId)
      turn.said.push({ fact: "void", id, voids: [{ approval: frameId, code: "OUTCOME_UNKNOWN" }] })
}

export const onTime = (proposals: Proposals, known: Known, turn: Turn): Proposals => {
  let next = proposals
  const { mono } = turn.at
  for (const decision of proposals.decisions) {
    const one = find(known, decision.id, turn)
    if (decision.until <= mono || one === null) {
      const last = decision.told
        ? failed("OUTCOME_UNKNOWN", "its guardian has not said what came of it")
        : failed("EXPIRED_COMMAND", "its guardian was out of reach: the decision is void")
      answer(turn, decision.call, last)
      // Nothing came of it: whoever looks next decides anew.
      if (decision.told) takeBack(decision, known, turn)
      next = without(next, decision)
    } else if (!decision.told && decision.asked === null && decision.askAt <= mono)
      next = ask(next, decision, one, turn)
  }
  return next
}

/** The front of the room of proposals: hands each input to those who propose, decide, and carry out, and says what they have to say. */
import type { Guardian } from "../actuation/Guard.ts"
import type { Input } from "../Input.ts"
import { leaseRuns, type Leadership } from "../leadership/Leadership.ts"
import { DECISIONS } from "../routing/Forwarding.ts"
import type { Known } from "../routing/Routes.ts"
import { NEVER_MS } from "../Time.ts"
import { note, type Turn } from "../Turn.ts"
import type { ContextFrame } from "../wire/ContextFrame.ts"
import * as Emitting from "../world/Emitting.ts"
import { withDue as worldWithDue } from "../world/Room.ts"
import type { World } from "../world/World.ts"
import { onApproval, onChecked, owed, select, unsaid } from "./Carrying.ts"
import { decide, onFact, onTime, onToken } from "./Deciding.ts"
import { approvalsOf, factOf, isOpen, proposalOf, proposalsOf, said, together, type Fact } from "./Proposal.ts"
import { ADOPT_EACH_MS, unique, type Proposals } from "./Proposals.ts"
import { adopt, closeOver, propose } from "./Proposing.ts"
import * as Running from "./Running.ts"

/** A new process: what it carried out before and could not tell, and whether anything is open. */
export const open = (proposals: Proposals, known: Known, turn: Turn): readonly [Proposals, World] => {
  const anyOpen = proposalsOf(known.world, turn.config, turn.at.mono).some(isOpen)
  return spoken({ ...proposals, anyOpen }, unsaid(known, turn), known, turn)
}

/** Most turns are about other things, and there are many. */
export const concerns = (
  { adoptAt, anyOpen, checking, due }: Proposals,
  { _tag }: Input,
  leadership: Leadership,
  turn: Turn
): boolean =>
  // What is open is a leader's to look after: whoever begins to lead, or leads no longer.
  (anyOpen && leaseRuns(leadership, turn.at.mono) === (adoptAt === NEVER_MS)) ||
  due <= turn.at.mono ||
  turn.learned.length > 0 ||
  turn.told.length > 0 ||
  turn.said.length > 0 ||
  turn.orders.length > 0 ||
  turn.results.length > 0 ||
  (_tag === "Checked" && checking.length > 0) ||
  _tag === "Propose" ||
  _tag === "Decide"

/** As the guardian: who is about to decide, and who has decided. Before what came of orders is told (routing/Room.ts). */
export const asGuardian = (
  proposals: Proposals,
  guardian: Guardian,
  known: Known,
  turn: Turn
): readonly [Proposals, Guardian] => {
  let next = proposals
  let guards = guardian
  for (const order of turn.orders)
    if (order.params.channel === DECISIONS) next = select(next, order, known, guards, turn)
  if (turn.checked !== null) {
    const after = onChecked(next, turn.checked, known, guards, turn)
    next = after.proposals
    guards = after.guardian
  }
  for (const learned of turn.learned)
    for (const frame of decisionsIn(learned, known, turn)) {
      const after = onApproval(next, frame, known, guards, turn)
      next = after.proposals
      guards = after.guardian
    }
  return [next, guards]
}

/** Whoever missed something may hear of the decision first, and then of what it is about. */
const decisionsIn = (frame: ContextFrame, { config, world }: Known, turn: Turn): ReadonlyArray<ContextFrame> => {
  const fact = factOf(frame, turn.config.meshId)
  if (fact?.fact !== "propose") return [frame]
  return fact.body.guardian === config.deviceId ? approvalsOf(world, fact.id) : []
}

export const onTurn = (
  proposals: Proposals,
  input: Input,
  woke: boolean,
  known: Known,
  leadership: Leadership,
  turn: Turn
): readonly [Proposals, World] => {
  let next = proposals
  if (input._tag === "Propose") {
    const [outcome, fact] = propose(input, known, leadership, turn)
    if (fact !== null) turn.said.push(fact)
    turn.out.push({ _tag: "Answered", call: input.call, outcome })
  }
  if (input._tag === "Decide") next = decide(next, input, known, turn)
  for (const { call, outcome } of turn.told) next = onToken(next, call, outcome, known, turn)
  for (const { call, outcome } of turn.told) next = Running.onTold(next, call, outcome, known, leadership, turn)
  next = carriedOut(next, known, turn)
  for (const frame of turn.learned) {
    const fact = factOf(frame, turn.config.meshId)
    if (fact === null) continue
    if (fact.fact === "propose") {
      next = { ...next, anyOpen: true }
      const one = proposalOf(known.world, turn.config, fact.id, turn.at.mono)
      if (one !== null) turn.said.push(...owed(known.world, one, turn))
    }
    tell(fact, frame, known, turn)
    next = onFact(next, fact.id, known, turn)
  }
  if (woke && next.decisions.length > 0) next = onTime(next, known, turn)
  next = lookAfter(next, woke, known, leadership, turn)
  return spoken(next, turn.said, known, turn)
}

const events = { approve: "proposal.approved", reject: "proposal.rejected", result: "proposal.result" } as const

/** Everybody is told who decided what, and what came of it (B32, B37). */
const tell = (fact: Fact, { sourceDeviceId: about }: ContextFrame, { config, world }: Known, turn: Turn): void => {
  if (fact.fact !== "approve" && fact.fact !== "reject" && fact.fact !== "result") return
  const one = proposalOf(world, config, fact.id, turn.at.mono)
  const outcome =
    fact.fact !== "result" ? { reason: fact.by } : fact.outcome === "done" ? { reason: "done" } : { code: fact.outcome }
  const actuator = one === null ? {} : { actuator: one.body.actuator }
  note(turn, { event: events[fact.fact], about, proposal: fact.id, ...actuator, ...outcome })
}

/** What came of those that we carried out ourselves: that a person approved, or that a leader asked for. */
const carriedOut = (proposals: Proposals, known: Known, turn: Turn): Proposals => {
  if (turn.results.length === 0) return proposals
  let next = proposals
  for (const { outcome, ticket } of turn.results) {
    const one = next.carried.find((each) => each.ticket === ticket)
    if (one === undefined) continue
    turn.said.push({ fact: "result", id: one.id, outcome: outcome.ok ? "done" : outcome.code })
    next = { ...next, carried: next.carried.filter((each) => each !== one) }
  }
  if (!next.anyOpen) return next
  const isNew = ({ id }: Fact): boolean => !turn.said.some((fact) => fact.fact === "result" && fact.id === id)
  turn.said.push(...unsaid(known, turn).filter((fact) => fact.fact === "result" && isNew(fact)))
  return next
}

/** Who leads looks after what nobody does any more. */
const lookAfter = (
  proposals: Proposals,
  woke: boolean,
  known: Known,
  leadership: Leadership,
  turn: Turn
): Proposals => {
  const { mono } = turn.at
  if (!proposals.anyOpen || !leaseRuns(leadership, mono))
    return proposals.adoptAt === NEVER_MS ? proposals : { ...proposals, adoptAt: NEVER_MS, runs: [] }
  if (proposals.adoptAt === NEVER_MS) return { ...proposals, adoptAt: mono + ADOPT_EACH_MS }
  if (!woke || proposals.adoptAt > mono) return proposals
  const all = proposalsOf(known.world, turn.config, mono)
  const anyOpen = all.some(isOpen)
  if (!anyOpen) return { ...proposals, anyOpen, adoptAt: NEVER_MS, runs: [] }
  const over = closeOver(all)
  // What is over nobody has to look after.
  const rest = all.filter(({ id }) => !over.some((fact) => fact.id === id))
  turn.said.push(...over, ...adopt(rest, known, leadership, turn))
  return { ...Running.look(proposals, rest, known, leadership, turn), adoptAt: mono + ADOPT_EACH_MS }
}

/** What is to be told to all: facts, as frames of ours. */
const spoken = (
  proposals: Proposals,
  facts: ReadonlyArray<Fact>,
  known: Known,
  turn: Turn
): readonly [Proposals, World] => {
  if (facts.length === 0) return [withDue(proposals), known.world]
  let { numbers } = proposals
  let { world } = known
  for (const fact of together(known.world, turn.config.deviceId, facts)) {
    numbers++
    const causes =
      fact.fact === "propose"
        ? fact.body.because
        : (proposalOf(known.world, turn.config, fact.id, turn.at.mono)?.frameIds ?? []).slice(-2)
    const frameId = `proposal-${unique(turn, numbers)}`
    world = Emitting.onSensed(world, { _tag: "Sensed", at: turn.at, frameId, causes, ...said(fact) }, turn, true)
  }
  return [withDue({ ...proposals, numbers }), worldWithDue(Emitting.sign(world, turn))]
}

const withDue = (proposals: Proposals): Proposals => {
  let due = proposals.adoptAt
  for (const { askAt, asked, told, until } of proposals.decisions) {
    due = Math.min(due, until)
    if (asked === null && !told) due = Math.min(due, askAt)
  }
  return due === proposals.due ? proposals : { ...proposals, due }
}

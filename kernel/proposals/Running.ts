/**
 * What needs nobody's word (L1, B27): whoever leads has it done, as a command under a lease of the guardian, with the id of the proposal
 * as intent. That it needs nobody's word is the guardian's to say, and never the planner's (P17.9).
 *
 * Whether it still leads it looks again before each word to the guardian, which looks a third time by its fences (B24). What the
 * guardian refuses for good is withdrawn, with its reason; what may pass is tried again.
 */
import { commandOf, COMMANDS, leaseOf } from "../actuation/Asking.ts"
import { isLease } from "../actuation/Envelope.ts"
import { leaseRuns, type Leadership } from "../leadership/Leadership.ts"
import { GUARDIAN } from "../routing/Forwarding.ts"
import type { Outcome } from "../routing/Outcome.ts"
import type { Known } from "../routing/Routes.ts"
import type { Turn } from "../Turn.ts"
import type { Code } from "../wire/Codes.ts"
import type { Tier } from "../wire/ContextFrame.ts"
import type { ForwardParams } from "../wire/Frame.ts"
import { evidenceOf, unfounded } from "./Evidence.ts"
import { proposalOf, type Proposal } from "./Proposal.ts"
import { ASK_AGAIN_MS, CALLS_FROM, DECISIONS_MAX, unique, type Proposals, type Run } from "./Proposals.ts"

/** What it says that it asks for at least; its guardian may ask for more. */
const MINIMUM: Tier = "T2_operational_observation"

/** It is not there, or has no time, or gave the lease to somebody meanwhile. */
const AGAIN: ReadonlyArray<Code> = [
  "DELIVERY_FAILED",
  "TIMEOUT",
  "TARGET_BUSY",
  "RATE_LIMITED",
  "STALE_EPOCH",
  "TARGET_CHANGED"
]

type Said = Pick<ForwardParams, "channel" | "command" | "message">

const ask = (proposals: Proposals, run: Run, { body }: Proposal, said: Said, turn: Turn): Proposals => {
  const numbers = proposals.numbers + 1
  const call = CALLS_FROM + numbers
  const params = {
    ...said,
    to: body.guardian,
    originGatewayId: turn.config.deviceId,
    idempotencyKey: unique(turn, numbers)
  }
  turn.behind.push({ _tag: "Asked", at: turn.at, call, params })
  return { ...proposals, numbers, runs: changed(proposals, run, { asked: call }) }
}

const changed = ({ runs }: Proposals, of: Run, by: Partial<Run>): ReadonlyArray<Run> =>
  runs.map((one) => (one === of ? { ...one, ...by } : one))

const without = (proposals: Proposals, of: Run): Proposals => ({
  ...proposals,
  runs: proposals.runs.filter((one) => one !== of)
})

/** A look of whoever leads: what is there to be done, and what is to be tried again. */
export const look = (
  proposals: Proposals,
  all: ReadonlyArray<Proposal>,
  known: Known,
  leadership: Leadership,
  turn: Turn
): Proposals => {
  const { mono } = turn.at
  // What a language model drafted waits for a person, also where its guardian knows nothing of that (P17.11).
  const due = all.filter(
    ({ bodies, status }) => status === "proposed" && bodies.every(({ model }) => model === undefined)
  )
  const kept = proposals.runs.filter(({ id }) => due.some((one) => one.id === id))
  const fresh = due
    .filter(({ id }) => !kept.some((run) => run.id === id))
    .slice(0, Math.max(0, DECISIONS_MAX - kept.length))
    .map(({ id }): Run => ({ id, asked: null, lease: null, askAt: mono, done: false }))
  let next: Proposals = { ...proposals, runs: [...kept, ...fresh] }
  for (const run of next.runs) {
    if (run.asked !== null || run.done || run.askAt > mono) continue
    const one = due.find(({ id }) => id === run.id)!
    const why = unfounded(evidenceOf(known.world, one.body.because), MINIMUM, mono)
    next = why === null ? begin(next, run, one, known, leadership, turn) : withdraw(next, run, why[0], turn)
  }
  return next
}

const begin = (
  proposals: Proposals,
  run: Run,
  one: Proposal,
  { config }: Known,
  leadership: Leadership,
  turn: Turn
): Proposals => {
  const message = leaseOf({ config, incarnation: turn.incarnation, leadership }, one.body.actuator, turn.at)
  return ask(proposals, run, one, { channel: GUARDIAN, message }, turn)
}

const withdraw = (proposals: Proposals, run: Run, code: Code, turn: Turn): Proposals => {
  turn.said.push({ fact: "close", id: run.id, as: "withdrawn", code })
  return without(proposals, run)
}

/** The guardian answers, or is out of reach. */
export const onTold = (
  proposals: Proposals,
  call: number,
  outcome: Outcome,
  known: Known,
  leadership: Leadership,
  turn: Turn
): Proposals => {
  const run = proposals.runs.find(({ asked }) => asked === call)
  if (run === undefined) return proposals
  const one = proposalOf(known.world, turn.config, run.id, turn.at.mono)
  if (one?.status !== "proposed" || !leaseRuns(leadership, turn.at.mono)) return without(proposals, run)
  if (!outcome.ok) return refused(proposals, run, outcome.code, turn)
  if (run.lease !== null) return { ...proposals, runs: changed(proposals, run, { asked: null, done: true }) }
  if (!isLease(outcome.result)) return refused(proposals, run, "DELIVERY_FAILED", turn)
  const { epoch, journalId } = outcome.result
  const leased = { ...run, lease: { epoch, journalId } }
  return command({ ...proposals, runs: changed(proposals, run, leased) }, leased.id, one, known, turn)
}

const refused = (proposals: Proposals, run: Run, code: Code, turn: Turn): Proposals =>
  AGAIN.includes(code)
    ? {
        ...proposals,
        runs: changed(proposals, run, { asked: null, lease: null, askAt: turn.at.mono + ASK_AGAIN_MS })
      }
    : withdraw(proposals, run, code, turn)

const command = (proposals: Proposals, id: string, one: Proposal, known: Known, turn: Turn): Proposals => {
  const run = proposals.runs.find((each) => each.id === id)!
  const { actuator, again, because, forMs, state } = one.body
  const { sources, tier } = evidenceOf(known.world, because)
  const said = commandOf({
    actuator,
    state,
    commandId: unique(turn, proposals.numbers + 1),
    createdAtMs: turn.at.wall,
    source: { nodeId: turn.config.deviceId, role: turn.config.role },
    tier,
    evidence: sources,
    fence: { intentId: id, forMs, ...run.lease!, ...(again === true ? { again: true as const } : {}) }
  })
  return ask(proposals, run, one, { channel: COMMANDS, command: said }, turn)
}

/**
 * The trust gate (PROTOCOL.md part 16, S4): one function, asked where a message is sent, where it is received, and once more right
 * before hardware moves.
 *
 * Promises: pure and total. What a sender claims can only make the gate stricter: the policy of whoever owns the actuator counts
 * besides, and a verification that only the sender says is satisfied is none.
 */
import { canonical, isPlain, tiers, type EvidenceSource, type Tier } from "../wire/ContextFrame.ts"
import type { Code } from "../wire/Codes.ts"
import { ACTUATOR } from "./Actuator.ts"
import { claimsOf, noClaims, read, type Envelope, type Verification } from "./Envelope.ts"

export interface Refusal {
  readonly code: Code
  readonly message: string
}

export type Judged =
  | { readonly refused: Refusal }
  /** `envelope` is `null` for a message without a command. */
  | { readonly refused: null; readonly envelope: Envelope | null }

/** What is judged of a message. */
export interface Carried {
  readonly to: string
  readonly command?: unknown
  readonly trust?: unknown
}

/** What the owner of an actuator asks, whatever a sender claims. */
export interface Demand {
  readonly minimum: Tier
  readonly verification: Verification
  /** A sensor shows what each drive did, and the guardian reads it: a device's verification (Readback.ts). */
  readonly readsBack?: boolean
}

/** For whoever owns no actuator: nothing beyond what is claimed. */
export const noDemand: Demand = { minimum: tiers[0], verification: "none" }

const no = (code: Code, message: string): Judged => ({ refused: { code, message } })

const rank = (tier: Tier): number => tiers.indexOf(tier)

export const judge = ({ command, to, trust }: Carried, demand: Demand = noDemand): Judged => {
  const envelope = command === undefined ? null : read(command)
  if (command !== undefined && envelope === null) return no("INVALID_COMMAND_ENVELOPE", "this is no command")
  const inside = envelope?.trust
  if (trust !== undefined && inside !== undefined && canonical(trust) !== canonical(inside))
    return no("TRUST_ENVELOPE_MISMATCH", "the message and its command claim different trust")
  const said = inside ?? trust
  const claims = said === undefined ? noClaims : isPlain(said) ? claimsOf(said) : null
  const moves = to.startsWith(ACTUATOR) || envelope?.target.ref.startsWith(ACTUATOR) === true
  if (moves && (!isPlain(said) || said["action_type"] !== "actuation"))
    return no("ACTUATION_DECLARATION_REQUIRED", "it names an actuator, and does not declare actuation")
  if (claims === null) return no("INVALID_TRUST_POLICY", "a word of its trust is unknown")
  if (claims.action !== "actuation") return { refused: null, envelope }
  const { minimum, tier, verification } = claims
  if (tier === null || minimum === null || verification === null)
    return no("TRUST_METADATA_REQUIRED", "actuation names its tier, its minimum and its verification")
  const refused = judgeEvidence(claims.sources, tier, rank(minimum) > rank(demand.minimum) ? minimum : demand.minimum)
  if (refused !== null) return { refused }
  const { readsBack = false } = demand
  if (needsPerson(verification, readsBack) || needsPerson(demand.verification, readsBack))
    return no("VERIFICATION_REQUIRED", "a person has to approve a proposal of it: no claim stands for that")
  return { refused: null, envelope }
}

/** Where nothing shows what a drive did only a person can verify it. */
const needsPerson = (verification: Verification, readsBack: boolean): boolean =>
  verification === "human" || (verification !== "none" && !readsBack)

/** Whether this is enough to move something; `null`: it is. Nothing overrides what is said of language models. */
export const judgeEvidence = (sources: ReadonlyArray<EvidenceSource>, tier: Tier, minimum: Tier): Refusal | null => {
  if (sources.every((source) => source === "llm"))
    return { code: "LLM_ONLY_ACTUATION_BLOCKED", message: "it rests on nothing but a language model" }
  return rank(tier) < rank(minimum) ? { code: "INSUFFICIENT_TRUST_TIER", message: `it rests on ${tier} only` } : null
}

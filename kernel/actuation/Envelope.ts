/**
 * What asks for a command to be carried out, as it travels in `mesh.message.forward` (PROTOCOL.md part 16).
 *
 * The claims about evidence are read apart from the rest: an envelope with words of trust that nobody knows reads, and is refused
 * for these words.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { isPlain, sources, tiers, type EvidenceSource, type Tier } from "../wire/ContextFrame.ts"
import { COUNTER_MAX, FIELD_CHARS_MAX, ID_UNITS_MAX } from "../wire/Limits.ts"

const Filled = (units: number) => Schema.NonEmptyString.check(Schema.isMaxLength(units))
const Counter = Schema.Natural.check(Schema.isLessThanOrEqualTo(COUNTER_MAX))

/** What binds a command to the state of the guardian that its sender knows. */
export const Fence = Schema.Struct({
  /** The same intent moves hardware once, whoever asks how often. */
  intentId: Filled(ID_UNITS_MAX),
  journalId: Filled(ID_UNITS_MAX),
  epoch: Counter,
  /** The actuator returns to its safe state by itself after so long, ms. */
  forMs: Counter,
  /** Not carried out unless the actuator is in this state now. */
  when: Schema.optionalKey(Filled(ID_UNITS_MAX)),
  /** Grows with each command that its sender says under one lease: of two, the older is not carried out after the newer. */
  n: Schema.optionalKey(Counter),
  /** The same again within ten minutes, and meant so. */
  again: Schema.optionalKey(Schema.Literal(true))
})
export type Fence = typeof Fence.Type

export const Envelope = Schema.Struct({
  version: Schema.Literal(1),
  kind: Schema.Literal("clawmesh.command"),
  commandId: Filled(ID_UNITS_MAX),
  /** Wall clock of the sender. */
  createdAtMs: Schema.Int,
  target: Schema.Struct({
    kind: Schema.Literals(["capability", "device", "peer", "task"]),
    ref: Filled(FIELD_CHARS_MAX)
  }),
  operation: Schema.Struct({
    name: Filled(ID_UNITS_MAX),
    params: Schema.optionalKey(Schema.declare(isPlain))
  }),
  trust: Schema.optionalKey(Schema.declare(isPlain)),
  note: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(FIELD_CHARS_MAX))),
  kernel: Schema.optionalKey(Fence)
})
export type Envelope = typeof Envelope.Type

const decode = Schema.decodeUnknownOption(Envelope)

/** `null`: it is none. */
export const read = (command: unknown): Envelope | null => Option.getOrNull(decode(command))

/** What a guardian answers to whoever asks for a lease, as far as a command needs it. */
export const isLease = (result: unknown): result is Pick<Fence, "epoch" | "journalId"> =>
  isPlain(result) && typeof result["epoch"] === "number" && typeof result["journalId"] === "string"

export const verifications = ["none", "device", "human", "device_or_human"] as const
export type Verification = (typeof verifications)[number]

const actions = ["communication", "observation", "actuation"] as const

/**
 * The words of trust that an envelope, or the message around it, claims; what is not said is `null`. That something is verified
 * counts by no word of its sender, and is not among them.
 */
export interface Claims {
  readonly action: (typeof actions)[number] | null
  readonly tier: Tier | null
  readonly minimum: Tier | null
  readonly verification: Verification | null
  readonly sources: ReadonlyArray<EvidenceSource>
}

export const noClaims: Claims = {
  action: null,
  tier: null,
  minimum: null,
  verification: null,
  sources: []
}

const wordOf = <A extends string>(words: ReadonlyArray<A>, said: unknown): A | null | undefined =>
  said === undefined ? null : words.find((word) => word === said)

/** `null`: a word in it is unknown, or of another type. */
export const claimsOf = (trust: { readonly [key: string]: unknown }): Claims | null => {
  const action = wordOf(actions, trust["action_type"])
  const tier = wordOf(tiers, trust["evidence_trust_tier"])
  const minimum = wordOf(tiers, trust["minimum_trust_tier"])
  const verification = wordOf(verifications, trust["verification_required"])
  const satisfied = trust["verification_satisfied"] ?? false
  const listed = trust["evidence_sources"] ?? []
  if (action === undefined || tier === undefined || minimum === undefined || verification === undefined) return null
  if (typeof satisfied !== "boolean" || !Array.isArray(listed) || listed.length > sources.length) return null
  const found = listed.map((one) => wordOf(sources, one))
  if (found.some((one) => one == null)) return null
  return { action, tier, minimum, verification, sources: found as ReadonlyArray<EvidenceSource> }
}

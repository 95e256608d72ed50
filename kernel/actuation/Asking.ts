/** What whoever wants something moved says to its guardian (PROTOCOL.md part 16): first for a lease, and then under it. */
import { SET } from "./Actuator.ts"
import type { Envelope, Fence } from "./Envelope.ts"
import { certificateOf } from "../leadership/Certificate.ts"
import type { Leadership } from "../leadership/Leadership.ts"
import type { Config } from "../Config.ts"
import type { Instant } from "../Time.ts"
import type { EvidenceSource, Tier } from "../wire/ContextFrame.ts"
import type { Role } from "../wire/Frame.ts"

/** Where commands go; who owns the actuator takes them. */
export const COMMANDS = "clawmesh.commands"

/**
 * For a lease. Who leads shows that it does, and takes over from whoever led before (P16.10). By the calendar that it has now its guardian
 * will judge how old its commands are.
 */
export const leaseOf = (
  node: { readonly config: Config; readonly incarnation: number; readonly leadership: Leadership },
  actuator: string,
  { mono, wall }: Instant
): { readonly lease: string; readonly calendarMs: number; readonly certificate?: unknown } => {
  const certificate = certificateOf(node, node.config, mono)
  return { lease: actuator, calendarMs: wall, ...(certificate === null ? {} : { certificate }) }
}

export interface Wanted {
  readonly actuator: string
  readonly state: string
  /** It tells one attempt from another; of one intent there may be many. */
  readonly commandId: string
  readonly fence: Fence
  /** Wall clock, ms. */
  readonly createdAtMs: number
  readonly source?: { readonly nodeId: string; readonly role: Role }
  /** What it rests on. Its guardian may demand more. */
  readonly tier: Tier
  readonly evidence: ReadonlyArray<EvidenceSource | (string & {})>
}

export const commandOf = (wanted: Wanted): Envelope & { readonly source?: Wanted["source"] } => {
  const { actuator, commandId, createdAtMs, evidence, fence, source, state, tier } = wanted
  return {
    version: 1,
    kind: "clawmesh.command",
    commandId,
    createdAtMs,
    ...(source === undefined ? {} : { source }),
    target: { kind: "capability", ref: actuator },
    operation: { name: SET, params: { state } },
    trust: {
      action_type: "actuation",
      evidence_trust_tier: tier,
      minimum_trust_tier: "T2_operational_observation",
      verification_required: "none",
      evidence_sources: evidence
    },
    kernel: fence
  }
}

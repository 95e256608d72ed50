/** What a proposal rests on, as far as it is held here (B34; PROTOCOL.md P16.1, P17.4). */
import { judgeEvidence } from "../actuation/Gate.ts"
import type { No } from "../actuation/Guard.ts"
import { tiers, type EvidenceSource, type Tier } from "../wire/ContextFrame.ts"
import * as Log from "../world/Log.ts"
import { heldOf } from "../world/Trace.ts"
import type { World } from "../world/World.ts"

/** What moves something may rest on nothing that is older. */
export const EVIDENCE_MS = 3_600_000

export interface Evidence {
  /** Of those that it names, whatever they are worth. */
  readonly held: ReadonlyArray<Log.Held>
  /** Signed by whoever says so, or heard from its own mouth. */
  readonly firm: ReadonlyArray<Log.Held>
  readonly sources: ReadonlyArray<EvidenceSource>
  readonly tier: Tier
}

export const evidenceOf = (world: World, because: ReadonlyArray<string>): Evidence => {
  const byId = heldOf(world)
  const held = because.flatMap((id) => byId.get(id) ?? [])
  const firm = held.filter(({ evidence }) => evidence)
  const sources = [
    ...new Set(firm.flatMap(({ frame }) => frame.trust.evidence_sources))
  ] as ReadonlyArray<EvidenceSource>
  const tier = firm.reduce<Tier>(
    (best, { frame: { trust } }) =>
      tiers.indexOf(trust.evidence_trust_tier) > tiers.indexOf(best) ? trust.evidence_trust_tier : best,
    tiers[0]
  )
  return { held, firm, sources, tier }
}

/** Why that is not enough to move something whose owner asks for `minimum`; `null`: it is. */
export const unfounded = ({ firm, held, sources, tier }: Evidence, minimum: Tier, mono: number): No | null => {
  if (held.length === 0) return ["EVIDENCE_CHANGED", "nothing of what it rests on is known here"]
  const refused = judgeEvidence(sources, tier, minimum)
  if (refused !== null) return [refused.code, refused.message]
  const isFresh = (one: Log.Held): boolean => !one.kept && Log.ageOf(one, mono) <= EVIDENCE_MS
  return firm.some((one) => isFresh(one) && one.frame.trust.evidence_sources.some((source) => source !== "llm"))
    ? null
    : ["EVIDENCE_TOO_OLD", "what it rests on is too old, or nobody knows how old"]
}

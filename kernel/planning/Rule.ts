/**
 * A threshold of a reading, and what a planner would have done about it (B42; PROTOCOL.md part 18). Hysteresis: what is breached stays so
 * until a reading is at `clear` or beyond.
 */
import { tiers, type ContextFrame, type Tier } from "../wire/ContextFrame.ts"

export interface Move {
  /** `actuator:pump-1` */
  readonly actuator: string
  readonly state: string
  /** ms */
  readonly forMs: number
}

/** For a language model (P18.6). */
export interface Question {
  readonly ask: string
  /** What it may draft moves of: `actuator:pump-1`. */
  readonly may: ReadonlyArray<string>
  /** And for how long at most, ms. */
  readonly forMaxMs: number
}

export const isMove = (then: Move | Question): then is Move => "actuator" in then

export interface Rule {
  /** For people. */
  readonly name: string
  readonly metric: string
  /** `null`: of readings that name no zone. */
  readonly zone: string | null
  /** Breached below it, or above it. */
  readonly when: { readonly below: number } | { readonly above: number }
  /** And no longer from here on, in the unit of the reading; on the far side of the threshold, or at it. */
  readonly clear: number
  readonly then: Move | Question
  /** After a proposal of this, of whoever made it and whatever came of it, none is made for so long, ms. */
  readonly cooldownMs: number
  /** The least that a reading has to be trusted. */
  readonly tier: Tier
  /** Of several that are breached the higher is proposed first. */
  readonly priority: number
  /** Only at these times of a day, ms since midnight of the calendar (UTC), in place of as soon as it is breached. */
  readonly daily?: ReadonlyArray<number>
}

const DAY_MS = 86_400_000
/** So long from each of its times on a rule may be proposed: whoever leads may just have begun to. */
export const DAILY_WINDOW_MS = 300_000
/** A calendar before the year 2023 is the one of a device that has none. */
const CALENDAR_FROM_MS = 1_672_531_200_000

/** In how many ms the time comes at which it may be proposed; 0: it is now; `null`: nobody knows what day it is. */
export const waitsMs = ({ daily }: Rule, wallMs: number | null): number | null => {
  if (daily === undefined) return 0
  if (wallMs === null || wallMs < CALENDAR_FROM_MS) return null
  const sinceMs = daily.map((time) => (((wallMs - time) % DAY_MS) + DAY_MS) % DAY_MS)
  return sinceMs.some((since) => since < DAILY_WINDOW_MS) ? 0 : Math.min(...sinceMs.map((since) => DAY_MS - since))
}

export const RULES_MAX = 1_024

/** What a reading is: from a sensor's own word, with a number; `null`: none of those. */
export const valueOf = ({ data, kind, trust }: ContextFrame): number | null => {
  const { value } = data
  return kind === "observation" && trust.evidence_sources.includes("sensor") && typeof value === "number" ? value : null
}

export const isTrusted = ({ tier }: Rule, { trust }: ContextFrame): boolean =>
  tiers.indexOf(trust.evidence_trust_tier) >= tiers.indexOf(tier)

/** Whether it is breached by this value, where it was or was not before. */
export const breachedBy = ({ clear, when }: Rule, value: number, before: boolean): boolean => {
  if ("below" in when) return value < when.below || (before && value < clear)
  return value > when.above || (before && value > clear)
}

const placeOf = (metric: unknown, zone: unknown): string => JSON.stringify([metric, zone ?? null])

const places = new WeakMap<ReadonlyArray<Rule>, ReadonlyMap<string, ReadonlyArray<number>>>()

/** The places, in the list, of the rules that a reading concerns. A thousand rules and ten thousand readings a second are no search. */
export const concernedBy = (
  rules: ReadonlyArray<Rule>,
  { data }: Pick<ContextFrame, "data">
): ReadonlyArray<number> => {
  let byPlace = places.get(rules)
  if (byPlace === undefined) {
    const made = new Map<string, Array<number>>()
    for (const [index, { metric, zone }] of rules.entries()) {
      const place = placeOf(metric, zone)
      made.set(place, [...(made.get(place) ?? []), index])
    }
    places.set(rules, made)
    byPlace = made
  }
  return byPlace.get(placeOf(data["metric"], data["zone"])) ?? []
}

/**
 * The planner that needs no model (B42, B43; PROTOCOL.md part 18): it watches thresholds, and while this node leads it proposes what the
 * rules say. It proposes only: what becomes of that is its owner's and people's to say.
 *
 * Every planner watches, and only who leads proposes (B24). A node that begins to lead looks at what stands then, and not at what it
 * once heard: a reading that is not fresh any more, or was followed by a better one, sets nothing going (B25). One thing that is breached
 * waits as one, however many readings say so. Whoever proposed something lately, of whichever planner, is read from the proposals
 * themselves, so that a new leader does not begin anew.
 */
import { leadRank } from "../Config.ts"
import { leaseRuns, type Leadership } from "../leadership/Leadership.ts"
import { proposalsOf } from "../proposals/Proposal.ts"
import { propose } from "../proposals/Proposing.ts"
import type { Known } from "../routing/Routes.ts"
import { NEVER_MS, type Instant } from "../Time.ts"
import { note, type Turn } from "../Turn.ts"
import type * as Log from "../world/Log.ts"
import { freshnessOf, youngestOf } from "../world/Query.ts"
import type { World } from "../world/World.ts"
import { breachedBy, concernedBy, isTrusted, valueOf, waitsMs, type Rule } from "./Rule.ts"

/** After so long it looks whether what it proposed stands; what could not be proposed it tries again, as its owner may be back. */
export const TRY_AGAIN_MS = 10_000

/** How long it waits for a time of day at most before it looks at its calendar again, which may be set meanwhile. */
const DAILY_LOOK_MS = 60_000
/** Calendars that are further apart than this contradict each other. */
const CALENDARS_APART_MS = 300_000

/** More of those that it has sessions with have another calendar than have the same. */
const isContradicted = ({ links }: Known, { mono, wall }: Instant): boolean => {
  const calendars = links.links.flatMap((link) =>
    link._tag === "Session" && link.proven.kernel ? [mono + link.proven.aheadMs] : []
  )
  const contrary = calendars.filter((calendar) => Math.abs(calendar - wall) > CALENDARS_APART_MS).length
  return 2 * contrary > calendars.length
}

/** Of one rule. */
export interface Watch {
  readonly breached: boolean
  /** While it leads: when to look at it next. */
  readonly lookAt: number
}

export interface Planning {
  /** As many as there are rules, in their order. */
  readonly watches: ReadonlyArray<Watch>
  /** Since it led when it last looked. */
  readonly leads: boolean
  readonly due: number
}

const CALM: Watch = { breached: false, lookAt: NEVER_MS }

export const make = (rules: ReadonlyArray<Rule> = []): Planning => ({
  watches: rules.map(() => CALM),
  leads: false,
  due: NEVER_MS
})

/** What is to be done is said as facts, for the room of proposals. */
export const onTurn = (
  planning: Planning,
  woke: boolean,
  known: Known,
  leadership: Leadership,
  turn: Turn
): Planning => {
  const { rules = [] } = known.config
  if (rules.length === 0 || leadRank(known.config.role) === null) return planning
  const leads = leaseRuns(leadership, turn.at.mono)
  let next = turn.readings.reduce((all, held) => onReading(all, rules, held, leads, turn), planning)
  if (leads !== next.leads) next = leads ? promoted(next, turn) : retired(next)
  if (leads && (woke || next !== planning)) next = look(next, rules, known, leadership, turn)
  return next === planning ? planning : withDue(next)
}

const withWatch = (planning: Planning, index: number, watch: Watch): Planning => ({
  ...planning,
  watches: planning.watches.with(index, watch)
})

/** A reading that stands now. */
const onReading = (
  planning: Planning,
  rules: ReadonlyArray<Rule>,
  held: Log.Held,
  leads: boolean,
  { at }: Turn
): Planning => {
  const value = valueOf(held.frame)
  if (value === null || !held.evidence) return planning
  let next = planning
  for (const index of concernedBy(rules, held.frame)) {
    const rule = rules[index]!
    const watch = next.watches[index]!
    if (!isTrusted(rule, held.frame)) continue
    const breached = breachedBy(rule, value, watch.breached)
    // Of what is breached and waits for its time the time stands.
    const isNews = breached !== watch.breached || (breached && leads && watch.lookAt === NEVER_MS)
    if (isNews) next = withWatch(next, index, { breached, lookAt: breached && leads ? at.mono : NEVER_MS })
  }
  return next
}

/** It begins to lead: all is looked at, by what stands now; what is not breached any more is forgotten. */
const promoted = (planning: Planning, { at }: Turn): Planning => ({
  ...planning,
  leads: true,
  watches: planning.watches.map((watch) => ({ ...watch, lookAt: at.mono }))
})

const retired = (planning: Planning): Planning => ({
  ...planning,
  leads: false,
  watches: planning.watches.map((watch) => (watch.lookAt === NEVER_MS ? watch : { ...watch, lookAt: NEVER_MS }))
})

/** The youngest reading that it may rest on, of whichever sensor; `null`: there is none. */
const newest = (world: World, rule: Rule): Log.Held | null =>
  youngestOf(
    world,
    rule.metric,
    rule.zone,
    (held) => held.evidence && isTrusted(rule, held.frame) && valueOf(held.frame) !== null
  )

/** All that is due, the most urgent first. */
const look = (
  planning: Planning,
  rules: ReadonlyArray<Rule>,
  known: Known,
  leadership: Leadership,
  turn: Turn
): Planning => {
  const { mono } = turn.at
  const due = planning.watches
    .flatMap(({ lookAt }, index) => (lookAt <= mono ? [index] : []))
    .sort((a, b) => rules[b]!.priority - rules[a]!.priority || a - b)
  if (due.length === 0) return planning
  const watches = [...planning.watches]
  const seen: Seen = { ages: agesOf(known, mono), wallMs: isContradicted(known, turn.at) ? null : turn.at.wall }
  for (const index of due) watches[index] = lookedAt(rules[index]!, watches[index]!, known, seen, leadership, turn)
  return { ...planning, watches }
}

/** The same for all that is looked at in one turn. */
interface Seen {
  /** How long ago, in ms, each effect was last proposed, by whomever. */
  readonly ages: ReadonlyMap<string, number>
  /** The calendar; `null`: others contradict it. */
  readonly wallMs: number | null
}

const effectOf = ({ actuator, state }: { readonly actuator: string; readonly state: string }): string =>
  `${state} ${actuator}`

const agesOf = ({ config, world }: Known, mono: number): Seen["ages"] => {
  const ages = new Map<string, number>()
  for (const { ageMs, body } of proposalsOf(world, config, mono)) {
    const effect = effectOf(body)
    ages.set(effect, Math.min(ageMs, ages.get(effect) ?? ageMs))
  }
  return ages
}

const lookedAt = (rule: Rule, watch: Watch, known: Known, seen: Seen, leadership: Leadership, turn: Turn): Watch => {
  const { mono } = turn.at
  const waits = waitsMs(rule, seen.wallMs)
  if (waits !== 0) return { ...watch, lookAt: mono + Math.min(DAILY_LOOK_MS, waits ?? DAILY_LOOK_MS) }
  const held = newest(known.world, rule)
  const value = held === null ? null : valueOf(held.frame)
  if (held === null || value === null || !breachedBy(rule, value, watch.breached)) return CALM
  // Of what nobody knows any more nothing is moved: the next reading will tell.
  if (freshnessOf(held, mono) !== "fresh") return { ...watch, lookAt: NEVER_MS }
  const { actuator, forMs, state } = rule.then
  // Said in this very turn by another rule it is not yet among them.
  const isSaid = turn.said.some((fact) => fact.fact === "propose" && effectOf(fact.body) === effectOf(rule.then))
  const leftMs = rule.cooldownMs - (isSaid ? 0 : (seen.ages.get(effectOf(rule.then)) ?? Number.POSITIVE_INFINITY))
  if (leftMs > 0) return { breached: true, lookAt: mono + leftMs }
  const [, fact] = propose(
    { actuator, state, forMs, because: [held.frame.frameId], autonomous: true },
    known,
    leadership,
    turn
  )
  if (fact !== null) {
    note(turn, { event: "planner.triggered", about: held.frame.sourceDeviceId, actuator, reason: rule.name })
    turn.said.push(fact)
  }
  // Also where it was: a key that did not sign has lost it, and otherwise it stands then, and its time is known.
  return { breached: true, lookAt: mono + TRY_AGAIN_MS }
}

const withDue = (planning: Planning): Planning => {
  const due = planning.watches.reduce((least, { lookAt }) => Math.min(least, lookAt), NEVER_MS)
  return due === planning.due ? planning : { ...planning, due }
}

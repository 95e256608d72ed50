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
import type { Input } from "../Input.ts"
import { leaseRuns, type Leadership } from "../leadership/Leadership.ts"
import { proposalsOf, wantedIn } from "../proposals/Proposal.ts"
import { propose } from "../proposals/Proposing.ts"
import type { Known } from "../routing/Routes.ts"
import { NEVER_MS, type Instant } from "../Time.ts"
import { note, type Turn } from "../Turn.ts"
import type * as Log from "../world/Log.ts"
import { freshnessOf, youngestOf } from "../world/Query.ts"
import type { World } from "../world/World.ts"
import * as Advice from "./Advice.ts"
import {
  breachedBy,
  concernedBy,
  isMove,
  isTrusted,
  valueOf,
  waitsMs,
  type Move,
  type Question,
  type Rule
} from "./Rule.ts"

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

/** What a model or its server says reaches an event in so many characters. */
const WHY_CHARS = 200

/** Of one rule. */
export interface Watch {
  readonly breached: boolean
  /** It waits for the language model to be free. */
  readonly asks: boolean
  /** While it leads: when to look at it next. */
  readonly lookAt: number
}

export interface Planning {
  /** As many as there are rules, in their order. */
  readonly watches: ReadonlyArray<Watch>
  readonly advice: Advice.Advice
  /** Since it led when it last looked. */
  readonly leads: boolean
  readonly due: number
}

const CALM: Watch = { breached: false, asks: false, lookAt: NEVER_MS }

export const make = (rules: ReadonlyArray<Rule> = []): Planning => ({
  watches: rules.map(() => CALM),
  advice: Advice.make(),
  leads: false,
  due: NEVER_MS
})

/** What is to be done is said as facts, for the room of proposals. */
export const onTurn = (
  planning: Planning,
  input: Input,
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
  if (input._tag === "Advised") next = onAdvised(next, input, rules, known, leadership, turn)
  else if (input._tag === "Engine" && input.runs) next = withAdvice(next, Advice.mended(next.advice), turn)
  else if (woke && Advice.dueAt(next.advice) <= turn.at.mono)
    next = onFailed(next, false, "it did not answer", rules, turn)
  if (leads && (woke || next !== planning)) next = look(next, rules, known, leadership, turn)
  return next === planning ? planning : withDue(next)
}

/** Its language model will not answer again. */
export const gaveUp = (before: Planning, after: Planning): boolean =>
  before.advice.standing !== "suspended" && after.advice.standing === "suspended"

/** What waited for the model looks again. */
const withAdvice = (planning: Planning, advice: Advice.Advice, { at }: Turn): Planning => {
  const lookAt = Math.max(at.mono, Advice.freeAt(advice))
  return {
    ...planning,
    advice,
    watches: planning.watches.map((watch) =>
      watch.asks && planning.leads ? { ...watch, asks: lookAt === NEVER_MS, lookAt } : watch
    )
  }
}

/** The language model failed, or said something else than it was asked for. */
const onFailed = (
  planning: Planning,
  permanent: boolean,
  why: string,
  rules: ReadonlyArray<Rule>,
  turn: Turn
): Planning => {
  const { mono } = turn.at
  const { asked } = planning.advice
  const advice = Advice.failed(planning.advice, permanent, mono)
  const standing = advice.standing === "works" ? "" : `${advice.standing}: `
  const rule = rules[asked?.rule ?? -1]?.name ?? ""
  note(turn, {
    event: "planner.failed",
    about: turn.config.deviceId,
    reason: `${standing}${rule}: ${why.slice(0, WHY_CHARS)}`
  })
  const next = withAdvice(planning, advice, turn)
  const watch = asked === null ? undefined : next.watches[asked.rule]
  // It looks again soon, if it is asked again at all.
  return watch === undefined || !next.leads || !watch.breached
    ? next
    : withWatch(next, asked!.rule, { ...watch, lookAt: Math.max(mono + TRY_AGAIN_MS, Advice.freeAt(advice)) })
}

/**
 * The language model has answered. What it drafts is judged as a whole, and proposed by whoever leads still (B24); each draft rests on the
 * reading that it was asked for, whatever else it names.
 */
const onAdvised = (
  planning: Planning,
  input: Advice.Advised,
  rules: ReadonlyArray<Rule>,
  known: Known,
  leadership: Leadership,
  turn: Turn
): Planning => {
  const { asked } = planning.advice
  const rule = asked === null ? undefined : rules[asked.rule]
  // It was given up, or is of another life.
  if (asked === null || rule === undefined || isMove(rule.then) || asked.ticket !== input.ticket) return planning
  const { drafts, permanent, reason } = input
  if (drafts === null) return onFailed(planning, permanent, reason, rules, turn)
  if (drafts.length > Advice.DRAFTS_MAX) return onFailed(planning, false, "it would have too much done", rules, turn)
  for (const draft of drafts) {
    const fault = Advice.faultOf(draft, rule.then)
    if (fault !== null) return onFailed(planning, false, fault, rules, turn)
  }
  note(turn, {
    event: "planner.advised",
    about: turn.config.deviceId,
    count: drafts.length,
    reason: `${rule.name}: ${reason.slice(0, WHY_CHARS)}`
  })
  const seen = seenIn(known, turn)
  for (const draft of drafts) {
    const { actuator, because, forMs, state } = draft
    const effect = effectOf(draft)
    if (seen.unsigned.has(effect) || sinceMs(seen, effect) < rule.cooldownMs) continue
    const rests = [asked.frame, ...new Set(because.filter((id) => id !== asked.frame))]
    const wanted = { actuator, state, forMs, because: rests, autonomous: true, model: known.config.model ?? "" }
    const [, fact] = propose(wanted, known, leadership, turn)
    if (fact !== null) turn.said.push(fact)
  }
  return withAdvice(planning, Advice.answered(planning.advice), turn)
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
    const waits = watch.lookAt === NEVER_MS && !watch.asks
    const isNews = breached !== watch.breached || (breached && leads && waits)
    if (isNews) next = withWatch(next, index, { breached, asks: false, lookAt: breached && leads ? at.mono : NEVER_MS })
  }
  return next
}

/** It begins to lead: all is looked at, by what stands now; what is not breached any more is forgotten. */
const promoted = (planning: Planning, { at }: Turn): Planning => ({
  ...planning,
  leads: true,
  watches: planning.watches.map((watch) => ({ ...watch, asks: false, lookAt: at.mono }))
})

const retired = (planning: Planning): Planning => ({
  ...planning,
  leads: false,
  watches: planning.watches.map((watch) =>
    watch.lookAt === NEVER_MS && !watch.asks ? watch : { ...watch, asks: false, lookAt: NEVER_MS }
  )
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
  let { advice } = planning
  const seen = seenIn(known, turn)
  for (const index of due) {
    const rule = rules[index]!
    const { then } = rule
    const reading = dueReading(rule, watches[index]!, known, seen, turn)
    if ("watch" in reading) watches[index] = reading.watch
    else if (isMove(then)) watches[index] = moved(rule, then, reading.held, known, seen, leadership, turn)
    else [watches[index], advice] = consulted(rule, then, index, reading.held, advice, turn)
  }
  return { ...planning, advice, watches }
}

/** The same for all that is looked at in one turn. */
interface Seen {
  /** How long ago, in ms, each effect was last proposed, by whomever. */
  readonly ages: ReadonlyMap<string, number>
  /** Said, and not signed yet: nobody knows of it, and it may be lost. */
  readonly unsigned: ReadonlySet<string>
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

const seenIn = (known: Known, { at }: Turn): Seen => ({
  ages: agesOf(known, at.mono),
  unsigned: unsignedOf(known),
  wallMs: isContradicted(known, at) ? null : at.wall
})

const sinceMs = ({ ages }: Seen, effect: string): number => ages.get(effect) ?? Number.POSITIVE_INFINITY

/** What this node has said, and its key has not signed yet. */
const unsignedOf = ({ world }: Known): ReadonlySet<string> =>
  new Set(
    world.drafts.flatMap(({ data }) => {
      const wanted = wantedIn(data)
      return wanted === null ? [] : [effectOf(wanted)]
    })
  )

/** What it would be done by; or why it is not, now. */
const dueReading = (
  rule: Rule,
  watch: Watch,
  known: Known,
  seen: Seen,
  { at: { mono } }: Turn
): { readonly held: Log.Held } | { readonly watch: Watch } => {
  const waits = waitsMs(rule, seen.wallMs)
  if (waits !== 0) return { watch: { ...watch, lookAt: mono + Math.min(DAILY_LOOK_MS, waits ?? DAILY_LOOK_MS) } }
  const held = newest(known.world, rule)
  const value = held === null ? null : valueOf(held.frame)
  if (held === null || value === null || !breachedBy(rule, value, watch.breached)) return { watch: CALM }
  // Of what nobody knows any more nothing is moved: the next reading will tell.
  return freshnessOf(held, mono) === "fresh" ? { held } : { watch: { ...watch, asks: false, lookAt: NEVER_MS } }
}

const moved = (
  rule: Rule,
  { actuator, forMs, state }: Move,
  held: Log.Held,
  known: Known,
  seen: Seen,
  leadership: Leadership,
  turn: Turn
): Watch => {
  const { mono } = turn.at
  const effect = effectOf({ actuator, state })
  if (seen.unsigned.has(effect)) return { breached: true, asks: false, lookAt: mono + TRY_AGAIN_MS }
  // Said in this very turn by another rule it is not yet among them.
  const isSaid = turn.said.some((fact) => fact.fact === "propose" && effectOf(fact.body) === effect)
  const leftMs = rule.cooldownMs - (isSaid ? 0 : sinceMs(seen, effect))
  if (leftMs > 0) return { breached: true, asks: false, lookAt: mono + leftMs }
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
  return { breached: true, asks: false, lookAt: mono + TRY_AGAIN_MS }
}

/** The language model is asked, or as soon as it is free. */
const consulted = (
  rule: Rule,
  question: Question,
  place: number,
  { frame }: Log.Held,
  advice: Advice.Advice,
  turn: Turn
): readonly [Watch, Advice.Advice] => {
  const { mono } = turn.at
  if (turn.config.model === undefined) return [{ breached: true, asks: false, lookAt: NEVER_MS }, advice]
  const nextAt = Advice.nextAt(advice, place, rule.cooldownMs)
  if (nextAt > mono) return [{ breached: true, asks: false, lookAt: nextAt }, advice]
  const freeAt = Advice.freeAt(advice)
  if (freeAt > mono) return [{ breached: true, asks: freeAt === NEVER_MS, lookAt: freeAt }, advice]
  const next = Advice.asking(advice, { rule: place, frame: frame.frameId }, mono)
  note(turn, { event: "planner.asked", about: frame.sourceDeviceId, reason: rule.name })
  turn.out.push({ _tag: "Consult", ticket: next.tickets, rule: rule.name, question, because: frame.frameId })
  return [{ breached: true, asks: false, lookAt: mono + rule.cooldownMs }, next]
}

const withDue = (planning: Planning): Planning => {
  const due = planning.watches.reduce((least, { lookAt }) => Math.min(least, lookAt), Advice.dueAt(planning.advice))
  return due === planning.due ? planning : { ...planning, due }
}

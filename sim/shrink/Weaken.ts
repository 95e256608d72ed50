/**
 * Smaller forms of one step, the smallest first: fewer nodes, and outcomes further down an order. A crash that takes the disk with
 * it is worse than a crash, a crash is worse than a pause, a pause is worse than a delay; a cut is worse than one of one direction, and
 * that is worse than a detour; of a number less is less.
 */
import type { LinkRule, Scenario, Step, Target, Verb } from "../scenario/Scenario.ts"
import { namesOf } from "./Parts.ts"

const EVERYONE: ReadonlyArray<Target> = [{ word: "everyone" }]
/** Each input of a delayed node takes so long; what goes round about takes so much longer. */
const SLOW_MS = 500
const DETOUR_MS = 1_000
/** More ends than that are taken out half by half. */
const ONE_BY_ONE_MAX = 8

type DiskFate = NonNullable<Extract<Verb, { readonly _tag: "crash" }>["disk"]>
/** From the lightest. */
const fates: ReadonlyArray<DiskFate> = ["keep", "torn", "lost", "wiped"]

const slowCpu = (who: ReadonlyArray<Target>): Verb => ({
  _tag: "slow-cpu",
  who,
  takesMs: { min: SLOW_MS, max: SLOW_MS }
})
const detour = (from: ReadonlyArray<Target>, to: ReadonlyArray<Target>): Verb => ({
  _tag: "detour",
  from,
  to,
  oneWay: true,
  rule: { _tag: "offset", ms: { min: DETOUR_MS, max: DETOUR_MS } }
})

/** Less of the same outcome, or another that is less. */
const lighter = ({ verb }: Step): ReadonlyArray<Verb> => {
  switch (verb._tag) {
    case "crash": {
      const { disk = "keep", who } = verb
      const less = fates.slice(0, fates.indexOf(disk))
      return [
        slowCpu(who),
        { _tag: "freeze", who },
        ...less.map((fate): Verb => (fate === "keep" ? { _tag: "crash", who } : { _tag: "crash", who, disk: fate }))
      ]
    }
    case "crash-at-write":
      return [slowCpu(verb.who), { _tag: "freeze", who: verb.who }, { _tag: "crash", who: verb.who }]
    case "stop":
    case "suspend":
      return [slowCpu(verb.who), { _tag: "freeze", who: verb.who }]
    case "freeze":
      return [slowCpu(verb.who)]
    case "unplug":
      return [detour(verb.who, EVERYONE), { _tag: "isolate", who: verb.who }]
    case "isolate":
      return [detour(verb.who, EVERYONE), detour(EVERYONE, verb.who)]
    case "cut":
      return verb.oneWay
        ? [detour(verb.from, verb.to)]
        : [
            detour(verb.from, verb.to),
            detour(verb.to, verb.from),
            { ...verb, oneWay: true },
            { ...verb, from: verb.to, to: verb.from, oneWay: true }
          ]
    case "partition": {
      const [a = [], b = [], ...more] = verb.groups
      if (more.length > 0) return [{ ...verb, groups: [a, [...b, ...more.flat()]] }]
      return a.length === 1 && b.length === 1 ? [{ _tag: "cut", from: a, to: b, oneWay: false }] : []
    }
    default:
      return []
  }
}

/** Each list that a list can be made smaller to: half of it, or all but one. */
const fewer = (names: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => {
  if (names.length < 2) return []
  const half = names.length >> 1
  const halves = names.length > 2 ? [names.slice(0, half), names.slice(half)] : []
  return names.length > ONE_BY_ONE_MAX
    ? halves
    : [...halves, ...names.map((_, place) => names.filter((__, other) => other !== place))]
}

const narrower = ({ verb }: Step, scenario: Scenario): ReadonlyArray<Verb> => {
  if (verb._tag === "start" || verb._tag === "heal") return []
  if ("who" in verb) return fewer(namesOf(verb.who, scenario)).map((who): Verb => ({ ...verb, who }))
  switch (verb._tag) {
    case "partition": {
      const groups = verb.groups.map((group) => namesOf(group, scenario))
      return groups.flatMap((group, place) =>
        fewer(group).map((less): Verb => ({ ...verb, groups: groups.map((one, i) => (i === place ? less : one)) }))
      )
    }
    case "trust":
    case "revoke":
      return fewer(namesOf(verb.by, scenario)).map((by): Verb => ({ ...verb, by }))
    case "connect":
      return fewer(namesOf(verb.to, scenario)).map((to): Verb => ({ ...verb, to }))
    case "advertise":
      return fewer(namesOf(verb.heardBy, scenario)).map((heardBy): Verb => ({ ...verb, heardBy }))
    case "infer":
    case "call-off":
    case "ask":
    case "send":
    case "replay":
      return []
    default: {
      const from = namesOf(verb.from, scenario)
      const to = namesOf(verb.to, scenario)
      if (!verb.oneWay && verb._tag !== "cut")
        return fewer(from)
          .filter(({ length }) => length > 1)
          .map((both): Verb => ({ ...verb, from: both, to: both }) as Verb)
      return [
        ...fewer(from).map((less): Verb => ({ ...verb, from: less }) as Verb),
        ...fewer(to).map((less): Verb => ({ ...verb, to: less }) as Verb)
      ]
    }
  }
}

const half = (n: number): number => Math.trunc(n / 2)

const smallerRule = (rule: LinkRule): ReadonlyArray<LinkRule> => {
  switch (rule._tag) {
    case "slow": {
      const { delay, lossPpm } = rule
      const withoutLoss = lossPpm !== null && delay !== null ? [{ ...rule, lossPpm: null }] : []
      const withoutDelay = lossPpm !== null && lossPpm > 0 && delay !== null ? [{ ...rule, delay: null }] : []
      const even =
        delay !== null && delay._tag !== "uniform"
          ? [{ ...rule, delay: { _tag: "uniform", ms: { min: DETOUR_MS, max: DETOUR_MS } } as const }]
          : []
      return [...withoutLoss, ...withoutDelay, ...even]
    }
    case "offset":
      return rule.ms.max > DETOUR_MS ? [{ ...rule, ms: { min: DETOUR_MS, max: DETOUR_MS } }] : []
    default:
      return []
  }
}

const smaller = ({ verb }: Step): ReadonlyArray<Verb> => {
  switch (verb._tag) {
    case "skew": {
      const { how } = verb
      if (how._tag === "by" && Math.abs(how.ms) > 1_000)
        return [
          { ...verb, how: { ...how, ms: 1_000 * Math.sign(how.ms) } },
          { ...verb, how: { ...how, ms: 1_000 * half(Math.trunc(how.ms / 1_000)) } }
        ].filter((one) => one.how.ms !== 0 && Math.abs(one.how.ms) < Math.abs(how.ms))
      if (how._tag === "rate" && Math.abs(how.ppm) >= 20_000)
        return [{ ...verb, how: { ...how, ppm: 10_000 * half(Math.trunc(how.ppm / 10_000)) } }].filter(
          (one) => one.how.ppm !== 0
        )
      return []
    }
    case "crash-at-write":
      return verb.nth > 1
        ? [
            { ...verb, nth: 1 },
            { ...verb, nth: verb.nth - 1 }
          ]
        : []
    default:
      return "rule" in verb ? smallerRule(verb.rule).map((rule): Verb => ({ ...verb, rule }) as Verb) : []
  }
}

/** Verbs that have to end. */
const ENDING: ReadonlySet<Verb["_tag"]> = new Set<Verb["_tag"]>(["freeze", "slow-cpu"])

/** Smaller forms of a step, the smallest first. `untilMs`: when it is undone, where nothing says so. */
export const weaker = (step: Step, scenario: Scenario, untilMs: number): ReadonlyArray<Step> => {
  const forMs = step.forMs ?? Math.max(1, untilMs - step.atMs)
  return [...narrower(step, scenario), ...lighter(step), ...smaller(step)].map((verb): Step => ({
    ...step,
    verb,
    forMs: step.forMs === null && ENDING.has(verb._tag) ? forMs : step.forMs
  }))
}

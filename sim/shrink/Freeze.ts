/**
 * A run as an explicit schedule: a scenario in which nothing is left to be drawn but what the network draws for each message.
 * Faults that struck stand in it with the nodes that they meant and the moments at which they struck; clocks, paths, ties and
 * the seed are those of the run; what would have happened after the failure is not in it.
 *
 * Does not freeze: a branch, whose draws change their seed on the way. Its schedule is tried with the seeds of either side.
 */
import type { Run } from "../run.ts"
import type { NodeSpec, Scenario, Step, Target, Verb } from "../scenario/Scenario.ts"
import type { Meant } from "../faults/Fault.ts"
import { anchorsOf, isAfterwards, isOfTheEnd, type Failure } from "./Failure.ts"

/** A run that failed. */
export interface Origin {
  /** As it ran, with what was drawn for it. */
  readonly scenario: Scenario
  /** What nodes are made from. */
  readonly seed: number
  readonly ties: "fifo" | "drawn"
  readonly liveness: boolean
  /** After its end. */
  readonly run: Run
}

const EVERYONE: ReadonlyArray<Target> = [{ word: "everyone" }]

/** A clone has a name that no file can have. */
const nameIn = (name: string): string => name.replaceAll(".", "-")

/** Verbs whose rule draws by the key of its step. */
const DRAWS: ReadonlySet<Verb["_tag"]> = new Set<Verb["_tag"]>([
  "slow",
  "detour",
  "flap",
  "swizzle",
  "burst-loss",
  "duplicate",
  "reorder",
  "corrupt",
  "lie",
  "late-close",
  "lossy-close",
  "lose-adverts",
  "send",
  "connect",
  "advertise"
])

export const drawsByKey = ({ verb }: Step): boolean =>
  DRAWS.has(verb._tag) || (verb._tag === "freeze" && verb.in !== undefined)

/** The verb with whom it meant when it struck; `null`: it meant nobody. */
const resolved = (verb: Verb, meant: Meant, everyone: ReadonlyArray<string>): Verb | null => {
  const named = (names: ReadonlyArray<string>): ReadonlyArray<Target> =>
    names.length === everyone.length && everyone.every((name) => names.includes(name)) && names.length > 1
      ? EVERYONE
      : names.map(nameIn)
  const [first = [], second = []] = meant
  switch (verb._tag) {
    case "partition": {
      const groups = meant.filter(({ length }) => length > 0).map((names) => names.map(nameIn))
      return groups.length < 2 ? null : { ...verb, groups }
    }
    case "heal":
      return verb.what === "everything" ? verb : first.length === 0 ? null : { ...verb, what: named(first) }
    case "ask":
    case "replay":
      return { ...verb, from: nameIn(verb.from), to: nameIn(verb.to) }
    case "infer":
      return { ...verb, from: nameIn(verb.from), ...(verb.to === undefined ? {} : { to: nameIn(verb.to) }) }
    case "call-off":
      return verb
    case "send":
      return { ...verb, from: nameIn(verb.from), to: verb.to.includes(":") ? verb.to : nameIn(verb.to) }
    case "trust":
    case "revoke":
      return first.length === 0 ? null : { ...verb, by: named(first), whom: nameIn(verb.whom) }
    case "connect": {
      const { as } = verb
      return first.length === 0 ? null : { ...verb, to: named(first), as: as === null ? null : nameIn(as) }
    }
    case "advertise":
      return first.length === 0 ? null : { ...verb, heardBy: named(first) }
    default:
      if ("who" in verb) return first.length === 0 ? null : { ...verb, who: named(first) }
      if (first.length === 0 || second.length === 0) return null
      if (!verb.oneWay && verb._tag !== "cut") return { ...verb, from: named(first), to: named(first) } as Verb
      return { ...verb, from: first.map(nameIn), to: second.map(nameIn) } as Verb
  }
}

/**
 * A fault that struck nobody did nothing but take its turn, and where ties are drawn that moves the turns of others: so something
 * takes it that does nothing either. It is the first to go.
 */
const nothing = ([a, b]: ReadonlyArray<string>): Verb | null => {
  if (a === undefined || b === undefined) return null
  const both = [a, b].map(nameIn)
  return { _tag: "corrupt", from: both, to: both, oneWay: false, rule: { _tag: "corrupt", ppm: 0 } }
}

/** In order of time; of one moment, in the order in which they stood. */
export const inOrder = (timeline: ReadonlyArray<Step>): ReadonlyArray<Step> =>
  timeline.toSorted((a, b) => a.atMs - b.atMs)

/** So long after what broke a run goes on at least. */
const AFTER_MS = 100

/** When the run may end, and still fail. */
export const endOf = (failure: Failure, scenario: Scenario): number => {
  const roundUp = (ms: number): number => Math.min(scenario.lastsMs, (Math.floor(ms / AFTER_MS) + 1) * AFTER_MS)
  if (isAfterwards(failure) || isOfTheEnd(failure)) return scenario.lastsMs
  if (failure._tag === "invariant") return roundUp(failure.atMs)
  const { when } = failure.expectation
  switch (when._tag) {
    case "at":
      return Math.min(scenario.lastsMs, when.atMs)
    case "within":
      return Math.min(scenario.lastsMs, when.afterMs + when.withinMs)
    case "always":
    case "never":
    case "sometimes":
      return Math.max(roundUp(failure.atMs), Math.min(scenario.lastsMs, when.fromMs + AFTER_MS))
    case "eventually":
      return scenario.lastsMs
  }
}

/** The scenario that ends there: no step after it, and expectations that look no further. */
export const endingAt = (scenario: Scenario, lastsMs: number): Scenario => ({
  ...scenario,
  lastsMs,
  timeline: scenario.timeline.filter(({ atMs }) => atMs <= lastsMs),
  expect: scenario.expect.map((expectation) => {
    const { when } = expectation
    if (when._tag === "eventually") return { ...expectation, when: { ...when, atMs: lastsMs } }
    if (!("untilMs" in when) || (when.untilMs <= lastsMs && when.untilBase !== "end")) return expectation
    return { ...expectation, when: { ...when, untilMs: lastsMs, untilBase: "end" } }
  })
})

/** Schedules of the run, the truest first: the first one that still fails is the one to go on with. */
export const freeze = ({ liveness, run, scenario, seed, ties }: Origin, failure: Failure): ReadonlyArray<Scenario> => {
  const anchors = anchorsOf(failure)
  const everyone = scenario.nodes
    .filter(({ beside, sameKeyAs }) => !(beside === true && sameKeyAs !== undefined))
    .map(({ name }) => name)
  const steps = scenario.timeline.flatMap((step, place): ReadonlyArray<Step> => {
    const meant = run.world.script.meantBy(place)
    if (meant === null) return []
    const verb = resolved(step.verb, meant, everyone) ?? (ties === "drawn" ? nothing(everyone) : null)
    if (verb === null) return []
    const { base: _, key = String(place), ...rest } = step
    const frozen: Step = { ...rest, verb, id: step.id !== null && anchors.has(step.id) ? step.id : null }
    return [drawsByKey(frozen) ? { ...frozen, key } : frozen]
  })
  const { fuzz: _, liveness: __, ties: ___, with: ____, ...bare } = scenario
  const base: Scenario = {
    ...bare,
    seed,
    electors: scenario.electors.map(nameIn),
    nodes: scenario.nodes.map((node): NodeSpec => ({ ...node, name: nameIn(node.name) })),
    ...(ties === "drawn" ? { ties } : {}),
    ...(liveness && isAfterwards(failure) ? { liveness: true } : {}),
    timeline: inOrder(steps),
    expect: failure._tag === "expectation" ? [failure.expectation] : []
  }
  const ended = endingAt(base, endOf(failure, base))
  const seeds = [...new Set([seed, run.world.seed])]
  return seeds.map((one) => ({ ...ended, seed: one }))
}

/**
 * What can be taken out of a scenario: steps, nodes, and what is not as usual. Each gives another scenario that reads, or `null`
 * where the rest would be about nothing, or about something else.
 *
 * Repairs (a start, a restart of who is down, a heal) are no faults. They go when there is nothing left that they repair, and
 * where the failure is one of the end of a run, or of its script, they go in no other way: what is not repaired may well fail.
 */
import { isMove } from "../../kernel/planning/Rule.ts"
import { defaultDelayMs } from "../scenario/Nodes.ts"
import { ON_THE_NETWORK } from "../scenario/OnTheNetwork.ts"
import type { NodeSpec, Scenario, Step, Target, Verb } from "../scenario/Scenario.ts"
import { type Failure, anchorsOf, isAbout, isLaw, namedIn } from "./Failure.ts"

/** Names of whom these targets mean, where they are names. */
export const namesOf = (targets: ReadonlyArray<Target>, scenario: Scenario): ReadonlyArray<string> =>
  targets.flatMap((target) =>
    typeof target === "string"
      ? [target]
      : target.word === "everyone"
        ? scenario.nodes
            .filter(({ beside, sameKeyAs }) => !(beside === true && sameKeyAs !== undefined))
            .map(({ name }) => name)
        : []
  )

/** Whether each node runs for sure, is down for sure, or nobody can say. */
type Power = "up" | "down" | "unsure"

/** The verb without some of whom it means; `null`: nobody is left. */
const without = (verb: Extract<Verb, { readonly who: unknown }>, who: ReadonlyArray<string>): Verb | null =>
  who.length === 0 ? null : { ...verb, who }

const powered = (power: Map<string, Power>, name: string, step: Step, atMs: number, ups: Map<string, number>): void => {
  if (step.forMs === null) power.set(name, "down")
  else {
    power.set(name, "down")
    ups.set(name, Math.max(ups.get(name) ?? 0, atMs + step.forMs))
  }
}

/** Without repairs that repair nothing. */
const tidied = (scenario: Scenario): Scenario => {
  const power = new Map<string, Power>()
  const ups = new Map<string, number>()
  const inForce: Array<number> = []
  const timeline = scenario.timeline.flatMap((step): ReadonlyArray<Step> => {
    const { atMs, forMs, verb } = step
    for (const [name, ms] of ups)
      if (ms <= atMs) {
        power.set(name, power.get(name) === "down" ? "up" : "unsure")
        ups.delete(name)
      }
    if (ON_THE_NETWORK.has(verb._tag)) inForce.push(forMs === null ? Number.POSITIVE_INFINITY : atMs + forMs)
    switch (verb._tag) {
      case "start": {
        const who = namesOf(verb.who, scenario)
        const needed = who.filter((name) => power.get(name) !== "up")
        for (const name of who) power.set(name, "up")
        const kept = needed.length === who.length ? verb : without(verb, needed)
        return kept === null ? [] : [{ ...step, verb: kept }]
      }
      case "restart":
        for (const name of namesOf(verb.who, scenario)) power.set(name, "up")
        return [step]
      case "crash":
      case "stop":
        for (const name of namesOf(verb.who, scenario)) powered(power, name, step, atMs, ups)
        return [step]
      case "crash-at-write":
      case "disk":
        for (const name of namesOf(verb.who, scenario)) power.set(name, "unsure")
        return [step]
      case "heal":
        return verb.usual !== undefined || inForce.some((untilMs) => untilMs > atMs) ? [step] : []
      default:
        return [step]
    }
  })
  return { ...scenario, timeline }
}

/** The places of steps that undo what others did, or begin the run. */
export const repairsOf = (scenario: Scenario): ReadonlySet<number> => {
  const down = new Set(scenario.nodes.map(({ name }) => name))
  const places = new Set<number>()
  scenario.timeline.forEach(({ forMs, verb }, place) => {
    if (verb._tag === "heal") places.add(place)
    if (verb._tag === "start" || verb._tag === "restart") {
      const who = namesOf(verb.who, scenario)
      if (verb._tag === "start" || who.every((name) => down.has(name))) places.add(place)
      for (const name of who) down.delete(name)
    }
    if ((verb._tag === "crash" || verb._tag === "stop" || verb._tag === "crash-at-write") && forMs === null)
      for (const name of namesOf(verb.who, scenario)) down.add(name)
  })
  return places
}

/** The steps that may be taken out one by one. */
export const removable = (scenario: Scenario, failure: Failure): ReadonlyArray<number> => {
  const anchors = anchorsOf(failure)
  const repairs = repairsOf(scenario)
  const started = new Set<string>()
  return scenario.timeline.flatMap(({ id, verb }, place) => {
    const first = verb._tag === "start" && namesOf(verb.who, scenario).some((name) => !started.has(name))
    if (verb._tag === "start") for (const name of namesOf(verb.who, scenario)) started.add(name)
    if (first || (id !== null && anchors.has(id))) return []
    return isLaw(failure) || !repairs.has(place) ? [place] : []
  })
}

/** How many steps are faults. */
export const faultsIn = (scenario: Scenario): number => scenario.timeline.length - repairsOf(scenario).size

export const withoutSteps = (scenario: Scenario, places: ReadonlySet<number>): Scenario =>
  tidied({ ...scenario, timeline: scenario.timeline.filter((_, place) => !places.has(place)) })

export const withStep = (scenario: Scenario, place: number, step: Step | null): Scenario =>
  tidied({
    ...scenario,
    timeline: scenario.timeline.flatMap((one, i) => (i !== place ? [one] : step === null ? [] : [step]))
  })

/** The verb in a mesh without this node; `null`: nothing is left of it. */
const verbWithout = (verb: Verb, name: string): Verb | null => {
  const rest = (targets: ReadonlyArray<Target>): ReadonlyArray<Target> => targets.filter((target) => target !== name)
  switch (verb._tag) {
    case "partition": {
      const groups = verb.groups.map(rest).filter(({ length }) => length > 0)
      return groups.length < 2 ? null : { ...verb, groups }
    }
    case "heal":
      return verb.what === "everything"
        ? verb
        : rest(verb.what).length === 0
          ? null
          : { ...verb, what: rest(verb.what) }
    case "call-off":
      return verb
    case "infer":
    case "ask":
    case "send":
    case "replay":
      return verb.from === name || verb.to === name ? null : verb
    case "trust":
    case "revoke":
      return verb.whom === name || rest(verb.by).length === 0 ? null : { ...verb, by: rest(verb.by) }
    case "appoint": {
      const electors = verb.electors.filter((elector) => elector !== name)
      return electors.length === 0 || rest(verb.who).length === 0
        ? null
        : { ...verb, who: rest(verb.who), electors, readmits: rest(verb.readmits) }
    }
    case "connect":
      return verb.as === name || verb.through === name || rest(verb.to).length === 0
        ? null
        : { ...verb, to: rest(verb.to) }
    case "advertise":
      return verb.node === name || verb.address === name || rest(verb.heardBy).length === 0
        ? null
        : { ...verb, heardBy: rest(verb.heardBy) }
    default: {
      if ("who" in verb) return rest(verb.who).length === 0 ? null : { ...verb, who: rest(verb.who) }
      const from = rest(verb.from)
      const to = rest(verb.to)
      const alone = !verb.oneWay && verb._tag !== "cut" && from.length < 2 && typeof from[0] === "string"
      return from.length === 0 || to.length === 0 || alone ? null : ({ ...verb, from, to } as Verb)
    }
  }
}

const ACTUATOR = "actuator:"

/** What these move, by its name without the prefix. */
const movedBy = (nodes: ReadonlyArray<NodeSpec>): ReadonlySet<string> =>
  new Set(
    nodes.flatMap(({ capabilities }) =>
      capabilities.flatMap((one) => (one.startsWith(ACTUATOR) ? [one.slice(ACTUATOR.length)] : []))
    )
  )

/** The actuator, without the prefix, that somebody has to own for this step to be about something; `null`: none. */
const actuatorOf = (verb: Verb): string | null =>
  verb._tag === "propose" ? verb.actuator : verb._tag === "sense" ? (verb.shows ?? null) : null

/** A model drafts no moves of it. */
const withoutDraftsOf = (node: NodeSpec, moved: ReadonlySet<string>): NodeSpec =>
  node.model === undefined
    ? node
    : {
        ...node,
        model: { ...node.model, drafts: node.model.drafts.filter(({ actuator }) => moved.has(actuator)) }
      }

/** Where nobody moves some of what was moved: no rule runs it, no field is watered by it. */
const withoutMovesOf = (scenario: Scenario, moved: ReadonlySet<string>): Scenario => {
  const { farm, rules, ...rest } = scenario
  const isMoved = (ref: string): boolean => moved.has(ref.slice(ACTUATOR.length))
  const kept = rules?.filter(({ then }) => (isMove(then) ? isMoved(then.actuator) : then.may.every(isMoved))) ?? []
  return {
    ...rest,
    ...(kept.length === 0 ? {} : { rules: kept }),
    ...(farm === undefined
      ? {}
      : {
          farm: {
            ...farm,
            fields: farm.fields.map((field) =>
              field.valve === null || moved.has(field.valve) ? field : { ...field, valve: null, flow: 0 }
            )
          }
        })
  }
}

const mayLead = ({ role }: NodeSpec): boolean => role === "planner" || role === "standby-planner"

/** Whether a mesh of these can still be asked for a leader. */
const canLead = (nodes: ReadonlyArray<NodeSpec>, electors: ReadonlyArray<string>): boolean =>
  nodes.some((node) => mayLead(node) && electors.includes(node.name))

export const withoutNode = (scenario: Scenario, name: string, failure: Failure): Scenario | null => {
  const { electors, network } = scenario
  const nodes = scenario.nodes
    .filter((node) => node.name !== name)
    .map((node) =>
      node.trustedBy?.includes(name) === true
        ? { ...node, trustedBy: node.trustedBy.filter((other) => other !== name) }
        : node
    )
  const left = electors.filter((elector) => elector !== name)
  if (nodes.length === 0 || left.length === 0 || namedIn(failure, scenario).has(name)) return null
  if (nodes.some(({ sameKeyAs }) => sameKeyAs === name)) return null
  if (!isLaw(failure) && canLead(scenario.nodes, electors) && !canLead(nodes, left)) return null
  const moved = movedBy(nodes)
  if ([...movedBy(scenario.nodes)].some((actuator) => !moved.has(actuator) && isAbout(failure, actuator))) return null
  const anchors = anchorsOf(failure)
  let anchored = true
  const timeline = scenario.timeline.flatMap((step): ReadonlyArray<Step> => {
    const actuator = actuatorOf(step.verb)
    const verb = actuator !== null && !moved.has(actuator) ? null : verbWithout(step.verb, name)
    if (verb === null && step.id !== null && anchors.has(step.id)) anchored = false
    return verb === null ? [] : [{ ...step, verb }]
  })
  if (!anchored || timeline.length === 0) return null
  const sites = network.sites
    ?.map((site) => ({ ...site, nodes: site.nodes.filter((node) => node !== name) }))
    .filter((site) => site.nodes.length > 0)
  return tidied({
    ...withoutMovesOf(scenario, moved),
    nodes: nodes.map((node) => withoutDraftsOf(node, moved)),
    electors: left,
    network: sites === undefined ? network : { ...network, sites },
    timeline
  })
}

/** Something that is not as usual. */
export interface Decision {
  readonly name: string
  readonly usual: (scenario: Scenario) => Scenario
}

const ofNode = (scenario: Scenario, name: string, change: (node: NodeSpec) => NodeSpec): Scenario => ({
  ...scenario,
  nodes: scenario.nodes.map((node) => (node.name === name ? change(node) : node))
})

/** As the paths are after a heal that changed them, from the start, and no heal changes them. */
const withoutDrawnPaths = (scenario: Scenario): Scenario => {
  const usual = scenario.timeline.flatMap(({ verb }) =>
    verb._tag === "heal" && verb.usual !== undefined ? [verb.usual] : []
  )
  const { betweenSites: _, withinSites: __, ...rest } = scenario.network
  const { betweenSites, delayMs, lossPpm, withinSites } = usual.at(-1) ?? scenario.network
  return tidied({
    ...scenario,
    network: {
      ...rest,
      delayMs,
      lossPpm,
      ...(withinSites === undefined ? {} : { withinSites }),
      ...(betweenSites === undefined ? {} : { betweenSites })
    },
    timeline: scenario.timeline.map((step): Step => {
      if (step.verb._tag !== "heal" || step.verb.usual === undefined) return step
      const { usual: _, ...verb } = step.verb
      return { ...step, verb }
    })
  })
}

/** Planners propose nothing by this rule. */
const withoutRule = ({ rules = [], ...scenario }: Scenario, name: string): Scenario => {
  const kept = rules.filter((rule) => rule.name !== name)
  return { ...scenario, ...(kept.length === 0 ? {} : { rules: kept }) }
}

const looksAtFarm = ({ expect, timeline }: Scenario): boolean =>
  timeline.some(({ verb }) => verb._tag === "sense" && verb.measures !== undefined) ||
  expect.some(({ facts }) => facts.farm !== undefined)

export const decisionsOf = (scenario: Scenario): ReadonlyArray<Decision> => {
  const { network, nodes, ties, timeline } = scenario
  const usualDelay = network.delayMs.min === defaultDelayMs.min && network.delayMs.max === defaultDelayMs.max
  return [
    ...(ties === undefined
      ? []
      : [{ name: "ties in drawn order", usual: ({ ties: _, ...scenario }: Scenario): Scenario => scenario }]),
    ...(timeline.some(({ verb }) => verb._tag === "heal" && verb.usual !== undefined)
      ? [{ name: "other paths before the calm", usual: withoutDrawnPaths }]
      : []),
    ...(network.lossPpm === 0
      ? []
      : [{ name: "loss", usual: (one: Scenario): Scenario => ({ ...one, network: { ...one.network, lossPpm: 0 } }) }]),
    ...(scenario.rules ?? []).map(({ name }) => ({
      name: `the rule ${name}`,
      usual: (one: Scenario): Scenario => withoutRule(one, name)
    })),
    ...(scenario.farm === undefined || looksAtFarm(scenario)
      ? []
      : [{ name: "the farm", usual: ({ farm: _, ...one }: Scenario): Scenario => one }]),
    ...(usualDelay
      ? []
      : [
          {
            name: "delay",
            usual: (one: Scenario): Scenario => ({ ...one, network: { ...one.network, delayMs: defaultDelayMs } })
          }
        ]),
    ...(network.sites === undefined
      ? []
      : [
          {
            name: "sites",
            usual: (one: Scenario): Scenario => {
              const { betweenSites: _, sites: __, withinSites: ___, ...rest } = one.network
              return { ...one, network: rest }
            }
          }
        ]),
    ...nodes.flatMap(({ bootsIn1970, clockRatePpm, clockSkewMs, name, wrongAddresses }): ReadonlyArray<Decision> => [
      ...(clockSkewMs === 0
        ? []
        : [
            {
              name: `the calendar of ${name}`,
              usual: (one: Scenario) => ofNode(one, name, (node) => ({ ...node, clockSkewMs: 0 }))
            }
          ]),
      ...(clockRatePpm === 0
        ? []
        : [
            {
              name: `the clock rate of ${name}`,
              usual: (one: Scenario) => ofNode(one, name, (node) => ({ ...node, clockRatePpm: 0 }))
            }
          ]),
      ...(bootsIn1970 === true
        ? [
            {
              name: `${name} boots in 1970`,
              usual: (one: Scenario) => ofNode(one, name, ({ bootsIn1970: _, ...node }) => node)
            }
          ]
        : []),
      ...(wrongAddresses === undefined
        ? []
        : [
            {
              name: `wrong addresses of ${name}`,
              usual: (one: Scenario) => ofNode(one, name, ({ wrongAddresses: _, ...node }) => node)
            }
          ])
    ])
  ]
}

/**
 * What a seed of a campaign makes of a scenario: a drawn value for what the file lets vary, random faults, a swarm's mix, and
 * a calm at the end in which everything is healed and runs.
 *
 * Promises: a function of its arguments; the drawn scenario is plain data, and says by itself all that the run is. Every draw
 * has a key of its own (`Dice`): a fault more in a file moves no other draw of the same seed.
 *
 * In the calm, random faults have ended, what the timeline still holds (a cut without `for:`) is healed, delay and loss are the
 * file's again, and whoever ever was started runs, unless the file stopped it politely and for good. Where the default mix
 * struck, the run goes on for `CALM_MS` at least, so that "eventually" has the time that the protocol's own timers take. Some
 * seeds of a swarm have no calm of this kind: they end amid their faults, and the oracles of liveness pick the part of the mesh
 * that has to get well.
 */
import { profiles } from "../../kernel/Profile.ts"
import type { Expectation, Fuzz, Quality, Range, Scenario, Step } from "../scenario/Scenario.ts"
import { Dice, judgedIn, type Drawn, type RunClass, type Setting } from "./Drawn.ts"
import { FOUND_MS } from "../oracles/Bounds.ts"
import { type Clone, cloneOf, cloneSteps } from "./Clone.ts"
import { isAboutOthers } from "./Kinds.ts"
import { livingOf } from "./Living.ts"
import { GEN1, mixMesh, mixRules, mixSettings } from "./Mix.ts"
import { moved } from "./Moved.ts"
import { strikes, type Rule } from "./Strikes.ts"

export interface DrawOptions {
  /** `false`: only what the file says. */
  readonly swarm: boolean
}

/**
 * After the last fault of the mix: dials that were begun before it time out, back off and are begun again, and old promises and
 * candidacies end, all on clocks that may run 30 % slow, and the second probation of a device that was down twice passes.
 */
const CALM_MS: { readonly [profile in Scenario["profile"]]: number } = {
  lan: 60_000,
  wan: 120_000,
  battery: 240_000
}

/** Behind a probation that began with the last fault: what went before it, and what others have to hear of its end. */
const ROUND_PROBATION_MS = 15_000

/**
 * How long it may take until all is well again behind faults of so long a time, in which a device can have been down three times.
 * A fourth, with two minutes of probation, is not waited for: that takes three that were waited out, and faults all the while.
 */
const settlesMs = (scenario: Scenario, faultsMs: number): number => {
  const { probationMs } = { ...profiles[scenario.profile], ...scenario.timing }
  const [first = 0, second = 0, third = 0] = probationMs
  const probation = faultsMs > first + second ? third + ROUND_PROBATION_MS : 0
  return Math.max(CALM_MS[scenario.profile], probation) + (scenario.network.discovery === undefined ? 0 : FOUND_MS)
}

/** Of the runs with random faults so many end amid them. */
const LIVENESS_ONE_IN = 32

/** What liars may make otherwise for as long as they lie: who has whom as what, and what is told of that. */
const isOfPeers = ({ facts, when }: Expectation): boolean =>
  when._tag !== "eventually" && (facts.peers !== undefined || facts.events !== undefined)

const PLACE = { line: 0, column: 0 }

const NO_FUZZ: Fuzz = { seeds: null, calmMs: null, vary: [], faults: [] }

/** Of sixteen seeds in a swarm, one runs as written, three with varied values only. */
const classOf = (dice: Dice, fuzz: Fuzz, swarm: boolean): RunClass => {
  const lot = swarm ? dice.below("class", 0, 16) : 16
  const randomly = swarm || fuzz.faults.length > 0
  if (lot >= 4 && randomly) return "everywhere"
  return lot >= 1 && fuzz.vary.length > 0 ? "varied" : "scripted"
}

/** What varies, path by path, without patterns. The file's own ranges go before those of the mix. */
const ranges = (scenario: Scenario, dice: Dice, run: RunClass, swarm: boolean): ReadonlyMap<string, Range> => {
  const found = new Map<string, Range>()
  for (const { path, range } of (scenario.fuzz ?? NO_FUZZ).vary) {
    if (swarm && !dice.chance(`vary/${path}/on`, 3, 4)) continue
    const [heading, name = "", word] = path.split(".")
    if (heading !== "nodes") found.set(path, range)
    else
      for (const node of scenario.nodes)
        if (name.endsWith("*") ? node.name.startsWith(name.slice(0, -1)) : node.name === name)
          found.set(`nodes.${node.name}.${word}`, range)
  }
  if (run === "everywhere" && swarm)
    for (const [path, range] of mixSettings(dice, scenario)) if (!found.has(path)) found.set(path, range)
  return found
}

const withSettings = (scenario: Scenario, settings: ReadonlyArray<Setting>, lastsMs: number): Scenario => {
  const values = new Map(settings.map(({ path, value }) => [path, value]))
  const moments = new Map(
    settings.flatMap(({ path, value }) => {
      const [heading, id = "", word] = path.split(".")
      return heading === "timeline" && word === "at" ? [[id, value] as const] : []
    })
  )
  const { network } = scenario
  const quality = (usual: Quality, path: string): Quality => {
    const delay = values.get(`${path}.delay`)
    const lossPpm = values.get(`${path}.loss`) ?? usual.lossPpm
    const delayMs = delay === undefined ? usual.delayMs : { min: Math.min(usual.delayMs.min, delay), max: delay }
    return { delayMs, lossPpm }
  }
  const { betweenSites, withinSites } = network
  const varies = settings.some(({ path }) => path.startsWith("network."))
  const atTimes = moved(scenario, moments, lastsMs)
  return {
    ...atTimes,
    timeline: atTimes.timeline.map((step): Step => {
      const after = step.id === null ? undefined : values.get(`timeline.${step.id}.after`)
      return after === undefined || step.verb._tag !== "crash-at-write"
        ? step
        : { ...step, verb: { ...step.verb, nth: after + 1 } }
    }),
    network: varies
      ? {
          ...network,
          ...quality(network, "network"),
          ...(withinSites === undefined ? {} : { withinSites: quality(withinSites, "network.within-sites") }),
          ...(betweenSites === undefined ? {} : { betweenSites: quality(betweenSites, "network.between-sites") })
        }
      : network,
    nodes: scenario.nodes.map((node) => ({
      ...node,
      clockSkewMs: values.get(`nodes.${node.name}.clock-skew`) ?? node.clockSkewMs,
      clockRatePpm: values.get(`nodes.${node.name}.clock-rate`) ?? node.clockRatePpm,
      ...(values.has(`nodes.${node.name}.boots-in`) ? { bootsIn1970: true } : {})
    }))
  }
}

const ruleOf = (fault: Fuzz["faults"][number], place: number, all: Fuzz["faults"]): Rule => {
  const { everyMs, forMs, target, who } = fault
  const alike = all.slice(0, place).filter((other) => other.what === fault.what && other.target === target).length
  const what = (
    fault.what === "partition"
      ? { _tag: "partition", how: target }
      : who.length > 0
        ? { _tag: fault.what, who }
        : { _tag: fault.what }
  ) as Rule["what"]
  const key = `fault/${fault.what}/${target}/${alike}`
  return { name: `fault/${place}`, key, place: fault.place, what, everyMs, forMs }
}

/** Whatever lasts into the calm ends just before it. */
const endingBefore = (step: Step, calmMs: number): Step =>
  step.forMs !== null && step.atMs < calmMs - 1 && step.atMs + step.forMs >= calmMs
    ? { ...step, forMs: calmMs - 1 - step.atMs }
    : step

/** `network`: as the file has it; what was drawn in its place ends with the faults. */
const calmSteps = (
  scenario: Scenario,
  network: Scenario["network"],
  calmMs: number,
  clone: Clone | null
): ReadonlyArray<Step> => {
  const step = (verb: Step["verb"]): Step => ({ place: PLACE, atMs: calmMs, id: "calm", note: null, verb, forMs: null })
  const living = livingOf(scenario)
  const drawn = scenario.network !== network
  return [
    step({ _tag: "heal", what: "everything", ...(drawn ? { usual: network } : {}) }),
    ...(clone === null || !living.includes(clone.of) ? [] : [step({ _tag: "restart", who: [clone.of] })]),
    ...(living.length === 0 ? [] : [step({ _tag: "start", who: living })])
  ]
}

const rulesOf = (dice: Dice, scenario: Scenario, run: RunClass, swarm: boolean): ReadonlyArray<Rule> =>
  run === "everywhere"
    ? [
        ...(scenario.fuzz ?? NO_FUZZ).faults
          .map(ruleOf)
          .filter((rule) => !swarm || dice.chance(`${rule.key}/on`, 3, 4)),
        ...(swarm ? mixRules(dice, scenario) : [])
      ]
    : []

/** Random faults of a drawn run as another seed has them, with their sources. */
export const strikesOf = (
  scenario: Scenario,
  { calmMs, class: run, liveness, scenario: varied }: Drawn,
  swarm: boolean,
  seed: number
): ReadonlyArray<{ readonly source: string; readonly step: Step }> => {
  const dice = new Dice(seed)
  return rulesOf(dice, scenario, run, swarm).flatMap((rule) =>
    strikes(rule, varied, dice, calmMs, liveness).map((step) => ({ source: rule.name, step }))
  )
}

export const draw = (file: Scenario, seed: number, { swarm }: DrawOptions): Drawn => {
  const dice = new Dice(seed)
  const fuzz = file.fuzz ?? NO_FUZZ
  const run = classOf(dice, fuzz, swarm)
  const scenario = swarm && run === "everywhere" ? mixMesh(dice, file) : file
  const ties = (swarm && dice.chance("ties", 1, 2)) || scenario.ties === "drawn" ? "drawn" : "fifo"
  const settings =
    run === "scripted"
      ? []
      : [...ranges(scenario, dice, run, swarm)].map(([path, range]) => ({ path, value: dice.within(path, 0, range) }))
  const rules = rulesOf(dice, scenario, run, swarm)
  const restMs = fuzz.calmMs ?? Math.floor(scenario.lastsMs / 3)
  const liveness = run === "everywhere" && swarm && dice.chance("liveness", 1, LIVENESS_ONE_IN)
  const calmMs = scenario.lastsMs - restMs
  const lastsMs = liveness
    ? calmMs
    : run === "everywhere" && swarm
      ? calmMs + Math.max(restMs, settlesMs(scenario, calmMs))
      : scenario.lastsMs
  const varied = withSettings(scenario, settings, lastsMs)
  const clone = cloneOf(rules, varied, dice)
  const struck = rules.flatMap((rule) => {
    const steps =
      rule.what._tag !== "clone"
        ? strikes(rule, varied, dice, calmMs, liveness)
        : clone === null
          ? []
          : cloneSteps(rule, clone, dice, calmMs)
    return steps.map((step) => ({ rule, step }))
  })
  const calms = run !== "scripted" && !liveness
  const own = calms ? varied.timeline.map((step) => endingBefore(step, calmMs)) : varied.timeline
  const calm = calms ? calmSteps(varied, scenario.network, calmMs, clone) : []
  const liars = struck.some(({ step }) => isAboutOthers(step.verb))
  const expectations = varied.expect.flatMap((expectation, place) =>
    judgedIn(expectation, run) &&
    !(liveness && expectation.when._tag === "eventually") &&
    !(liars && isOfPeers(expectation))
      ? [place]
      : []
  )
  return {
    seed,
    class: run,
    ties,
    liveness,
    settings,
    expectations,
    calmMs,
    points: [],
    turns: [],
    scenario: {
      ...varied,
      nodes: clone === null ? varied.nodes : [...varied.nodes, clone.node],
      timeline: [...own, ...struck.map(({ step }) => step), ...calm],
      expect: expectations.map((place) => varied.expect[place]!)
    },
    sources: [
      ...own.map((_, place) => (place < file.timeline.length ? `step/${place}` : GEN1)),
      ...struck.map(({ rule }) => rule.name),
      ...calm.map(() => null)
    ]
  }
}

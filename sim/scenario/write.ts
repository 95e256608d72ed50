/**
 * A scenario as a file of the language: the way back from `read.ts`. What is read of it runs as the scenario does.
 *
 * Moments of steps are written as times, those of expectations as so long after their step. Not written is `fuzz:`, which no
 * plain run uses; `Unwritable` is thrown for the few things that only a campaign can make.
 */
import { capabilitiesOf, servesWords } from "./InferenceWords.ts"
import { farmWords } from "./Farm.ts"
import { ruleWords } from "./Rules.ts"
import { type Flow, flow, scalar } from "./Flow.ts"
import { modeline } from "./Modeline.ts"
import { usualElectors } from "./Nodes.ts"
import type { NetworkSpec, NodeSpec, Scenario } from "./Scenario.ts"
import { writtenTiming } from "./Timing.ts"
import { showRate, showTime, showTimes } from "./Units.ts"
import { pathWords } from "./WritePaths.ts"
import { expectationWords } from "./WriteExpectations.ts"
import { stepWords } from "./WriteSteps.ts"

/** Outside of brackets a comma needs no quotes. */
const OUTSIDE = /^[A-Za-z][\w ,.()–-]*[\w.)]$/u

export interface WriteOptions {
  /** The schema, as seen from the file's folder; `null`: no line for editors. */
  readonly schema: string | null
  /** Lines above the scenario, without their `#`. */
  readonly comment: ReadonlyArray<string>
}

const policyWords = ({ policy }: NodeSpec): Flow | undefined =>
  policy === undefined
    ? undefined
    : Object.fromEntries(
        Object.entries(policy).map(([actuator, { approvers, level, metric, needs, verification, withinMs }]) => [
          actuator,
          {
            level,
            verification,
            approvers,
            "verified-by": metric,
            within: metric === undefined ? undefined : showTime(withinMs),
            needs: needs?.map((need) => ({
              metric: need.metric,
              zone: need.zone ?? undefined,
              within: showTime(need.withinMs),
              "at-least": need.atLeast,
              "at-most": need.atMost
            }))
          }
        ])
      )

const modelWords = ({ model }: NodeSpec): Flow | undefined =>
  model === undefined
    ? undefined
    : {
        name: model.name,
        takes: showTimes(model.takesMs),
        drafts: model.drafts.map(({ actuator, forMs, state }) => ({
          run: actuator,
          action: state,
          for: showTime(forMs)
        })),
        answers: model.answers.length === 0 ? undefined : model.answers
      }
const canWords = (node: NodeSpec): Flow | undefined => {
  const can = node.capabilities.filter((one) => !capabilitiesOf(node).includes(one))
  return can.length === 0 ? undefined : can
}

const nodeWords = (node: NodeSpec): Flow => ({
  role: node.role,
  can: canWords(node),
  serves: servesWords(node),
  policy: policyWords(node),
  model: modelWords(node),
  "clock-skew": node.clockSkewMs === 0 ? undefined : showTime(node.clockSkewMs),
  "clock-rate": node.clockRatePpm === 0 ? undefined : showRate(node.clockRatePpm),
  "boots-in": node.bootsIn1970 === true ? 1970 : undefined,
  "trusted-by": node.trustedBy === undefined ? undefined : node.trustedBy.length === 0 ? "none" : node.trustedBy,
  placed: node.beside === true ? "beside" : undefined,
  "same-key-as": node.sameKeyAs,
  "wrong-addresses": node.wrongAddresses === undefined ? undefined : `exactly ${node.wrongAddresses}`,
  generation: node.generation
})

const networkWords = (network: NetworkSpec): { readonly [word: string]: Flow | undefined } => {
  const { discovery, links } = network
  return {
    ...pathWords(network),
    links: links === "everyone" ? undefined : links,
    discovery: discovery === undefined ? undefined : discovery === "only" ? "mdns" : "mdns and addresses"
  }
}

const isEmpty = (value: { readonly [word: string]: Flow | undefined }): boolean =>
  Object.values(value).every((inner) => inner === undefined)

const sameNames = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((name, place) => b[place] === name)

/** One line an entry, names in a column. */
const entries = (heading: string, all: ReadonlyArray<readonly [name: string, value: Flow]>): ReadonlyArray<string> => {
  const widest = Math.max(0, ...all.map(([name]) => name.length))
  return [`${heading}:`, ...all.map(([name, value]) => `  ${`${name}:`.padEnd(widest + 1)} ${flow(value)}`)]
}

const items = (heading: string, all: ReadonlyArray<Flow>): ReadonlyArray<string> =>
  all.length === 0 ? [`${heading}: []`] : [`${heading}:`, ...all.map((item) => `  - ${flow(item)}`)]

export const writeScenario = (scenario: Scenario, { comment, schema }: WriteOptions): string => {
  const { electors, expect, farm, lastsMs, nodes, persons, profile, rules, seed, timeline, timing, title } = scenario
  const network = networkWords(scenario.network)
  const sites = scenario.network.sites ?? []
  const blocks: ReadonlyArray<ReadonlyArray<string>> = [
    [...(schema === null ? [] : [modeline(schema)]), ...comment.map((line) => `# ${line}`.trimEnd())],
    [
      `scenario: ${OUTSIDE.test(title) ? title : scalar(title)}`,
      `seed: ${seed}`,
      `lasts: ${showTime(lastsMs)}`,
      ...(profile === "lan" ? [] : [`profile: ${profile}`]),
      ...(scenario.ties === undefined ? [] : [`ties: ${scenario.ties}`]),
      ...(scenario.liveness === true ? ["afterwards: a part gets well"] : []),
      ...(timing === undefined ? [] : [`timing: ${flow(writtenTiming(timing))}`])
    ],
    entries(
      "nodes",
      nodes.map((node) => [node.name, nodeWords(node)])
    ),
    sites.length === 0
      ? []
      : entries(
          "sites",
          sites.map(({ name, nodes: there }) => [name, there])
        ),
    [
      ...(sameNames(electors, usualElectors(nodes)) ? [] : [`electors: ${flow(electors)}`]),
      ...(persons === undefined ? [] : [`persons: ${flow(persons)}`]),
      ...(rules === undefined ? [] : items("rules", rules.map(ruleWords))),
      ...(farm === undefined ? [] : [`farm: ${flow(farmWords(farm))}`]),
      ...(isEmpty(network) ? [] : [`network: ${flow(network)}`])
    ],
    items(
      "timeline",
      timeline.map((step) => stepWords(step, scenario))
    ),
    items(
      "expect",
      expect.map((one) => expectationWords(one, timeline, lastsMs))
    )
  ]
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join("\n")}\n`)
    .join("\n")
}

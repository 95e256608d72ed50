/** Who runs in the end, whatever strikes before: what a timeline by itself makes of each node. */
import type { Scenario, Step, Target } from "../scenario/Scenario.ts"

const meansAll = (target: Target): boolean => typeof target !== "string"

/** The nodes that the timeline starts at some time, and does not stop politely and for good. */
export const livingOf = ({ nodes, timeline }: Scenario): ReadonlyArray<string> => {
  const named = (step: Step, tags: ReadonlyArray<string>, name: string): boolean =>
    tags.includes(step.verb._tag) &&
    "who" in step.verb &&
    step.verb.who.some((target) => meansAll(target) || target === name)
  return nodes
    .map(({ name }) => name)
    .filter((name) => {
      const last = timeline
        .toSorted((a, b) => a.atMs - b.atMs)
        .findLast((step) => named(step, ["start", "restart", "stop"], name))
      return last !== undefined && (last.verb._tag !== "stop" || last.forMs !== null)
    })
}

/**
 * Who may lose its journal without anything being asked of the mesh that it cannot come to: whoever elects nobody, and one of the
 * electors (it votes no more, P3.16), where the others are a majority that lives and whose members all reach each other, with
 * somebody among them who may lead. `lot` picks which.
 */
export const expendable = (scenario: Scenario, lot: (n: number) => number): ReadonlyArray<string> => {
  const { electors, nodes, timeline } = scenario
  const whole = nodes.filter(({ generation, sameKeyAs }) => generation === undefined && sameKeyAs === undefined)
  const others = whole.filter(({ name }) => !electors.includes(name)).map(({ name }) => name)
  const forgets = timeline.some(({ verb }) => verb._tag === "crash" && (verb.disk === "lost" || verb.disk === "wiped"))
  const living = livingOf(scenario)
  const one = electors.filter((name) => {
    const left = electors.filter((other) => other !== name && living.includes(other))
    const leads = nodes.some(({ name: node, role }) => left.includes(node) && role.endsWith("planner"))
    return whole.some((node) => node.name === name) && leads && 2 * left.length > electors.length
  })
  return forgets || one.length === 0 || scenario.network.links !== "everyone"
    ? others
    : [...others, one[lot(one.length)]!]
}

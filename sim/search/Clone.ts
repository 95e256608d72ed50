/**
 * A device whose key a second machine has: a copy of its disk, or a tool that took its identity. The copy stands beside the scenario,
 * next to everybody, and nobody means it by any word; it is started once, and its power is cut before the calm.
 *
 * Only of those who never elect anybody, since each of the two would have the vote; and once in a run, so that its one incarnation is none
 * that the device itself does not leave behind: whoever met the copy refuses the device in the same incarnation, and rightly
 * (PROTOCOL.md P3.3), until it is started again, which it is when the calm begins.
 */
import type { NodeSpec, Scenario, Step } from "../scenario/Scenario.ts"
import type { Dice } from "./Drawn.ts"
import type { Rule } from "./Strikes.ts"

export interface Clone {
  /** Whose key it has. */
  readonly of: string
  readonly node: NodeSpec
}

const PLACE = { line: 0, column: 0 }
/** Nobody is called so: names of files have no dot. */
const nameOf = (of: string): string => `copy-of.${of}`

/** Who may be cloned. */
export const cloneable = ({ electors, nodes, timeline }: Scenario): ReadonlyArray<NodeSpec> => {
  const appointed = timeline.flatMap(({ verb }) => (verb._tag === "appoint" ? verb.electors : []))
  return nodes.filter(
    ({ generation, name, sameKeyAs, trustedBy }) =>
      generation === undefined &&
      sameKeyAs === undefined &&
      trustedBy === undefined &&
      !electors.includes(name) &&
      !appointed.includes(name) &&
      !nodes.some((other) => other.sameKeyAs === name)
  )
}

/** The clone of a drawn run; `null`: there is none. */
export const cloneOf = (rules: ReadonlyArray<Rule>, scenario: Scenario, dice: Dice): Clone | null => {
  const able = cloneable(scenario)
  if (able.length === 0 || !rules.some(({ what }) => what._tag === "clone")) return null
  const { capabilities, name: of, role } = dice.one("clone/of", 0, able)
  return {
    of,
    node: { name: nameOf(of), role, capabilities, clockSkewMs: 0, clockRatePpm: 0, sameKeyAs: of, beside: true }
  }
}

/** It comes at a drawn time, and is gone before `untilMs`. */
export const cloneSteps = ({ key }: Rule, { node }: Clone, dice: Dice, untilMs: number): ReadonlyArray<Step> => {
  const fromMs = dice.within(`${key}/from`, 0, { min: 1, max: Math.max(1, untilMs - 3) })
  const endsMs = dice.within(`${key}/until`, 0, { min: fromMs + 1, max: Math.max(fromMs + 1, untilMs - 2) })
  const step = (atMs: number, verb: Step["verb"]): Step => ({
    place: PLACE,
    atMs,
    id: null,
    note: null,
    verb,
    forMs: null,
    key: `${key}/${verb._tag}`
  })
  return [step(fromMs, { _tag: "start", who: [node.name] }), step(endsMs, { _tag: "crash", who: [node.name] })]
}

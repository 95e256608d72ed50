/** A proposal as a scenario calls it. */
import type { NodeState } from "../../kernel/Node.ts"
import { isMove, type Rule } from "../../kernel/planning/Rule.ts"
import { proposalsOf, type Proposal } from "../../kernel/proposals/Proposal.ts"

/** It is what this rule would have done, and nobody asked for it under a name. */
export const isBy = ({ name, then }: Rule, { body }: Proposal, called: string): boolean =>
  name === called &&
  body.request === undefined &&
  (isMove(then)
    ? body.model === undefined && body.actuator === then.actuator && body.state === then.state
    : body.model !== undefined && then.may.includes(body.actuator))

/**
 * As a step called it that proposed it; or by the name of a rule, the newest that this rule would have done. `null`: this node knows of
 * none.
 */
export const proposalCalled = (
  { config, world }: NodeState,
  name: string,
  rules: ReadonlyArray<Rule>,
  mono: number
): Proposal | null => {
  const all = proposalsOf(world, config, mono)
  return (
    all.find(({ body }) => body.request === name) ??
    all.find((one) => rules.some((rule) => isBy(rule, one, name))) ??
    null
  )
}

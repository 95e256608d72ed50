/** Kernels that are broken on purpose, and small meshes to run them in: so that each oracle is seen firing (and silent). */
import { assert } from "@effect/vitest"
import type { Input } from "../../../kernel/Input.ts"
import * as Node from "../../../kernel/Node.ts"
import type { Kernel } from "../../../sim/engine/Host.ts"
import { kernel as realKernel } from "../../../sim/engine/Host.ts"
import { withPoison } from "../../../sim/engine/Poison.ts"
import { World, type Violation } from "../../../sim/engine/World.ts"
import { everyOracle } from "../../../sim/oracles/all.ts"
import { readScenario } from "../../../sim/scenario/read.ts"
import type { Scenario } from "../../../sim/scenario/Scenario.ts"

export const scenarioOf = (yaml: string): Scenario => {
  const read = readScenario("inline.yaml", `${yaml}\nexpect:\n  - eventually: { leaders: at most 9 }\n`)
  if ("mistakes" in read) throw new Error(read.mistakes.map((mistake) => mistake.message).join("\n"))
  return read.scenario
}

type Step = Kernel["step"]

/** The real kernel behind a step of our own. */
export const broken = (step: (node: Node.NodeState, input: Input) => ReturnType<Step>): Kernel => ({
  make: Node.make,
  step
})

/** The real step, and then something is done to the state that it left. */
export const brokenAfter = (
  spoil: (after: Node.NodeState, before: Node.NodeState, input: Input) => Node.NodeState
): Kernel =>
  broken((node, input) => {
    const [after, commands] = Node.step(node, input)
    return [spoil(after, node, input), commands]
  })

export interface Watched {
  readonly world: World
  readonly violations: ReadonlyArray<Violation>
}

/** Runs to the end, or until an oracle fires. `act` puts more into the world before it starts; `only`: one oracle watches. */
export const watch = (
  scenario: Scenario,
  kernel: Kernel = realKernel,
  act: (world: World) => void = () => {},
  only?: string
): Watched => {
  const oracles = everyOracle().filter(({ id }) => only === undefined || id === only)
  const world = new World({ scenario, seed: scenario.seed, kernel, oracles })
  act(world)
  withPoison(() => world.run(scenario.lastsMs))
  return { world, violations: world.violations }
}

/** This oracle fires, with a message like this; with the real kernel in the same world none does. */
export const fires = (
  oracle: string,
  message: RegExp,
  scenario: Scenario,
  kernel: Kernel,
  act?: (world: World) => void
): void => {
  // What is broken may break more than one invariant, and the first ends the run.
  const { violations } = watch(scenario, kernel, act, oracle)
  const fired = violations.filter((violation) => violation.oracle === oracle)
  assert.isAbove(fired.length, 0, `${oracle} is silent; fired: ${JSON.stringify(violations)}`)
  assert.match(fired[0]!.message, message)
  assert.deepStrictEqual(watch(scenario, realKernel, act).violations, [], "with the real kernel nothing fires")
}

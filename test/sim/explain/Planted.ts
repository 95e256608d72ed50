/**
 * A kernel with a bug of two steps, each of which hangs on when a message comes: at the first message after 10 s `jetson` is armed if
 * its clock shows a multiple of 4 ms, and at the first one after 20 s, if it is armed, it breaks at an even ms. So one run in eight
 * fails, one in two once it is armed, and every one behind the second message.
 */
import type { Input } from "../../../kernel/Input.ts"
import * as Node from "../../../kernel/Node.ts"
import type { Kernel } from "../../../sim/engine/Host.ts"
import { runScenario } from "../../../sim/run.ts"
import { scenarioFrom } from "../search/Field.ts"

type Planted = Node.NodeState & { readonly armed?: "not yet" | "armed" | "safe" | "over" }

export const ARMED_MS = 10_000
export const BROKEN_MS = 20_000
/** No message is longer under way. */
export const DELAY_MAX_MS = 40

export const scenario = scenarioFrom(
  `scenario: A bug of two steps
seed: 1
lasts: 30s
nodes:
  laptop: { role: planner }
  jetson: { role: field }
network: { delay: 5ms..${DELAY_MAX_MS}ms }
timeline:
  - { at: 0s, start: everyone }
expect:
  - { name: it leads, at: 25s, that: { leader: laptop } }
`,
  "planted.yaml"
)

const next = ({ armed, config, startedAt }: Planted, input: Input): NonNullable<Planted["armed"]> => {
  const now = armed ?? "not yet"
  if (input._tag !== "Received" || config.displayName !== "jetson") return now
  const ms = input.at.mono - startedAt
  if (now === "not yet" && ms >= ARMED_MS) return ms % 4 === 0 ? "armed" : "safe"
  if (now === "armed" && ms >= BROKEN_MS) {
    if (ms % 2 === 0) throw new Error("the planted bug")
    return "over"
  }
  return now
}

export const kernel: Kernel = {
  make: Node.make,
  step: (node, input) => {
    const armed = next(node, input)
    const [after, commands] = Node.step(node, input)
    return [{ ...after, armed } as Planted, commands]
  }
}

/** The first in which both steps come. */
export const FAILING_SEED = Array.from({ length: 100 }, (_, i) => i + 1).find(
  (seed) => runScenario(scenario, { kernel, seed }).violations.length > 0
)!

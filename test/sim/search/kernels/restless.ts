/** Broken on purpose: what it did in earlier runs of its thread decides what it does in this one. */
import * as Node from "../../../../kernel/Node.ts"
import type { Kernel } from "../../../../sim/engine/Host.ts"

let steps = 0
/** So that a run of as many steps as it takes for the same to come round is not the same either. */
let nodes = 0

export const kernel: Kernel = {
  make: (config) => {
    nodes++
    return Node.make(config)
  },
  step: (node, input) =>
    (++steps + 31 * nodes) % 97 === 0 && input._tag === "Received" ? [node, []] : Node.step(node, input)
}

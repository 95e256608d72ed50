/** Broken on purpose: no alarm is ever heard, so nobody probes, stands or redials. */
import * as Node from "../../../../kernel/Node.ts"
import type { Kernel } from "../../../../sim/engine/Host.ts"

export const kernel: Kernel = {
  make: Node.make,
  step: (node, input) => (input._tag === "Woke" && node.phase === "running" ? [node, []] : Node.step(node, input))
}

/** Broken on purpose: no node comes into being. */
import * as Node from "../../../../kernel/Node.ts"
import type { Kernel } from "../../../../sim/engine/Host.ts"

export const kernel: Kernel = {
  make: () => {
    throw new Error("a node that cannot be made")
  },
  step: Node.step
}

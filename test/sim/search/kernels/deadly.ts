/** Broken on purpose: in the fifth run of a thread it ends the thread. */
import * as Node from "../../../../kernel/Node.ts"
import type { Kernel } from "../../../../sim/engine/Host.ts"

const NODES = 4
let made = 0

export const kernel: Kernel = {
  make: (config) => {
    if (++made > 4 * NODES * 3) process.exit(7)
    return Node.make(config)
  },
  step: Node.step
}

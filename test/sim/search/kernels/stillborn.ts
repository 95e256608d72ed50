/** Broken on purpose: it ends its thread in each run. */
import * as Node from "../../../../kernel/Node.ts"
import type { Kernel } from "../../../../sim/engine/Host.ts"

export const kernel: Kernel = { make: () => process.exit(7), step: Node.step }

/** Broken on purpose: each thread has a kernel that does as no other thread's does. */
import { threadId } from "node:worker_threads"
import * as Node from "../../../../kernel/Node.ts"
import type { Kernel } from "../../../../sim/engine/Host.ts"

export const kernel: Kernel = {
  make: Node.make,
  step: (node, input) =>
    input._tag === "Ponged" && input.probe % (4 + (threadId % 5)) === 3 ? [node, []] : Node.step(node, input)
}

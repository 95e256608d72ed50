/** `pnpm sim replay`: of a recorded run, or of a seed. */
import type { Exit } from "./Exit.ts"
import type { ReplayOrder } from "./Order.ts"
import { replaySeed } from "./ReplaySeed.ts"
import { replayTrace } from "./ReplayTrace.ts"
import type { Records, Surroundings } from "./Surroundings.ts"

export const replay = async (order: ReplayOrder, around: Surroundings, records: Records): Promise<Exit> => {
  if (order.asOf !== null) return (await import("./AsOf.ts")).replayAsOf(order, order.asOf, around, records)
  return order.isTrace ? replayTrace(order, around, records) : replaySeed(order, around, records)
}

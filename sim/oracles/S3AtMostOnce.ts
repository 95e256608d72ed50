/**
 * S3: an intent has one effect on hardware at most, as long as the journal lives: over duplicates, retries, restarts and other
 * planners. And it is on the disk before anything moves (journal before effect).
 */
import type { MakeOracle, Oracle } from "./Oracle.ts"
import { doingsOf, Memories } from "./Orders.ts"

export const atMostOnce: MakeOracle = () =>
  remembering(
    new Memories<Set<string>>(
      () => new Set(),
      (all) => new Set(all)
    )
  )

const remembering = (memories: Memories<Set<string>>): Oracle => ({
  id: "S3",
  fork: () => remembering(memories.fork()),
  stepped: (seen) => {
    const driven = memories.of(seen)
    if (driven === null) return null
    const { durable, name } = seen.machine
    for (const { actuator, intentId } of doingsOf(seen).drives) {
      if (intentId === null) continue
      if (driven.has(intentId)) return `${name} drives ${actuator} twice for ${intentId}`
      driven.add(intentId)
      const stored = durable.ledger?.groups.some(({ intents }) => intents.some((one) => one.intentId === intentId))
      if (stored !== true) return `${name} drives ${actuator} for ${intentId}, which is not on its disk`
    }
    return null
  }
})

/**
 * S4: nothing moves an actuator on a language model's word alone, or on less than its owner asks for, whatever the sender claims.
 * The rules are said here anew: the kernel's gate is what is being judged.
 */
import { isPlain, tiers } from "../../kernel/wire/ContextFrame.ts"
import type { MakeOracle, Oracle } from "./Oracle.ts"
import { doingsOf, Memories } from "./Orders.ts"

/** The trust that each intent was ever asked for with. */
type Memory = Map<string, ReadonlyArray<unknown>>

export const evidence: MakeOracle = () =>
  remembering(
    new Memories<Memory>(
      () => new Map(),
      (all) => new Map(all)
    )
  )

const rests = (trust: unknown, least: number): boolean => {
  if (!isPlain(trust)) return false
  const sources = trust["evidence_sources"]
  const tier = tiers.findIndex((one) => one === trust["evidence_trust_tier"])
  return Array.isArray(sources) && sources.some((source) => source !== "llm") && tier >= least
}

const remembering = (memories: Memories<Memory>): Oracle => ({
  id: "S4",
  fork: () => remembering(memories.fork()),
  stepped: (seen) => {
    const asked = memories.of(seen)
    if (asked === null) return null
    const { drives, heard } = doingsOf(seen)
    if (heard !== null) asked.set(heard.intentId, [...(asked.get(heard.intentId) ?? []), heard.trust])
    for (const { actuator, intentId } of drives) {
      if (intentId === null) continue
      const owned = seen.machine.config.actuators?.find(({ ref }) => ref === actuator)
      const least = owned === undefined ? 0 : tiers.indexOf(owned.demand.minimum)
      if (asked.get(intentId)?.some((trust) => rests(trust, least)) !== true)
        return `${seen.machine.name} drives ${actuator} without evidence that its owner takes`
    }
    return null
  }
})

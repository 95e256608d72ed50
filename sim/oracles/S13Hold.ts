/**
 * S13: once a hold is stored, nothing is driven but to the safe state, until a person releases it; over restarts too.
 */
import type { MakeOracle, Oracle } from "./Oracle.ts"
import { doingsOf, Memories } from "./Orders.ts"

interface Memory {
  readonly held: Set<string>
  /** Holds that are on their way to the disk, by ticket and boot. */
  readonly asked: Map<string, string>
}

const copyOf = ({ asked, held }: Memory): Memory => ({ held: new Set(held), asked: new Map(asked) })

export const hold: MakeOracle = () =>
  remembering(new Memories<Memory>(() => ({ held: new Set(), asked: new Map() }), copyOf))

const remembering = (memories: Memories<Memory>): Oracle => ({
  id: "S13",
  fork: () => remembering(memories.fork()),
  stepped: (seen) => {
    const memory = memories.of(seen)
    if (memory === null) return null
    const { after, input, machine } = seen
    if (input._tag === "Stored") {
      const group = memory.asked.get(`${after.bootId}/${input.ticket}`)
      if (group !== undefined) memory.held.add(group)
    }
    const { drives, entries } = doingsOf(seen)
    for (const { actuator, state } of drives) {
      const owned = machine.config.actuators?.find(({ ref }) => ref === actuator)
      if (owned !== undefined && memory.held.has(owned.group) && state !== owned.safe)
        return `${machine.name} drives ${actuator} to ${state}, which is on hold`
    }
    for (const { entry, ticket } of entries) {
      if (entry._tag !== "Held") continue
      if (entry.on) memory.asked.set(`${after.bootId}/${ticket}`, entry.group)
      else {
        memory.held.delete(entry.group)
        for (const [key, group] of memory.asked) if (group === entry.group) memory.asked.delete(key)
      }
    }
    return null
  }
})

/**
 * K7: what is not safe ends by itself, neither before its time nor after it, and at once on a hold (PROTOCOL.md P16.7, P16.8).
 *
 * While a drive is under way in a group the next one waits for it. Judged is what a process does that runs: what its actuator does
 * by a clock of its own is no concern of it. A new life makes all safe first.
 */
import type { Command } from "../../kernel/Command.ts"
import type { MakeOracle, Observation, Oracle } from "./Oracle.ts"
import { doingsOf, Memories, type Drive } from "./Orders.ts"

interface Memory {
  /** Until when it may be as it is. */
  readonly open: Map<string, number>
  /** Tickets of drives that are under way, by group. */
  readonly moving: Map<string, number>
  /** What a person holds, and is not safe yet. */
  readonly held: Set<string>
}

const fresh = (): Memory => ({ open: new Map(), moving: new Map(), held: new Set() })
const copyOf = ({ held, moving, open }: Memory): Memory => ({
  open: new Map(open),
  moving: new Map(moving),
  held: new Set(held)
})

export const moves: MakeOracle = () => remembering(new Memories(fresh, copyOf))

const endsByTime = (commands: ReadonlyArray<Command>, actuator: string): boolean =>
  commands.some(
    (command) =>
      command._tag === "Note" &&
      command.event.event === "actuator.recalled" &&
      command.event.actuator === actuator &&
      command.event.reason === "its time"
  )

const remembering = (memories: Memories<Memory>): Oracle => {
  const groupOf = ({ machine }: Observation, actuator: string): string =>
    machine.config.actuators?.find(({ ref }) => ref === actuator)?.group ?? ""

  const driven = (seen: Observation, memory: Memory, { actuator, forMs, ticket }: Drive): string | null => {
    const { mono } = seen.input.at
    const until = memory.open.get(actuator)
    memory.moving.set(groupOf(seen, actuator), ticket)
    if (forMs !== null) {
      memory.open.set(actuator, mono + forMs)
      return null
    }
    memory.open.delete(actuator)
    memory.held.delete(actuator)
    return until !== undefined && mono < until && endsByTime(seen.commands, actuator)
      ? `ends ${actuator} ${until - mono} ms before its time`
      : null
  }

  /** What it had to do by now. */
  const left = (seen: Observation, memory: Memory): string | null => {
    const { input } = seen
    const isFree = (actuator: string): boolean => !memory.moving.has(groupOf(seen, actuator))
    for (const actuator of memory.held) if (isFree(actuator)) return `leaves ${actuator} as it is, and it is held`
    if (input._tag !== "Woke" && input._tag !== "Stalled") return null
    for (const [actuator, until] of memory.open)
      if (until <= input.at.mono && isFree(actuator)) return `leaves ${actuator} as it is beyond its time`
    return null
  }

  return {
    id: "K7",
    fork: () => remembering(memories.fork()),
    stepped: (seen) => {
      const memory = memories.of(seen)
      if (memory === null) return null
      const { after, before, input, machine } = seen
      if (input._tag === "Started" || after.incarnation !== before.incarnation) {
        memory.open.clear()
        memory.moving.clear()
        memory.held.clear()
      }
      if (after.phase !== "running") return null
      if (input._tag === "Driven")
        for (const [group, ticket] of memory.moving) if (ticket === input.ticket) memory.moving.delete(group)
      if (input._tag === "Hold" && input.on && before.phase === "running")
        for (const { group, ref } of machine.config.actuators ?? []) {
          const was = before.durable.ledger?.groups.find((one) => one.group === group)?.hold === true
          if (!was && (input.group === null || input.group === group)) memory.held.add(ref)
        }
      for (const drive of doingsOf(seen).drives) {
        const why = driven(seen, memory, drive)
        if (why !== null) return `${machine.name} ${why}`
      }
      const why = left(seen, memory)
      return why === null ? null : `${machine.name} ${why}`
    }
  }
}

/**
 * S1: no two nodes ever hold the same term, and at no moment of true time do two nodes hold an unexpired leader lease.
 *
 * A lease is judged by its holder's own clock as the world knows it, whether the holder noticed its end or not; that of a
 * process that is gone is gone with it. A frozen holder still holds.
 */
import type { Machine } from "../engine/Machine.ts"
import type { Term } from "../../kernel/wire/Frame.ts"
import type { MakeOracle, Oracle } from "./Oracle.ts"

const name = (term: Term): string => `${term.manifest}.${term.counter}`

/** True time at which the lease of a running machine ends; 0: it holds none. */
export const leaseEndsMs = (machine: Machine): number => {
  const standing = machine.state()?.leadership.standing
  if (standing?._tag !== "Leading" || standing.leaseUntil === 0) return 0
  return machine.clock.trueMs(standing.leaseUntil)
}

export const oneLeader: MakeOracle = () => remembering(new Map())

const remembering = (before: ReadonlyMap<string, string>): Oracle => {
  const holders = new Map(before)
  return {
    id: "S1",
    fork: () => remembering(holders),
    stepped: ({ after, before, machine, machines, nowMs }) => {
      if (after.leadership === before.leadership || after.leadership.standing._tag !== "Leading") return null
      const term = name(after.leadership.term)
      const holder = holders.get(term)
      if (holder !== undefined && holder !== machine.name)
        return `${holder} and ${machine.name} both hold term ${after.leadership.term.counter}`
      if (holder === undefined) holders.set(term, machine.name)
      if (leaseEndsMs(machine) <= nowMs) return null
      for (const other of machines) {
        if (other !== machine && other.running && leaseEndsMs(other) > nowMs)
          return (
            `${machine.name} (term ${after.leadership.term.counter}) and ${other.name} ` +
            `(term ${other.state()?.leadership.term.counter}) both hold an unexpired lease`
          )
      }
      return null
    }
  }
}

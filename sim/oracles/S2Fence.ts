/**
 * S2: actuation is fenced. Each grant of a group has a higher epoch than all before it, as long as the journal lives; nothing is
 * driven but under the epoch granted last, and for whom it was granted to: or for nobody, where a person approved just that. Before the
 * time of whoever holds it is over, it is granted only by a higher term than all before it; never by a lower one; and by a term only to
 * who led it.
 *
 * Does not judge: returns to the safe state, which are the guardian's own and need no epoch.
 */
import { LEASE_MS } from "../../kernel/actuation/Guard.ts"
import type { Entry, Holder } from "../../kernel/actuation/Ledger.ts"
import { compareTerms, TERM_ZERO } from "../../kernel/leadership/Term.ts"
import type { DeviceId, Term } from "../../kernel/wire/Frame.ts"
import type { MakeOracle, Observation, Oracle } from "./Oracle.ts"
import { leftBy } from "./Demands.ts"
import { approvals, doingsOf, Memories } from "./Orders.ts"

interface Grant {
  readonly group: string
  readonly epoch: number
  readonly to: DeviceId | null
  /** The highest term by which this group was granted so far. */
  readonly term: Term
}

/** Until when a group is somebody's at least: it may have been told to go on. */
interface Held {
  readonly bootId: string
  readonly holder: Holder
  readonly untilMono: number
}

interface Memory {
  readonly held: Map<string, Held>
  /** The epoch granted last, and to whom, by group: of those that are stored, so that somebody may know of them. */
  readonly granted: Map<string, Grant>
  /** On their way to the disk, by boot and ticket. */
  readonly asked: Map<string, Grant>
  /** Who asked for which intent. */
  readonly askers: Map<string, ReadonlyArray<DeviceId>>
}

/** Who began to lead which term, in which of its lives. */
type Led = Map<string, string>

const ledBy = ({ counter, manifest }: Term, deviceId: DeviceId, incarnation: number): readonly [string, string] => [
  `${manifest}.${counter}`,
  `${deviceId}/${incarnation}`
]

const copyOf = ({ asked, askers, granted, held }: Memory): Memory => ({
  held: new Map(held),
  granted: new Map(granted),
  asked: new Map(asked),
  askers: new Map(askers)
})

export const fence: MakeOracle = () =>
  remembering(
    new Memories<Memory>(() => ({ held: new Map(), granted: new Map(), asked: new Map(), askers: new Map() }), copyOf),
    new Map()
  )

const remembering = (memories: Memories<Memory>, led: Led): Oracle => ({
  id: "S2",
  fork: () => remembering(memories.fork(), new Map(led)),
  stepped: (seen) => {
    if (seen.after.leadership.standing._tag === "Leading" && seen.before.leadership.standing._tag !== "Leading")
      led.set(...ledBy(seen.after.leadership.term, seen.after.config.deviceId, seen.after.incarnation))
    const memory = memories.of(seen)
    if (memory === null) return null
    const { after, input, machine } = seen
    const { name } = machine
    const left = leftBy(seen.before, input)
    for (const [group, { holder }] of memory.held)
      if (left !== null && holder.deviceId === left.peer && holder.incarnation <= left.incarnation)
        memory.held.delete(group)
    const stored = input._tag === "Stored" ? memory.asked.get(`${after.bootId}/${input.ticket}`) : undefined
    if (stored !== undefined) memory.granted.set(stored.group, stored)
    const { drives, entries, heard } = doingsOf(seen)
    if (heard !== null) memory.askers.set(heard.intentId, [...(memory.askers.get(heard.intentId) ?? []), heard.from])
    for (const { entry, ticket } of entries) {
      if (entry._tag !== "Granted") continue
      const { epoch, group, holder } = entry
      const { epoch: last = 0, term: before = TERM_ZERO } = memory.granted.get(group) ?? {}
      if (epoch <= last) return `${name} grants epoch ${epoch} of ${group} after ${last}`
      const why = holder === null ? null : untimely(seen, entry, holder, { held: memory.held.get(group), before, led })
      if (why !== null) return `${name} grants ${group} ${why}`
      if (holder === null) memory.held.delete(group)
      else memory.held.set(group, { bootId: after.bootId, holder, untilMono: input.at.mono + LEASE_MS })
      const term = entry.term ?? before
      memory.asked.set(`${after.bootId}/${ticket}`, { group, epoch, to: holder?.deviceId ?? null, term })
    }
    for (const drive of drives) {
      const { actuator, epoch, intentId } = drive
      if (intentId === null) continue
      const group = machine.config.actuators?.find(({ ref }) => ref === actuator)?.group ?? ""
      const last = memory.granted.get(group)
      if (epoch !== last?.epoch)
        return `${name} drives ${actuator} under epoch ${epoch}, and ${last?.epoch ?? 0} is granted`
      // A person's decision comes before any lease, under an epoch that nobody holds.
      if (last.to === null && approvals(seen, drive).length > 0) continue
      if (last.to === null || memory.askers.get(intentId)?.includes(last.to) !== true)
        return `${name} drives ${actuator} for somebody who has no lease`
    }
    return null
  }
})

/** What a grant rests on, where that is not enough. */
const untimely = (
  { after, input }: Observation,
  { term }: Extract<Entry, { readonly _tag: "Granted" }>,
  { deviceId, incarnation }: Holder,
  {
    before,
    held,
    led
  }: {
    readonly held: Held | undefined
    /** The highest term so far. */
    readonly before: Term
    readonly led: Led
  }
): string | null => {
  const rises = term === undefined ? 0 : compareTerms(term, before)
  if (term !== undefined) {
    const [key, leader] = ledBy(term, deviceId, incarnation)
    if (led.get(key) !== leader) return `by term ${term.counter}, which its new holder did not lead`
    if (rises < 0) return `by term ${term.counter} after ${before.counter}`
  }
  return rises <= 0 && held?.bootId === after.bootId && held.untilMono > input.at.mono
    ? "before the time of its holder is over"
    : null
}

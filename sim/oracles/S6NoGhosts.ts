/**
 * S6: a session never delivers, displaces or unregisters after it has been superseded, left or declared dead, and no older
 * incarnation ever replaces a newer one.
 *
 * Watched at each node: what comes over a connection that the node itself ended, or was told is gone, changes nothing but
 * its counters; the end of one connection never ends the session on another; the incarnation of the sessions with a device
 * never decreases within one process, as long as the operator does not have it forget the device. A session that lives gives
 * way to no newer incarnation (PROTOCOL.md P3.4: it has to fail a probe first, which ends it), and of the same two incarnations
 * only to the link that both ends prefer, or to one dialled long after it (P3.5); a heartbeat of a later link ends the session
 * that it came over, and one of an older link changes nothing (P7.1). Nobody is `left` in an incarnation that it never left, and
 * nothing but a higher one ends that (P7.16).
 */
import type { Machine } from "../engine/Machine.ts"
import { Rows } from "../engine/Rows.ts"
import type { Input } from "../../kernel/Input.ts"
import { indexOfLink, type Session } from "../../kernel/links/Link.ts"
import type { NodeState } from "../../kernel/Node.ts"
import { lateOver, partedFrom } from "./Demands.ts"
import type { MakeOracle, Oracle } from "./Oracle.ts"

interface Memory {
  readonly process: number
  readonly over: Set<number>
  readonly highest: Map<string, number>
}

const copyOf = ({ highest, over, process }: Memory): Memory => ({
  process,
  over: new Set(over),
  highest: new Map(highest)
})

export const noGhosts: MakeOracle = () => remembering(new Rows(copyOf), new Set())

/**
 * By machine, of its present process: links that are over, and the highest incarnation that had a session, by device. And of all:
 * which devices really left, and in which incarnation.
 */
const remembering = (memories: Rows<Memory>, gone: Set<string>): Oracle => {
  const of = ({ index, process }: Machine): Memory => {
    const memory = memories.own(index)
    return memory?.process === process ? memory : memories.set(index, { process, over: new Set(), highest: new Map() })
  }
  return {
    id: "S6",
    fork: () => remembering(memories.fork(), new Set(gone)),
    stepped: ({ after, before, commands, input, machine, machines }) => {
      const memory = of(machine)
      if (input._tag === "Distrust") memory.highest.delete(input.deviceId)
      if (input._tag === "Leave") gone.add(lifeOf(machine.config.deviceId, after.incarnation))
      if (after.membership.members !== before.membership.members) {
        const wrong = goodbyes(after, before, input, machines, gone)
        if (wrong !== null) return `${machine.name} ${wrong}`
      }
      if (input._tag === "Received" || input._tag === "Ponged") {
        const changed =
          after.membership !== before.membership ||
          after.leadership !== before.leadership ||
          after.links !== before.links
        if (changed && memory.over.has(input.link))
          return `${machine.name} took up ${describe(input)} over connection ${input.link}, which was over`
      }
      if (after.links !== before.links) {
        for (const contact of after.links.contacts) {
          if (contact.session === null) continue
          const link = after.links.links[indexOfLink(after.links.links, contact.session)]
          if (link?._tag !== "Session" || link.peer !== contact.peer)
            return `${machine.name} has a session with a device over connection ${contact.session}, which is none`
          const { incarnation } = link.proven
          const highest = memory.highest.get(contact.peer) ?? 0
          if (incarnation < highest)
            return `${machine.name} let incarnation ${incarnation} of a device replace incarnation ${highest}`
          memory.highest.set(contact.peer, incarnation)
        }
        for (const contact of before.links.contacts) {
          if (contact.session === null || memory.over.has(contact.session)) continue
          const now = after.links.contacts.find((other) => other.peer === contact.peer)
          if (now?.session === contact.session) continue
          const usurped = displaced(sessionAt(before, contact.session), sessionAt(after, now?.session), after)
          if (usurped !== null) return `${machine.name} ${usurped}`
          const ended =
            (input._tag === "LinkDown" && input.link === contact.session) ||
            commands.some((command) => command._tag === "Hangup" && command.link === contact.session)
          if (!ended) return `${machine.name} unregistered the session on connection ${contact.session}, which lives`
        }
      }
      const parted = partedFrom(before, input)
      if (parted !== null && !commands.some((command) => command._tag === "Hangup" && command.link === parted.link))
        return `${machine.name} goes on with the session on connection ${parted.link}, whose far end means another`
      const late = lateOver(before, input)
      if (late !== null && (after !== before || commands.length > 0))
        return `${machine.name} took up a heartbeat of an older link over connection ${late.link}`
      if (input._tag === "LinkDown") memory.over.add(input.link)
      for (const command of commands) if (command._tag === "Hangup") memory.over.add(command.link)
      return null
    }
  }
}

const lifeOf = (deviceId: string, incarnation: number): string => `${deviceId} ${incarnation}`

/** What is wrong with those that it has as left. Devices of generation 1 have no incarnation to leave in. */
const goodbyes = (
  { membership: { members } }: NodeState,
  { membership: { members: old } }: NodeState,
  input: Input,
  machines: ReadonlyArray<Machine>,
  gone: ReadonlySet<string>
): string | null => {
  if (members.length !== old.length || input._tag === "Trust") return null
  for (const [place, { deviceId, incarnation, state }] of members.entries()) {
    const was = old[place]!
    if (was.state === state && was.incarnation === incarnation) continue
    const machine = machines.find(({ config }) => config.deviceId === deviceId)
    // Somebody from outside who has its key may say what it likes.
    const isPlayed = machine !== undefined && machine.world.byAddress(machine.name) !== machine
    if (machine === undefined || isPlayed || incarnation === 0) continue
    if (state === "left" && !gone.has(lifeOf(deviceId, incarnation)))
      return `says that ${machine.name} left in incarnation ${incarnation}, which it did not`
    if (was.state === "left" && state !== "left" && incarnation <= was.incarnation)
      return `took ${machine.name} back in incarnation ${incarnation}, in which it had left`
  }
  return null
}

const sessionAt = ({ links: { links } }: NodeState, number: number | null | undefined): Session | null => {
  const link = number == null ? undefined : links[indexOfLink(links, number)]
  return link?._tag === "Session" ? link : null
}

/** What is wrong when `next` takes the place of `old`, which lives; `null`: nothing. Towards generation 1 the newest wins. */
const displaced = (old: Session | null, next: Session | null, { config }: NodeState): string | null => {
  if (old === null || next === null || !old.proven.kernel || !next.proven.kernel) return null
  const [was, is] = [old.proven.incarnation, next.proven.incarnation]
  if (is > was) return `let incarnation ${is} of a device displace incarnation ${was}, which had failed no probe`
  const preferred = old.dialledByUs === next.dialledByUs || next.dialledByUs === config.deviceId < next.peer
  const crossing = next.since - old.since < config.profile.handshakeMs
  return preferred || !crossing || is < was
    ? null
    : `gave up connection ${old.link} for ${next.link}, which the higher id dialled`
}

const describe = (
  input: { readonly _tag: "Received"; readonly frame: unknown } | { readonly _tag: "Ponged" }
): string => {
  if (input._tag === "Ponged") return "an answer to a probe"
  const frame = input.frame as { readonly event?: string; readonly method?: string; readonly type: string }
  return `a ${frame.event ?? frame.method ?? frame.type}`
}

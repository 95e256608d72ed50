/**
 * K1: a node asks of its world only what can be done, and forgets nothing that it asked for.
 *
 * A connection that is open is in its state until it has ended it, or is told that it has ended. A request that comes over a
 * session is answered at once, waits for its lane, is a message that is under way, or is counted as dropped (P13.4).
 *
 * It dials a device that it trusts and has no session with, once at a time, with a number that is new; it gives up dials that are
 * out, and none is out that nothing in its state waits for; it uses links that it has; tickets of what it stores are new; it ends a session
 * with 1008 only where trust is gone, and with 1009 only for a message too big (PROTOCOL.md P1.2, P3.7, P5.10, P5.11).
 *
 * Does not judge: when it asks for what (K2), nor whom it should dial.
 */
import type { Command } from "../../kernel/Command.ts"
import { indexOfLink } from "../../kernel/links/Link.ts"
import { LANE_BYTES_MAX, LANE_FRAMES_MAX } from "../../kernel/links/Lanes.ts"
import { UNAUTHENTICATED_FRAMES_MAX } from "../../kernel/Profile.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { MakeOracle, Observation, Oracle } from "./Oracle.ts"

/** Of one process: the highest numbers that it gave so far. */
interface Given {
  attempt: number
  ticket: number
}

export const commands: MakeOracle = () => remembering(new Map())

const knows = ({ links: { links } }: NodeState, link: number): boolean => indexOfLink(links, link) !== -1

const nested = (all: ReadonlyArray<Command>): ReadonlyArray<Command> =>
  all.some(({ _tag }) => _tag === "Persist")
    ? all.flatMap((command) => (command._tag === "Persist" ? [command, ...nested(command.then)] : [command]))
    : all

/** Asked for in this very step, as where another life begins with it. */
const inOneStep = ({ commands }: Observation, tag: "CancelDial" | "Dial", attempt: number): boolean =>
  commands.some((command) => command._tag === tag && command.attempt === attempt)

const dialled = (seen: Observation, { attempt, to }: Extract<Command, { readonly _tag: "Dial" }>): string | null => {
  const { config, links } = seen.after
  if (inOneStep(seen, "CancelDial", attempt)) return null
  if (to === config.deviceId) return "dials itself"
  if (!config.trusted.some(({ deviceId }) => deviceId === to)) return "dials a device that it does not trust"
  const contact = links.contacts.find(({ peer }) => peer === to)
  if (contact === undefined || contact.attempt !== attempt) return `forgets dial ${attempt} at once`
  return contact.session === null ? null : "dials a device that it has a session with"
}

/** In which words. */
const STRAYED = "shake hands first"

/** What a session may be ended with, and who says more than its login has to be borne for a while (P5.10). */
const ended = (
  { after, before, input }: Observation,
  { code, link, reason }: Extract<Command, { readonly _tag: "Hangup" }>
): string | null => {
  if (code === 1009) return input._tag === "Malformed" ? null : "closes with 1009, and no message was too big"
  if (code !== 1000 && code !== 1001 && code !== 1008) return `closes with ${code}`
  const open = before.links.links[indexOfLink(before.links.links, link)]
  if (open?._tag === "Offered" && code === 1008 && reason === STRAYED && open.strays < UNAUTHENTICATED_FRAMES_MAX)
    return `shows somebody out after ${open.strays + 1} words before the login`
  if (open?._tag !== "Session" || code !== 1008) return null
  const is = after.config.trusted.find(({ deviceId }) => deviceId === open.peer)
  const was = before.config.trusted.find(({ deviceId }) => deviceId === open.peer)
  return is === was ? "closes a session with 1008, and trusts its peer as before" : null
}

const hangsUp = (commands: ReadonlyArray<Command>, link: number): boolean =>
  commands.some((command) => command._tag === "Hangup" && command.link === link)

/** A connection that it neither has nor ended. */
const lost = ({ after, before, commands, input }: Observation): string | null => {
  if (input._tag === "LinkUp" && !knows(after, input.link) && !hangsUp(commands, input.link))
    return `takes no notice of link ${input.link}, which opens`
  if (after.links.links === before.links.links) return null
  for (const { link } of before.links.links) {
    if (knows(after, link) || hangsUp(commands, link)) continue
    if (input._tag !== "LinkDown" || input.link !== link) return `forgets link ${link}, which is open`
  }
  return null
}

/** A request over a session that nobody answers, or more often than once. */
const unanswered = ({ after, before, commands, input }: Observation): string | null => {
  if (input._tag !== "Received" || input.frame.type !== "req" || !knows(after, input.link)) return null
  const session = before.links.links[indexOfLink(before.links.links, input.link)]
  if (session?._tag !== "Session" || !session.proven.kernel) return null
  const { id } = input.frame
  const answers = (frame: Frame): boolean => frame.type === "res" && frame.id === id
  const line = after.links.lines.find(({ link }) => link === input.link)?.waiting ?? []
  const waits = line.some(({ frame }) => answers(frame))
  const said = commands.filter(
    (command) => command._tag === "Send" && command.link === input.link && answers(command.frame)
  ).length
  if (said > 1 || (said === 1 && waits)) return `answers ${input.frame.method} more than once`
  // The answer of a message that goes on comes when it is known; then it is ours to give.
  const isUnderWay = after.routing.pending.some(({ askers }) =>
    askers.some((asker) => asker._tag === "Link" && asker.link === input.link && asker.id === id)
  )
  // An inference is answered at its end.
  const { running } = after.inference.serving
  if (running?.link === input.link && running.id === id) return null
  // Too much waits for this peer to read (P13.4): counted as dropped.
  const isFull = line.length >= LANE_FRAMES_MAX || line.reduce((sum, { bytes }) => sum + bytes, 0) >= LANE_BYTES_MAX / 2
  const isDropped = isFull && after.refusals !== before.refusals
  return waits || said === 1 || isUnderWay || isDropped ? null : `leaves ${input.frame.method} without an answer`
}

const remembering = (given: Map<string, Given>): Oracle => {
  const of = ({ input, machine: { name } }: Observation): Given => {
    const known = given.get(name)
    if (known !== undefined && input._tag !== "Started") return known
    const fresh = { attempt: 0, ticket: 0 }
    given.set(name, fresh)
    return fresh
  }

  const wrong = (seen: Observation, mine: Given, command: Command): string | null => {
    const { after, before, input } = seen
    switch (command._tag) {
      case "Dial": {
        if (command.attempt <= mine.attempt) return `dials with number ${command.attempt} after ${mine.attempt}`
        mine.attempt = command.attempt
        return dialled(seen, command)
      }
      case "CancelDial":
        return before.links.contacts.some(({ attempt }) => attempt !== null && attempt === command.attempt) ||
          inOneStep(seen, "Dial", command.attempt)
          ? null
          : `gives up dial ${command.attempt}, which is not out`
      case "Hangup":
      case "Ping":
      case "Send": {
        const own = "link" in input && input.link === command.link
        if (!own && !knows(before, command.link) && !knows(after, command.link))
          return `does ${command._tag} on link ${command.link}, which it does not have`
        return command._tag === "Hangup" ? ended(seen, command) : null
      }
      case "Persist":
        if (command.ticket <= mine.ticket) return `stores with ticket ${command.ticket} after ${mine.ticket}`
        mine.ticket = command.ticket
        return null
      default:
        return null
    }
  }

  return {
    id: "K1",
    fork: () => remembering(new Map([...given].map(([name, one]) => [name, { ...one }]))),
    stepped: (seen) => {
      const { after, before, commands: all, input, machine } = seen
      const mine = of(seen)
      for (const command of nested(all)) {
        const why = wrong(seen, mine, command)
        if (why !== null) return `${machine.name} ${why}`
      }
      if (before.phase === "running" && after.phase === "running") {
        const why = lost(seen) ?? unanswered(seen)
        if (why !== null) return `${machine.name} ${why}`
      }
      if (after.links.contacts === before.links.contacts) return null
      // A dial that is out before and not after has opened, has failed, or was given up.
      for (const { attempt } of before.links.contacts) {
        if (attempt === null || after.links.contacts.some((contact) => contact.attempt === attempt)) continue
        const over = (input._tag === "LinkUp" || input._tag === "DialFailed") && input.attempt === attempt
        const givenUp = all.some((command) => command._tag === "CancelDial" && command.attempt === attempt)
        if (!over && !givenUp) return `${machine.name} forgets dial ${attempt}, which is out`
      }
      return null
    }
  }
}

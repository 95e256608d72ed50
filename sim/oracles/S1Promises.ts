/**
 * S1, what it rests on: a voter keeps the promise that an acknowledged heartbeat is (PROTOCOL.md P7.4), over a boot too, and
 * whoever learns of a higher term stops leading and standing (P7.6), and follows no lower one as long as it runs, unless it has
 * no say and follows nobody. Two leases at
 * one moment take more than one such slip, so that the slip itself is told.
 *
 * A promise is an answer to a leader's heartbeat, or a leader's own count of itself; it lasts `promiseMs` by the voter's own
 * clock, which runs on while nothing of the device does, or until that leader releases its term or says goodbye in the life in which it led. Judged are votes, those for
 * oneself too, where they are asked to be stored.
 *
 * Does not judge: answers to the question whether a vote would be won, which bind nobody; terms that no mesh can have come to
 * (P7.8), which are to change nothing.
 */
import { named } from "../../kernel/leadership/Leadership.ts"
import { compareTerms } from "../../kernel/leadership/Term.ts"
import type { DeviceId, Term } from "../../kernel/wire/Frame.ts"
import type { Machine } from "../engine/Machine.ts"
import { higherTerm, leftBy, sessionOf } from "./Demands.ts"
import type { MakeOracle, Observation, Oracle } from "./Oracle.ts"

interface Promised {
  readonly to: DeviceId
  readonly term: Term
  /** In which life it led. */
  readonly incarnation: number
  /** By the clock of the device, from the beginning of the world on: boots do not interrupt it. */
  readonly untilMs: number
}

const ownMs = ({ clock }: Machine, nowMs: number): number => clock.mono(nowMs) - clock.mono(0)

const acknowledges = ({ commands }: Observation): boolean =>
  commands.some(
    (command) =>
      command._tag === "Send" &&
      command.frame.type === "event" &&
      command.frame.event === "mesh.lead.answer" &&
      command.frame.payload.promised
  )

const releases = ({ commands }: Observation): boolean =>
  commands.some(
    (command) => command._tag === "Send" && command.frame.type === "event" && command.frame.event === "mesh.release"
  )

/** It has its key sign that it owes nobody a vote under the list of electors that it is to have another one for (P7.23). */
const ACKNOWLEDGES = "clawmesh.manifest.ack|"

const acknowledgesList = ({ commands }: Observation): boolean =>
  commands.some(
    (command) => command._tag === "Sign" && command.payloads.some((payload) => payload.startsWith(ACKNOWLEDGES))
  )

/** A leader that learns of another list of electors leads no longer, whether or not there is anybody to tell. */
const replaced = ({ commands }: Observation): boolean =>
  commands.some((command) => command._tag === "Note" && command.event.event === "manifest.proposed")

/** The beat that a leader has just sent, and counts itself for. */
const countsItself = ({ after, before, machine }: Observation): boolean => {
  const { standing } = after.leadership
  const was = before.leadership.standing
  return (
    standing._tag === "Leading" &&
    (was._tag !== "Leading" || was.beat !== standing.beat) &&
    after.config.manifest.electors.includes(machine.config.deviceId)
  )
}

export const promises: MakeOracle = () => remembering([])

/** What each machine has promised, by its index. */
const remembering = (all: Array<Promised | undefined>): Oracle => {
  const voted = ({ commands, machine, nowMs }: Observation): string | null => {
    for (const command of commands) {
      if (command._tag !== "Persist" || command.record._tag !== "Vote") continue
      const { term, votedFor } = command.record
      const promised = all[machine.index]
      if (promised === undefined || votedFor === promised.to) continue
      const leftMs = promised.untilMs - ownMs(machine, nowMs)
      if (leftMs > 0)
        return (
          `${machine.name} votes for ${machine.world.nameOf(votedFor)} in term ${term.counter}, ` +
          `and is promised to ${machine.world.nameOf(promised.to)} for another ${leftMs} ms`
        )
    }
    return null
  }

  const freed = (seen: Observation): string | null => {
    if (!acknowledgesList(seen)) return null
    const { machine, nowMs } = seen
    const promised = all[machine.index]
    const leftMs = promised === undefined ? 0 : promised.untilMs - ownMs(machine, nowMs)
    return promised !== undefined && leftMs > 0
      ? `${machine.name} acknowledges a list of electors, and is promised to ${machine.world.nameOf(promised.to)} for another ${leftMs} ms`
      : null
  }

  const stopped = (seen: Observation): string | null => {
    const { after, before, input, machine } = seen
    // Who is leaving does not listen any more.
    const term = before.phase === "running" ? higherTerm(before, input) : null
    if (term === null) return null
    const { standing, term: now } = after.leadership
    return standing._tag === "Following" && compareTerms(now, term) >= 0
      ? null
      : `${machine.name} is told of term ${term.counter}, and goes on ${standing._tag.toLowerCase()} in term ${now.counter}`
  }

  const follows = ({ after, before, input, machine }: Observation): string | null => {
    const was = before.leadership.term
    const now = after.leadership.term
    const { deviceId, manifest } = before.config
    const hasSay = manifest.electors.includes(deviceId) && !before.leadership.abstains
    // Its own clock says whether it has heard from a leader within a promise.
    if (!hasSay && named(before.leadership, before.config, input.at.mono) === null) return null
    return before.phase === "running" && after.phase === "running" && compareTerms(now, was) < 0
      ? `${machine.name} knows of term ${was.counter}, and goes back to term ${now.counter}`
      : null
  }

  return {
    id: "S1-promises",
    fork: () => remembering(all.slice()),
    stepped: (seen) => {
      const broken = voted(seen) ?? freed(seen) ?? stopped(seen) ?? follows(seen)
      if (broken !== null) return broken
      const { after, before, input, machine, nowMs } = seen
      const promise = (to: DeviceId, incarnation: number, term: Term): void => {
        const untilMs = ownMs(machine, nowMs) + machine.config.profile.promiseMs
        all[machine.index] = { to, term, incarnation, untilMs }
      }
      if (countsItself(seen)) promise(machine.config.deviceId, after.incarnation, after.leadership.term)
      const left = leftBy(before, input)
      const owed = all[machine.index]
      // It ends its own term, and says so to all.
      const leads = before.leadership.standing._tag === "Leading"
      const isOver = leads && ((input._tag === "Engine" && !input.runs) || releases(seen) || replaced(seen))
      if (isOver && owed?.to === machine.config.deviceId) all[machine.index] = undefined
      if (left !== null && owed?.to === left.peer && owed.incarnation <= left.incarnation)
        all[machine.index] = undefined
      if (input._tag !== "Received" || input.frame.type !== "event") return null
      const { event, payload } = input.frame
      if (event !== "mesh.lead" && event !== "mesh.release") return null
      const session = sessionOf(before, input)
      if (session === null) return null
      const from = session.peer
      if (event === "mesh.lead" && acknowledges(seen)) promise(from, session.proven.incarnation, payload.term)
      const promised = all[machine.index]
      // Who ends a higher term leads the lower one no more either.
      if (event === "mesh.release" && promised?.to === from && compareTerms(promised.term, payload.term) <= 0)
        all[machine.index] = undefined
      return null
    }
  }
}

/** The front of the leadership room: hands each input to the voter's, the candidate's or the leader's side. */
import type { Input } from "../Input.ts"
import { incarnationAt, type Links } from "../links/Link.ts"
import { ANSWERED_TERM_LEAP_MAX, STANDING_TERM_LEAP_MAX } from "../Profile.ts"
import { NEVER_MS } from "../Time.ts"
import { send, type Turn } from "../Turn.ts"
import type { DeviceId, Event, Term } from "../wire/Frame.ts"
import * as Candidacy from "./Candidacy.ts"
import * as Certificate from "./Certificate.ts"
import * as DiskWatch from "./DiskWatch.ts"
import { isElector, standLater, withDue, type Leadership } from "./Leadership.ts"
import * as Leading from "./Leading.ts"
import * as Reconfiguring from "./Reconfiguring.ts"
import * as Voting from "./Voting.ts"

const ANSWERS: ReadonlySet<string> = new Set(["mesh.lead.answer", "mesh.prevote.answer", "mesh.vote.answer"])
const SAID_BY_ELECTORS: ReadonlySet<string> = new Set(["mesh.prevote", "mesh.vote", "mesh.vote.proof", ...ANSWERS])

export const onTurn = (leadership: Leadership, input: Input, woke: boolean, turn: Turn, links: Links): Leadership => {
  let next = leadership
  const { admitted } = turn
  if (admitted?.frame?.type === "event") next = onEvent(next, turn, links, admitted.peer, admitted.link, admitted.frame)
  for (const fact of turn.facts)
    if (fact._tag === "SessionUp") {
      if (fact.kernel) Reconfiguring.greet(next, fact.link, turn)
      if (isElector(turn.config, fact.peer)) next = Candidacy.encouraged(next, turn)
    } else if (fact._tag === "Gone" || fact._tag === "Left")
      next = Voting.released(next, turn, fact.peer, fact.incarnation)
  if (input._tag === "Signed") {
    next = Certificate.onSigned(next, input.ticket, input.signatures, turn, links)
    next = Reconfiguring.onSigned(next, input.ticket, input.signatures, turn, links)
  }
  if (turn.checked !== null) next = Reconfiguring.onChecked(next, turn.checked, turn, links)
  if (input._tag === "Reconfigure")
    next = Reconfiguring.shownBy(next, null, { manifest: input.manifest, acks: [] }, turn, links)
  if (input._tag === "Engine") next = onEngine(next, input.runs, turn, links)
  if (woke) next = onTime(next, turn, links)
  return settled(leadership, next, turn, links)
}

/** A record is on stable storage: perhaps our vote for ourselves. */
export const onStored = (leadership: Leadership, ticket: number, turn: Turn, links: Links): Leadership =>
  settled(
    leadership,
    Reconfiguring.onStored(
      DiskWatch.onStored(Candidacy.onStored(leadership, turn, ticket), ticket, turn),
      ticket,
      turn,
      links
    ),
    turn,
    links
  )

export const leave = (leadership: Leadership, turn: Turn, links: Links): Leadership =>
  withDue(Leading.release({ ...leadership, leaving: true }, turn, links))

/** Its planner works, or not (B23): whoever leads hands over, and one that works again waits for its turn. */
const onEngine = (leadership: Leadership, runs: boolean, turn: Turn, links: Links): Leadership => {
  if (leadership.suspended === !runs) return leadership
  const next = { ...leadership, suspended: !runs }
  if (!runs) return Leading.release(next, turn, links)
  return standLater(next, turn, Math.max(next.promisedUntil, next.silentUntil) - turn.at.mono)
}

/** How long it waits before it stands again, so that somebody else does. */
const AFTER_YOU_MS = 10_000

/** Its planner works only in part, and perhaps another one's does in whole: leadership moves on, where there is anybody. */
export const moveOn = (leadership: Leadership, turn: Turn, links: Links, reason: string): Leadership => {
  if (leadership.standing._tag !== "Leading" || !DiskWatch.othersMayLead(turn, links)) return leadership
  return withDue(standLater(Leading.release(leadership, turn, links, reason), turn, AFTER_YOU_MS))
}

/** Whoever begins to lead does so with a heartbeat in the same turn. */
const settled = (before: Leadership, after: Leadership, turn: Turn, links: Links): Leadership => {
  if (after === before) return before
  const { standing } = after
  const begins = standing._tag === "Leading" && standing.beat === 0
  return withDue(begins ? Leading.onTime(after, standing, turn, links) : after)
}

/** A term that a mesh could have come to: of our manifest, and not absurdly far ahead of what we know. */
const isPlausible = (leadership: Leadership, turn: Turn, event: Event["event"], term: Term): boolean => {
  const leapMax = ANSWERS.has(event) ? ANSWERED_TERM_LEAP_MAX : STANDING_TERM_LEAP_MAX
  return term.manifest === turn.config.manifest.version && term.counter <= leadership.term.counter + leapMax
}

/**
 * One of us does not know who elects by now (P7.25): whoever is behind says so where it is asked for something, and whoever is ahead
 * shows it.
 */
const byAnotherList = (leadership: Leadership, turn: Turn, link: number, frame: Event, term: Term): void => {
  const { version } = turn.config.manifest
  if (term.manifest < version) return Reconfiguring.greet(leadership, link, turn)
  if (term.manifest === version) return
  const ours = leadership.term
  if (frame.event === "mesh.lead")
    send(turn, link, "mesh.lead.answer", { term: ours, beat: frame.payload.beat, promised: false })
  else if (frame.event === "mesh.prevote") send(turn, link, "mesh.prevote.answer", { term: ours, granted: false })
  else if (frame.event === "mesh.vote") send(turn, link, "mesh.vote.answer", { term: ours, granted: false })
}

const onEvent = (
  leadership: Leadership,
  turn: Turn,
  links: Links,
  from: DeviceId,
  link: number,
  frame: Event
): Leadership => {
  if ("term" in frame.payload) byAnotherList(leadership, turn, link, frame, frame.payload.term)
  // Only electors have a say; of what a leader says, `onLead` judges for itself.
  if (SAID_BY_ELECTORS.has(frame.event) && !isElector(turn.config, from)) {
    turn.facts.push({ _tag: "Refused", code: "NOT_AUTHORIZED" })
    return leadership
  }
  if ("term" in frame.payload && !isPlausible(leadership, turn, frame.event, frame.payload.term)) {
    turn.facts.push({ _tag: "Refused", code: "INVALID_PARAMS" })
    return leadership
  }
  switch (frame.event) {
    case "mesh.lead":
      return Voting.onLead(
        leadership,
        turn,
        from,
        link,
        frame.payload.term,
        frame.payload.beat,
        incarnationAt(links, link)
      )
    case "mesh.lead.answer": {
      const { beat, promised, term } = frame.payload
      if (!promised) return Voting.onHigherTerm(leadership, turn, term, turn.config.profile.promiseMs)
      const { counter, manifest } = leadership.term
      return term.counter === counter && term.manifest === manifest
        ? Leading.promised(leadership, turn, from, beat)
        : leadership
    }
    case "mesh.prevote":
      return Voting.onPrevote(leadership, turn, from, link, frame.payload)
    case "mesh.vote":
      return Voting.onVote(leadership, turn, links, from, link, frame.payload.term)
    case "mesh.prevote.answer":
      return Candidacy.onPrevoteAnswer(leadership, turn, links, from, frame.payload)
    case "mesh.vote.answer":
      return Candidacy.onVoteAnswer(leadership, turn, from, frame.payload.term, frame.payload.granted)
    case "mesh.vote.proof": {
      const { publicKey, signature, term } = frame.payload
      return Certificate.proved(leadership, term, { elector: from, publicKey, signature })
    }
    case "mesh.release":
      return Voting.onRelease(leadership, turn, from, frame.payload.term)
    case "mesh.manifest":
      return Reconfiguring.shownBy(leadership, from, frame.payload, turn, links)
    default:
      return leadership
  }
}

const onTime = (leadership: Leadership, turn: Turn, links: Links): Leadership => {
  const now = turn.at.mono
  const { standing } = leadership
  if (standing._tag === "Leading")
    return DiskWatch.onTime(Leading.onTime(leadership, standing, turn, links), turn, links)
  let next = Reconfiguring.onTime(leadership, turn, links)
  if (standing._tag !== "Following" && standing.endsAt <= now) next = Candidacy.giveUp(next, turn)
  if (next.standAt <= now) next = Candidacy.stand({ ...next, standAt: NEVER_MS }, turn, links)
  return next
}

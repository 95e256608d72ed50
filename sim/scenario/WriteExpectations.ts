/** Expectations as the language writes them: the way back from `Expectations.ts`. */
import { inferencesWords } from "./InferenceWords.ts"
import { defaultJudge } from "./Expectations.ts"
import type { Flow } from "./Flow.ts"
import type { Expectation, Facts, Pair, Step } from "./Scenario.ts"
import { sentenceOf } from "./Sentence.ts"
import { showCount, showSize, showTime } from "./Units.ts"

type Written = { readonly [key: string]: Flow | undefined }

const pairWords = <P extends Pair>(
  pairs: ReadonlyArray<P> | undefined,
  said: (pair: P) => string
): Flow | undefined => {
  if (pairs === undefined) return undefined
  const byObserver: { [observer: string]: { [subject: string]: string } } = {}
  for (const pair of pairs) {
    const observer = typeof pair.observer === "string" ? pair.observer : pair.observer.word
    byObserver[observer] = { ...byObserver[observer], [pair.subject]: said(pair) }
  }
  return byObserver
}

const frameWords = (frames: Facts["frames"]): Flow | undefined => {
  if (frames === undefined) return undefined
  const byFrame: { [frame: string]: { [how: string]: Flow } } = {}
  for (const { at, frame, who } of frames) byFrame[frame] = { ...byFrame[frame], [at]: who }
  return byFrame
}

const actuatorWords = (actuators: Facts["actuators"]): Flow | undefined =>
  actuators === undefined
    ? undefined
    : Object.fromEntries(
        actuators.map(({ actuator, lastRunBy, position, runs }) => [
          actuator,
          {
            ...(runs === undefined ? {} : { runs: showCount(runs) }),
            ...(position === undefined ? {} : { position }),
            ...(lastRunBy === undefined ? {} : { "last-run-by": lastRunBy })
          }
        ])
      )

const farmFactWords = (farm: Facts["farm"]): Flow | undefined => {
  if (farm === undefined) return undefined
  const byPlace: { [place: string]: { [metric: string]: Flow } } = {}
  for (const { is, metric, place } of farm) byPlace[place] = { ...byPlace[place], [metric]: showCount(is) }
  return byPlace
}

const proposalWords = (proposals: Facts["proposals"]): Flow | undefined =>
  proposals === undefined
    ? undefined
    : Object.fromEntries(
        proposals.map(({ level, owner, proposal, status }) => [
          proposal,
          {
            ...(status === undefined ? {} : { status }),
            ...(owner === undefined ? {} : { owner }),
            ...(level === undefined ? {} : { level })
          }
        ])
      )

const factsWords = (facts: Facts): Written => {
  const { agreeOn, events, leader, leaders, leadersBelieved, leadersPerTerm, seenBy, term } = facts
  const count = (one: Facts["leaders"]) => (one === undefined ? undefined : showCount(one))
  return {
    leader: leader === undefined || leader === "none" ? leader : leader.length === 1 ? leader[0]! : leader,
    "seen-by": seenBy,
    leaders: count(leaders),
    "leaders-believed": count(leadersBelieved),
    "leaders-per-term": count(leadersPerTerm),
    term: count(term),
    peers: pairWords(facts.peers, ({ state }) => state),
    sessions: pairWords(facts.sessions, ({ count: seen }) => showCount(seen)),
    trusts: pairWords(facts.trusts, ({ as }) => as),
    heartbeats: pairWords(facts.heartbeats, ({ ms }) => showTime(ms)),
    unread: pairWords(facts.unread, ({ bytes }) => showSize(bytes)),
    frames: frameWords(facts.frames),
    routes:
      facts.routes === undefined
        ? undefined
        : Object.fromEntries(facts.routes.map(({ capability, to }) => [capability, to ?? "none"])),
    actuators: actuatorWords(facts.actuators),
    farm: farmFactWords(facts.farm),
    proposals: proposalWords(facts.proposals),
    inferences: inferencesWords(facts.inferences),
    "agree-on": agreeOn,
    events: events?.map(({ about, event, from, reason, seen, to }) => ({
      event,
      about: about ?? undefined,
      from: from ?? undefined,
      to: to ?? undefined,
      reason: reason ?? undefined,
      seen: showCount(seen)
    }))
  }
}

/** A moment as so long after the step that it counts from, where that step is there. */
const momentWords = (ms: number, base: string | undefined, steps: ReadonlyArray<Step>, lastsMs: number): string => {
  const fromMs = base === "end" ? lastsMs : steps.find(({ id }) => id !== null && id === base)?.atMs
  if (base === undefined || fromMs === undefined || ms < fromMs) return showTime(ms)
  return ms === fromMs ? base : `${base} + ${showTime(ms - fromMs)}`
}

export const expectationWords = (
  { facts, judge, name, when }: Expectation,
  timeline: ReadonlyArray<Step>,
  lastsMs: number
): Written => {
  const moment = (ms: number, base: string | undefined): string => momentWords(ms, base, timeline, lastsMs)
  const said = factsWords(facts)
  const rest = { judge: judge === defaultJudge[when._tag] ? undefined : judge }
  const title = { name: name === sentenceOf(when._tag, facts) ? undefined : name }
  switch (when._tag) {
    case "at":
      return { ...title, at: moment(when.atMs, when.base), that: said, ...rest }
    case "within":
      return {
        ...title,
        within: showTime(when.withinMs),
        after: moment(when.afterMs, when.base),
        that: said,
        ...rest
      }
    case "eventually":
      return { ...title, eventually: said, ...rest }
    default: {
      const open = when.untilMs === lastsMs
      return {
        ...title,
        [when._tag]: said,
        from: when.fromMs === 0 ? undefined : moment(when.fromMs, when.fromBase),
        until: open ? undefined : moment(when.untilMs, when.untilBase),
        ...rest
      }
    }
  }
}

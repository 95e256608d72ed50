/**
 * The leader's side: heartbeats, and the lease that a majority's answers to them make.
 *
 * The lease counts from the sending of a heartbeat, on our own clock, so that it ends before any voter's promise can. A
 * leader whose lease ran out stops acting by itself; a later heartbeat may revive it as long as no higher term was seen. If none
 * does for a promise it steps down, so that those who still hear it do not take it for a leader for ever.
 */
import { kernelLinks, type Links } from "../links/Link.ts"
import { NEVER_MS } from "../Time.ts"
import { note, send, type Turn } from "../Turn.ts"
import type { DeviceId } from "../wire/Frame.ts"
import {
  FOLLOWING,
  isElector,
  isMajority,
  standLater,
  type Beat,
  type Leadership,
  type Standing
} from "./Leadership.ts"
import * as Disk from "./Disk.ts"
import { stepDown } from "./Voting.ts"

/** Heartbeats that may be out at once; an older one's answer comes too late to be worth a lease. */
export const BEATS_MAX = 8

/** The vote is won: the first heartbeat goes out in this very turn (`onTime`). */
export const begin = (leadership: Leadership, turn: Turn): Leadership => {
  const standing: Standing = {
    _tag: "Leading",
    beat: 0,
    beatAt: turn.at.mono,
    beats: [],
    tryingSince: turn.at.mono,
    leaseUntil: 0,
    announced: false
  }
  const disk = Disk.begin(leadership.disk, turn.at.mono, turn.config.profile)
  return { ...leadership, standing, leader: turn.config.deviceId, standAt: NEVER_MS, rounds: 0, disk }
}

type LeadingStanding = Extract<Standing, { readonly _tag: "Leading" }>

/** Sends a heartbeat when one is due, to everybody: electors promise by it, the others learn who leads. */
export const onTime = (leadership: Leadership, standing: LeadingStanding, turn: Turn, links: Links): Leadership => {
  const { config } = turn
  const now = turn.at.mono
  let current = standing
  if (turn.lateMs > config.profile.stallVoidsLeaseMs) {
    // We were not there to keep our promise to stop in time: what was sent before the stall renews nothing.
    const tryingSince = Math.max(current.tryingSince, Math.min(current.leaseUntil, now))
    current = { ...current, beats: [], tryingSince, leaseUntil: 0 }
  }
  if (current.announced && current.leaseUntil <= now) {
    note(turn, { event: "leader.lost", about: config.deviceId, term: leadership.term.counter, reason: "lease ran out" })
    current = { ...current, announced: false }
  }
  let next: Leadership = current === standing ? leadership : { ...leadership, standing: current }
  if (Math.max(current.leaseUntil, current.tryingSince) + config.profile.promiseMs <= now)
    return standLater(stepDown(next, turn, "no majority renews its lease"), turn, 0)
  if (current.beatAt <= now) {
    const number = current.beat + 1
    for (const link of kernelLinks(links)) send(turn, link, "mesh.lead", { term: leadership.term, beat: number })
    const beat: Beat = { number, sentAt: now, promised: [] }
    next = {
      ...next,
      standing: {
        ...current,
        beat: number,
        beatAt: now + config.profile.leadMs,
        beats: [...current.beats, beat].slice(-BEATS_MAX)
      }
    }
    // The leader is a voter too, and promises to itself.
    if (isElector(config, config.deviceId)) next = promised(next, turn, config.deviceId, number)
  }
  return next
}

/** A voter promised, on receiving heartbeat `number`. */
export const promised = (leadership: Leadership, turn: Turn, from: DeviceId, number: number): Leadership => {
  const { standing } = leadership
  const { config } = turn
  if (standing._tag !== "Leading" || !isElector(config, from)) return leadership
  const index = standing.beats.findIndex((beat) => beat.number === number)
  const beat = standing.beats[index]
  if (beat === undefined || beat.promised.includes(from)) return leadership
  const answered: Beat = { ...beat, promised: [...beat.promised, from] }
  const self = from === config.deviceId
  const next: Leadership = self
    ? { ...leadership, promisedTo: from, promisedUntil: beat.sentAt + config.profile.promiseMs }
    : leadership
  if (!isMajority(config, answered.promised.length)) {
    const beats = standing.beats.map((other) => (other === beat ? answered : other))
    return { ...next, standing: { ...standing, beats } }
  }
  // Older heartbeats can add nothing to what this one gives.
  const beats = standing.beats.slice(index + 1)
  const until = Math.max(standing.leaseUntil, beat.sentAt + config.profile.leaseMs)
  const runs = until > turn.at.mono
  // Answers that come too late for a lease are none to go on for either.
  const leaseUntil = runs ? until : standing.leaseUntil
  if (runs && !standing.announced)
    note(turn, { event: "leader.elected", about: config.deviceId, term: leadership.term.counter })
  // That it ran out is told by the alarm, which may be late.
  const announced = runs || standing.announced
  return { ...next, standing: { ...standing, beats, leaseUntil, announced } }
}

/** Ends our own term: first the lease, then the word to the others; we never act in it again. We do not stand meanwhile. */
export const release = (leadership: Leadership, turn: Turn, links: Links, reason = "it hands over"): Leadership => {
  const { standing } = leadership
  const { term } = leadership
  const idle: Leadership = { ...leadership, standAt: NEVER_MS, standing: FOLLOWING }
  if (standing._tag !== "Leading") return idle
  note(turn, {
    event: "leader.stepped-down",
    about: turn.config.deviceId,
    term: term.counter,
    reason
  })
  for (const link of kernelLinks(links)) send(turn, link, "mesh.release", { term })
  return { ...idle, leader: null, promisedTo: null, promisedUntil: 0 }
}

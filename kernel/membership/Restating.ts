/**
 * What a new verdict makes of what was said of a device before (mesh protocol, membership 6 and 8; B3): what waits for the others
 * to find the same, what is kept back because we were not attentive ourselves, and who is told.
 */
import { NEVER_MS } from "../Time.ts"
import { note, type Turn } from "../Turn.ts"
import type { DeviceId } from "../wire/Frame.ts"
import type { Member } from "./Member.ts"
import * as Probe from "./Probe.ts"
import type { Verdict } from "./Verdict.ts"

/** Two have to see it. */
export const isConfirmed = (witnesses: ReadonlyArray<DeviceId>): boolean => witnesses.length >= 2

/**
 * When somebody dies, all who observe it find so within a beat of each other. So long they are waited for while any of them
 * has it as good: links that stall by chance are over by then.
 */
export const contesting = (member: Member, { contested, state, unseen }: Verdict, turn: Turn): Member => {
  const waits = state === "down" && (contested === true || unseen === true) && member.state !== "down"
  if (waits !== (member.contestedUntil === NEVER_MS)) return member
  if (!waits) return { ...member, contestedUntil: NEVER_MS }
  const { beatMs, coverAfterMs } = turn.config.profile
  // Who comes back stands in for the observers of others after a while, and says so at its next beat.
  return { ...member, contestedUntil: turn.at.mono + (unseen === true ? coverAfterMs + 2 * beatMs : beatMs) }
}

export const restated = (member: Member, { witnesses, ...said }: Verdict, attentive: boolean, turn: Turn): Member => {
  const waits = said.state === "down" && member.contestedUntil !== NEVER_MS && member.contestedUntil > turn.at.mono
  const state = waits ? "suspect" : said.state
  if (state === null || state === member.state) return member
  // A device that is down stays down until somebody's edge is good again: it is never merely suspected back to life.
  if (member.state === "down" && state === "suspect") return member
  if (!attentive && (state === "suspect" || state === "down")) return member
  tell(member, state, witnesses, turn)
  const next: Member = { ...member, state, since: turn.at.mono, sureAt: 0, witnesses: [] }
  if (state === "down") return { ...Probe.fallen(next, turn), witnesses, contestedUntil: NEVER_MS }
  return state === "up" && member.state === "down" ? Probe.returned(next) : next
}

const tell = (
  { deviceId: about, incarnation }: Member,
  state: "up" | "suspect" | "down" | "left",
  witnesses: ReadonlyArray<DeviceId>,
  turn: Turn
): void => {
  if (state === "left")
    return note(turn, { event: "peer.left", about, incarnation, reason: "others heard its goodbye" })
  if (state !== "down") {
    if (state === "up") turn.facts.push({ _tag: "Dead", peer: about, dead: false })
    return note(turn, { event: `peer.${state}`, about, incarnation })
  }
  const confirmed = isConfirmed(witnesses)
  if (confirmed) turn.facts.push({ _tag: "Dead", peer: about, dead: true })
  note(turn, { event: "peer.down", about, incarnation, witnesses, ...(confirmed ? {} : { reason: "unconfirmed" }) })
  if (confirmed) note(turn, { event: "peer.down.confirmed", about, incarnation, witnesses })
}

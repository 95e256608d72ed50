/**
 * A device's verification (B27; PROTOCOL.md P16.11): a drive that said that it is done is done once a sensor shows it. Until then its
 * group is busy; what no sensor showed in time is made safe, and has failed.
 *
 * What counts is signed by whoever saw it, seen after the drive began, and of a sensor: of nothing else is anything believed here.
 */
import { nameOf, type Readback, type Sensing } from "./Actuator.ts"
import { effect, goOn, placed } from "./Drives.ts"
import { byRef, each, type Guard, type Guardian } from "./Guard.ts"
import { NEVER_MS } from "../Time.ts"
import type { Turn } from "../Turn.ts"
import type { ContextFrame } from "../wire/ContextFrame.ts"
import type { Held } from "../world/Log.ts"

/** Of the right metric, zone and device; `null`: it is about something else. */
export const valueIn = ({ device, metric, zone }: Sensing, frame: ContextFrame): number | null => {
  const { data, kind, sourceDeviceId, trust } = frame
  const value = data["value"]
  return kind === "observation" &&
    data["metric"] === metric &&
    (zone === null || data["zone"] === zone) &&
    (device === null || sourceDeviceId === device) &&
    trust.evidence_sources.includes("sensor") &&
    typeof value === "number"
    ? value
    : null
}

export const shows = (readback: Readback, state: string, frame: ContextFrame): boolean => {
  const value = valueIn(readback, frame)
  const { atLeast = -Infinity, atMost = Infinity } = readback.reads[state] ?? {}
  return value !== null && value >= atLeast && value <= atMost
}

/**
 * How long it may have been under way. How old a frame is is counted where it lies, and not while it is carried: a link that carries
 * for longer than this misses its probes.
 */
export const underWayMs = ({ hops, sourceDeviceId }: ContextFrame, { config }: Turn): number =>
  sourceDeviceId === config.deviceId ? 0 : (hops + 1) * config.profile.probeDeadlineMaxMs

/** Sensors have shown something: of a drive that waits for it, what it did. */
export const onReadings = (guardian: Guardian, readings: ReadonlyArray<Held>, turn: Turn): Guardian => {
  const next = each(guardian, (guard) => {
    const { verifying } = guard
    if (verifying === null) return guard
    const { intent, orders, since } = verifying
    const readback = byRef(turn, intent.actuator)?.readback
    if (readback === undefined) return guard
    const isSeen = readings.some(
      ({ bornAt, evidence, frame, kept }) =>
        evidence && !kept && shows(readback, intent.state, frame) && bornAt >= since + underWayMs(frame, turn)
    )
    return isSeen ? effect({ ...guard, verifying: null }, intent, orders, "done", turn) : guard
  })
  return next === guardian ? guardian : goOn(next, turn)
}

/** Nobody showed in time what it did: safe, and failed as soon as that is under way (Drives.ts). */
export const unseen = (guard: Guard, turn: Turn): Guard => {
  const verifying = guard.verifying!
  const { actuator, state } = verifying.intent
  const recall = `no sensor showed that ${nameOf(actuator)} is ${state}`
  // It waits for what else moves, and for nothing more.
  const waits = { ...guard, verifying: { ...verifying, until: NEVER_MS } }
  return placed(waits, actuator, { recall, recallAt: turn.at.mono })
}

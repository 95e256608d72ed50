/**
 * What has to be known, and to be so, before something moves and while it does (B42; PROTOCOL.md P16.12): a pump draws from a tank that has
 * water in it, and of which somebody has said so lately. Nothing is moved by what nobody knows.
 *
 * What counts is as in Readback.ts: signed by whoever saw it, of a sensor, and not from before this process.
 */
import type { Actuator, Need } from "./Actuator.ts"
import { goOn, placed } from "./Drives.ts"
import { byRef, each, type Guard, type Guardian, type No, type Seen } from "./Guard.ts"
import { underWayMs, valueIn } from "./Readback.ts"
import { NEVER_MS } from "../Time.ts"
import type { Turn } from "../Turn.ts"
import type { Held } from "../world/Log.ts"

const seenIn = (seen: Guard["seen"], ref: string, nth: number): Seen | undefined =>
  seen.find((one) => one.ref === ref && one.nth === nth)

const called = ({ metric, zone }: Need): string => (zone === null ? metric : `${metric} of ${zone}`)

/** Why it is not to move now; `null`: all that it needs is known, and so. */
export const unmet = (guard: Guard, { needs = [], ref }: Actuator, { at }: Turn): No | null => {
  for (const [nth, need] of needs.entries()) {
    const seen = seenIn(guard.seen, ref, nth)
    if (seen === undefined || at.mono - seen.bornAt > need.withinMs)
      return ["EVIDENCE_TOO_OLD", `nobody has said lately what ${called(need)} is`]
    const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = need
    if (seen.value < atLeast)
      return ["PRECONDITION_FAILED", `${called(need)} is ${seen.value}, and not at least ${atLeast}`]
    if (seen.value > atMost)
      return ["PRECONDITION_FAILED", `${called(need)} is ${seen.value}, and not at most ${atMost}`]
  }
  return null
}

/** When the first of what it needs is not known any more, if nobody says so again. */
const lapsesAt = (guard: Guard, { needs = [], ref }: Actuator): number =>
  needs.reduce((least, { withinMs }, nth) => {
    const seen = seenIn(guard.seen, ref, nth)
    return seen === undefined ? least : Math.min(least, seen.bornAt + withinMs + 1)
  }, NEVER_MS)

/** With what was seen last of each need of its actuators. */
const taught = (guard: Guard, readings: ReadonlyArray<Held>, turn: Turn): Guard => {
  let { seen } = guard
  for (const { ref } of guard.places)
    for (const [nth, need] of (byRef(turn, ref)?.needs ?? []).entries())
      for (const { bornAt, evidence, frame, kept } of readings) {
        const value = valueIn(need, frame)
        if (value === null || !evidence || kept) continue
        const earliest = bornAt - underWayMs(frame, turn)
        const before = seenIn(seen, ref, nth)
        if (before !== undefined && before.bornAt > earliest) continue
        seen = [...seen.filter((one) => one !== before), { ref, nth, value, bornAt: earliest }]
      }
  return seen === guard.seen ? guard : { ...guard, seen }
}

/** What is not safe, and needs what is not so any more, is made safe. */
const upheld = (guard: Guard, turn: Turn): Guard => {
  let next = guard
  let lapses = NEVER_MS
  for (const { recall, ref, state } of guard.places) {
    const actuator = byRef(turn, ref)
    if (actuator === undefined || state === null || state === actuator.safe || recall !== null) continue
    const why = unmet(guard, actuator, turn)
    if (why === null) lapses = Math.min(lapses, lapsesAt(guard, actuator))
    else next = placed(next, ref, { until: NEVER_MS, recall: why[1], recallAt: 0 })
  }
  return lapses === next.lapses ? next : { ...next, lapses }
}

/** After whatever happened: what sensors have shown, what has opened, and what time has passed. */
export const onTurn = (guardian: Guardian, turn: Turn): Guardian => {
  if (turn.config.actuators?.some(({ needs }) => needs !== undefined) !== true) return guardian
  const next = each(guardian, (guard) => upheld(taught(guard, turn.readings, turn), turn))
  return next === guardian ? guardian : goOn(next, turn)
}

/** Whether a reading is one that it needs. */
export const isNeeded = ({ needs = [] }: Actuator, metric: unknown): boolean =>
  needs.some((need) => need.metric === metric)

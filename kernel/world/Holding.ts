/**
 * Takes in frames that were found good: into the log of their origin, and into the world where they are newer than what stands there.
 *
 * Promises: what is held is bounded by count and bytes over all logs; beyond, the oldest of the longest log go first, whether
 * or not others have them. What is still the newest of its kind stays in the world all the same.
 */
import type { Config } from "../Config.ts"
import type { ContextFrame } from "../wire/ContextFrame.ts"
import type { DeviceId } from "../wire/Frame.ts"
import * as Log from "./Log.ts"
import * as Origin from "./Origin.ts"
import { logOf, originOf, placeOf, type Page, type World } from "./World.ts"

/** What the logs of all devices hold together, where the operator does not say otherwise. */
export const FRAMES_MAX = 32_768
export const BYTES_MAX = 33_554_432

const withOrigin = (world: World, deviceId: DeviceId, change: (origin: Origin.Origin) => Origin.Origin): World => {
  const at = placeOf(world.origins, deviceId)
  const before = world.origins[at] ?? Origin.begun(deviceId)
  const after = change(before)
  if (after === before) return world
  const told = after.print !== before.print
  const changes = told ? world.changes + 1 : world.changes
  const next = told ? { ...after, changed: changes } : after
  const origins = at >= 0 ? world.origins.with(at, next) : world.origins.toSpliced(-1 - at, 0, next)
  return {
    ...world,
    origins,
    changes,
    digest: (world.digest - Origin.digestOf(before) + Origin.digestOf(next)) >>> 0,
    frames: world.frames - Origin.framesOf(before) + Origin.framesOf(next),
    bytes: world.bytes - Origin.bytesOf(before) + Origin.bytesOf(next)
  }
}

/** Where one log stands for another: what follows from that for the whole. */
const withLog = (world: World, deviceId: DeviceId, before: Log.Log | undefined, after: Log.Log): World => {
  const moved = after.next !== (before?.next ?? 1)
  const changes = moved ? world.changes + 1 : world.changes
  const log = moved ? { ...after, changed: changes } : after
  return withOrigin({ ...world, changes }, deviceId, (origin) => Origin.withLog(origin, log))
}

/** As the entry of its kind, if it is newer than what stands there, and of an incarnation that is not forgotten. */
const entered = (world: World, held: Log.Held): World =>
  withOrigin(world, held.frame.sourceDeviceId, (origin) =>
    held.incarnation < origin.lowest ? origin : Origin.withEntry(origin, held)
  )

const heldOf = (frame: ContextFrame, bytes: number, at: number, nth: number): Log.Held => ({
  frame,
  incarnation: frame.kernel!.incarnation,
  seq: frame.kernel!.seq,
  bornAt: at - frame.kernel!.ageMs,
  bytes,
  nth,
  evidence: true,
  kept: false
})

export const isKnown = (world: World, { kernel, sourceDeviceId }: ContextFrame): boolean => {
  const origin = originOf(world, sourceDeviceId)
  if (origin === undefined || kernel === undefined) return false
  if (kernel.incarnation < origin.lowest) return true
  const log = Origin.logOf(origin, kernel.incarnation)
  return log !== undefined && Log.isKnown(log, kernel.seq)
}

/** With a frame of a kernel peer. The same reference: it is known. */
export const hold = (world: World, frame: ContextFrame, bytes: number, config: Config, at: number): World => {
  if (isKnown(world, frame)) return world
  const { sourceDeviceId: source } = frame
  const held = heldOf(frame, bytes, at, world.held + 1)
  const before = logOf(world, source, held.incarnation)
  const after = Log.withHeld(before ?? Log.begun(source, held.incarnation), held)
  const next = entered(withLog(world, source, before, after), held)
  return withinBounds({ ...next, held: held.nth }, config)
}

/** With a frame that somebody has as an entry, whether or not its log leads there; it goes into that as well where it fits. */
export const holdEntry = (world: World, frame: ContextFrame, bytes: number, config: Config, at: number): World => {
  const logged = hold(world, frame, bytes, config, at)
  if (logged !== world) return logged
  const held = heldOf(frame, bytes, at, world.held + 1)
  const next = entered(world, held)
  return next === world ? world : { ...next, held: held.nth }
}

/** With everything that somebody holds of a log from here to there: what is not among it is gone for good. */
export const holdPage = (
  world: World,
  page: Page,
  frames: ReadonlyArray<ContextFrame>,
  bytes: ReadonlyArray<number>,
  config: Config,
  at: number
): World => {
  const { from, incarnation, origin, through } = page
  if (incarnation < (originOf(world, origin)?.lowest ?? 0)) return world
  let next = world
  let expected = from
  let floor = 0
  let missed = 0
  for (const { kernel } of frames) {
    if (kernel!.seq > expected) {
      floor = kernel!.seq - 1
      missed += kernel!.seq - expected
    }
    expected = kernel!.seq + 1
  }
  if (through >= expected) {
    floor = through
    missed += through - expected + 1
  }
  if (floor > 0) {
    const before = logOf(world, origin, incarnation)
    const after = Log.withGap(before ?? Log.begun(origin, incarnation), floor, missed)
    if (after !== before) next = withLog(next, origin, before, after)
  }
  frames.forEach((frame, i) => {
    // Below the gap it is only what stands in the world.
    if (frame.kernel!.seq > floor) next = hold(next, frame, bytes[i]!, config, at)
    else {
      const held = heldOf(frame, bytes[i]!, at, next.held + 1)
      next = { ...entered(next, held), held: held.nth }
    }
  })
  return next
}

/** With a frame of generation 1, which is not known, or only by others' word. */
export const holdUnsigned = (world: World, frame: ContextFrame, direct: boolean, at: number): World => {
  const nth = world.held + 1
  const bytes = JSON.stringify(frame).length
  const next = withOrigin(world, frame.sourceDeviceId, (before) => {
    const origin = direct ? Origin.withoutHearsay(before, frame.frameId) : before
    return Origin.withUnsigned(origin, {
      frame,
      incarnation: 0,
      seq: Origin.placeOf(origin, frame.timestamp, direct),
      bornAt: at,
      bytes,
      nth,
      evidence: direct,
      kept: false
    })
  })
  return { ...next, held: nth }
}

/** A sixteenth more than what is too much goes at once, so that not every frame has to look for the longest log. */
const SLACK = 16

const withinBounds = (world: World, { world: limits }: Config): World => {
  const framesMax = limits?.frames ?? FRAMES_MAX
  const bytesMax = limits?.bytes ?? BYTES_MAX
  let next = world
  while (next.frames > framesMax || next.bytes > bytesMax) {
    const longest = longestOf(next)
    const count = Log.countOf(longest)
    if (count === 0) return next
    const excess = Math.max(next.frames - framesMax, Math.ceil(count / SLACK))
    const gone = Math.min(count, excess)
    next = withLog(next, longest.origin, longest, Log.trimmed(longest, gone))
  }
  return next
}

const longestOf = ({ origins }: World): Log.Log => {
  let longest: Log.Log | undefined
  for (const { logs } of origins)
    for (const log of logs) if (longest === undefined || Log.countOf(log) > Log.countOf(longest)) longest = log
  return longest!
}

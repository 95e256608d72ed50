/**
 * Whether a mesh gets well when the faults in it stop: a core is picked, calm begins, and within the profile's bound L1, L2, L3
 * and L5 have to hold in it, and go on to hold for a while in which nothing happens (L6). Called at the end of a run; the world
 * runs on meanwhile, under its oracles.
 */
import type { Machine } from "../engine/Machine.ts"
import type { Violation, World } from "../engine/World.ts"
import { convergenceMs, detectionMs, FOUND_MS, inTrueTime } from "./Bounds.ts"
import { calm, everybody, pickCore, type Core } from "./Core.ts"
import { membership } from "./L1Membership.ts"
import { world as known } from "./L2World.ts"
import { planner } from "./L3Planner.ts"
import { sessions } from "./L5Sessions.ts"
import { changes, mark, type Mark } from "./L6Quiet.ts"

/** How often it is looked whether all is well. */
const LOOK_MS = 1_000
/** Complaints that are told; the rest are counted. */
const TOLD_MAX = 3

interface Complaint {
  readonly oracle: "L1" | "L2" | "L3" | "L5" | "L6"
  readonly what: string
}

const complaints = (core: Core): ReadonlyArray<Complaint> => [
  ...membership(core).map((what): Complaint => ({ oracle: "L1", what })),
  ...known(core).map((what): Complaint => ({ oracle: "L2", what })),
  ...sessions(core).map((what): Complaint => ({ oracle: "L5", what })),
  ...planner(core).map((what): Complaint => ({ oracle: "L3", what }))
]

/** What keeps the whole mesh, or a core of it, from being well now, with the reasons; nothing: it is well. */
export const whyNot = (world: World, core: Core = everybody(world)): ReadonlyArray<string> =>
  complaints(core).map(({ what }) => what)

const list = (machines: ReadonlyArray<Machine>): string => machines.map(({ name }) => name).join(", ")

const told = (all: ReadonlyArray<Complaint>): string => {
  const some = all.slice(0, TOLD_MAX).map(({ what }) => what)
  const more = all.length - some.length
  return [...some, ...(more > 0 ? [`and ${more} more`] : [])].join("; ")
}

/**
 * What the calm came to; `null`: the core got well, and stayed so. What breaks safety meanwhile is told in place of it.
 * `patience`: the share of the bound that is waited for. With less than all of it only `null` is a judgement.
 */
export const judgeLiveness = (world: World, seed: number, patience = 1): Violation | null => {
  const core = pickCore(world, seed)
  calm(world, core)
  const [first] = core.inside
  if (first === undefined) return null
  const { manifest, profile } = first.config
  const slowestPpm = core.inside.reduce((slowest, { clock }) => Math.min(slowest, clock.slowestPpm), 0)
  const quietMs = inTrueTime(detectionMs(profile), slowestPpm)
  const foundMs = core.inside.some(({ nearby }) => nearby.enabled) ? FOUND_MS : 0
  const convergedMs = foundMs + inTrueTime(convergenceMs(profile, manifest.electors.length), slowestPpm)
  const boundMs = Math.ceil(patience * convergedMs) + quietMs
  const fromMs = world.nowMs
  let well: { readonly sinceMs: number; readonly mark: Mark } | null = null
  let last: ReadonlyArray<Complaint> = []
  while (world.nowMs < fromMs + boundMs) {
    world.run(world.nowMs + LOOK_MS)
    const [unsafe] = world.violations
    if (unsafe !== undefined) return unsafe
    const wrong = complaints(core)
    if (wrong.length > 0) {
      last = wrong
      well = null
      continue
    }
    const now = mark(core)
    const happened = well === null ? [] : changes(well.mark, now)
    if (happened.length > 0) last = happened.map((what) => ({ oracle: "L6", what }))
    if (well === null || happened.length > 0) well = { sinceMs: world.nowMs, mark: now }
    else if (world.nowMs - well.sinceMs >= quietMs) return null
  }
  const cutOff = core.outside.length === 0 ? "" : ` (${list(core.outside)} cut off)`
  const calmFor = `after ${Math.round((world.nowMs - fromMs) / 1_000)} s of calm among ${list(core.inside)}${cutOff}`
  return { oracle: last[0]?.oracle ?? "L1", atMs: world.nowMs, node: first.name, message: `${calmFor}: ${told(last)}` }
}

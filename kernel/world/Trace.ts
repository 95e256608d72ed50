/**
 * What led to what (`mesh.trace`): a frame with all that it follows from and all that follows from it, over whichever devices, as far
 * as it is held here. Bounded, the nearest first.
 */
import type { ContextFrame } from "../wire/ContextFrame.ts"
import * as HashMap from "effect/HashMap"
import * as Log from "./Log.ts"
import * as Tail from "./Tail.ts"
import type { World } from "./World.ts"

export const TRACE_MAX = 64

export interface Traced {
  readonly frame: ContextFrame
  /** Below 0: it led to what was asked for, over so many steps; above: it came of it. */
  readonly distance: number
}

/** Every frame that is held, by its id. */
export const heldOf = ({ origins }: World): ReadonlyMap<string, Log.Held> => {
  const byId = new Map<string, Log.Held>()
  const add = (held: Log.Held): void => {
    byId.set(held.frame.frameId, held)
  }
  for (const { entries, logs, unsigned } of origins) {
    for (const held of HashMap.values(entries)) add(held)
    Tail.listOf(unsigned).forEach(add)
    for (const log of logs) Log.heldOf(log).forEach(add)
  }
  return byId
}

const causesOf = ({ frame }: Log.Held): ReadonlyArray<string> => frame.kernel?.causes ?? []

/** Causes first, in order. `missing`: causes that are named and not held. */
export const trace = (
  world: World,
  frameId: string
): { readonly chain: ReadonlyArray<Traced>; readonly missing: ReadonlyArray<string> } | null => {
  const byId = heldOf(world)
  const start = byId.get(frameId)
  if (start === undefined) return null
  const effects = new Map<string, Array<Log.Held>>()
  for (const held of byId.values())
    for (const cause of causesOf(held)) effects.set(cause, [...(effects.get(cause) ?? []), held])
  const found = new Map<string, Traced>([[frameId, { frame: start.frame, distance: 0 }]])
  const missing = new Set<string>()
  const walk = (sign: -1 | 1, next: (held: Log.Held) => ReadonlyArray<Log.Held | string>): void => {
    let edge: ReadonlyArray<Log.Held> = [start]
    for (let distance = 1; edge.length > 0 && found.size < TRACE_MAX; distance++) {
      const further: Array<Log.Held> = []
      for (const held of edge.flatMap(next)) {
        if (typeof held === "string") missing.add(held)
        else if (!found.has(held.frame.frameId) && found.size < TRACE_MAX) {
          found.set(held.frame.frameId, { frame: held.frame, distance: sign * distance })
          further.push(held)
        }
      }
      edge = further
    }
  }
  walk(-1, (held) => causesOf(held).map((id) => byId.get(id) ?? id))
  walk(1, (held) => effects.get(held.frame.frameId) ?? [])
  const chain = [...found.values()].sort((a, b) => a.distance - b.distance)
  return { chain, missing: [...missing].slice(0, TRACE_MAX) }
}

/**
 * S5: source, tier and kind of a frame are the same at every node as at its origin, and so are its data, its causes and its place in
 * the log of its origin; and nobody holds what nobody said, nor takes in anything unsigned in the name of a device that can sign,
 * as far as it knows (PROTOCOL.md P14.3).
 *
 * The truth is written down where a frame is said: by a kernel when its key has signed it, by a device of generation 1 when it
 * sends it. What a node takes in is looked at when it does; what stands in its world besides, in one step of `SAMPLED_STEPS`.
 *
 * Does not judge: members that somebody added on the way to what nobody signed; age and hops, which change; a frame that nobody signed, where
 * the network changed it on its way or made it up (`corrupt`, `lie`): nothing tells it from what was said.
 */
import type { NodeState } from "../../kernel/Node.ts"
import type { DeviceId } from "../../kernel/wire/Frame.ts"
import type { Held, Log } from "../../kernel/world/Log.ts"
import type { Tail } from "../../kernel/world/Tail.ts"
import * as Origin from "../../kernel/world/Origin.ts"
import { canonical, type ContextFrame } from "../../kernel/wire/ContextFrame.ts"
import { framesIn } from "../engine/Emitted.ts"
import type { MakeOracle, Observation, Oracle } from "./Oracle.ts"

/** Of steps that changed what is known. A prime, so that it does not keep step with what nodes repeat. */
const SAMPLED_STEPS = 61

/** What must not change on the way. */
const told = ({ data, kernel, kind, sourceDeviceId, timestamp, trust }: ContextFrame): string =>
  canonical({
    data,
    kind,
    sourceDeviceId,
    timestamp,
    trust,
    place: kernel === undefined ? null : [kernel.incarnation, kernel.seq],
    causes: kernel?.causes ?? []
  })

const newest = function* ({ array, end, start }: Tail<Held>, since: number): Generator<Held> {
  for (let i = end - 1; i >= start && array[i]!.nth > since; i--) yield array[i]!
}

/** Those of a log that came after so many had come. */
const latest = function* ({ ahead, tail }: Log, since: number): Generator<Held> {
  yield* newest(tail, since)
  for (const held of ahead) if (held.nth > since) yield held
}

const news = function* (
  origins: ReadonlyArray<Origin.Origin>,
  before: ReadonlyArray<Origin.Origin>,
  since: number
): Generator<Held> {
  for (const origin of origins) {
    if (before.includes(origin)) continue
    for (const log of origin.logs) yield* latest(log, since)
    yield* newest(origin.unsigned, since)
  }
}

const standing = function* (origins: ReadonlyArray<Origin.Origin>): Generator<Held> {
  for (const origin of origins) yield* Origin.standing(origin)
}

export const provenance: MakeOracle = () => remembering(new Map(), 0)

const remembering = (truth: Map<string, string>, before: number): Oracle => {
  let steps = before
  const said = (frame: ContextFrame): void => void truth.set(frame.frameId, told(frame))

  /** Of whom it knows that they sign what they say. */
  const canSign = ({ config, durable }: NodeState, source: DeviceId): boolean =>
    config.trusted.some(({ deviceId, gen1 }) => deviceId === source && !gen1) ||
    durable.pins.some(({ deviceId, kernel }) => deviceId === source && kernel)

  const unsigned = (all: Iterable<Held>, { before: node, machine }: Observation): string | null => {
    for (const { frame } of all)
      if (frame.kernel === undefined && canSign(node, frame.sourceDeviceId))
        return `${machine.name} takes ${frame.frameId} unsigned, and ${machine.world.nameOf(frame.sourceDeviceId)} can sign`
    return null
  }

  const wrong = (all: Iterable<Held>, { machine }: Observation): string | null => {
    for (const { frame } of all) {
      if (frame.kernel === undefined && machine.world.network.isMadeUp(frame.frameId)) continue
      const true_ = truth.get(frame.frameId)
      const source = machine.world.nameOf(frame.sourceDeviceId)
      if (true_ === undefined) return `${machine.name} holds ${frame.frameId} of ${source}, which nobody said`
      if (true_ !== told(frame))
        return `${machine.name} holds ${frame.frameId} of ${source} as ${told(frame)}, and it was said as ${true_}`
    }
    return null
  }

  return {
    id: "S5",
    fork: () => remembering(new Map(truth), steps),
    ofGen1: ({ commands }) => {
      for (const frame of framesIn(commands)) if (!truth.has(frame.frameId)) said(frame)
      return null
    },
    stepped: (seen) => {
      const { after, before, input } = seen
      if (after.world === before.world) return null
      if (input._tag === "Signed" && after.world.seq > before.world.seq) before.world.signing?.frames.forEach(said)
      if (after.world.origins === before.world.origins) return null
      const fresh = [...news(after.world.origins, before.world.origins, before.world.held)]
      const found = unsigned(fresh, seen) ?? wrong(fresh, seen)
      if (found !== null || ++steps % SAMPLED_STEPS !== 0) return found
      return wrong(standing(after.world.origins), seen)
    }
  }
}

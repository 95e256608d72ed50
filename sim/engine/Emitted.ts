/**
 * What nodes said of the world, by the name that a `sense` step gave it: which frames, of whom, and where in the log of their
 * origin. Kept from the moment in which the origin itself holds them; who has them is asked of the nodes.
 */
import type { Input } from "../../kernel/Input.ts"
import { heldAt } from "../../kernel/world/Log.ts"
import { logOf, originOf } from "../../kernel/world/World.ts"
import * as Origin from "../../kernel/world/Origin.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { Command } from "../../kernel/Command.ts"
import type { ContextFrame } from "../../kernel/wire/ContextFrame.ts"

/** Between the name of a step and what tells its frames apart. */
const SEPARATOR = "/"

/** Of the n-th frame of one program of a machine: no other has it, in no fork of the world either. */
export const frameIdOf = (name: string, machine: string, program: number, nth: number): string =>
  [name, `${machine}.${program}`, String(nth)].join(SEPARATOR)

export const nameOf = (frameId: string): string => frameId.split(SEPARATOR)[0]!

/** Every frame of context that a node sends with these, once for each link. */
export const framesIn = (commands: ReadonlyArray<Command>): ReadonlyArray<ContextFrame> =>
  commands.flatMap((command) =>
    command._tag === "Send" && command.frame.type === "event" && command.frame.event === "context.frame"
      ? [command.frame.payload]
      : []
  )

export class Emitted {
  /** By the name of the step, and then by log: the last one of it, and how many. Replaced, because forks share them. */
  private readonly byName: Map<string, ReadonlyMap<string, Series>>

  constructor(from?: Emitted) {
    this.byName = new Map(from?.byName)
  }

  /** Looks whether this step of a node took in what it says itself. */
  stepped(before: NodeState, input: Input, after: NodeState, commands: ReadonlyArray<Command>): void {
    if (input._tag === "Signed" && after.world.seq > before.world.seq)
      for (const frame of before.world.signing!.frames) this.add(frame)
    // A device of generation 1 says it at once.
    if (input._tag === "Sensed")
      framesIn(commands)
        .slice(0, 1)
        .forEach((frame) => this.add(frame))
  }

  private add(frame: ContextFrame): void {
    const name = nameOf(frame.frameId)
    const logs = new Map(this.byName.get(name))
    const log = `${frame.sourceDeviceId} ${frame.kernel?.incarnation ?? frame.frameId}`
    const count = (logs.get(log)?.count ?? 0) + 1
    this.byName.set(name, logs.set(log, { last: frame, count }))
  }

  /** What was said under that name, log by log; those of generation 1 one by one. */
  of(name: string): ReadonlyArray<Series> {
    return [...(this.byName.get(name)?.values() ?? [])]
  }
}

/** Frames of one name in one log. */
interface Series {
  readonly last: ContextFrame
  readonly count: number
}

/** Whether this node has it, or has had it, and all before it in that log. */
export const has = ({ world }: NodeState, { frameId, kernel, sourceDeviceId, timestamp }: ContextFrame): boolean => {
  if (kernel === undefined) {
    const origin = originOf(world, sourceDeviceId)
    return origin !== undefined && Origin.isSeen(origin, { frameId, timestamp }, true)
  }
  const log = logOf(world, sourceDeviceId, kernel.incarnation)
  if (log === undefined) return false
  if (log.missed === 0 && kernel.seq < log.next) return true
  return heldAt(log, kernel.seq)?.frame.frameId === frameId
}

/** Whether it is the newest of its kind there. */
export const stands = ({ world }: NodeState, { frameId, sourceDeviceId }: ContextFrame): boolean => {
  const origin = originOf(world, sourceDeviceId)
  return origin !== undefined && Origin.entriesOf(origin).some(({ frame }) => frame.frameId === frameId)
}

/**
 * All that a node knows of the world, as a text that two nodes share that know the same. Without frames of generation 1, which have
 * no place in any log, and which nobody asks for.
 */
export const known = ({ world }: NodeState): string =>
  JSON.stringify(
    world.origins.flatMap((origin) => {
      const logs = origin.logs.filter(({ next }) => next > 1).map(({ incarnation, next }) => [incarnation, next])
      const entries = Origin.entriesOf(origin).flatMap(({ frame }) =>
        frame.kernel === undefined ? [] : [frame.frameId]
      )
      return logs.length + entries.length === 0 ? [] : [[origin.deviceId, logs, entries]]
    })
  )

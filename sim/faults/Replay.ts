/**
 * A frame of the past, delivered again to the process that got it, as if its connection still brought it. Of each replayed
 * direction the first frame and the last of the rest are kept; of logins, which somebody else may say again, the last.
 *
 * Does not model: frames that were sent and never arrived; the other connection of a process that restarted meanwhile.
 */
import type { ConnectParams, Frame } from "../../kernel/wire/Frame.ts"
import type { Machine } from "../engine/Machine.ts"
import type { Connection, Side } from "../network/Connection.ts"
import type { Step } from "../scenario/Scenario.ts"
import type { Fault } from "./Fault.ts"

interface Sent {
  readonly connection: number
  readonly to: Side
  /** The process at that end. */
  readonly process: number
  readonly frame: Frame
}

/** `replay: all` delivers at most so many, the last ones. */
const REPLAY_MAX = 64

/** What was sent on the directions that a timeline replays, and on no other. */
export class Kept {
  private readonly frames = new Map<string, ReadonlyArray<Sent>>()
  /** What the two ends of each connection call it. */
  private readonly links = new Map<number, readonly [number, number]>()
  /** The last login of each direction: a branch may have a stranger who says again what was said before it turned off. */
  private readonly logins = new Map<string, ConnectParams>()

  constructor(timeline: ReadonlyArray<Step>, from?: Kept) {
    if (from === undefined) {
      for (const { verb } of timeline) if (verb._tag === "replay") this.frames.set(`${verb.from}>${verb.to}`, [])
      return
    }
    this.frames = new Map(from.frames)
    this.links = new Map(from.links)
    this.logins = new Map(from.logins)
  }

  opened({ id }: Connection, side: Side, link: number): void {
    if (this.frames.size === 0) return
    const [a, b] = this.links.get(id) ?? [0, 0]
    this.links.set(id, side === 0 ? [link, b] : [a, link])
  }

  /** The last login of one node at another; `null`: there was none. */
  login(from: string, to: string): ConnectParams | null {
    return this.logins.get(`${from}>${to}`) ?? null
  }

  sent(machine: Machine, connection: Connection, side: Side, frame: Frame): void {
    if (frame.type === "req" && frame.method === "mesh.connect")
      this.logins.set(`${machine.name}>${connection.ports[side === 0 ? 1 : 0].name}`, frame.params)
    if (this.frames.size === 0) return
    const to: Side = side === 0 ? 1 : 0
    const direction = `${machine.name}>${connection.ports[to].name}`
    const kept = this.frames.get(direction)
    if (kept === undefined) return
    const left = kept.length < REPLAY_MAX ? kept : kept.toSpliced(1, 1)
    const sent: Sent = { connection: connection.id, to, process: connection.processes[to], frame }
    this.frames.set(direction, [...left, sent])
  }

  /** The number that the end which got it gave its connection; 0: it has none there. */
  linkOf({ connection, to }: Sent): number {
    return this.links.get(connection)?.[to] ?? 0
  }

  between(from: string, to: string): ReadonlyArray<Sent> {
    return this.frames.get(`${from}>${to}`) ?? []
  }
}

export const replay: Fault<"replay"> = ({ from, message, to: toName }, strike) => {
  const { kept: all } = strike.world.script
  const kept = all.between(from, toName)
  const chosen = message === "first" ? kept.slice(0, 1) : message === "last" ? kept.slice(-1) : kept
  const receiver = strike.world.machines.find((machine) => machine.name === toName)
  // Only the process that had the connection can be shown a frame of it.
  const deliverable = chosen.filter(({ process }) => receiver?.process === process)
  strike.tell("world.replay", from, `${deliverable.length} of ${chosen.length} old frames to ${toName}`)
  for (const sent of deliverable) receiver?.replay(all.linkOf(sent), sent.frame)
  return { touched: () => deliverable.length, undo: null }
}

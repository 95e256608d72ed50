/**
 * A frame of the past, delivered again to the process that got it, as if its connection still brought it. Of each replayed
 * direction the first frame and the last of the rest are kept; of whoever's logins are said again by somebody else, the last.
 *
 * Does not model: frames that were sent and never arrived; the other connection of a process that restarted meanwhile.
 */
import type { ConnectParams, Frame } from "../../kernel/wire/Frame.ts"
import type { Machine } from "../engine/Machine.ts"
import type { Connection, Side } from "../network/Connection.ts"
import type { Step } from "../scenario/Scenario.ts"
import type { Fault } from "./Fault.ts"

interface Sent {
  readonly connection: Connection
  readonly to: Side
  readonly frame: Frame
}

/** `replay: all` delivers at most so many, the last ones. */
const REPLAY_MAX = 64

/** What was sent on the directions that a timeline replays, and on no other. */
export class Kept {
  private readonly frames = new Map<string, Array<Sent>>()
  /** The last login of each direction, of those nodes whose logins somebody else will say again. */
  private readonly logins = new Map<string, ConnectParams>()
  private readonly overheard: ReadonlySet<string>

  constructor(timeline: ReadonlyArray<Step>) {
    for (const { verb } of timeline) if (verb._tag === "replay") this.frames.set(`${verb.from}>${verb.to}`, [])
    this.overheard = new Set(
      timeline.flatMap(({ verb }) =>
        verb._tag === "connect" && verb.lie === "an old login" && verb.as !== null ? [verb.as] : []
      )
    )
  }

  /** The last login of one node at another; `null`: there was none. */
  login(from: string, to: string): ConnectParams | null {
    return this.logins.get(`${from}>${to}`) ?? null
  }

  sent(machine: Machine, connection: Connection, side: Side, frame: Frame): void {
    if (frame.type === "req" && frame.method === "mesh.connect" && this.overheard.has(machine.name))
      this.logins.set(`${machine.name}>${connection.ports[side === 0 ? 1 : 0].name}`, frame.params)
    if (this.frames.size === 0) return
    const to: Side = side === 0 ? 1 : 0
    const kept = this.frames.get(`${machine.name}>${connection.ports[to].name}`)
    if (kept === undefined) return
    if (kept.length >= REPLAY_MAX) kept.splice(1, 1)
    kept.push({ connection, to, frame })
  }

  between(from: string, to: string): ReadonlyArray<Sent> {
    return this.frames.get(`${from}>${to}`) ?? []
  }
}

export const replay: Fault<"replay"> = ({ from, message, to: toName }, strike) => {
  const kept = strike.world.script.kept.between(from, toName)
  const chosen = message === "first" ? kept.slice(0, 1) : message === "last" ? kept.slice(-1) : kept
  const receiver = strike.world.machines.find((machine) => machine.name === toName)
  // Only the process that had the connection can be shown a frame of it.
  const deliverable = chosen.filter(({ connection, to }) => receiver?.process === connection.processes[to])
  strike.tell("world.replay", from, `${deliverable.length} of ${chosen.length} old frames to ${toName}`)
  for (const { connection, frame, to } of deliverable) receiver?.replay(connection.links[to], frame)
  return { touched: () => deliverable.length, undo: null }
}

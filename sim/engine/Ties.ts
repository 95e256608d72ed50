/**
 * Events of one millisecond in a drawn order, in place of the order in which they were made.
 *
 * Promises: what belongs together stays in order: the packets of one connection, what one machine does by itself (alarms,
 * answers, its disk), and the script. Between these lanes each order may come. Which of two lanes goes first depends on
 * their own draws, so that what happens elsewhere in the world moves no tie.
 *
 * Source of the idea: priorities drawn at random find orders that a fixed rule never takes; S. Burckhardt et al., "A randomized
 * scheduler with probabilistic guarantees of finding bugs" (2010).
 */
import { at, key, type Key } from "../../kernel/Draw.ts"
import type { Network } from "../network/Network.ts"
import type { WorldEvent } from "./World.ts"

interface Lane {
  readonly key: Key
  taken: number
}

const ELSEWHERE = "script"

export class Ties {
  private readonly seed: number
  private readonly network: Network
  private readonly lanes = new Map<unknown, Lane>()
  /** The lanes that were met in the present choice. */
  private readonly met = new Set<Lane>()

  constructor(seed: number, network: Network) {
    this.seed = seed
    this.network = network
  }

  /** Of events in the order in which they were made: the place of the one that goes first. */
  choose(due: ReadonlyArray<WorldEvent>): number {
    let best = 0
    let bestLane: Lane | null = null
    let bestDraw = 0
    this.met.clear()
    for (let i = 0; i < due.length; i++) {
      const lane = this.laneOf(due[i]!)
      if (this.met.has(lane)) continue
      this.met.add(lane)
      const draw = at(lane.key, lane.taken)
      if (bestLane !== null && draw >= bestDraw) continue
      best = i
      bestLane = lane
      bestDraw = draw
    }
    if (bestLane !== null) bestLane.taken++
    return best
  }

  private laneOf(event: WorldEvent): Lane {
    switch (event._tag) {
      case "alarm":
      case "input":
      case "synced":
      case "process":
      case "turn":
      case "power-cut":
      case "look":
        return this.lane(event.machine, () => key(this.seed, "tie", event.machine.name))
      case "script":
      case "call":
        return this.lane(ELSEWHERE, () => key(this.seed, "tie", ELSEWHERE))
      default: {
        const { lane, of } = this.network.tie(event)
        return this.lane(lane, () => of)
      }
    }
  }

  private lane(of: unknown, keyed: () => Key): Lane {
    let lane = this.lanes.get(of)
    if (lane === undefined) {
      lane = { key: keyed(), taken: 0 }
      this.lanes.set(of, lane)
    }
    return lane
  }
}

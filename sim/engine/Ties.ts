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
  readonly lane: number
  readonly of: Key
}

/** Lanes of machines are numbered from here down, below all those of the network; the script has 0. */
const MACHINES = -(2 ** 40)
const ELSEWHERE = 0

export class Ties {
  private readonly seed: number
  private readonly network: Network
  private readonly nameOf: (machine: number) => string
  /** How many events of each lane were taken, and what each lane draws by: a connection that is gone has no key any more. */
  private readonly taken: Map<number, number>
  private readonly lanes: Map<number, Lane>
  /** The lanes that were met in the present choice. */
  private readonly met = new Set<number>()

  constructor(seed: number, network: Network, nameOf: (machine: number) => string, from?: Ties) {
    this.seed = seed
    this.network = network
    this.nameOf = nameOf
    this.taken = new Map(from?.taken)
    this.lanes = new Map(from?.seed === seed ? from.lanes : [])
  }

  /** Of events in the order in which they were made: the place of the one that goes first. */
  choose(due: ReadonlyArray<WorldEvent>): number {
    let best = 0
    let bestLane: number | null = null
    let bestDraw = 0
    this.met.clear()
    for (let i = 0; i < due.length; i++) {
      const { lane, of } = this.laneOf(due[i]!)
      if (this.met.has(lane)) continue
      this.met.add(lane)
      const draw = at(of, this.taken.get(lane) ?? 0)
      if (bestLane !== null && draw >= bestDraw) continue
      best = i
      bestLane = lane
      bestDraw = draw
    }
    if (bestLane !== null) this.taken.set(bestLane, (this.taken.get(bestLane) ?? 0) + 1)
    return best
  }

  private laneOf(event: WorldEvent): Lane {
    switch (event._tag) {
      case "alarm":
      case "input":
      case "synced":
      case "process":
      case "turn":
      case "ask":
      case "sense":
      case "model":
      case "hardware":
      case "power-cut":
      case "look":
        return this.lane(MACHINES - event.machine, () => key(this.seed, "tie", this.nameOf(event.machine)))
      case "script":
      case "call":
        return this.lane(ELSEWHERE, () => key(this.seed, "tie", "script"))
      default: {
        const { lane, of } = this.network.tie(event)
        return this.lane(lane, () => of)
      }
    }
  }

  private lane(lane: number, keyed: () => Key): Lane {
    let found = this.lanes.get(lane)
    if (found === undefined) {
      found = { lane, of: keyed() }
      this.lanes.set(lane, found)
    }
    return found
  }
}

/**
 * How long the heartbeats of a mesh were under way, from what one kernel said to when the other took it up; kept only for a
 * scenario that asks (`heartbeats:`). One that is still under way takes until now at least; one whose connection ended does not
 * count.
 */
import type { Frame } from "../../kernel/wire/Frame.ts"
import { other, type Connection, type Side } from "../network/Connection.ts"
import type { Scenario } from "../scenario/Scenario.ts"

interface Sent {
  readonly atMs: number
  readonly connection: number
  /** The names of its ends. */
  readonly ends: string
}

/** Of a hundred, all but one. */
const SHARE = 0.99

export class Delays {
  private readonly asked: boolean
  /** Those that are under way, by connection, side and number. */
  private readonly underWay: Map<string, Sent>
  /** How long each took, by the names of its ends; lists are replaced, not changed, because forks share them. */
  private readonly tookMs: Map<string, ReadonlyArray<number>>

  constructor(scenario: Scenario, from?: Delays) {
    this.asked = from?.asked ?? scenario.expect.some(({ facts }) => facts.heartbeats !== undefined)
    this.underWay = new Map(from?.underWay)
    this.tookMs = new Map(from?.tookMs)
  }

  sent({ id, ports }: Connection, side: Side, frame: Frame, atMs: number): void {
    if (!this.asked || frame.type !== "event" || frame.event !== "mesh.heartbeat") return
    const ends = `${ports[side].name}>${ports[other(side)].name}`
    this.underWay.set(`${id} ${side} ${frame.payload.seq}`, { atMs, connection: id, ends })
  }

  /** `side`: of whoever takes it up. */
  taken({ id }: Connection, side: Side, frame: Frame, nowMs: number): void {
    if (!this.asked || frame.type !== "event" || frame.event !== "mesh.heartbeat") return
    const name = `${id} ${other(side)} ${frame.payload.seq}`
    const sent = this.underWay.get(name)
    if (sent === undefined) return
    this.underWay.delete(name)
    this.tookMs.set(sent.ends, [...(this.tookMs.get(sent.ends) ?? []), nowMs - sent.atMs])
  }

  /** Of those so far 99 in 100 took no longer, ms; `null`: none came. */
  most(from: string, to: string, nowMs: number, isOpen: (connection: number) => boolean): number | null {
    const ends = `${from}>${to}`
    const waiting = [...this.underWay.values()].filter((sent) => sent.ends === ends && isOpen(sent.connection))
    const all = [...(this.tookMs.get(ends) ?? []), ...waiting.map(({ atMs }) => nowMs - atMs)]
    const sorted = all.toSorted((a, b) => a - b)
    return sorted[Math.ceil(sorted.length * SHARE) - 1] ?? null
  }
}

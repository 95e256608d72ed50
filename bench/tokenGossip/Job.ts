/**
 * The job that every engine gets: tokens that wander between nodes.
 *
 * There are as many tokens as nodes. Whoever gets one sends it on, to a random node, where it arrives after 1 to 100 ms.
 * Draws are keyed by the number of the send, so engines that keep time and first-in-first-out order do exactly the same.
 */
import * as Draw from "../../kernel/Draw.ts"

export interface Engine {
  readonly name: string
  /** Whether tokens arrive in the order of their times. */
  readonly keepsTime: boolean
  /** Starts `job.nodes` tokens, and delivers until `job.done()`. */
  readonly run: (job: Job) => void | Promise<void>
}

/** A token on its way. `atMs` is when it arrives. */
export interface Token {
  readonly to: number
  readonly from: number
  readonly atMs: number
}

export class Job {
  readonly nodes: number
  readonly deliveries: number
  delivered = 0
  /** Of the receivers and times, in order. */
  digest = 0
  private sends = 0
  private readonly received: Uint32Array
  private readonly delayKey: Draw.Key
  private readonly targetKey: Draw.Key

  constructor(options: { readonly seed: number; readonly nodes: number; readonly deliveries: number }) {
    this.nodes = options.nodes
    this.deliveries = options.deliveries
    this.received = new Uint32Array(options.nodes)
    this.delayKey = Draw.key(options.seed, "token-gossip", "delay")
    this.targetKey = Draw.key(options.seed, "token-gossip", "target")
  }

  done(): boolean {
    return this.delivered >= this.deliveries
  }

  /** What `from` sends at `nowMs`. */
  send(from: number, nowMs: number): Token {
    const k = this.sends++
    return {
      to: Draw.belowAt(this.targetKey, k, this.nodes),
      from,
      atMs: nowMs + Draw.betweenAt(this.delayKey, k, 1, 100)
    }
  }

  deliver(token: Token): void {
    this.delivered++
    this.received[token.to] = this.received[token.to]! + 1
    this.digest = (Math.imul(this.digest ^ token.to, 0x01000193) + token.atMs) | 0
  }

  /** Throws unless exactly the wanted number arrived, and every node had its share. */
  assertDone(engine: string): void {
    const sum = this.received.reduce((total, n) => total + n, 0)
    if (this.delivered !== this.deliveries || sum !== this.deliveries) {
      throw new Error(`${engine}: delivered ${this.delivered} of ${this.deliveries}, nodes saw ${sum}`)
    }
    const fair = this.deliveries / this.nodes
    if (fair >= 30 && this.received.some((n) => n < fair / 4 || n > fair * 4)) {
      throw new Error(`${engine}: some node got no fair share of ${fair} tokens`)
    }
  }
}

/**
 * What goes out on one connection: in order, what is said in one turn of the event loop in one piece, and never further ahead of
 * the far end than it has shown to have read.
 *
 * Promises: a far end that reads on, however slowly (Limits.ts), is served while no more than `bufferedBytesMax` waits for it, here
 * and on its way. One that has read nothing for `drainMs` while something waits here is told as stalled, whatever it sends in the
 * meantime. How much waits for it is told as the kernel asks (`Backlog`): what that means for what is said next is decided there.
 *
 * How it is seen that the far end reads: behind every `STRIDE_BYTES` goes a ping with a word of our own, and its answer says that
 * all before it was read. Sockets do not say it. Linux wakes a writer only when a third of its buffer is free, and a buffer has up
 * to 4 MiB: of a far end that takes 100 kB/s on loopback nothing is heard for 14 s at a time. Node tells one end of everything
 * that it gave the system at once, and its idle timeout also begins anew with what comes in. A word that has not been read cannot
 * be answered, so one that only sends cannot pretend.
 */
import { randomBytes } from "node:crypto"
import type { Socket } from "node:net"
import type { WebSocket } from "ws"
import { passedOf } from "../../kernel/links/Lanes.ts"
import { MARKS_MAX, MARK_BYTES, STALL_CHECKS, STRIDE_BYTES, type Limits } from "./Limits.ts"

/** A ping, a message, or a piece of one: `more` says that it is not the last. */
interface Item {
  readonly data: string | Buffer
  readonly bytes: number
  readonly kind: "ping" | "more" | "end"
}

/** Taken items are let go in lots, because moving up all that wait is dear. */
const LOT = 1_024

export class Outgoing {
  private readonly ws: WebSocket
  private readonly socket: Socket
  private readonly limits: Limits
  private readonly onStalled: () => void
  private readonly onBacklog: (bytes: number) => void
  private items: Array<Item> = []
  private taken = 0
  private waitingBytes = 0
  private unmarkedBytes = 0
  /** Not answered yet, oldest first, with what went out before each and after the one before it, in bytes. */
  private readonly marks = new Map<string, number>()
  private markedBytes = 0
  /** How many of `BACKLOG_BYTES` are passed, as last told. */
  private passed = 0
  private corked = false
  /** Checks in a row that found something waiting and nothing read. */
  private quietChecks = 0
  private check: NodeJS.Timeout | null = null

  constructor(
    ws: WebSocket,
    socket: Socket,
    limits: Limits,
    onStalled: () => void,
    onBacklog: (bytes: number) => void
  ) {
    this.ws = ws
    this.socket = socket
    this.limits = limits
    this.onStalled = onStalled
    this.onBacklog = onBacklog
  }

  /** A message. A long one is cut, so that it can be seen how far it was read. */
  send(text: string): void {
    const bytes = Buffer.byteLength(text)
    if (bytes <= STRIDE_BYTES) return this.add({ data: text, bytes, kind: "end" })
    const whole = Buffer.from(text)
    for (let from = 0; from < bytes; from += STRIDE_BYTES) {
      const data = whole.subarray(from, from + STRIDE_BYTES)
      this.push({ data, bytes: data.length, kind: from + STRIDE_BYTES < bytes ? "more" : "end" })
    }
    this.proceed()
  }

  /** A ping that keeps its place among the messages. */
  ping(text: string): void {
    this.add({ data: text, bytes: text.length, kind: "ping" })
  }

  /** Whether this answer to a ping was one to a mark, and not to a ping of anybody else. */
  onPong(text: string): boolean {
    if (!this.marks.has(text)) return false
    // Of several pings only the last need be answered (RFC 6455 section 5.5.3).
    for (const [mark, bytes] of this.marks) {
      this.marks.delete(mark)
      this.markedBytes -= bytes
      if (mark === text) break
    }
    this.quietChecks = 0
    this.proceed()
    return true
  }

  /** Hands over whatever waits, for a goodbye that has a limit of its own. */
  flush(): void {
    for (let item = this.take(); item !== null; item = this.take()) this.hand(item)
    this.stop()
  }

  /** What waits is forgotten. */
  stop(): void {
    this.items = []
    this.taken = 0
    this.waitingBytes = 0
    if (this.check !== null) clearTimeout(this.check)
    this.check = null
  }

  private add(item: Item): void {
    this.push(item)
    this.proceed()
  }

  private push(item: Item): void {
    this.items.push(item)
    this.waitingBytes += item.bytes
  }

  private take(): Item | null {
    const item = this.items[this.taken]
    if (item === undefined) return null
    this.taken += 1
    this.waitingBytes -= item.bytes
    if (this.taken === this.items.length) {
      this.items = []
      this.taken = 0
    } else if (this.taken >= LOT && this.taken * 2 >= this.items.length) {
      this.items.splice(0, this.taken)
      this.taken = 0
    }
    return item
  }

  private proceed(): void {
    while (this.marks.size < MARKS_MAX) {
      const item = this.take()
      if (item === null) break
      this.hand(item)
      this.unmarkedBytes += item.bytes
      if (this.unmarkedBytes >= STRIDE_BYTES) this.mark()
    }
    if (this.unreadBytes() > this.limits.bufferedBytesMax) return this.onStalled()
    this.tellBacklog()
    if (this.waitingBytes === 0 || this.check !== null) return
    this.quietChecks = 0
    this.check = setTimeout(this.onCheck, this.limits.drainMs / STALL_CHECKS)
  }

  /** What the far end has not shown to have read. Of the last stride that is not seen. */
  private unreadBytes(): number {
    return this.markedBytes + this.unmarkedBytes + this.waitingBytes
  }

  private tellBacklog(): void {
    const bytes = this.unreadBytes()
    const passed = passedOf(bytes, this.passed)
    if (passed === this.passed) return
    this.passed = passed
    this.onBacklog(bytes)
  }

  private mark(): void {
    const mark = randomBytes(MARK_BYTES).toString("base64url")
    this.marks.set(mark, this.unmarkedBytes)
    this.markedBytes += this.unmarkedBytes
    this.unmarkedBytes = 0
    this.ws.ping(mark)
  }

  private hand({ data, kind }: Item): void {
    this.cork()
    if (kind === "ping") this.ws.ping(data)
    else this.ws.send(data, { binary: false, fin: kind === "end" })
  }

  /** What follows in this turn of the event loop leaves together with it. */
  private cork(): void {
    if (this.corked) return
    this.corked = true
    this.socket.cork()
    process.nextTick(() => {
      this.corked = false
      this.socket.uncork()
    })
  }

  /**
   * Checks are counted, and not the time, so that nobody pays for what is ours: while we do not read we see no answers, and if
   * this process stood still, many answers may lie there unseen.
   */
  private readonly onCheck = (): void => {
    this.check = null
    if (this.waitingBytes === 0) return
    if (!this.ws.isPaused) this.quietChecks += 1
    if (this.quietChecks > STALL_CHECKS) return this.onStalled()
    this.check = setTimeout(this.onCheck, this.limits.drainMs / STALL_CHECKS)
  }
}

/**
 * One open WebSocket as a link: frames and pings in both directions, and its end, told once.
 *
 * Promises: nothing is offered after our own hangup, nothing after `LinkDown`, and frames come in the order in which they were
 * sent. A far end that does not read, by bytes or by time, is given up as `timeout` (Outgoing.ts).
 *
 * What the wire forbids and ws finds is told as the codec would tell it: a message beyond the bound as `TOO_LARGE`, then the
 * end `too large`; a binary message, text that is not UTF-8, or frames that are none, as `INVALID_JSON`. After a breach of
 * WebSocket itself ws ends the connection; after a binary message it goes on, as after any other text that is not JSON.
 */
import type { Socket } from "node:net"
import type { WebSocket } from "ws"
import type { Happened } from "../../kernel/Input.ts"
import { decode, encode } from "../../kernel/wire/Codec.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"
import type { Intake } from "./Intake.ts"
import { PROBES_MAX, REASON_BYTES_MAX, type Limits } from "./Limits.ts"
import { Outgoing } from "./Outgoing.ts"

type DownReason = Extract<Happened, { readonly _tag: "LinkDown" }>["reason"]

export interface Surroundings {
  readonly intake: Intake
  readonly limits: Limits
  /** The far end did not read: we gave it up. */
  readonly onStalled: () => void
  /** The socket is gone. */
  readonly onGone: (connection: Connection) => void
}

const NORMAL_CLOSE = 1000
/** Found by ws in the header of a message, or while it gathers the pieces of one. */
const TOO_LARGE_ERRORS = new Set([
  "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
  "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH",
  "WS_ERR_TOO_MANY_BUFFERED_PARTS"
])

const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : ""

/** A reason that fits a close frame, cut between characters. */
const reasonWithin = (reason: string): string => {
  let text = reason
  while (Buffer.byteLength(text) > REASON_BYTES_MAX) text = [...text].slice(0, -1).join("")
  return text
}

export class Connection {
  readonly link: number
  private readonly ws: WebSocket
  private readonly around: Surroundings
  private readonly outgoing: Outgoing
  private readonly probes = new Set<number>()
  /** No more is told of this connection. */
  private over = false
  /** Why it will have ended, where we know better than the close code says. */
  private cause: DownReason | null = null

  constructor(link: number, ws: WebSocket, socket: Socket, around: Surroundings) {
    this.link = link
    this.ws = ws
    this.around = around
    this.outgoing = new Outgoing(
      ws,
      socket,
      around.limits,
      () => this.giveUp(),
      (bytes) => this.offer({ _tag: "Backlog", link, bytes })
    )
    ws.on("message", (data, isBinary) => this.onMessage(data as Buffer, isBinary))
    ws.on("pong", (data) => this.onPong(data))
    ws.on("error", (error) => this.onError(codeOf(error)))
    ws.on("close", (code) => this.onClose(code))
    socket.on("error", (error) => {
      if (codeOf(error) === "ETIMEDOUT") this.cause ??= "timeout"
    })
    if (around.intake.isFull()) this.pause()
  }

  // ---------------------------------------------------------------------------------------------- what comes in

  private offer(happened: Happened): void {
    if (!this.over) this.around.intake.offer(happened)
  }

  private onMessage(data: Buffer, isBinary: boolean): void {
    if (this.over) return
    const { link } = this
    if (isBinary) return this.offer({ _tag: "Malformed", link, code: "INVALID_JSON", id: null, method: null })
    const decoded = decode(data.toString())
    switch (decoded._tag) {
      case "Frame":
        return this.offer({ _tag: "Received", link, frame: decoded.frame })
      case "Ignored":
        return this.offer({ _tag: "Ignored", link, event: decoded.event })
      case "Refused":
        return this.offer({ _tag: "Malformed", link, code: decoded.code, id: decoded.id, method: decoded.method })
    }
  }

  private onPong(data: Buffer): void {
    const text = data.toString("latin1")
    if (this.outgoing.onPong(text)) return
    const probe = /^\d{1,16}$/u.test(text) ? Number(text) : Number.NaN
    if (this.probes.delete(probe)) this.offer({ _tag: "Ponged", link: this.link, probe })
  }

  private onError(code: string): void {
    if (!code.startsWith("WS_ERR_")) return
    const tooLarge = TOO_LARGE_ERRORS.has(code)
    this.cause ??= tooLarge ? "too large" : "closed"
    const malformed = tooLarge ? ("TOO_LARGE" as const) : ("INVALID_JSON" as const)
    this.offer({ _tag: "Malformed", link: this.link, code: malformed, id: null, method: null })
  }

  private onClose(code: number): void {
    // 1006: no goodbye came. The socket ended, or the far end does not know it any more.
    this.tellDown(this.cause ?? (code === 1006 ? "reset" : "closed"))
    this.around.onGone(this)
  }

  private tellDown(reason: DownReason): void {
    this.offer({ _tag: "LinkDown", link: this.link, reason })
    this.over = true
    this.outgoing.stop()
  }

  // ---------------------------------------------------------------------------------------------- what goes out

  private get isOpen(): boolean {
    return !this.over && this.ws.readyState === this.ws.OPEN
  }

  send(frame: Frame): void {
    if (this.isOpen) this.outgoing.send(encode(frame))
  }

  private giveUp(): void {
    this.around.onStalled()
    this.tellDown("timeout")
    this.ws.terminate()
  }

  ping(probe: number): void {
    if (!this.isOpen) return
    const [oldest] = this.probes
    if (this.probes.size >= PROBES_MAX && oldest !== undefined) this.probes.delete(oldest)
    this.probes.add(probe)
    this.outgoing.ping(String(probe))
  }

  // ---------------------------------------------------------------------------------------------- its end

  hangup(code: number, reason: string, abrupt: boolean): void {
    this.over = true
    if (abrupt) return this.terminate()
    this.outgoing.flush()
    // The far end's goodbye can only be read from a socket that is read.
    this.ws.resume()
    try {
      this.ws.close(code, reasonWithin(reason))
    } catch {
      // Not a code that may be sent: the reason is for people, the end is not.
      this.ws.close(NORMAL_CLOSE)
    }
  }

  /** Ends without a word, and tells nobody. */
  terminate(): void {
    this.over = true
    this.outgoing.stop()
    this.ws.terminate()
  }

  pause(): void {
    if (!this.over) this.ws.pause()
  }

  resume(): void {
    this.ws.resume()
  }
}

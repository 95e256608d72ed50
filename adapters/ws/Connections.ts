/**
 * The open connections of a node, by link number. Numbers begin at 1 and are never given twice in a process.
 */
import { randomBytes } from "node:crypto"
import type { Socket } from "node:net"
import type { ClientOptions, ServerOptions, WebSocket } from "ws"
import { MESSAGE_BYTES_MAX } from "../../kernel/wire/Limits.ts"
import { Connection, type Surroundings } from "./Connection.ts"
import { CHUNKS_MAX, FRAGMENTS_MAX, PONGS_MAX, type Limits } from "./Limits.ts"
import type { Surveyed } from "./Path.ts"

/** PROTOCOL.md part 5: bound to this link, good for one login. */
const NONCE_BYTES = 24
export const nonce = (): string => randomBytes(NONCE_BYTES).toString("base64url")

/** P5.12: a header of the answer to an upgrade, in which the acceptor states its nonce. */
export const CHALLENGE_HEADER = "clawmesh-challenge"

/** By whom a connection was opened, and what both ends drew for it. */
export interface Opened {
  /** Of our dial; `null`: from outside. */
  readonly attempt: number | null
  readonly nonce: string
  readonly challenge?: string
}

/** Of both ends. What ws's types do not know yet: how pieces and pongs are bounded, and `closeTimeout`, of the closing handshake. */
export const webSocketOptions = (limits: Limits): ClientOptions & ServerOptions => {
  const options = {
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES_MAX,
    maxFragments: FRAGMENTS_MAX,
    maxBufferedChunks: CHUNKS_MAX,
    maxPendingAutoPongs: PONGS_MAX,
    closeTimeout: limits.goodbyeMs
  }
  return options
}

export class Connections {
  private readonly around: Omit<Surroundings, "onGone">
  private readonly byLink = new Map<number, Connection>()
  /** Also those that we hung up and that are not gone yet. */
  private readonly all = new Set<Connection>()
  private given = 0
  private onEmpty: (() => void) | null = null

  constructor(around: Omit<Surroundings, "onGone">) {
    this.around = around
  }

  open(ws: WebSocket, socket: Socket, { exporter, path }: Surveyed, opened: Opened): void {
    const link = ++this.given
    this.around.intake.offer({ _tag: "LinkUp", link, exporter, path, ...opened })
    const connection = new Connection(link, ws, socket, {
      ...this.around,
      onGone: (gone) => {
        this.byLink.delete(link)
        this.all.delete(gone)
        if (this.all.size === 0) this.onEmpty?.()
      }
    })
    this.byLink.set(link, connection)
    this.all.add(connection)
  }

  get(link: number): Connection | undefined {
    return this.byLink.get(link)
  }

  hangup(link: number, code: number, reason: string, abrupt: boolean): void {
    const connection = this.byLink.get(link)
    this.byLink.delete(link)
    connection?.hangup(code, reason, abrupt)
  }

  pauseAll(): void {
    for (const connection of this.all) connection.pause()
  }

  resumeAll(): void {
    for (const connection of this.all) connection.resume()
  }

  /** Says goodbye on each; calls back when the last one is gone. */
  closeAll(code: number, reason: string, onEmpty: () => void): void {
    this.onEmpty = onEmpty
    for (const link of this.byLink.keys()) this.hangup(link, code, reason, false)
    if (this.all.size === 0) onEmpty()
  }

  terminateAll(): void {
    for (const connection of this.all) connection.terminate()
  }
}

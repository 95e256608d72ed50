/**
 * One port for TLS and for plain WebSockets: the first byte tells them apart. Whoever does not get from there to an open
 * WebSocket within the limit is cut off; nothing else is served, and nothing that a stranger sends makes anything fail.
 *
 * The port is taken when the node starts, so that it is known whether it can be had, and connections wait until `accept`. In
 * TLS the far end is asked for a certificate, and may come without: the kernel decides what to think of that.
 */
import * as http from "node:http"
import * as net from "node:net"
import type { Duplex } from "node:stream"
import * as tls from "node:tls"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { WebSocketServer } from "ws"
import { SUBPROTOCOL } from "../../kernel/pairing/Ceremony.ts"
import type { Credentials } from "../tls/Certificate.ts"
import { NO_AUTHORITIES } from "../tls/Pin.ts"
import { CHALLENGE_HEADER, nonce, webSocketOptions, type Connections } from "./Connections.ts"
import { HEADER_BYTES_MAX, type Limits } from "./Limits.ts"
import { survey } from "./Path.ts"

/** The port cannot be listened on. `code` is the system's, `EADDRINUSE` for instance. */
export class ListenFailed extends Schema.TaggedError<ListenFailed>()("ListenFailed", {
  host: Schema.String,
  port: Schema.Natural,
  code: Schema.String
}) {
  override get message() {
    const { code, host, port } = this
    switch (code) {
      case "EADDRINUSE":
        return `port ${port} on ${host} is taken: stop the program that listens there, or choose another port with --port`
      case "EACCES":
        return `port ${port} on ${host} may not be opened by this user: choose one above 1023 with --port`
      case "EADDRNOTAVAIL":
      case "ENOTFOUND":
        return `this machine has no address ${host} to listen on with port ${port}: choose one of its own with --host`
      default:
        return `cannot listen on port ${port} of ${host} (${code}): choose others with --host and --port`
    }
  }
}

export interface Place {
  readonly host: string
  readonly port: number
}

/** What strangers did, since the start. */
export interface InboundCounts {
  /** Turned away because there were `inboundMax`. */
  tooMany: number
  /** Cut off while they opened, to make room for a newcomer. */
  displaced: number
  /** Not open in time. */
  late: number
}

/** First byte of a TLS record that carries a handshake (RFC 8446 section 5.1); no HTTP request begins with it. */
const TLS_HANDSHAKE = 0x16

/**
 * Who takes upgrades with the subprotocol of pairing, and answers or ends each. They count as connections that are not open yet
 * for as long as they last: cut off in time, and first when there are too many.
 */
export type Receive = (request: http.IncomingMessage, socket: net.Socket, head: Buffer) => void

/** One connection has one, for as long as it lives, and its TLS socket has the same. */
const endsOf = (socket: net.Socket): string => `${socket.localAddress} ${socket.remoteAddress} ${socket.remotePort}`

const quiet = (): void => {}

export class Listener {
  readonly counts: InboundCounts = { tooMany: 0, displaced: 0, late: 0 }
  private readonly connections: Connections
  private readonly limits: Limits
  private readonly pair: Receive | null
  private readonly tcp: net.Server
  private readonly tls: tls.Server
  private readonly http: http.Server
  private readonly ws: WebSocketServer
  private readonly inbound = new Set<Duplex>()
  /** Not open yet, oldest first, each with its limit. */
  private readonly opening = new Map<string, { readonly socket: Duplex; readonly limit: NodeJS.Timeout }>()
  /** Sockets without addresses, and the TLS inside them: which is which, and by which tunnel each came. */
  private readonly tunnels = new WeakMap<Duplex, { readonly ends: string; readonly via: string }>()
  private readonly context: tls.SecureContext
  private tunnelled = 0
  /** Of each upgrade, from before it is answered. */
  private readonly nonces = new WeakMap<http.IncomingMessage, string>()
  /** Came before `accept`. */
  private parked: Array<net.Socket> | null = []

  constructor(credentials: Credentials, connections: Connections, limits: Limits, pair: Receive | null = null) {
    this.connections = connections
    this.limits = limits
    this.context = tls.createSecureContext({
      key: credentials.key,
      cert: credentials.certificate,
      ca: NO_AUTHORITIES,
      minVersion: "TLSv1.3"
    })
    this.pair = pair
    this.tcp = net.createServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.onConnection(socket))
    this.tls = tls.createServer({
      key: credentials.key,
      cert: credentials.certificate,
      ca: NO_AUTHORITIES,
      minVersion: "TLSv1.3",
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: limits.openingMs
    })
    this.http = http.createServer({ maxHeaderSize: HEADER_BYTES_MAX })
    this.ws = new WebSocketServer({ ...webSocketOptions(limits), noServer: true, clientTracking: false })
    this.ws.on("headers", (headers, request) => {
      const ours = this.nonces.get(request)
      if (ours !== undefined) headers.push(`${CHALLENGE_HEADER}: ${ours}`)
    })
    this.tls.on("secureConnection", (socket) => {
      socket.on("error", quiet)
      this.http.emit("connection", socket)
    })
    this.http.on("clientError", (_, socket) => socket.destroy())
    this.http.on("request", (_, response) => {
      response.writeHead(426, { connection: "close", upgrade: "websocket" }).end()
    })
    this.http.on("upgrade", (request, socket, head) => this.onUpgrade(request, socket as net.Socket, head))
  }

  /** Takes the port; the number that was given for 0 is in the answer. */
  bind(host: string, port: number): Effect.Effect<Place, ListenFailed> {
    return Effect.callback<Place, ListenFailed>((resume) => {
      const { tcp } = this
      tcp.once("error", (error: NodeJS.ErrnoException) => {
        resume(new ListenFailed({ host, port, code: error.code ?? error.name }))
      })
      tcp.listen({ host, port }, () => {
        tcp.removeAllListeners("error")
        // Out of descriptors, for instance: that connection is lost, the port is not.
        tcp.on("error", quiet)
        const { address, port } = tcp.address() as net.AddressInfo
        resume(Effect.succeed({ host: address, port }))
      })
    })
  }

  /** Serves whoever came and comes. */
  accept(): void {
    const { parked } = this
    this.parked = null
    for (const socket of parked ?? []) this.serve(socket)
  }

  /**
   * Serves whoever came through a tunnel, in TLS only.
   *
   * @param via the address of the tunnel, `relay:<relay id>`
   */
  acceptTunnel(duplex: Duplex, via: string): void {
    const tunnel = { ends: `tunnel ${++this.tunnelled}`, via }
    this.tunnels.set(duplex, tunnel)
    if (this.parked !== null || !this.admit(duplex)) return void duplex.destroy()
    const secure = new tls.TLSSocket(duplex, {
      isServer: true,
      secureContext: this.context,
      requestCert: true,
      rejectUnauthorized: false
    })
    this.tunnels.set(secure, tunnel)
    secure.on("error", () => duplex.destroy())
    duplex.once("close", () => secure.destroy())
    secure.once("close", () => duplex.destroy())
    secure.once("secure", () => this.http.emit("connection", secure))
  }

  private endsOf(socket: Duplex): string {
    return this.tunnels.get(socket)?.ends ?? endsOf(socket as net.Socket)
  }

  private onConnection(socket: net.Socket): void {
    if (!this.admit(socket)) return
    if (this.parked === null) this.serve(socket)
    else this.parked.push(socket)
  }

  /** Whether there is room for one more. */
  private admit(socket: Duplex): boolean {
    socket.on("error", quiet)
    if (this.inbound.size >= this.limits.inboundMax) {
      this.counts.tooMany += 1
      socket.destroy()
      return false
    }
    const ends = this.endsOf(socket)
    const [oldest] = this.opening.values()
    if (this.opening.size >= this.limits.openingMax && oldest !== undefined) {
      this.counts.displaced += 1
      this.cutOff(oldest.socket)
    }
    const limit = setTimeout(() => {
      this.counts.late += 1
      socket.destroy()
    }, this.limits.openingMs)
    this.inbound.add(socket)
    this.opening.set(ends, { socket, limit })
    socket.once("close", () => {
      this.inbound.delete(socket)
      if (this.opening.get(ends)?.socket === socket) this.settle(ends)
    })
    return true
  }

  /** At once, not when its `close` comes: room has to be there now. */
  private cutOff(socket: Duplex): void {
    this.inbound.delete(socket)
    this.settle(this.endsOf(socket))
    socket.destroy()
  }

  private settle(ends: string): void {
    clearTimeout(this.opening.get(ends)?.limit)
    this.opening.delete(ends)
  }

  private serve(socket: net.Socket): void {
    socket.once("data", (chunk: Buffer) => {
      socket.pause()
      socket.unshift(chunk)
      if (chunk[0] === TLS_HANDSHAKE) {
        this.tls.emit("connection", socket)
        return
      }
      this.http.emit("connection", socket)
      socket.resume()
    })
    socket.resume()
  }

  private onUpgrade(request: http.IncomingMessage, socket: net.Socket, head: Buffer): void {
    const surveyed = survey(socket, undefined, this.tunnels.get(socket)?.via)
    const ends = this.endsOf(socket)
    if (surveyed === null || !this.opening.has(ends)) return void socket.destroy()
    if (this.pair !== null && request.headers["sec-websocket-protocol"] === SUBPROTOCOL)
      // Who pairs is told apart by address, and counted by it: a tunnel has none.
      return this.tunnels.has(socket) ? void socket.destroy() : this.pair(request, socket, head)
    const ours = nonce()
    this.nonces.set(request, ours)
    this.ws.handleUpgrade(request, socket, head, (ws) => {
      this.settle(ends)
      this.connections.open(ws, socket, surveyed, { attempt: null, nonce: ours })
    })
  }

  /** Connections from outside that are not open yet. */
  waiting(): number {
    return this.opening.size
  }

  /** Accepts nothing more, and cuts off whoever is not open yet. */
  stop(): void {
    this.tcp.close()
    for (const { socket } of this.opening.values()) socket.destroy()
    this.parked = null
  }

  /** After `stop`: cuts off everybody. Calls back when the port is free. */
  destroyAll(onFree: () => void): void {
    for (const socket of this.inbound) socket.destroy()
    // An error says that it was not listening any more.
    this.tcp.close(onFree)
  }
}

/**
 * A relay: devices that cannot reach each other meet here (PROTOCOL.md part 21, B21). It knows devices by the key that each proves
 * in TLS, and pipes bytes between two of them; what these are it cannot know, and does not look.
 *
 * Promises: every bound is in `limits`; one who does not read stops the one who sends, and is given up after `drainMs`; a refusal
 * has its code; nothing that passes is logged.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import type { IncomingMessage } from "node:http"
import * as https from "node:https"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import type { TLSSocket } from "node:tls"
import { type WebSocket, WebSocketServer } from "ws"
import type { Credentials } from "../tls/Certificate.ts"
import { deviceIdOfCertificate, NO_AUTHORITIES } from "../tls/Pin.ts"
import * as Protocol from "./Protocol.ts"

const limits = {
  /** Connections, open or opening. */
  connectionsMax: 1_024,
  devicesMax: 256,
  /** Of one device, at either end; as many as a mesh has peers. */
  tunnelsMax: 64,
  /** That one device opens within a minute. */
  openingsMax: 120,
  /** That wait for one end of a tunnel; beyond, the other end is not read. */
  waitingBytesMax: 262_144,
  /** How long they may wait, ms. */
  drainMs: 10_000,
  /** For the other device to take a tunnel, ms. */
  acceptMs: 5_000,
  /** From the first packet to the whole request, ms. */
  openingMs: 10_000
}
export type Limits = typeof limits

export interface Options {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly relayId: string
  readonly credentials: Credentials
  /** Public keys of the meshes whose grants count. */
  readonly meshKeys: ReadonlyArray<string>
  readonly tokens: ReadonlyArray<string>
  readonly limits?: Partial<Limits>
  /** What happened, without anything that passed. */
  readonly note?: (text: string) => void
}

interface Device {
  readonly control: WebSocket
  /** When it opened tunnels, ms, within the last minute. */
  openings: ReadonlyArray<number>
}

interface Opening {
  readonly from: string
  readonly to: string
  /** With the far end's socket, or why there is none. */
  readonly settle: (far: WebSocket | Protocol.Code) => void
}

const STATUS: { readonly [C in Protocol.Code]?: string } = {
  RELAY_FULL: "503 Service Unavailable",
  TOO_MANY_TUNNELS: "429 Too Many Requests",
  TOO_OFTEN: "429 Too Many Requests",
  PEER_UNKNOWN: "404 Not Found",
  TUNNEL_UNKNOWN: "404 Not Found",
  NO_SUCH_PATH: "404 Not Found",
  PEER_SILENT: "504 Gateway Timeout"
}

const TRY_AGAIN = 1013
const BAD_DATA = 1003

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()
const quiet = (): void => {}

const refuse = (socket: Duplex, code: Protocol.Code): void => {
  const text = `${code}: ${Protocol.refusals[code]}\n`
  socket.end(
    `HTTP/1.1 ${STATUS[code] ?? "403 Forbidden"}\r\n${Protocol.CODE_HEADER}: ${code}\r\ncontent-type: text/plain\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`
  )
}

/** Pings until it is gone; whoever does not answer is ended. One that is not read cannot be heard, and is let be. */
const keepAlive = (ws: WebSocket): void => {
  let deadline: NodeJS.Timeout | undefined
  const beat = setInterval(() => {
    if (ws.isPaused) return
    ws.ping()
    clearTimeout(deadline)
    deadline = setTimeout(() => ws.isPaused || ws.terminate(), Protocol.PONG_MS)
  }, Protocol.KEEP_ALIVE_MS)
  ws.on("pong", () => clearTimeout(deadline))
  ws.once("close", () => {
    clearInterval(beat)
    clearTimeout(deadline)
  })
}

export class Relay {
  private readonly options: Options
  private readonly limits: Limits
  private readonly server: https.Server
  private readonly ws: WebSocketServer
  private readonly tokens: ReadonlyArray<Buffer>
  private readonly devices = new Map<string, Device>()
  private readonly openings = new Map<string, Opening>()
  /** By device, whichever end it is; those that open count. */
  private readonly tunnels = new Map<string, number>()

  constructor(options: Options) {
    this.options = options
    this.limits = { ...limits, ...options.limits }
    this.tokens = options.tokens.map(digest)
    const { certificate, key } = options.credentials
    this.server = https.createServer({
      key,
      cert: certificate,
      ca: NO_AUTHORITIES,
      minVersion: "TLSv1.3",
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: this.limits.openingMs,
      headersTimeout: this.limits.openingMs,
      requestTimeout: this.limits.openingMs,
      connectionsCheckingInterval: this.limits.openingMs / 4,
      maxHeaderSize: 8_192
    })
    this.server.maxConnections = this.limits.connectionsMax
    this.ws = new WebSocketServer({
      noServer: true,
      clientTracking: true,
      perMessageDeflate: false,
      maxPayload: Protocol.PIECE_BYTES_MAX
    })
    this.server.on("request", (_, response) => response.writeHead(426, { connection: "close" }).end())
    this.server.on("clientError", (_, socket) => socket.destroy())
    this.server.on("tlsClientError", quiet)
    this.server.on("upgrade", (request, socket, head) => this.onUpgrade(request, socket, head))
  }

  /** Listens; the port that was given for 0. Rejects with the system's error. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject)
      this.server.listen({ host: this.options.host, port: this.options.port }, () => {
        this.server.removeListener("error", reject)
        this.server.on("error", quiet)
        resolve((this.server.address() as AddressInfo).port)
      })
    })
  }

  close(): Promise<void> {
    for (const client of this.ws.clients) client.terminate()
    return new Promise((done) => {
      this.server.close(() => done())
      this.server.closeAllConnections()
    })
  }

  private onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", quiet)
    const certificate = (socket as TLSSocket).getPeerX509Certificate()
    const device = certificate === undefined ? null : deviceIdOfCertificate(certificate)
    if (device === null) return refuse(socket, "NO_CERTIFICATE")
    const open = (then: (ws: WebSocket) => void): void =>
      this.ws.handleUpgrade(request, socket, head, (ws) => {
        ws.on("error", quiet)
        keepAlive(ws)
        then(ws)
      })
    const path = request.url ?? ""
    if (path === Protocol.CONTROL) return this.register(device, request, socket, open)
    if (path.startsWith(Protocol.TO)) return this.connect(device, path.slice(Protocol.TO.length), socket, open)
    if (!path.startsWith(Protocol.ACCEPT)) return refuse(socket, "NO_SUCH_PATH")
    const opening = this.openings.get(path.slice(Protocol.ACCEPT.length))
    if (opening === undefined || opening.to !== device) return refuse(socket, "TUNNEL_UNKNOWN")
    open((ws) => opening.settle(ws))
  }

  private refusesEntry(device: string, { headers }: IncomingMessage): Protocol.Code | null {
    const { meshKeys, relayId } = this.options
    const grant = headers[Protocol.GRANT_HEADER]
    if (typeof grant === "string") return Protocol.refusesGrant(grant, relayId, device, meshKeys, Date.now())
    const { authorization } = headers
    if (authorization === undefined) return "CREDENTIAL_MISSING"
    const given = digest(authorization.replace(/^Bearer /u, ""))
    return this.tokens.some((token) => timingSafeEqual(token, given)) ? null : "TOKEN_WRONG"
  }

  private register(
    device: string,
    request: IncomingMessage,
    socket: Duplex,
    open: (then: (ws: WebSocket) => void) => void
  ): void {
    const refused = this.refusesEntry(device, request)
    const full = !this.devices.has(device) && this.devices.size >= this.limits.devicesMax
    if (refused !== null || full) {
      this.options.note?.(`${device.slice(0, 12)} was refused: ${refused ?? "RELAY_FULL"}`)
      return refuse(socket, refused ?? "RELAY_FULL")
    }
    open((control) => {
      // The newest counts: the one before it may be half open.
      const before = this.devices.get(device)
      before?.control.close(TRY_AGAIN, "REPLACED")
      this.devices.set(device, { control, openings: before?.openings ?? [] })
      this.options.note?.(`${device.slice(0, 12)} registered`)
      control.on("message", () => control.close(BAD_DATA))
      control.once("close", () => {
        if (this.devices.get(device)?.control !== control) return
        this.devices.delete(device)
        this.options.note?.(`${device.slice(0, 12)} is gone`)
      })
    })
  }

  private refusesTunnel(from: string, to: string): Protocol.Code | null {
    const device = this.devices.get(from)
    if (device === undefined) return "NOT_REGISTERED"
    if (from === to) return "TUNNEL_TO_ITSELF"
    const now = Date.now()
    device.openings = device.openings.filter((at) => now - at < 60_000)
    if (device.openings.length >= this.limits.openingsMax) return "TOO_OFTEN"
    device.openings = [...device.openings, now]
    if (!this.devices.has(to)) return "PEER_UNKNOWN"
    const { tunnelsMax } = this.limits
    return [from, to].some((end) => (this.tunnels.get(end) ?? 0) >= tunnelsMax) ? "TOO_MANY_TUNNELS" : null
  }

  private count(from: string, to: string, by: 1 | -1): void {
    for (const end of [from, to]) {
      const left = (this.tunnels.get(end) ?? 0) + by
      if (left === 0) this.tunnels.delete(end)
      else this.tunnels.set(end, left)
    }
  }

  private connect(from: string, to: string, socket: Duplex, open: (then: (ws: WebSocket) => void) => void): void {
    const refused = this.refusesTunnel(from, to)
    if (refused !== null) return refuse(socket, refused)
    const id = randomBytes(16).toString("base64url")
    this.count(from, to, 1)
    let counted = true
    const end = (): void => {
      if (counted) this.count(from, to, -1)
      counted = false
    }
    const settle = (far: WebSocket | Protocol.Code): void => {
      clearTimeout(limit)
      this.openings.delete(id)
      socket.removeListener("close", onGone)
      if (typeof far === "string") {
        end()
        return refuse(socket, far)
      }
      far.once("close", end)
      if (socket.destroyed) return far.terminate()
      // What the far end says before this one is open waits in its socket.
      far.pause()
      socket.once("close", () => far.terminate())
      open((near) => this.join(near, far))
    }
    const onGone = (): void => settle("PEER_SILENT")
    const limit = setTimeout(() => settle("PEER_SILENT"), this.limits.acceptMs)
    socket.once("close", onGone)
    this.openings.set(id, { from, to, settle })
    this.devices.get(to)!.control.send(JSON.stringify({ tunnel: id, from }))
  }

  private join(near: WebSocket, far: WebSocket): void {
    this.pipe(near, far)
    this.pipe(far, near)
    far.resume()
  }

  private pipe(from: WebSocket, to: WebSocket): void {
    let limit: NodeJS.Timeout | undefined
    from.on("message", (data, isBinary) => {
      if (!isBinary) return from.close(BAD_DATA)
      to.send(data as Buffer, { binary: true }, () => {
        if (limit === undefined || to.bufferedAmount > this.limits.waitingBytesMax / 2) return
        clearTimeout(limit)
        limit = undefined
        from.resume()
      })
      if (limit !== undefined || to.bufferedAmount <= this.limits.waitingBytesMax) return
      from.pause()
      limit = setTimeout(() => to.terminate(), this.limits.drainMs)
    })
    from.once("close", () => {
      clearTimeout(limit)
      to.terminate()
    })
  }
}

/**
 * A node at its relays (PROTOCOL.md part 21): one control connection to each, a tunnel for each link.
 *
 * Promises: nothing is said to a relay before it has shown the key that is its id; a relay that is lost is sought again with
 * doubling waits and full jitter; what is wrong with one is told once, with its code and the way out. Nothing here throws.
 */
import { randomInt } from "node:crypto"
import * as tls from "node:tls"
import type { Duplex } from "node:stream"
import { createWebSocketStream, WebSocket } from "ws"
import { tunnelOf } from "../../kernel/links/Tunnel.ts"
import type { Credentials } from "../tls/Certificate.ts"
import { isPinned, NO_AUTHORITIES } from "../tls/Pin.ts"
import * as Protocol from "./Protocol.ts"

export interface Place {
  readonly relayId: string
  readonly host: string
  readonly port: number
}

export interface Options {
  readonly relays: ReadonlyArray<Place>
  readonly credentials: Credentials
  readonly token: string | null
  readonly grants: ReadonlyArray<string>
  /** Somebody comes through a tunnel. */
  readonly accept: (tunnel: Duplex, via: string) => void
  /** Those that can be used now have changed. */
  readonly changed: (relayIds: ReadonlyArray<string>) => void
  readonly note: (level: "info" | "warning", text: string) => void
}

interface State {
  readonly place: Place
  control: WebSocket | null
  failures: number
  told: string
  next: NodeJS.Timeout | undefined
  /** Asks now whether it is still there. */
  probe: () => void
}

const OPENING_MS = 10_000
const REDIAL_MS = 1_000
const REDIAL_MAX_MS = 60_000
/** Tunnels from others that are being taken, at one relay; a node has room for as many strangers that open. */
const ACCEPTS_MAX = 64
const CONTROL_BYTES_MAX = 1_024

const quiet = (): void => {}

export class Relays {
  private readonly options: Options
  private readonly context: tls.SecureContext
  private readonly states: ReadonlyArray<State>
  private readonly sockets = new Set<WebSocket>()
  private accepts = 0
  private closed = false

  constructor(options: Options) {
    this.options = options
    const { certificate, key } = options.credentials
    this.context = tls.createSecureContext({ key, cert: certificate, ca: NO_AUTHORITIES, minVersion: "TLSv1.3" })
    this.states = options.relays.map((place) => ({
      place,
      control: null,
      failures: 0,
      told: "",
      next: undefined,
      probe: quiet
    }))
  }

  start(): void {
    for (const state of this.states) this.register(state)
  }

  close(): void {
    this.closed = true
    for (const { next } of this.states) clearTimeout(next)
    for (const ws of this.sockets) ws.terminate()
  }

  /** See `OpenTunnel` of adapters/ws/Dialler.ts. */
  readonly openTunnel = (relayId: string, to: string, done: (tunnel: Duplex | null) => void): (() => void) => {
    const state = this.states.find(({ place }) => place.relayId === relayId)
    let over = false
    const finish = (tunnel: Duplex | null): void => {
      if (over) return void tunnel?.destroy()
      over = true
      done(tunnel)
    }
    if (state === undefined || state.control === null) {
      process.nextTick(() => finish(null))
      return () => void (over = true)
    }
    const ws = this.open(state.place, `${Protocol.TO}${to}`, {}, (code) => {
      if (code === "SILENT" || code === "UNREACHABLE" || code === "CLOSED") state.probe()
      finish(null)
    })
    ws.once("open", () => finish(this.streamOf(ws, state)))
    return () => {
      over = true
      ws.terminate()
    }
  }

  /** When a tunnel ends it may be that the relay is dead: that is asked at once. */
  private streamOf(ws: WebSocket, state: State): Duplex {
    const stream = createWebSocketStream(ws)
    stream.on("error", quiet)
    // Once what came before has been read.
    stream.once("end", () => stream.destroy())
    ws.once("close", () => state.probe())
    return stream
  }

  /** @param ended once, and with why; also after it was open */
  private open(
    { host, port, relayId }: Place,
    path: string,
    headers: { readonly [name: string]: string },
    ended: (code: Protocol.Code) => void
  ): WebSocket {
    let code: Protocol.Code = "UNREACHABLE"
    const ws = new WebSocket(`wss://${host.includes(":") ? `[${host}]` : host}:${port}${path}`, {
      headers,
      perMessageDeflate: false,
      maxPayload: path === Protocol.CONTROL ? CONTROL_BYTES_MAX : Protocol.PIECE_BYTES_MAX,
      maxHeaderSize: 8_192,
      handshakeTimeout: OPENING_MS,
      // Only what has shown its key is spoken to: HTTP waits until then.
      createConnection: () => {
        const socket = tls.connect({
          host,
          port,
          secureContext: this.context,
          minVersion: "TLSv1.3",
          rejectUnauthorized: false
        })
        socket.once("connect", () => (code = "NOT_A_RELAY"))
        socket.once("secureConnect", () => {
          socket.setNoDelay(true)
          const certificate = socket.getPeerX509Certificate()
          if (certificate !== undefined && isPinned(certificate, relayId, undefined)) return void socket.uncork()
          code = "PIN_MISMATCH"
          socket.destroy()
        })
        socket.cork()
        return socket
      }
    })
    this.sockets.add(ws)
    ws.on("error", quiet)
    ws.once("unexpected-response", (request, response) => {
      code = Protocol.codeOf(response.headers[Protocol.CODE_HEADER]) ?? "NOT_A_RELAY"
      request.destroy()
      ws.terminate()
    })
    ws.once("open", () => (code = "CLOSED"))
    ws.once("close", (_, reason) => {
      this.sockets.delete(ws)
      ended(Protocol.codeOf(reason.toString()) ?? code)
    })
    return ws
  }

  private register(state: State): void {
    if (this.closed) return
    const { grants, token } = this.options
    const { relayId } = state.place
    const grant = grants.find((text) => Protocol.readGrant(text)?.relay === relayId)
    const headers =
      grant !== undefined
        ? { [Protocol.GRANT_HEADER]: grant }
        : token !== null
          ? { authorization: `Bearer ${token}` }
          : undefined
    let silent = false
    let deadline: NodeJS.Timeout | undefined
    let beat: NodeJS.Timeout | undefined
    const ws = this.open(state.place, Protocol.CONTROL, headers ?? {}, (code) => {
      clearInterval(beat)
      clearTimeout(deadline)
      state.probe = quiet
      const was = state.control !== null
      state.control = null
      if (was) this.tell()
      this.again(state, silent ? "SILENT" : code)
    })
    ws.once("open", () => {
      state.control = ws
      state.failures = 0
      state.probe = () => {
        if (deadline !== undefined || ws.readyState !== ws.OPEN) return
        ws.ping()
        deadline = setTimeout(() => {
          silent = true
          ws.terminate()
        }, Protocol.PONG_MS)
      }
      beat = setInterval(state.probe, Protocol.KEEP_ALIVE_MS)
      this.note(state, "info", "registered")
      this.tell()
    })
    ws.on("pong", () => {
      clearTimeout(deadline)
      deadline = undefined
    })
    ws.on("message", (data) => this.onAsked(state, data.toString()))
  }

  private onAsked(state: State, text: string): void {
    const tunnel = /"tunnel":"([\w-]{1,64})"/u.exec(text)?.[1]
    if (tunnel === undefined || this.accepts >= ACCEPTS_MAX) return
    this.accepts += 1
    const ws = this.open(state.place, `${Protocol.ACCEPT}${tunnel}`, {}, () => (this.accepts -= 1))
    ws.once("open", () => this.options.accept(this.streamOf(ws, state), tunnelOf(state.place.relayId)))
  }

  private again(state: State, code: Protocol.Code): void {
    if (this.closed) return
    this.note(state, "warning", `${code}: ${Protocol.refusals[code]}`)
    const capMs = Math.min(REDIAL_MAX_MS, REDIAL_MS * 2 ** Math.min(state.failures, 16))
    state.failures += 1
    state.next = setTimeout(() => this.register(state), randomInt(capMs))
  }

  private note(state: State, level: "info" | "warning", text: string): void {
    if (state.told === text) return
    state.told = text
    const { host, port, relayId } = state.place
    this.options.note(level, `relay ${relayId.slice(0, 12)} at ${host}:${port}: ${text}`)
  }

  private tell(): void {
    if (this.closed) return
    this.options.changed(this.states.filter(({ control }) => control !== null).map(({ place }) => place.relayId))
  }
}

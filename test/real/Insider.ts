/**
 * A device whose key the test holds: it dials real nodes and is dialled by them, and says whatever the test wants it to say,
 * signed for whichever connection the test chooses. Nothing here is a node: no retries, no timers, no opinion.
 */
import { createServer, type Server } from "node:https"
import type { Socket } from "node:net"
import { TLSSocket } from "node:tls"
import { randomBytes, randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import { WebSocket, WebSocketServer } from "ws"
import { generate, type Keys } from "../../adapters/keys/Keys.ts"
import { credentialsOf, type Credentials } from "../../adapters/tls/Certificate.ts"
import { connectString, kernelString } from "../../kernel/identity/Handshake.ts"
import type { ConnectParams, Frame } from "../../kernel/wire/Frame.ts"

const NONCE_BYTES = 24
/** Far longer than any answer takes on a busy machine; what has not come by then does not come. */
const PATIENCE_MS = 20_000

type Answer = Extract<Frame, { readonly type: "res" }>
type Request = Extract<Frame, { readonly type: "req" }>

export const nonce = (): string => randomBytes(NONCE_BYTES).toString("base64url")

const inTime = <A>(what: string, come: Promise<A>): Promise<A> => {
  let limit: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, failed) => {
    limit = setTimeout(() => failed(new Error(`not within ${PATIENCE_MS} ms: ${what}`)), PATIENCE_MS)
  })
  return Promise.race([come, late]).finally(() => clearTimeout(limit))
}

/** One open WebSocket, from either end. Frames of the other end are read in their order, each once. */
export class Line {
  readonly ws: WebSocket
  readonly socket: Socket
  /** As the node computes it; empty without TLS. */
  readonly exporter: string
  /** Close code that the end came with. */
  readonly ended: Promise<number>
  private readonly frames: Array<Frame> = []
  private readonly readers: Array<(frame: Frame) => void> = []

  constructor(ws: WebSocket, socket: Socket) {
    this.ws = ws
    this.socket = socket
    this.exporter =
      socket instanceof TLSSocket
        ? socket.exportKeyingMaterial(32, "EXPORTER-clawmesh", Buffer.alloc(0)).toString("base64url")
        : ""
    ws.on("error", () => {})
    ws.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString("utf8")) as Frame
      const reader = this.readers.shift()
      if (reader === undefined) this.frames.push(frame)
      else reader(frame)
    })
    this.ended = new Promise((end) => ws.once("close", (code) => end(code)))
  }

  /** The next frame that has not been read yet. */
  next(): Promise<Frame> {
    const frame = this.frames.shift()
    const come = frame === undefined ? new Promise<Frame>((read) => this.readers.push(read)) : Promise.resolve(frame)
    return inTime("a frame", come)
  }

  /** What has come and was not read. */
  unread(): ReadonlyArray<Frame> {
    return this.frames.splice(0)
  }

  async request(method: string): Promise<Request> {
    const frame = await this.next()
    if (frame.type !== "req" || frame.method !== method)
      throw new Error(`${method} was expected, not ${JSON.stringify(frame)}`)
    return frame
  }

  send(frame: object): void {
    this.ws.send(JSON.stringify(frame))
  }

  /** Sends a request and gives the answer to it; events and requests of the other end in between are passed over. */
  async ask(method: string, params: object): Promise<Answer> {
    const id = randomUUID()
    this.send({ type: "req", id, method, params })
    while (true) {
      const frame = await this.next()
      if (frame.type === "res" && frame.id === id) return frame
    }
  }

  /** The nonce of the node at the other end. */
  async challenge(): Promise<string> {
    const answer = await this.ask("mesh.challenge", {})
    if (!answer.ok) throw new Error(`no challenge: ${JSON.stringify(answer)}`)
    return (answer.payload as { readonly nonce: string }).nonce
  }

  /** The close code with which the other end ends it. */
  end(): Promise<number> {
    return inTime("the end of a connection", this.ended)
  }

  hangup(): void {
    this.ws.terminate()
  }
}

/** What a login or an answer is signed over. */
export interface Exchange {
  readonly direction: "client" | "server"
  readonly audience: string
  readonly clientNonce: string
  readonly serverNonce: string
  readonly exporter: string
  readonly meshId: string
  readonly meshKey: string
}

export class Insider {
  readonly keys: Keys
  readonly credentials: Credentials
  readonly deviceId: string
  private readonly bootId = nonce()
  private links = 0
  private readonly servers: Array<Server> = []
  private readonly lines: Array<Line> = []

  private constructor(keys: Keys, credentials: Credentials) {
    this.keys = keys
    this.credentials = credentials
    this.deviceId = keys.deviceId
  }

  static async make(): Promise<Insider> {
    const { keys, seed } = generate()
    return new Insider(keys, await Effect.runPromise(credentialsOf(seed)))
  }

  /** Dials a node. `dressed`: with its own certificate; `bare`: with none; `plain`: without TLS. */
  dial(port: number, how: "dressed" | "bare" | "plain" = "dressed"): Promise<Line> {
    const { certificate, key } = this.credentials
    const ws = new WebSocket(`${how === "plain" ? "ws" : "wss"}://127.0.0.1:${port}`, {
      ...(how === "dressed" ? { cert: certificate, key } : {}),
      rejectUnauthorized: false,
      perMessageDeflate: false
    })
    return inTime(
      `a connection to port ${port}`,
      new Promise<Line>((open, failed) => {
        ws.once("error", failed)
        ws.once("upgrade", ({ socket }) => {
          // Before the first frame is read, so that none is missed.
          const line = new Line(ws, socket)
          this.lines.push(line)
          ws.once("open", () => open(line))
        })
      })
    )
  }

  /** Listens on a free port with its own certificate. Lines are handed over as they open. */
  listen(onLine: (line: Line) => void): Promise<number> {
    const server = createServer({
      key: this.credentials.key,
      cert: this.credentials.certificate,
      minVersion: "TLSv1.3",
      requestCert: true,
      rejectUnauthorized: false
    })
    this.servers.push(server)
    new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (ws, { socket }) => {
      const line = new Line(ws, socket)
      this.lines.push(line)
      onLine(line)
    })
    return new Promise((listens) => {
      server.listen(0, "127.0.0.1", () => listens((server.address() as { readonly port: number }).port))
    })
  }

  /** What this device says of itself as a good kernel peer, signed over just this exchange. */
  hello({ audience, direction, exporter, meshId, meshKey, ...nonces }: Exchange): ConnectParams {
    const { deviceId, keys } = this
    const { publicKey } = keys
    const signedAtMs = Date.now()
    const displayName = "insider"
    const role = "field"
    const capabilities: ReadonlyArray<string> = []
    const kernel = {
      features: [],
      gen: [1, 1] as const,
      incarnation: 1,
      bootId: this.bootId,
      linkCounter: ++this.links,
      meshKey
    }
    const [client, server] = direction === "client" ? [deviceId, audience] : [audience, deviceId]
    const theirs = direction === "client" ? nonces.serverNonce : nonces.clientNonce
    return {
      version: 2,
      deviceId,
      publicKey,
      signedAtMs,
      meshId,
      role,
      displayName,
      capabilities,
      signature: keys.sign(connectString({ deviceId, signedAtMs, nonce: theirs, meshId, role })),
      nonce: theirs,
      clientNonce: nonces.clientNonce,
      kernel: {
        ...kernel,
        signature: keys.sign(
          kernelString({
            direction,
            meshId,
            capabilities,
            displayName,
            exporter,
            clientDeviceId: client,
            serverDeviceId: server,
            ...nonces,
            ...kernel
          })
        )
      }
    }
  }

  /** Ends everything that this device has open. */
  close(): void {
    for (const line of this.lines) line.hangup()
    for (const server of this.servers) server.close()
  }
}

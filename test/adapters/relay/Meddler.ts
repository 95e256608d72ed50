/**
 * A relay that means ill: honest about who is there, and not about what passes. It records all of it, and can alter a byte, cut in
 * the middle of a record, replay what it recorded of an earlier tunnel, or connect an end to itself.
 */
import { createServer } from "node:https"
import type { TLSSocket } from "node:tls"
import * as Effect from "effect/Effect"
import { type WebSocket, WebSocketServer } from "ws"
import { credentialsOf } from "../../../adapters/tls/Certificate.ts"
import { deviceIdOfCertificate } from "../../../adapters/tls/Pin.ts"
import { keysOf, onEnd, seedOf } from "./Meeting.ts"

type Way = "alter" | "cut" | "replay" | "cross"

export class Meddler {
  readonly relayId: string
  readonly recorded: Array<Buffer> = []
  /** Tunnels of each kind that were ended by a device. */
  readonly ended: Record<Way, number> = { alter: 0, cut: 0, replay: 0, cross: 0 }
  port = 0
  private way: Way | null = null
  private readonly controls = new Map<string, WebSocket>()
  private readonly waiting = new Map<string, WebSocket>()
  private readonly all = new Set<WebSocket>()
  /** What the end that dialled said in the first tunnel. */
  private readonly first: Array<Buffer> = []
  private given = 0

  private constructor(relayId: string) {
    this.relayId = relayId
  }

  static async make(byte: number): Promise<Meddler> {
    const meddler = new Meddler(keysOf(byte).deviceId)
    const { certificate, key } = await Effect.runPromise(credentialsOf(seedOf(byte)))
    const server = createServer({ key, cert: certificate, requestCert: true, rejectUnauthorized: false })
    const wss = new WebSocketServer({ noServer: true })
    server.on("upgrade", (request, socket, head) => {
      const device = deviceIdOfCertificate((socket as TLSSocket).getPeerX509Certificate()!)!
      wss.handleUpgrade(request, socket, head, (ws) => {
        ws.on("error", () => {})
        meddler.onOpen(device, request.url!, ws)
      })
    })
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
    meddler.port = (server.address() as { port: number }).port
    onEnd(() => {
      server.closeAllConnections()
      for (const ws of wss.clients) ws.terminate()
      server.close()
    })
    return meddler
  }

  /** From now on, beginning with an end of what there is. */
  meddle(way: Way | null): void {
    this.way = way
    for (const ws of this.all) ws.terminate()
  }

  private onOpen(device: string, path: string, ws: WebSocket): void {
    if (path === "/v1/control") return void this.controls.set(device, ws)
    this.all.add(ws)
    ws.once("close", () => this.all.delete(ws))
    const [, , verb, word] = path.split("/")
    ws.pause()
    if (verb === "to") {
      const tunnel = `t${++this.given}`
      // The one who dials is connected to itself, where that is the way.
      const to = this.way === "cross" ? device : word!
      this.waiting.set(tunnel, ws)
      this.controls.get(to)?.send(JSON.stringify({ tunnel, from: device }))
      return
    }
    const near = this.waiting.get(word!)
    if (near === undefined) return ws.terminate()
    this.waiting.delete(word!)
    this.pipe(near, ws, true)
    this.pipe(ws, near, false)
  }

  private pipe(from: WebSocket, to: WebSocket, dialled: boolean): void {
    const { way } = this
    const recording = dialled && this.given === 1
    let bytes = 0
    from.on("message", (data: Buffer) => {
      this.recorded.push(data)
      if (recording) this.first.push(data)
      const before = bytes
      bytes += data.length
      if (way === "replay" && dialled) {
        if (before === 0) for (const piece of this.first) to.send(piece)
        return
      }
      // Behind the handshake's first flight, so that what is altered is encrypted.
      if (way === "alter" && before > 0) data[data.length - 1]! ^= 1
      if (way === "cut" && before > 0) {
        to.send(data.subarray(0, data.length / 2))
        return void setTimeout(() => from.terminate(), 10)
      }
      to.send(data)
    })
    from.once("close", () => {
      if (way !== null) this.ended[way] += 1
      to.terminate()
    })
    from.resume()
  }
}

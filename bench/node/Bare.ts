/** The yardstick: what `ws` and Node's TLS do by themselves between two processes, with texts as long as ours. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { connect, createSecureContext, type SecureContext } from "node:tls"
import * as Effect from "effect/Effect"
import { WebSocket } from "ws"
import { credentialsOf } from "../../adapters/tls/Certificate.ts"
import { median, timed } from "../Measure.ts"
import { flood } from "./Flood.ts"

const ROUND_TRIPS = 2_000
const CONNECTIONS = 200
const PAUSED_CONNECTIONS = 100
const PAUSE_MS = 30
const WARM_UP = 5

export interface Bare {
  readonly roundTripMs: number
  readonly tlsConnectMs: number
  /** The same, each after a pause such as lies between two dials of ours. */
  readonly tlsPausedMs: number
  /** Messages a second that came and were sent back. */
  readonly echoesPerSecond: number
  /** Messages a second in one direction, nothing sent back. */
  readonly messagesPerSecond: number
}

const open = async (url: string): Promise<WebSocket> => {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  await once(socket, "open")
  return socket
}

const answer = (socket: WebSocket, text: string): Promise<void> => {
  const said = new Promise<void>((done) => void socket.once("message", () => done()))
  socket.send(text)
  return said
}

/** Marked messages come back; the other ones too on `/echo`, and are let go. */
const rate = async (socket: WebSocket, text: string): Promise<number> => {
  const marks = new Map<string, () => void>()
  socket.on("message", (data: Buffer) => {
    if (data.length > 16) return
    const mark = data.toString()
    marks.get(mark)?.()
    marks.delete(mark)
  })
  return flood(
    (count) => {
      for (let i = 0; i < count; i++) socket.send(text)
    },
    (n) =>
      new Promise((done) => {
        marks.set(`mark${n}`, done)
        socket.send(`mark${n}`)
      })
  )
}

const tlsConnect = async (port: number, secureContext: SecureContext): Promise<void> => {
  const socket = connect({ host: "127.0.0.1", port, secureContext, rejectUnauthorized: false, minVersion: "TLSv1.3" })
  await once(socket, "secureConnect")
  if (socket.getProtocol() !== "TLSv1.3") throw new Error(`not TLS 1.3 but ${socket.getProtocol()}`)
  socket.destroy()
}

export const measureBare = async (text: string): Promise<Bare> => {
  const server = spawn(process.execPath, [join(import.meta.dirname, "bareServer.ts")], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  try {
    const [line] = (await once(createInterface({ input: server.stdout }), "line")) as [string]
    const ports = JSON.parse(line) as { readonly ws: number; readonly tls: number }
    const { certificate, key } = await Effect.runPromise(credentialsOf(new Uint8Array(32).fill(1)))
    const context = createSecureContext({ cert: certificate, key, minVersion: "TLSv1.3" })
    const echo = await open(`ws://127.0.0.1:${ports.ws}/echo`)
    const silent = await open(`ws://127.0.0.1:${ports.ws}/`)
    await timed(ROUND_TRIPS, () => answer(echo, text))
    const roundTripMs = median(await timed(ROUND_TRIPS, () => answer(echo, text)))
    await timed(WARM_UP, () => tlsConnect(ports.tls, context))
    const tlsConnectMs = median(await timed(CONNECTIONS, () => tlsConnect(ports.tls, context)))
    const paused: Array<number> = []
    for (let i = 0; i < PAUSED_CONNECTIONS; i++) {
      await sleep(PAUSE_MS)
      paused.push(...(await timed(1, () => tlsConnect(ports.tls, context))))
    }
    const tlsPausedMs = median(paused)
    const echoesPerSecond = await rate(echo, text)
    const messagesPerSecond = await rate(silent, text)
    echo.terminate()
    silent.terminate()
    return { roundTripMs, tlsConnectMs, tlsPausedMs, echoesPerSecond, messagesPerSecond }
  } finally {
    server.kill()
  }
}

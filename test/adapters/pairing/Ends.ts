/** A real port of a mesh on loopback whose door can be opened, and who comes there: devices, and whoever stands in between. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Context from "effect/Context"
import * as Queue from "effect/Queue"
import * as net from "node:net"
import * as tls from "node:tls"
import { WebSocket, WebSocketServer } from "ws"
import * as Guest from "../../../adapters/pairing/Guest.ts"
import * as Host from "../../../adapters/pairing/Host.ts"
import { fromSeed, type Keys } from "../../../adapters/keys/Keys.ts"
import { failure } from "../../../adapters/operator/Failure.ts"
import { type Credentials, credentialsOf } from "../../../adapters/tls/Certificate.ts"
import { limits, type Limits } from "../../../adapters/ws/Limits.ts"
import { Endpoint, layer } from "../../../adapters/ws/Transport.ts"
import type { Happened } from "../../../kernel/Input.ts"
import { type Grant, SUBPROTOCOL } from "../../../kernel/pairing/Ceremony.ts"
import { Inbox, Transport } from "../../../kernel/Ports.ts"

const seedOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

/**
 * Made once: after a TLS record that was tampered with, OpenSSL keeps its error, and Node throws it from the next key that is
 * read in this process.
 */
const known = new Map<number, { readonly keys: Keys; readonly credentials: Credentials }>()
for (const byte of [1, 2, 3, 9]) {
  const credentials = await Effect.runPromise(credentialsOf(seedOf(byte)))
  known.set(byte, { keys: fromSeed(seedOf(byte))!, credentials })
}
export const keysOf = (byte: number): Keys => known.get(byte)!.keys
const credentialsFor = (byte: number): Credentials => known.get(byte)!.credentials

export const mesh = { meshId: "the mesh", meshKey: "its key", meshName: "bhoomi" }

/** Key 1. What the kernel would hear is in `inbox`; whom it would trust, in `admitted`. */
export const makeHost = Effect.fnUntraced(function* (bounds: Partial<Limits> = {}, known = mesh) {
  const self = keysOf(1)
  const admitted: Array<Host.Guest & { readonly role: string }> = []
  const notes: Array<string> = []
  const clock = { mono: 1_000, full: false }
  const host = yield* Host.make({
    deviceId: self.deviceId,
    shown: () => ({ ...known, name: "laptop" }),
    mono: () => clock.mono,
    admit: (guest, { may, name, role }) =>
      Effect.sync(() => {
        if (clock.full) return failure("AMBIGUOUS", "the name is taken")
        admitted.push({ ...guest, role })
        const grant: Grant = {
          version: 1,
          device: { id: guest.deviceId, name: name ?? guest.name, role, may },
          host: { id: self.deviceId, name: "laptop", role: "planner", publicKey: self.publicKey },
          mesh: { id: known.meshId, key: known.meshKey, name: known.meshName },
          electors: [self.deviceId],
          manifestVersion: 1,
          profile: "lan"
        }
        return grant
      }),
    note: (text) => void notes.push(text),
    limits: { ...limits, ...bounds }
  })
  const credentials = credentialsFor(1)
  const inbox = yield* Queue.bounded<Happened>(64)
  const services = yield* Layer.build(
    Layer.provide(
      layer({ host: "127.0.0.1", port: 0, credentials, limits: bounds, pair: host.receive }),
      Layer.succeed(Inbox, inbox)
    )
  ).pipe(Effect.orDie)
  yield* Context.get(services, Transport).listen
  const { counts, port } = Context.get(services, Endpoint)
  const invite = () => host.invite({ name: null, role: "field", may: ["actuator:pump-3"] }, 300_000)!
  return { host, port, counts, inbox, admitted, notes, clock, invite }
})

/** A device of this key that joins by this code. */
const joiner = (byte: number, code: string, expects: Partial<Guest.Joining["expects"]>): Guest.Joining => ({
  deviceId: keysOf(byte).deviceId,
  credentials: credentialsFor(byte),
  name: `device-${byte}`,
  role: null,
  code,
  expects: { host: null, meshName: null, ...expects },
  objects: () => null
})

export const joinAt = (port: number, byte: number, code: string, expects: Partial<Guest.Joining["expects"]> = {}) =>
  Guest.join(joiner(byte, code, expects), { host: "127.0.0.1", port })

/** Says what it likes with the subprotocol of pairing; hears all that comes, and how it ends. */
export class Stranger {
  readonly heard: Array<string> = []
  readonly ended: Promise<string>
  readonly socket: tls.TLSSocket
  private ws: WebSocket | null = null
  private onHeard: () => void = () => {}

  constructor(port: number, credentials: { readonly key: string; readonly certificate: string } | null) {
    this.socket = tls.connect({
      host: "127.0.0.1",
      port,
      rejectUnauthorized: false,
      ...(credentials === null ? {} : { key: credentials.key, cert: credentials.certificate })
    })
    this.ended = new Promise((done) => {
      this.socket.on("error", () => {})
      this.socket.once("close", () => {
        if (this.ws === null) done("closed")
      })
      this.socket.once("secureConnect", () => {
        const ws = new WebSocket(`wss://127.0.0.1:${port}/`, [SUBPROTOCOL], { createConnection: () => this.socket })
        this.ws = ws
        ws.on("error", () => {})
        ws.once("unexpected-response", (_, { statusCode }) => {
          done(String(statusCode))
          ws.terminate()
        })
        ws.once("close", (code) => done(String(code)))
        ws.on("message", (data: Buffer) => {
          this.heard.push(data.toString("utf8"))
          this.onHeard()
        })
      })
    })
  }

  say(text: string): void {
    this.ws?.send(text)
  }

  /** The n-th message, from 1; `null`: the connection ended before. */
  message(n: number): Promise<string | null> {
    const come = new Promise<string>((done) => {
      const look = (): void => {
        const text = this.heard[n - 1]
        if (text !== undefined) done(text)
      }
      this.onHeard = look
      look()
    })
    return Promise.race([come, this.ended.then(() => this.heard[n - 1] ?? null)])
  }

  end(): void {
    this.ws?.terminate()
    this.socket.destroy()
  }
}

export const strangerAt = (port: number, byte: number | null) =>
  Effect.acquireRelease(
    Effect.map(
      byte === null ? Effect.succeed(null) : credentialsOf(seedOf(byte)),
      (known) => new Stranger(port, known)
    ),
    (stranger) => Effect.sync(() => stranger.end())
  )

/** Ends TLS itself, with a key of its own, and answers each message of a guest by `reply`; all that it heard. */
export const impostor = Effect.fnUntraced(function* (
  byte: number,
  open: (say: (text: string) => void) => (heard: string) => void
) {
  const credentials = credentialsFor(byte)
  const heard: Array<string> = []
  const server = tls.createServer({
    key: credentials.key,
    cert: credentials.certificate,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: "TLSv1.3"
  })
  const wss = new WebSocketServer({ noServer: true, handleProtocols: () => SUBPROTOCOL })
  const http = yield* Effect.promise(async () => (await import("node:http")).createServer())
  server.on("secureConnection", (socket) => {
    socket.on("error", () => {})
    http.emit("connection", socket)
  })
  http.on("upgrade", (request, socket, head) =>
    wss.handleUpgrade(request, socket as net.Socket, head, (ws) => {
      ws.on("error", () => {})
      const hear = open((text) => ws.readyState === ws.OPEN && ws.send(text))
      ws.on("message", (data: Buffer) => {
        heard.push(data.toString("utf8"))
        hear(data.toString("utf8"))
      })
    })
  )
  yield* Effect.acquireRelease(
    Effect.promise(() => new Promise<void>((done) => server.listen(0, "127.0.0.1", done))),
    () => Effect.sync(() => void server.close())
  )
  return { port: (server.address() as net.AddressInfo).port, heard }
})

/**
 * Carries bytes and looks at them.
 *
 * @param breaks whether what comes from the host now is lost, and the connection with it
 */
export const wiretap = Effect.fnUntraced(function* (port: number, breaks: () => boolean = () => false) {
  const seen: Array<Buffer> = []
  const server = net.createServer((socket) => {
    const on = net.connect({ host: "127.0.0.1", port })
    for (const [from, to] of [[socket, on] as const, [on, socket] as const]) {
      from.on("error", () => to.destroy())
      from.on("data", (chunk: Buffer) => {
        seen.push(chunk)
        if (from === on && breaks()) return void socket.destroy()
        to.write(chunk)
      })
      from.on("close", () => to.destroy())
    }
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => new Promise<void>((done) => server.listen(0, "127.0.0.1", done))),
    () => Effect.sync(() => void server.close())
  )
  return { port: (server.address() as net.AddressInfo).port, seen: () => Buffer.concat(seen) }
})

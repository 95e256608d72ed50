/** What tests put on the wire by hand: a proxy in the middle, a server that counts what it sees, raw sockets. */
import * as net from "node:net"
import * as tls from "node:tls"
import * as Effect from "effect/Effect"
import type { Credentials } from "../../../adapters/tls/Certificate.ts"

const quiet = (): void => {}

/** Listens on a free port of loopback until the scope ends. */
export const listening = (server: net.Server) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as net.AddressInfo).port)))
    }),
    () => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )

export interface Seen {
  /** Connections whose TLS handshake finished at the server. */
  handshakes: number
  /** Application data that reached it. */
  bytes: number
  ended: number
}

/** A TLS server that says nothing, and counts. `onEnd` is called when a connection of it is gone. */
export const countingServer = (options: tls.TlsOptions, onEnd: () => void) =>
  Effect.gen(function* () {
    const seen: Seen = { handshakes: 0, bytes: 0, ended: 0 }
    const server = tls.createServer({ requestCert: true, rejectUnauthorized: false, ...options })
    server.on("secureConnection", (socket) => {
      seen.handshakes += 1
      socket.on("error", quiet)
      socket.on("data", (data) => {
        seen.bytes += data.length
      })
      socket.on("close", () => {
        seen.ended += 1
        onEnd()
      })
    })
    return { seen, port: yield* listening(server) }
  })

const joined = (one: net.Socket, other: net.Socket, onData: (bytes: number) => void): void => {
  for (const [from, to] of [
    [one, other],
    [other, one]
  ] as const) {
    from.on("error", () => to.destroy())
    from.on("close", () => to.destroy())
    from.on("data", (data) => {
      onData(data.length)
      to.write(data)
    })
  }
}

/** Somebody in the middle who takes TLS apart with a key of its own, and reads what is said. */
export const manInTheMiddle = (credentials: Credentials, targetPort: number, onEnd: () => void) =>
  Effect.gen(function* () {
    const seen = { handshakes: 0, bytes: 0 }
    const identity = { key: credentials.key, cert: credentials.certificate }
    const server = tls.createServer({ ...identity, requestCert: true, rejectUnauthorized: false }, (inner) => {
      seen.handshakes += 1
      const outer = tls.connect({ ...identity, host: "127.0.0.1", port: targetPort, rejectUnauthorized: false })
      inner.on("close", onEnd)
      joined(inner, outer, (bytes) => {
        seen.bytes += bytes
      })
    })
    return { seen, port: yield* listening(server) }
  })

/** A wire with somebody on it who sees bytes go by, and cannot read them. */
export const blindWire = (targetPort: number) =>
  Effect.gen(function* () {
    const chunks: Array<Buffer> = []
    const server = net.createServer((inner) => {
      const outer = net.connect({ host: "127.0.0.1", port: targetPort })
      inner.on("data", (data: Buffer) => chunks.push(data))
      outer.on("data", (data: Buffer) => chunks.push(data))
      joined(inner, outer, quiet)
    })
    return { carried: () => Buffer.concat(chunks).toString("latin1"), port: yield* listening(server) }
  })

/** A raw connection; its errors are its own business. */
export const rawSocket = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<net.Socket>((resume) => {
      const socket = net.connect({ host: "127.0.0.1", port })
      socket.on("error", quiet)
      socket.once("connect", () => resume(Effect.succeed(socket)))
      socket.once("close", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** When the socket is gone. What it is sent meanwhile is read and given. */
export const ended = (socket: net.Socket): Effect.Effect<string> =>
  Effect.callback<string>((resume) => {
    let text = ""
    socket.on("data", (data: Buffer) => {
      text += data.toString("latin1")
    })
    if (socket.closed) return resume(Effect.succeed(text))
    socket.once("close", () => resume(Effect.succeed(text)))
  })

export const UPGRADE = [
  "GET / HTTP/1.1",
  "Host: 127.0.0.1",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  "",
  ""
].join("\r\n")

/** A masked WebSocket frame as a client sends it, with a mask of zeros; `declared`: the length that its header claims. */
export const clientFrame = (opcode: number, payload: Buffer, declared = payload.length, final = true): Buffer => {
  const header = Buffer.alloc(14)
  header[0] = (final ? 0x80 : 0) | opcode
  header[1] = 0x80 | 127
  header.writeBigUInt64BE(BigInt(declared), 2)
  return Buffer.concat([header, payload])
}

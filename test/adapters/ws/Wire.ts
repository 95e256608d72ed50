/** What tests put on the wire by hand: a proxy in the middle, a server that counts what it sees, raw sockets. */
import * as net from "node:net"
import * as tls from "node:tls"
import * as Effect from "effect/Effect"
import type { Credentials } from "../../../adapters/tls/Certificate.ts"

const quiet = (): void => {}

/** Listens on a free port of loopback until the scope ends, and cuts off whoever is still there then. */
export const listening = (server: net.Server) =>
  Effect.suspend(() => {
    const open = new Set<net.Socket>()
    server.on("connection", (socket) => {
      socket.on("error", quiet)
      open.add(socket)
      socket.once("close", () => open.delete(socket))
    })
    return Effect.acquireRelease(
      Effect.callback<number>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as net.AddressInfo).port)))
      }),
      () =>
        Effect.callback<void>((resume) => {
          for (const socket of open) socket.destroy()
          server.close(() => resume(Effect.void))
        })
    )
  })

/**
 * A TLS server that says nothing, and counts the bytes of application data that reach it. `onEnd` is called when a connection
 * of it is gone: whatever it was to see it has seen.
 */
export const countingServer = (options: tls.TlsOptions, onEnd: () => void) =>
  Effect.gen(function* () {
    const seen = { connections: 0, bytes: 0 }
    const server = tls.createServer({ requestCert: true, rejectUnauthorized: false, ...options })
    server.on("connection", (socket) => {
      seen.connections += 1
      socket.once("close", onEnd)
    })
    server.on("secureConnection", (socket) => {
      socket.on("error", quiet)
      socket.on("data", (data) => {
        seen.bytes += data.length
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
    const seen = { connections: 0, bytes: 0 }
    const identity = { key: credentials.key, cert: credentials.certificate }
    const server = tls.createServer({ ...identity, requestCert: true, rejectUnauthorized: false }, (inner) => {
      const outer = tls.connect({ ...identity, host: "127.0.0.1", port: targetPort, rejectUnauthorized: false })
      joined(inner, outer, (bytes) => {
        seen.bytes += bytes
      })
    })
    server.on("connection", (socket) => {
      seen.connections += 1
      socket.once("close", onEnd)
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

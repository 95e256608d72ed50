/**
 * The far end of the bare measures, in a process of its own: `ws` without any of ours, and a TLS 1.3 server that asks for a
 * certificate and judges none. Says its two ports as one line of JSON, and ends when its standard input does.
 *
 * A message `mark…` is sent back; of the others every one on the path `/echo`, none elsewhere.
 */
import type { AddressInfo } from "node:net"
import { createServer } from "node:tls"
import * as Effect from "effect/Effect"
import { WebSocketServer } from "ws"
import { credentialsOf } from "../../adapters/tls/Certificate.ts"

const { certificate, key } = await Effect.runPromise(credentialsOf(new Uint8Array(32).fill(2)))

const ws = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false })
ws.on("connection", (socket, request) => {
  const echoes = request.url === "/echo"
  socket.on("message", (data: Buffer) => {
    const text = data.toString()
    if (echoes || text.startsWith("mark")) socket.send(text)
  })
})
const tls = createServer({
  cert: certificate,
  key,
  minVersion: "TLSv1.3",
  requestCert: true,
  rejectUnauthorized: false
})
tls.on("secureConnection", (socket) => socket.on("error", () => {}).resume())

const listening = (server: { once: (event: "listening", then: () => void) => unknown }): Promise<void> =>
  new Promise((done) => void server.once("listening", done))
const both = Promise.all([listening(ws), listening(tls)])
tls.listen(0, "127.0.0.1")
await both
console.log(JSON.stringify({ ws: (ws.address() as AddressInfo).port, tls: (tls.address() as AddressInfo).port }))
process.stdin.resume().on("end", () => process.exit(0))

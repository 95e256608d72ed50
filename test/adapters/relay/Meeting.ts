/** Relays and devices at them, in this process and on loopback; each ends with the test. */
import { createServer, type Server, type Socket } from "node:net"
import * as Effect from "effect/Effect"
import type { Duplex } from "node:stream"
import { fromSeed } from "../../../adapters/keys/Keys.ts"
import { Relays, type Place } from "../../../adapters/relay/Client.ts"
import { Relay, type Options } from "../../../adapters/relay/Relay.ts"
import { credentialsOf } from "../../../adapters/tls/Certificate.ts"

export const TOKEN = "a-token-of-this-test"

export const seedOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
export const keysOf = (byte: number) => fromSeed(seedOf(byte))!

const ends: Array<() => unknown> = []
export const onEnd = (end: () => unknown): void => void ends.push(end)
export const endAll = async (): Promise<void> => {
  for (const end of ends.splice(0).reverse()) await end()
}

export const eventually = async (what: string, is: () => boolean, limitMs = 5_000): Promise<void> => {
  const until = performance.now() + limitMs
  while (!is()) {
    if (performance.now() > until) throw new Error(`not within ${limitMs} ms: ${what}`)
    await new Promise((done) => setTimeout(done, 10))
  }
}

export const relayOf = async (byte: number, options: Partial<Options> = {}): Promise<Place & { relay: Relay }> => {
  const credentials = await Effect.runPromise(credentialsOf(seedOf(byte)))
  const relayId = keysOf(byte).deviceId
  const relay = new Relay({
    host: "127.0.0.1",
    port: 0,
    relayId,
    credentials,
    meshKeys: [],
    tokens: [TOKEN],
    ...options
  })
  const port = await relay.listen()
  onEnd(() => relay.close())
  return { relay, relayId, host: "127.0.0.1", port }
}

export const deviceOf = async (
  byte: number,
  relays: ReadonlyArray<Place>,
  how: { readonly token?: string | null; readonly grants?: ReadonlyArray<string> } = {}
) => {
  const notes: Array<string> = []
  const taken: Array<Duplex> = []
  let live: ReadonlyArray<string> = []
  const client = new Relays({
    relays,
    credentials: await Effect.runPromise(credentialsOf(seedOf(byte))),
    token: TOKEN,
    grants: [],
    ...how,
    accept: (tunnel) => taken.push(tunnel),
    changed: (ids) => void (live = ids),
    note: (_, text) => notes.push(text)
  })
  onEnd(() => client.close())
  client.start()
  const open = (to: number, relay = relays[0]!): Promise<Duplex | null> =>
    new Promise((done) => client.openTunnel(relay.relayId, keysOf(to).deviceId, done))
  return { client, notes, taken, open, live: () => live }
}

/** A plain server that does this with whoever comes, and remembers all that was said to it. */
export const strangerOf = async (act: (socket: Socket) => void): Promise<{ port: number; heard: () => string }> => {
  let heard = ""
  const server: Server = createServer((socket) => {
    socket.on("error", () => {})
    socket.on("data", (chunk) => (heard += chunk.toString("latin1")))
    act(socket)
    onEnd(() => socket.destroy())
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  onEnd(() => server.close())
  return { port: (server.address() as { port: number }).port, heard: () => heard }
}

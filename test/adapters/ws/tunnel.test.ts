/** What comes through a relay's tunnel is TLS or nothing, and is shown by the relay's address (PROTOCOL.md P21.6). */
import { duplexPair } from "node:stream"
import * as tls from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { WebSocket } from "ws"
import { credentialsOf } from "../../../adapters/tls/Certificate.ts"
import { tunnelOf } from "../../../kernel/links/Tunnel.ts"
import { deviceIdOfSeed, makeEnd, seedOf } from "./Ends.ts"

const via = tunnelOf("ef".repeat(32))

describe("a tunnel at the listener", () => {
  it.live("is cut off where plain text comes, and nobody is told of a link", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 2 })
      const [ours, theirs] = duplexPair()
      end.acceptTunnel(theirs, via)
      const ended = new Promise<void>((done) => theirs.once("close", done))
      ours.on("error", () => {})
      ours.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
      yield* Effect.promise(() => ended)
      assert.strictEqual(yield* Queue.size(end.inbox), 0)
      assert.strictEqual(end.counts().waiting, 0)
    })
  )

  it.live("carries pinned TLS and a WebSocket, and the link names the relay", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 2 })
      const [ours, theirs] = duplexPair()
      end.acceptTunnel(theirs, via)
      const { certificate, key } = yield* credentialsOf(seedOf(3))
      const socket = tls.connect({ socket: ours, key, cert: certificate, rejectUnauthorized: false })
      yield* Effect.promise(() => new Promise<void>((done) => socket.once("secureConnect", () => done())))
      const ws = new WebSocket("wss://tunnel.invalid/", { createConnection: () => socket })
      ws.on("error", () => {})
      const up = yield* end.next
      assert.isTrue(up._tag === "LinkUp")
      if (up._tag !== "LinkUp") return
      const { certificateUntil: _, ...path } = up.path!
      assert.deepStrictEqual(path, {
        security: "tls",
        proved: deviceIdOfSeed(3),
        remote: "public",
        address: via
      })
      assert.strictEqual(
        up.exporter,
        socket.exportKeyingMaterial(32, "EXPORTER-clawmesh", Buffer.alloc(0)).toString("base64url")
      )
      ws.terminate()
    })
  )
})

/** P1.7, P1.9: whoever answers a dial, it ends in one `LinkUp` or one `DialFailed`, in time, and for the right reason. */
import { createHash } from "node:crypto"
import * as net from "node:net"
import * as tls from "node:tls"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { credentialsOf } from "../../../adapters/tls/Certificate.ts"
import { expect } from "../../compliance/Pair.ts"
import { deviceIdOfSeed, makeEnd, seedOf } from "./Ends.ts"
import { BLIP, brokenBy, CLOSE, frameOf, TEXT } from "./Stranger.ts"
import { listening } from "./Wire.ts"

// Far longer than anything here takes, also where others keep the machine busy.
vi.setConfig({ testTimeout: 60_000 })

/** Far less than a test has, far more than loopback needs. */
const OPENING_MS = 3_000

const EMPTY_LINE = "\r\n\r\n"

const acceptOf = (request: string): string => {
  const key = /Sec-WebSocket-Key: (\S+)/iu.exec(request)?.[1] ?? ""
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")
}

const switching = (request: string, more = ""): string =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(request)}${more}${EMPTY_LINE}`

/** What a server does with an upgrade request once it has all of it. */
type Answer = (socket: net.Socket, request: string) => void

const answering =
  (answer: Answer) =>
  (socket: net.Socket): void => {
    let request = ""
    socket.on("error", () => {})
    socket.on("data", (data: Buffer) => {
      const before = request
      request += data.toString("latin1")
      if (!before.includes(EMPTY_LINE) && request.includes(EMPTY_LINE)) answer(socket, request)
    })
  }

const plainServer = (answer: Answer) => listening(net.createServer(answering(answer)))

/** Of device 2, so that the pin fits. */
const securedServer = Effect.fnUntraced(function* (answer: Answer, options: tls.TlsOptions = {}) {
  const { certificate, key } = yield* credentialsOf(seedOf(2))
  return yield* listening(tls.createServer({ key, cert: certificate, ...options }, answering(answer)))
})

const drip = (socket: net.Socket, text: string): void => {
  const dripping = setInterval(() => void socket.write(text), 20)
  socket.once("close", () => clearInterval(dripping))
}

/** Answers to an upgrade, over TCP or TLS alike. */
const answers: ReadonlyArray<readonly [string, "unreachable" | "timeout", Answer]> = [
  ["nothing", "timeout", () => {}],
  [
    "a header without end",
    "timeout",
    (socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nX: ")
      drip(socket, "a")
    }
  ],
  ["continue, for ever", "timeout", (socket) => drip(socket, `HTTP/1.1 100 Continue${EMPTY_LINE}`)],
  ["half an answer", "timeout", (socket, request) => socket.write(switching(request).slice(0, -2))],
  ["half an answer, and the end", "unreachable", (socket, request) => socket.end(switching(request).slice(0, -2))],
  ["the end", "unreachable", (socket) => socket.end()],
  ["garbage", "unreachable", (socket) => socket.write(Buffer.alloc(5_000, 0xa5))],
  ["a page", "unreachable", (socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2${EMPTY_LINE}hi`)],
  ["no", "unreachable", (socket) => socket.write(`HTTP/1.1 404 Not Found\r\nContent-Length: 0${EMPTY_LINE}`)],
  ["login first", "unreachable", (socket) => socket.write(`HTTP/1.1 401 No\r\nContent-Length: 0${EMPTY_LINE}`)],
  ["another's key", "unreachable", (socket) => socket.write(switching("Sec-WebSocket-Key: AAAA"))],
  [
    "a switch to something else",
    "unreachable",
    (socket, request) => socket.write(switching(request).replace("Upgrade: websocket", "Upgrade: h2c"))
  ],
  [
    "a subprotocol that nobody asked for",
    "unreachable",
    (socket, request) => socket.write(switching(request, "\r\nSec-WebSocket-Protocol: chat"))
  ],
  [
    "compression that nobody offered (P1.1)",
    "unreachable",
    (socket, request) => socket.write(switching(request, "\r\nSec-WebSocket-Extensions: permessage-deflate"))
  ],
  [
    "a header of 9 kB",
    "unreachable",
    (socket, request) => socket.write(switching(request, `\r\nX: ${"y".repeat(9_000)}`))
  ]
]

describe("whoever answers a dial", () => {
  for (const scheme of ["ws", "wss"] as const)
    it.live(`over ${scheme} with something else than a WebSocket has failed it, once`, () =>
      Effect.gen(function* () {
        const a = yield* makeEnd({ key: 1, limits: { openingMs: OPENING_MS } })
        const expected: Array<readonly [string, string]> = []
        for (const [attempt, [what, reason, answer]] of answers.entries()) {
          const port = yield* scheme === "ws" ? plainServer(answer) : securedServer(answer)
          yield* a.transport.dial(attempt, deviceIdOfSeed(2), `${scheme}://127.0.0.1:${port}`)
          expected.push([what, reason])
        }
        const seen = new Array<readonly [string, string]>(expected.length)
        for (let n = 0; n < expected.length; n++) {
          const { attempt, reason } = yield* expect(a, "DialFailed")
          assert.isUndefined(seen[attempt], `${expected[attempt]![0]} failed twice`)
          seen[attempt] = [expected[attempt]![0], reason]
        }
        assert.deepStrictEqual(seen, expected, JSON.stringify(seen))
        // None of them comes again: an honest link is the next thing.
        const b = yield* makeEnd({ key: 2 })
        yield* a.transport.dial(99, b.deviceId, b.address)
        assert.strictEqual((yield* expect(a, "LinkUp")).attempt, 99)
      })
    )

  it.live("with a redirection is not followed: the other place hears nothing", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      let heard = 0
      const other = yield* listening(net.createServer(() => void (heard += 1)))
      const port = yield* plainServer((socket) =>
        socket.end(`HTTP/1.1 301 There\r\nLocation: ws://127.0.0.1:${other}/\r\nContent-Length: 0${EMPTY_LINE}`)
      )
      yield* a.transport.dial(1, deviceIdOfSeed(2), `ws://127.0.0.1:${port}`)
      assert.strictEqual((yield* expect(a, "DialFailed")).reason, "unreachable")
      const b = yield* makeEnd({ key: 2 })
      yield* a.transport.dial(2, b.deviceId, b.address)
      yield* expect(a, "LinkUp")
      assert.strictEqual(heard, 0)
    })
  )

  it.live("before TLS is there: silence is a timeout, an end or a reset is unreachable", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1, limits: { openingMs: OPENING_MS } })
      const { certificate, key } = yield* credentialsOf(seedOf(2))
      const silent = yield* listening(net.createServer((socket) => void socket.on("error", () => {}).resume()))
      const ending = yield* listening(net.createServer((socket) => void socket.on("error", () => {}).end()))
      const resetting = yield* listening(
        net.createServer((socket) => void socket.once("data", () => socket.resetAndDestroy()))
      )
      // Half of a server's answer to the hello.
      const real = yield* listening(tls.createServer({ key, cert: certificate }))
      const half = yield* listening(
        net.createServer((socket) => {
          const outer = net.connect({ host: "127.0.0.1", port: real })
          socket.pipe(outer)
          socket.on("error", () => {}).on("close", () => outer.destroy())
          outer.on("error", () => {}).once("data", (data: Buffer) => socket.write(data.subarray(0, 200)))
        })
      )
      // It asks for a certificate that an authority of its own vouches for, and ours is not one.
      const strict = yield* securedServer(() => {}, { requestCert: true, rejectUnauthorized: true, ca: [] })
      const expected = new Map([
        [silent, "timeout"],
        [half, "timeout"],
        [ending, "unreachable"],
        [resetting, "unreachable"],
        [strict, "unreachable"]
      ])
      for (const port of expected.keys()) yield* a.transport.dial(port, deviceIdOfSeed(2), `wss://127.0.0.1:${port}`)
      const seen = new Map<number, string>()
      while (seen.size < expected.size) {
        const { attempt, reason } = yield* expect(a, "DialFailed")
        seen.set(attempt, reason)
      }
      for (const [port, reason] of expected) assert.strictEqual(seen.get(port), reason)
    })
  )

  it.live("with broken records after the handshake is unreachable: there was TLS", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      let wire: net.Socket | null = null
      const real = yield* securedServer(() => void wire?.write(Buffer.alloc(500, 0x17)))
      const port = yield* listening(
        net.createServer((inner) => {
          const outer = net.connect({ host: "127.0.0.1", port: real })
          wire = inner
          outer.on("error", () => {}).pipe(inner)
          inner.on("close", () => outer.destroy()).pipe(outer)
        })
      )
      yield* a.transport.dial(1, deviceIdOfSeed(2), `wss://127.0.0.1:${port}`)
      assert.strictEqual((yield* expect(a, "DialFailed")).reason, "unreachable")
    })
  )

  it.live("a server with TLS alone is unreachable to a plain dial", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      const port = yield* securedServer(() => {})
      yield* a.transport.dial(1, deviceIdOfSeed(2), `ws://127.0.0.1:${port}`)
      assert.strictEqual((yield* expect(a, "DialFailed")).reason, "unreachable")
    })
  )

  it.live("and speaks at once is heard from its first word, in order", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      const says = [
        frameOf(TEXT, BLIP, { masked: false }),
        frameOf(TEXT, "{", { masked: false }),
        frameOf(CLOSE, Buffer.of(3, 232), { masked: false })
      ]
      const port = yield* plainServer((socket, request) =>
        socket.write(Buffer.concat([Buffer.from(switching(request)), ...says]))
      )
      yield* a.transport.dial(1, deviceIdOfSeed(2), `ws://127.0.0.1:${port}`)
      const { link } = yield* expect(a, "LinkUp")
      assert.strictEqual((yield* expect(a, "Ignored")).link, link)
      assert.strictEqual((yield* expect(a, "Malformed")).code, "INVALID_JSON")
      assert.deepStrictEqual(yield* expect(a, "LinkDown"), { _tag: "LinkDown", link, reason: "closed" })
    })
  )

  it.live("P5.12: a node of ours states its nonce with each link, over ws and wss", () =>
    Effect.gen(function* () {
      for (const scheme of ["ws", "wss"] as const) {
        const [a, b] = [yield* makeEnd({ scheme, key: 1 }), yield* makeEnd({ scheme, key: 2 })]
        yield* a.transport.dial(1, b.deviceId, b.address)
        const { challenge } = yield* expect(a, "LinkUp")
        assert.strictEqual(challenge, (yield* expect(b, "LinkUp")).nonce)
      }
    })
  )

  it.live("P5.12: and states a nonce, states it with the link, as it is; one of an older version states none", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      for (const [header, challenge] of [
        ["\r\nClawMesh-Challenge: an answer to come", "an answer to come"],
        ["", undefined]
      ] as const) {
        const port = yield* plainServer((socket, request) => socket.write(switching(request, header)))
        yield* a.transport.dial(1, deviceIdOfSeed(2), `ws://127.0.0.1:${port}`)
        assert.strictEqual((yield* expect(a, "LinkUp")).challenge, challenge)
      }
    })
  )

  it.live("with masked frames, as only a dialler may, breaks the rules", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      const port = yield* plainServer((socket, request) =>
        socket.end(Buffer.concat([Buffer.from(switching(request)), frameOf(TEXT, BLIP)]))
      )
      yield* a.transport.dial(1, deviceIdOfSeed(2), `ws://127.0.0.1:${port}`)
      const { link } = yield* expect(a, "LinkUp")
      yield* brokenBy(a, link, "INVALID_JSON", "closed", "masked")
    })
  )

  it.live("an upgrade of ours is short, and offers nothing", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      let asked = ""
      const port = yield* plainServer((socket, request) => {
        asked = request
        socket.end()
      })
      yield* a.transport.dial(1, deviceIdOfSeed(2), `ws://127.0.0.1:${port}`)
      yield* expect(a, "DialFailed")
      assert.match(asked, /^GET \/ HTTP\/1\.1\r\n/u)
      assert.isBelow(asked.length, 300)
      assert.notMatch(asked, /extensions|protocol:|origin|user-agent/iu)
    })
  )
})

/** P1.1, P1.2, P5.10: what strangers send to the port. Nothing throws, and an honest peer gets through all the while. */
import * as net from "node:net"
import * as tls from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { MESSAGE_BYTES_MAX } from "../../../kernel/wire/Limits.ts"
import { expect } from "../../compliance/Pair.ts"
import { makeEnd, type RealEnd } from "./Ends.ts"
import { clientFrame, ended, rawSocket, UPGRADE } from "./Wire.ts"

const TEXT = 1
const BINARY = 2
const CONTINUATION = 0
const PONG = 10

/** The first bytes of a real hello, as a client of ours sends it. */
const tlsHello = Effect.callback<Buffer>((resume) => {
  const server = net.createServer((socket) => {
    socket.on("error", () => {})
    socket.once("data", (data) => {
      socket.destroy()
      server.close()
      resume(Effect.succeed(data as Buffer))
    })
  })
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as net.AddressInfo
    tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false }).on("error", () => {})
  })
})

/** An honest peer dials in, says something, and leaves. */
const honestPeerGetsThrough = Effect.fnUntraced(function* (end: RealEnd) {
  const peer = yield* makeEnd({ key: 3 })
  for (const scheme of ["ws", "wss"]) {
    yield* peer.transport.dial(1, end.deviceId, `${scheme}://127.0.0.1:${end.port}`)
    const { link } = yield* expect(peer, "LinkUp")
    yield* peer.transport.send(link, { type: "req", id: scheme, method: "mesh.challenge", params: {} })
    const accepted = yield* expect(end, "LinkUp")
    const { frame, link: heard } = yield* expect(end, "Received")
    assert.strictEqual(heard, accepted.link)
    assert.strictEqual(frame.type === "req" ? frame.id : "", scheme)
    yield* peer.transport.hangup(link, 1000, "done", false)
    assert.strictEqual((yield* expect(end, "LinkDown")).link, accepted.link)
  }
})

/** A stranger's open WebSocket, by hand. */
const openByHand = Effect.fnUntraced(function* (end: RealEnd) {
  const socket = yield* rawSocket(end.port)
  socket.write(UPGRADE)
  return { socket, link: (yield* expect(end, "LinkUp")).link }
})

describe("strangers at the port", () => {
  it.live("what is no upgrade ends: garbage, HTTP, floods of headers, broken hellos", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const hello = yield* tlsHello
      const broken = Buffer.from(hello)
      broken.fill(0xff, 12)
      const sends: ReadonlyArray<readonly [string, Buffer | string, RegExp]> = [
        ["garbage", Buffer.from([0, 1, 2, 3, 255, 254]), /^HTTP\/1\.1 400|^$/u],
        ["a byte order mark", "\uFEFFGET / HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400|^$/u],
        ["a page asked for", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 426 /u],
        ["something posted", "POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", /^HTTP\/1\.1 426 /u],
        ["a proxy asked for", "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n", /^$/u],
        ["HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", /^HTTP\/1\.1 400|^$/u],
        ["huge headers", `GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(100_000)}\r\n\r\n`, /^HTTP\/1\.1 431|^$/u],
        ["an upgrade to something else", UPGRADE.replace("websocket", "h2c"), /^HTTP\/1\.1 400 /u],
        ["an upgrade without a key", UPGRADE.replace(/Sec-WebSocket-Key.*\r\n/u, ""), /^HTTP\/1\.1 400 /u],
        ["an old version", UPGRADE.replace("Version: 13", "Version: 7"), /^HTTP\/1\.1 (400|426) /u],
        ["a broken hello", broken, /./su],
        ["TLS, and then none", Buffer.concat([Buffer.from([0x16]), Buffer.from("GET / HTTP/1.1\r\n\r\n")]), /./su]
      ]
      for (const [what, bytes, answers] of sends) {
        const socket = yield* rawSocket(end.port)
        socket.write(bytes)
        assert.match(yield* ended(socket), answers, what)
      }
      yield* honestPeerGetsThrough(end)
      assert.strictEqual(end.counts().late, 0)
    })
  )

  it.live("who stops half way, at any place, is cut off by the limit, and counted", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1, limits: { openingMs: 400 } })
      const hello = yield* tlsHello
      const beginnings = ["", "G", UPGRADE.slice(0, -2), hello.subarray(0, 1), hello.subarray(0, 60), hello]
      const sockets: Array<net.Socket> = []
      for (const bytes of beginnings) {
        const socket = yield* rawSocket(end.port)
        if (bytes.length > 0) socket.write(bytes)
        sockets.push(socket)
      }
      for (const socket of sockets) yield* ended(socket)
      assert.strictEqual(end.counts().late, beginnings.length)
      yield* honestPeerGetsThrough(end)
    })
  )

  it.live("a hello and an upgrade may come byte by byte", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const socket = yield* rawSocket(end.port)
      socket.setNoDelay(true)
      for (const byte of Buffer.from(UPGRADE)) {
        yield* Effect.callback<void>((resume) => void socket.write(Buffer.of(byte), () => resume(Effect.void)))
        yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
      }
      assert.strictEqual((yield* expect(end, "LinkUp")).path?.security, "plain")
      // The same through TLS, by a wire that cuts everything into single bytes.
      const server = net.createServer((inner) => {
        const outer = net.connect({ host: "127.0.0.1", port: end.port, noDelay: true })
        inner.on("error", () => outer.destroy()).on("close", () => outer.destroy())
        outer.on("error", () => inner.destroy()).on("close", () => inner.destroy())
        outer.pipe(inner)
        inner.on("data", (data: Buffer) => {
          for (const byte of data) outer.write(Buffer.of(byte))
        })
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.sync(() => void server.close())
      )
      const peer = yield* makeEnd({ key: 3 })
      const { port } = server.address() as net.AddressInfo
      yield* peer.transport.dial(1, end.deviceId, `wss://127.0.0.1:${port}`)
      assert.strictEqual((yield* expect(peer, "LinkUp")).path?.proved, end.deviceId)
      assert.strictEqual((yield* expect(end, "LinkUp")).path?.proved, peer.deviceId)
    })
  )

  it.live("200 silent connections do not keep an honest peer out: the oldest give way", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const sockets: Array<net.Socket> = []
      for (let i = 0; i < 200; i++) sockets.push(yield* rawSocket(end.port))
      yield* honestPeerGetsThrough(end)
      assert.isAtLeast(end.counts().displaced, 200 - 128)
      assert.strictEqual(end.counts().tooMany, 0)
      // The one that came first was the first to go.
      yield* ended(sockets[0]!)
      assert.isFalse(sockets.at(-1)!.destroyed)
    })
  )

  it.live("beyond the bound of connections newcomers are turned away, and there is room again when some leave", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1, limits: { inboundMax: 3 } })
      const open = [yield* openByHand(end), yield* openByHand(end), yield* openByHand(end)]
      assert.strictEqual(yield* ended(yield* rawSocket(end.port)), "")
      assert.strictEqual(end.counts().tooMany, 1)
      open[0]!.socket.destroy()
      assert.strictEqual((yield* expect(end, "LinkDown")).link, open[0]!.link)
      yield* honestPeerGetsThrough(end)
    })
  )

  it.live("connections that are reset at any moment leave nothing behind", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const hello = yield* tlsHello
      for (const bytes of ["", "G", UPGRADE.slice(0, 40), hello.subarray(0, 40), hello]) {
        const socket = yield* rawSocket(end.port)
        if (bytes.length > 0)
          yield* Effect.callback<void>((resume) => void socket.write(bytes, () => resume(Effect.void)))
        socket.resetAndDestroy()
      }
      const { link, socket } = yield* openByHand(end)
      socket.resetAndDestroy()
      assert.deepStrictEqual(yield* expect(end, "LinkDown"), { _tag: "LinkDown", link, reason: "reset" })
      yield* honestPeerGetsThrough(end)
    })
  )

  it.live(
    "whatever bytes a stranger sends, before or after the upgrade, its own link at most comes and goes",
    () =>
      Effect.gen(function* () {
        const end = yield* makeEnd({ key: 1, limits: { openingMs: 500 } })
        const hello = yield* tlsHello
        const beginnings = fc.constantFrom(Buffer.of(), Buffer.from(UPGRADE), hello, Buffer.of(0x16, 3, 1))
        const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 4 })
        for (const [beginning, rest] of fc.sample(fc.tuple(beginnings, pieces), { seed: 3, numRuns: 120 })) {
          const socket = yield* rawSocket(end.port)
          if (beginning.length > 0) socket.write(beginning)
          for (const piece of rest) socket.write(piece)
          socket.end()
          socket.resume()
          yield* ended(socket)
        }
        const open = new Set<number>()
        // An inbox has in it what came of them; a marker of our own ends the reading.
        const marker = yield* openByHandAmong(end, open)
        for (;;) {
          if (open.size === 1 && open.has(marker)) break
          const happened = yield* end.next
          if (happened._tag === "LinkDown") assert.isTrue(open.delete(happened.link))
          else assert.include(["Malformed", "Received", "Ignored"], happened._tag)
        }
      }),
    30_000
  )
})

/** Opens a link of our own at the end of what others did; keeps who is open. */
const openByHandAmong = Effect.fnUntraced(function* (end: RealEnd, open: Set<number>) {
  const peer = yield* makeEnd({ key: 4 })
  yield* peer.transport.dial(1, end.deviceId, `wss://127.0.0.1:${end.port}`)
  for (;;) {
    const happened = yield* end.next
    if (happened._tag === "LinkDown") assert.isTrue(open.delete(happened.link))
    if (happened._tag !== "LinkUp") continue
    open.add(happened.link)
    if (happened.path?.proved === peer.deviceId) return happened.link
  }
})

describe("messages that the wire forbids", () => {
  it.live("a message beyond a megabyte is refused by its header, unread: TOO_LARGE, and the link ends (P1.2)", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      for (const declared of [MESSAGE_BYTES_MAX + 1, 2 ** 31]) {
        const { link, socket } = yield* openByHand(end)
        socket.write(clientFrame(TEXT, Buffer.from("{"), declared))
        const malformed = yield* expect(end, "Malformed")
        assert.deepStrictEqual(malformed, { _tag: "Malformed", link, code: "TOO_LARGE", id: null, method: null })
        // Close code 1009, in a frame of the server's.
        socket.end()
        assert.include(yield* ended(socket), "\x88\x02\x03\xf1")
        assert.deepStrictEqual(yield* expect(end, "LinkDown"), { _tag: "LinkDown", link, reason: "too large" })
      }
    })
  )

  it.live("a message too large ends its link also where the far end stays", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1, limits: { goodbyeMs: 200 } })
      const { link, socket } = yield* openByHand(end)
      socket.write(clientFrame(TEXT, Buffer.from("{"), MESSAGE_BYTES_MAX + 1))
      yield* expect(end, "Malformed")
      assert.deepStrictEqual(yield* expect(end, "LinkDown"), { _tag: "LinkDown", link, reason: "too large" })
      yield* ended(socket)
    })
  )

  it.live("a message of exactly a megabyte is read, and many pieces that are more are not", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const { link, socket } = yield* openByHand(end)
      const frame = JSON.stringify({ type: "res", id: "1", ok: true, payload: { text: "" } })
      const text = frame.replace(`""`, `"${"x".repeat(MESSAGE_BYTES_MAX - frame.length)}"`)
      assert.strictEqual(Buffer.byteLength(text), MESSAGE_BYTES_MAX)
      socket.write(clientFrame(TEXT, Buffer.from(text)))
      assert.strictEqual((yield* expect(end, "Received")).link, link)
      const half = Buffer.alloc(MESSAGE_BYTES_MAX / 2 + 1, "x")
      socket.write(clientFrame(TEXT, half, half.length, false))
      socket.write(clientFrame(CONTINUATION, half))
      assert.strictEqual((yield* expect(end, "Malformed")).code, "TOO_LARGE")
    })
  )

  it.live("binary messages are INVALID_JSON, and the link goes on (P1.1)", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const { link, socket } = yield* openByHand(end)
      socket.write(clientFrame(BINARY, Buffer.from(`{"type":"event","event":"x"}`)))
      socket.write(clientFrame(TEXT, Buffer.from(`{"type":"event","event":"x"}`)))
      const malformed = yield* expect(end, "Malformed")
      assert.deepStrictEqual(malformed, { _tag: "Malformed", link, code: "INVALID_JSON", id: null, method: null })
      assert.deepStrictEqual(yield* expect(end, "Ignored"), { _tag: "Ignored", link, event: "x" })
    })
  )

  it.live("text passes the codec: refused with its code and its id, and the link goes on (P4.1)", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const { link, socket } = yield* openByHand(end)
      for (const text of ["{", `{"type":"req","id":"7","method":"nobody.knows"}`, "null"])
        socket.write(clientFrame(TEXT, Buffer.from(text)))
      const malformed = { _tag: "Malformed", link, id: null, method: null } as const
      assert.deepStrictEqual(yield* expect(end, "Malformed"), { ...malformed, code: "INVALID_JSON" })
      const unknown = yield* expect(end, "Malformed")
      assert.deepStrictEqual(unknown, { ...malformed, code: "UNKNOWN_METHOD", id: "7", method: "nobody.knows" })
      assert.deepStrictEqual(yield* expect(end, "Malformed"), { ...malformed, code: "INVALID_TYPE" })
    })
  )

  it.live("text that is not UTF-8, and frames that are none, are INVALID_JSON, and the link ends", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const unmasked = Buffer.from([0x81, 2, 0x7b, 0x7d])
      for (const bytes of [clientFrame(TEXT, Buffer.from([0xff, 0xfe])), clientFrame(5, Buffer.of()), unmasked]) {
        const { link, socket } = yield* openByHand(end)
        socket.end(bytes)
        socket.resume()
        assert.strictEqual((yield* expect(end, "Malformed")).code, "INVALID_JSON")
        assert.deepStrictEqual(yield* expect(end, "LinkDown"), { _tag: "LinkDown", link, reason: "closed" })
      }
    })
  )

  it.live("an answer to a ping that was not sent is nothing, and neither is a second one", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const { link, socket } = yield* openByHand(end)
      yield* end.transport.ping(link, 5)
      for (const payload of ["6", "05x", "", "5 ", "99999999999999999999", "5", "5"])
        socket.write(clientFrame(PONG, Buffer.from(payload)))
      socket.write(clientFrame(TEXT, Buffer.from(`{"type":"event","event":"x"}`)))
      assert.deepStrictEqual(yield* expect(end, "Ponged"), { _tag: "Ponged", link, probe: 5 })
      assert.strictEqual((yield* expect(end, "Ignored")).link, link)
    })
  )

  it.live("compression is not agreed to, whoever offers it (P1.1)", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const socket = yield* rawSocket(end.port)
      const offers = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
      socket.write(UPGRADE.replace("Sec-WebSocket-Version: 13", offers))
      yield* expect(end, "LinkUp")
      socket.end()
      const answer = yield* ended(socket)
      assert.match(answer, /^HTTP\/1\.1 101 /u)
      assert.notInclude(answer.toLowerCase(), "deflate")
    })
  )
})

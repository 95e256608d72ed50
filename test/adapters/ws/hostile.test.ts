/** P1.1, P1.2, P1.5, P1.9: what strangers send to the port. Nothing throws, every bound holds, and an honest peer is served. */
import * as net from "node:net"
import * as tls from "node:tls"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { expect } from "../../compliance/Pair.ts"
import { makeEnd } from "./Ends.ts"
import {
  BLIP,
  frameOf,
  honestPeerIsServed,
  openedBy,
  stranger,
  TEXT,
  tlsHello,
  tlsStranger,
  until,
  UPGRADE,
  type Stranger
} from "./Stranger.ts"
import { listening } from "./Wire.ts"

// Far longer than anything here takes, also where others keep the machine busy.
vi.setConfig({ testTimeout: 60_000 })

describe("strangers at the port", () => {
  it.live("what is no upgrade ends at once: garbage, HTTP, floods of headers, broken hellos", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const hello = yield* tlsHello
      const broken = Buffer.from(hello)
      broken.fill(0xff, 12)
      const sends: ReadonlyArray<readonly [string, Buffer | string, RegExp]> = [
        ["garbage", Buffer.from([0, 1, 2, 3, 255, 254]), /^(HTTP\/1\.1 400|$)/u],
        ["a byte order mark", "\uFEFFGET / HTTP/1.1\r\n\r\n", /^(HTTP\/1\.1 400|$)/u],
        ["a page asked for", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 426 /u],
        ["something posted", "POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", /^HTTP\/1\.1 426 /u],
        ["a proxy asked for", "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n", /^$/u],
        ["HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", /^(HTTP\/1\.1 400|$)/u],
        ["headers of 9 kB", UPGRADE.replace("Host: x", `Host: x\r\nX: ${"y".repeat(9_000)}`), /^(HTTP\/1\.1 431|$)/u],
        ["many headers", UPGRADE.replace("Host: x", `Host: x${"\r\nX: y".repeat(4_000)}`), /^(HTTP\/1\.1 431|$)/u],
        ["an upgrade to something else", UPGRADE.replace("websocket", "h2c"), /^HTTP\/1\.1 400 /u],
        ["an upgrade without a key", UPGRADE.replace(/Sec-WebSocket-Key.*\r\n/u, ""), /^HTTP\/1\.1 400 /u],
        ["an old version", UPGRADE.replace("Version: 13", "Version: 7"), /^HTTP\/1\.1 (400|426) /u],
        ["a broken hello", broken, /^(?!HTTP)/u],
        ["TLS, and then none", Buffer.concat([Buffer.of(0x16), Buffer.from("GET / HTTP/1.1\r\n\r\n")]), /^(?!HTTP)/u]
      ]
      for (const [what, bytes, answers] of sends) {
        const { gone, heard, say } = yield* stranger(end.port)
        yield* say(bytes)
        yield* gone
        assert.match(heard(), answers, what)
      }
      yield* honestPeerIsServed(end)
      assert.deepStrictEqual(end.counts(), { tooMany: 0, displaced: 0, late: 0, stalled: 0, waiting: 0 })
    })
  )

  it.live("headers of nearly 8 KiB are read: the bound is where it is said to be", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const { say } = yield* stranger(end.port)
      yield* say(UPGRADE.replace("Host: x", `Host: x\r\nX: ${"y".repeat(7_700)}`))
      yield* expect(end, "LinkUp")
    })
  )

  it.live("who stops half way, at any place, is cut off by the limit, and counted", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1, limits: { openingMs: 700 } })
      const hello = yield* tlsHello
      const startedMs = performance.now()
      const beginnings = ["", "G", UPGRADE.slice(0, -2), hello.subarray(0, 1), hello.subarray(0, 60), hello]
      const strangers: Array<Stranger> = []
      for (const bytes of beginnings) {
        const silent = yield* stranger(end.port)
        if (bytes.length > 0) yield* silent.say(bytes)
        strangers.push(silent)
      }
      for (const text of ["", UPGRADE.slice(0, 100)]) {
        const silent = yield* tlsStranger(end.port)
        if (text !== "") yield* silent.say(text)
        strangers.push(silent)
      }
      // An upgrade without end: within its bound of bytes, and never done.
      const endless = yield* stranger(end.port)
      yield* endless.say(UPGRADE.slice(0, -2))
      const drip = setInterval(() => void endless.socket.write("a"), 20)
      endless.socket.once("close", () => clearInterval(drip))
      strangers.push(endless)
      for (const { gone } of strangers) yield* gone
      assert.isAtLeast(performance.now() - startedMs, 700)
      assert.strictEqual(end.counts().late, strangers.length)
      yield* until("nobody is opening", () => end.counts().waiting === 0)
      // Not the limit of whoever is open.
      const open = yield* stranger(end.port)
      const link = yield* openedBy(end, open)
      yield* Effect.sleep(900)
      yield* open.say(frameOf(TEXT, BLIP))
      assert.strictEqual((yield* expect(end, "Ignored")).link, link)
      yield* honestPeerIsServed(end)
    })
  )

  it.live("a hello and an upgrade may come byte by byte", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const slow = yield* stranger(end.port)
      for (const byte of Buffer.from(UPGRADE)) {
        yield* slow.say(Buffer.of(byte))
        yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
      }
      assert.strictEqual((yield* expect(end, "LinkUp")).path?.security, "plain")
      // The same through TLS, by a wire that hands on single bytes.
      const server = net.createServer((inner) => {
        const outer = net.connect({ host: "127.0.0.1", port: end.port, noDelay: true })
        outer.on("error", () => inner.destroy()).on("close", () => inner.destroy())
        inner.on("close", () => outer.destroy())
        outer.pipe(inner)
        inner.on("data", (data: Buffer) => {
          for (const byte of data) outer.write(Buffer.of(byte))
        })
      })
      const peer = yield* makeEnd({ key: 3 })
      yield* peer.transport.dial(1, end.deviceId, `wss://127.0.0.1:${yield* listening(server)}`)
      assert.strictEqual((yield* expect(peer, "LinkUp")).path?.proved, end.deviceId)
      assert.strictEqual((yield* expect(end, "LinkUp")).path?.proved, peer.deviceId)
    })
  )

  it.live("TLS 1.3 is spoken, without renegotiation, and nothing older", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const modern = yield* tlsStranger(end.port, { minVersion: "TLSv1.2" })
      assert.strictEqual((modern.socket as tls.TLSSocket).getProtocol(), "TLSv1.3")
      const older = net.connect({ host: "127.0.0.1", port: end.port })
      const secured = yield* Effect.callback<boolean>((resume) => {
        const socket = tls.connect({ socket: older, maxVersion: "TLSv1.2", rejectUnauthorized: false })
        socket.once("secureConnect", () => resume(Effect.succeed(true)))
        socket.on("error", () => {}).once("close", () => resume(Effect.succeed(false)))
      })
      older.destroy()
      assert.isFalse(secured)
      yield* honestPeerIsServed(end)
    })
  )
})

describe("too many strangers", () => {
  it.live("of those that open, the oldest gives way to a newcomer, and an honest peer is one", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1, limits: { openingMax: 4 } })
      const silent: Array<Stranger> = []
      for (let n = 0; n < 6; n++) {
        silent.push(yield* stranger(end.port))
        yield* until("it was accepted", () => end.counts().waiting + end.counts().displaced === n + 1)
      }
      for (const { gone } of silent.slice(0, 2)) yield* gone
      assert.deepStrictEqual(
        silent.map(({ socket }) => socket.destroyed),
        [true, true, false, false, false, false]
      )
      assert.deepStrictEqual(end.counts(), { tooMany: 0, displaced: 2, late: 0, stalled: 0, waiting: 4 })
      yield* honestPeerIsServed(end)
      assert.deepStrictEqual(end.counts(), { tooMany: 0, displaced: 3, late: 0, stalled: 0, waiting: 3 })
    })
  )

  it.live("200 silent connections keep nobody out", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      for (let n = 0; n < 200; n++) yield* stranger(end.port)
      yield* honestPeerIsServed(end)
      yield* until("all were seen", () => end.counts().waiting + end.counts().displaced >= 200)
      assert.isAtMost(end.counts().waiting, 128)
      assert.strictEqual(end.counts().tooMany, 0)
    })
  )

  it.live("who is open gives way to nobody: beyond the bound newcomers are turned away, until some leave", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1, limits: { inboundMax: 3 } })
      const open: Array<Stranger & { readonly link: number }> = []
      for (let n = 0; n < 3; n++) {
        const one = yield* stranger(end.port)
        open.push({ ...one, link: yield* openedBy(end, one) })
      }
      const fourth = yield* stranger(end.port)
      yield* fourth.gone
      assert.strictEqual(fourth.heard(), "")
      assert.strictEqual(end.counts().tooMany, 1)
      for (const { link, say } of open) {
        yield* say(frameOf(TEXT, BLIP))
        assert.strictEqual((yield* expect(end, "Ignored")).link, link)
      }
      open[0]!.socket.destroy()
      assert.strictEqual((yield* expect(end, "LinkDown")).link, open[0]!.link)
      yield* honestPeerIsServed(end)
    })
  )

  it.live("connections that are reset at any moment leave nothing behind", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1, limits: { inboundMax: 5 } })
      const hello = yield* tlsHello
      for (const bytes of ["", "G", UPGRADE.slice(0, 40), hello.subarray(0, 40), hello]) {
        const { say, socket } = yield* stranger(end.port)
        yield* until("it was accepted", () => end.counts().waiting === 1)
        if (bytes.length > 0) yield* say(bytes)
        socket.resetAndDestroy()
        yield* until("it was seen to be gone", () => end.counts().waiting === 0)
      }
      const under = yield* stranger(end.port)
      yield* tlsStranger(end.port, { socket: under.socket })
      under.socket.resetAndDestroy()
      yield* until("it was seen to be gone", () => end.counts().waiting === 0)
      const half = frameOf(TEXT, BLIP).subarray(0, 9)
      for (const bytes of [Buffer.of(), half]) {
        const one = yield* stranger(end.port)
        const link = yield* openedBy(end, one)
        if (bytes.length > 0) yield* one.say(bytes)
        one.socket.resetAndDestroy()
        assert.deepStrictEqual(yield* expect(end, "LinkDown"), { _tag: "LinkDown", link, reason: "reset" })
      }
      yield* honestPeerIsServed(end)
      assert.deepStrictEqual(end.counts(), { tooMany: 0, displaced: 0, late: 0, stalled: 0, waiting: 0 })
    })
  )
})

describe("whatever bytes a stranger sends", () => {
  it.live("its own link at most comes and goes, and all that it leaves reads as what the kernel knows", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1, limits: { openingMs: 300 } })
      const hello = yield* tlsHello
      const beginnings = fc.constantFrom(Buffer.of(), Buffer.from(UPGRADE), hello, Buffer.of(0x16, 3, 1))
      const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 4 })
      for (const [beginning, rest] of fc.sample(fc.tuple(beginnings, pieces), { seed: 3, numRuns: 100 })) {
        const { gone, socket } = yield* stranger(end.port)
        for (const bytes of [beginning, ...rest]) if (bytes.length > 0) socket.write(bytes)
        socket.end()
        yield* gone
      }
      yield* until("nobody is opening", () => end.counts().waiting === 0)
      const peer = yield* makeEnd({ key: 4 })
      yield* peer.transport.dial(1, end.deviceId, `wss://127.0.0.1:${end.port}`)
      const open = new Set<number>()
      let links = 0
      let last: number | null = null
      while (last === null || open.size > 1) {
        const happened = yield* end.next
        if (happened._tag === "LinkUp") {
          links += 1
          open.add(happened.link)
          if (happened.path?.proved === peer.deviceId) last = happened.link
        } else if (happened._tag === "LinkDown") assert.isTrue(open.delete(happened.link))
        else {
          assert.include(["Malformed", "Received", "Ignored", "Ponged"], happened._tag)
          if ("link" in happened) assert.isTrue(open.has(happened.link))
        }
      }
      // Otherwise nothing was shown of what comes after an upgrade.
      assert.isAbove(links, 15)
      assert.deepStrictEqual([...open], [last])
    })
  )
})

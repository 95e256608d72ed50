/** B16, B19, P9.2: who is at the far end of a TLS link is known before anything of ours is sent. */
import * as tls from "node:tls"
import { webcrypto, X509Certificate } from "node:crypto"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { fromSeed } from "../../../adapters/keys/Keys.ts"
import { credentialsOf } from "../../../adapters/tls/Certificate.ts"
import { fingerprintOf } from "../../../adapters/tls/Pin.ts"
import { expect, type End } from "../../compliance/Pair.ts"
import { deviceIdOfSeed, makeEnd, seedOf } from "./Ends.ts"
import { until, UPGRADE } from "./Stranger.ts"
import { blindWire, countingServer, listening, manInTheMiddle } from "./Wire.ts"
import { createServer } from "node:http"
import { createServer as createTcpServer } from "node:net"

// Far longer than anything here takes, also where others keep the machine busy.
vi.setConfig({ testTimeout: 60_000 })

const loopback = (port: number): string => `wss://127.0.0.1:${port}`

/** A self-signed certificate of the device's own key, with other dates than ours have. */
const datedCertificate = async (byte: number, notBefore: Date, notAfter: Date): Promise<string> => {
  await import("reflect-metadata")
  const x509 = await import("@peculiar/x509")
  const algorithm = { name: "Ed25519" }
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seedOf(byte)])
  const raw = Buffer.from(fromSeed(seedOf(byte))!.publicKey, "base64url")
  const { subtle } = webcrypto
  const keys = {
    privateKey: await subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]),
    publicKey: await subtle.importKey("raw", raw, algorithm, true, ["verify"])
  }
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    { name: "CN=dated", notBefore, notAfter, signingAlgorithm: algorithm, keys },
    webcrypto as never
  )
  return certificate.toString("pem")
}

const dialFails = Effect.fnUntraced(function* (end: End, to: string, address: string, fingerprint?: string) {
  yield* end.transport.dial(1, to, address, fingerprint)
  const { attempt, reason } = yield* expect(end, "DialFailed")
  assert.strictEqual(attempt, 1)
  return reason
})

describe("a pinned dial", () => {
  it.live("another device answers: its server sees not one byte of ours", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      const mallory = yield* credentialsOf(seedOf(66))
      const gone = yield* Deferred.make<void>()
      const { port, seen } = yield* countingServer(
        { key: mallory.key, cert: mallory.certificate, minVersion: "TLSv1.3" },
        () => Deferred.doneUnsafe(gone, Effect.void)
      )
      assert.strictEqual(yield* dialFails(a, deviceIdOfSeed(2), loopback(port)), "pin mismatch")
      yield* Deferred.await(gone)
      assert.deepStrictEqual(seen, { connections: 1, bytes: 0 })
    })
  )

  it.live("the same server is believed when it is the device that was asked for: the bytes are counted at all", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      const mallory = yield* credentialsOf(seedOf(66))
      const { port, seen } = yield* countingServer({ key: mallory.key, cert: mallory.certificate }, () => {})
      yield* a.transport.dial(1, deviceIdOfSeed(66), loopback(port))
      yield* until("the upgrade was sent", () => seen.bytes > 100)
    })
  )

  it.live("a configured fingerprint is enough, in the spelling of any tool, and the key proves another device", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      const b = yield* makeEnd({ key: 2 })
      const certificate = new X509Certificate((yield* credentialsOf(seedOf(2))).certificate)
      const gen1 = deviceIdOfSeed(9)
      yield* a.transport.dial(1, gen1, loopback(b.port), `SHA256:${certificate.fingerprint256}`)
      assert.strictEqual((yield* expect(a, "LinkUp")).path?.proved, deviceIdOfSeed(2))
      yield* a.transport.dial(2, gen1, loopback(b.port), fingerprintOf(certificate))
      assert.strictEqual((yield* expect(a, "LinkUp")).attempt, 2)
    })
  )

  it.live("a configured fingerprint that does not fit is a mismatch, even where the key would fit", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      let gone = 0
      const two = yield* credentialsOf(seedOf(2))
      const { port, seen } = yield* countingServer({ key: two.key, cert: two.certificate }, () => (gone += 1))
      const wrongs = ["00".repeat(32), "no fingerprint", ""]
      for (const [index, wrong] of wrongs.entries()) {
        yield* a.transport.dial(index, deviceIdOfSeed(2), loopback(port), wrong)
        assert.strictEqual((yield* expect(a, "DialFailed")).reason, "pin mismatch", wrong)
      }
      yield* until("it has seen the last of them", () => gone === wrongs.length)
      assert.deepStrictEqual(seen, { connections: wrongs.length, bytes: 0 })
    })
  )

  it.live("dates are not looked at: a certificate that ran out, or is not valid yet, is as good as its key", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      for (const [attempt, [from, to]] of [
        ["1999-01-01", "2001-01-01"],
        ["2999-01-01", "3001-01-01"]
      ].entries()) {
        const cert = yield* Effect.promise(() => datedCertificate(2, new Date(from!), new Date(to!)))
        const { key } = yield* credentialsOf(seedOf(2))
        const { port, seen } = yield* countingServer({ key, cert }, () => {})
        yield* a.transport.dial(attempt, deviceIdOfSeed(3), loopback(port))
        assert.strictEqual((yield* expect(a, "DialFailed")).reason, "pin mismatch")
        assert.strictEqual(seen.bytes, 0)
        yield* a.transport.dial(attempt, deviceIdOfSeed(2), loopback(port))
        yield* until("the upgrade was sent", () => seen.bytes > 100)
        yield* a.transport.cancelDial(attempt)
        // Nor by an acceptor, of a dialler.
        yield* Effect.acquireRelease(
          Effect.sync(() => tls.connect({ host: "127.0.0.1", port: a.port, key, cert, rejectUnauthorized: false })),
          (socket) => Effect.sync(() => socket.destroy())
        ).pipe(Effect.tap((socket) => Effect.sync(() => socket.on("error", () => {}).write(UPGRADE))))
        const { path } = yield* expect(a, "LinkUp")
        assert.strictEqual(path?.proved, deviceIdOfSeed(2))
        assert.strictEqual(path?.certificateUntil, Date.parse(to!), "A35 and it is shown")
      }
    })
  )

  it.live("a server that wants our certificate and shows another identity's gets not one byte either", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      const ours = yield* credentialsOf(seedOf(1))
      const mallory = yield* credentialsOf(seedOf(66))
      const gone = yield* Deferred.make<void>()
      // It lets in nobody but us.
      const { port, seen } = yield* countingServer(
        { key: mallory.key, cert: mallory.certificate, ca: [ours.certificate], rejectUnauthorized: true },
        () => Deferred.doneUnsafe(gone, Effect.void)
      )
      assert.strictEqual(yield* dialFails(a, deviceIdOfSeed(2), loopback(port)), "pin mismatch")
      yield* Deferred.await(gone)
      assert.deepStrictEqual(seen, { connections: 1, bytes: 0 })
      // And it would have: to the dialler that means it, the upgrade goes out.
      yield* a.transport.dial(2, deviceIdOfSeed(66), loopback(port))
      yield* until("the upgrade was sent", () => seen.bytes > 100)
    })
  )

  it.live("a server without TLS, or with an older one only, is no tls", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      const plain = yield* listening(createServer((_, response) => void response.end("hello")))
      assert.strictEqual(yield* dialFails(a, deviceIdOfSeed(2), loopback(plain)), "no tls")
      const banner = yield* listening(
        createTcpServer((socket) => void socket.on("error", () => {}).end("220 hello\r\n"))
      )
      assert.strictEqual(yield* dialFails(a, deviceIdOfSeed(2), loopback(banner)), "no tls")
      const two = yield* credentialsOf(seedOf(2))
      const { port } = yield* countingServer({ key: two.key, cert: two.certificate, maxVersion: "TLSv1.2" }, () => {})
      assert.strictEqual(yield* dialFails(a, deviceIdOfSeed(2), loopback(port)), "no tls")
    })
  )

  it.live("an acceptor speaks TLS 1.3 or nothing", () =>
    Effect.gen(function* () {
      const { port } = yield* makeEnd({ key: 1 })
      const code = yield* Effect.callback<string>((resume) => {
        const socket = tls.connect({ host: "127.0.0.1", port, maxVersion: "TLSv1.2", rejectUnauthorized: false })
        socket.once("secureConnect", () => {
          socket.destroy()
          resume(Effect.succeed("connected"))
        })
        socket.once("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed(error.code ?? "")))
      })
      assert.match(code, /PROTOCOL_VERSION/u)
    })
  )
})

describe("what both ends of a TLS link know", () => {
  it.live("each proved its identity key to the other, and both have the same exporter, of this connection alone", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      const b = yield* makeEnd({ key: 2 })
      const exporters = new Set<string | null>()
      for (const attempt of [1, 2]) {
        yield* a.transport.dial(attempt, b.deviceId, loopback(b.port))
        const up = yield* expect(a, "LinkUp")
        const accepted = yield* expect(b, "LinkUp")
        const { certificateUntil, ...path } = up.path!
        assert.isAbove(certificateUntil!, Date.now())
        assert.deepStrictEqual(path, {
          security: "tls",
          proved: b.deviceId,
          remote: "loopback",
          address: `127.0.0.1:${b.port}`
        })
        assert.strictEqual(accepted.path?.proved, a.deviceId)
        assert.strictEqual(accepted.path?.security, "tls")
        assert.match(accepted.path?.address ?? "", /^127\.0\.0\.1:\d+$/u)
        assert.strictEqual(Buffer.from(up.exporter ?? "", "base64url").length, 32)
        assert.strictEqual(accepted.exporter, up.exporter)
        exporters.add(up.exporter)
      }
      assert.strictEqual(exporters.size, 2)
    })
  )

  it.live("on a plain link nobody proves anything, and there is no exporter", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      const b = yield* makeEnd({ key: 2 })
      yield* a.transport.dial(1, b.deviceId, b.address)
      for (const end of [a, b]) {
        const { exporter, path } = yield* expect(end, "LinkUp")
        assert.isNull(exporter)
        assert.strictEqual(path?.security, "plain")
        assert.isNull(path?.proved)
      }
    })
  )

  it.live("a client without a certificate may come, and has proved nothing", () =>
    Effect.gen(function* () {
      const b = yield* makeEnd({ key: 2 })
      const socket = yield* Effect.acquireRelease(
        Effect.sync(() => tls.connect({ host: "127.0.0.1", port: b.port, rejectUnauthorized: false })),
        (socket) => Effect.sync(() => socket.destroy())
      )
      socket.on("error", () => {})
      socket.write(
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
      )
      const { path } = yield* expect(b, "LinkUp")
      assert.strictEqual(path?.security, "tls")
      assert.isNull(path?.proved)
    })
  )
})

describe("the signing-oracle relay over TLS", () => {
  it.live("who takes TLS apart with a key of its own is refused, and reads nothing", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      const b = yield* makeEnd({ key: 2 })
      const mallory = yield* credentialsOf(seedOf(66))
      const gone = yield* Deferred.make<void>()
      const middle = yield* manInTheMiddle(mallory, b.port, () => Deferred.doneUnsafe(gone, Effect.void))
      assert.strictEqual(yield* dialFails(a, b.deviceId, loopback(middle.port)), "pin mismatch")
      yield* Deferred.await(gone)
      assert.deepStrictEqual(middle.seen, { connections: 1, bytes: 0 })
    })
  )

  it.live(
    "to a dialler that asks for the relay itself, the far side's acceptor sees the relay's key and another exporter",
    () =>
      Effect.gen(function* () {
        // P9.2: what is signed over one exporter cannot be carried to a link with another.
        const a = yield* makeEnd({ key: 1 })
        const b = yield* makeEnd({ key: 2 })
        const mallory = yield* credentialsOf(seedOf(66))
        const middle = yield* manInTheMiddle(mallory, b.port, () => {})
        yield* a.transport.dial(1, deviceIdOfSeed(66), loopback(middle.port))
        const up = yield* expect(a, "LinkUp")
        const accepted = yield* expect(b, "LinkUp")
        assert.strictEqual(accepted.path?.proved, deviceIdOfSeed(66))
        assert.notStrictEqual(accepted.exporter, up.exporter)
      })
  )

  it.live("who relays the bytes blindly is just a wire: both ends prove themselves, and it reads none of it", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      const b = yield* makeEnd({ key: 2 })
      const wire = yield* blindWire(b.port)
      yield* a.transport.dial(1, b.deviceId, loopback(wire.port))
      const up = yield* expect(a, "LinkUp")
      const accepted = yield* expect(b, "LinkUp")
      assert.strictEqual(up.path?.proved, b.deviceId)
      assert.strictEqual(accepted.path?.proved, a.deviceId)
      assert.strictEqual(accepted.exporter, up.exporter)
      yield* a.transport.send(up.link, { type: "res", id: "1", ok: true, payload: { text: "read me if you can" } })
      assert.strictEqual((yield* expect(b, "Received")).frame.type, "res")
      assert.isAbove(wire.carried().length, 1_000)
      for (const word of ["read me", "Upgrade", a.deviceId]) assert.notInclude(wire.carried(), word)
    })
  )
})

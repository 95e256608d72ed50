/** Somebody at the port, or behind one, who speaks bytes and not our protocol: frames by hand, and sockets that are not read. */
import * as net from "node:net"
import * as tls from "node:tls"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { expect, type Of } from "../../compliance/Pair.ts"
import { makeEnd, type RealEnd } from "./Ends.ts"

export const CONTINUATION = 0
export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

const MASK = [0x5a, 0xa5, 0x3c, 0xc3]

export interface FrameOptions {
  readonly fin?: boolean
  readonly masked?: boolean
  /** Other than what is there. */
  readonly declaredBytes?: number
  /** Reserved bits, as they stand in the first byte. */
  readonly reserved?: number
}

/** A WebSocket frame (RFC 6455 section 5.2), as a client sends it. */
export const frameOf = (opcode: number, payload: Buffer | string, options: FrameOptions = {}): Buffer => {
  const data = Buffer.from(payload)
  const { declaredBytes = data.length, fin = true, masked = true, reserved = 0 } = options
  const head = [opcode | reserved | (fin ? 0x80 : 0)]
  const mask = masked ? 0x80 : 0
  if (declaredBytes < 126) head.push(mask | declaredBytes)
  else if (declaredBytes < 65_536) head.push(mask | 126, declaredBytes >> 8, declaredBytes & 0xff)
  else {
    const length = Buffer.alloc(8)
    length.writeBigUInt64BE(BigInt(declaredBytes))
    head.push(mask | 127, ...length)
  }
  if (!masked) return Buffer.concat([Buffer.from(head), data])
  return Buffer.concat([Buffer.from(head), Buffer.from(MASK), data.map((byte, i) => byte ^ MASK[i % 4]!)])
}

/** An event that means nothing: it shows that a link is alive. */
export const BLIP = `{"type":"event","event":"blip"}`

export const UPGRADE =
  "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

export interface Stranger {
  readonly socket: net.Socket
  /** Everything that came, as Latin-1. */
  readonly heard: () => string
  /** Waits until the connection is gone. */
  readonly gone: Effect.Effect<void>
  readonly say: (bytes: Buffer | string) => Effect.Effect<void>
}

const strangerOn = (socket: net.Socket, reads: boolean): Stranger => {
  const chunks: Array<Buffer> = []
  socket.on("error", () => {})
  if (reads) socket.on("data", (chunk: Buffer) => chunks.push(chunk))
  return {
    socket,
    heard: () => Buffer.concat(chunks).toString("latin1"),
    gone: Effect.callback<void>((resume) => {
      if (socket.destroyed) return resume(Effect.void)
      socket.once("close", () => resume(Effect.void))
    }),
    say: (bytes) => Effect.callback<void>((resume) => void socket.write(bytes, () => resume(Effect.void)))
  }
}

const held = (make: () => net.Socket, ready: string, reads: boolean) =>
  Effect.acquireRelease(
    Effect.callback<Stranger>((resume) => {
      const socket = make()
      socket.setNoDelay(true)
      const stranger = strangerOn(socket, reads)
      socket.once(ready, () => resume(Effect.succeed(stranger)))
      socket.once("close", () => resume(Effect.succeed(stranger)))
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )

/** @param reads if not, what comes stays in the system's buffers */
export const stranger = (port: number, reads = true) =>
  held(() => net.connect({ host: "127.0.0.1", port }), "connect", reads)

export const tlsStranger = (port: number, options: tls.ConnectionOptions = {}) =>
  held(() => tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options }), "secureConnect", true)

/** A stranger's open WebSocket. */
export const openedBy = Effect.fnUntraced(function* (end: RealEnd, { say }: Pick<Stranger, "say">) {
  yield* say(UPGRADE)
  return (yield* expect(end, "LinkUp")).link
})

/** The first bytes of a real TLS hello. */
export const tlsHello = Effect.callback<Buffer>((resume) => {
  const server = net.createServer((socket) => {
    socket.on("error", () => {})
    socket.once("data", (data: Buffer) => {
      socket.destroy()
      server.close()
      resume(Effect.succeed(data))
    })
  })
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as net.AddressInfo
    tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false }).on("error", () => {})
  })
})

/** An honest peer dials in, plain and with TLS, is heard, and leaves. */
export const honestPeerIsServed = Effect.fnUntraced(function* (end: RealEnd) {
  const peer = yield* makeEnd({ key: 3 })
  for (const [attempt, scheme] of ["ws", "wss"].entries()) {
    yield* peer.transport.dial(attempt, end.deviceId, `${scheme}://127.0.0.1:${end.port}`)
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

/** Waits until it is so; what takes longer than anything here does not come. */
export const until = (what: string, isSo: () => boolean) =>
  Effect.gen(function* () {
    const giveUpAt = performance.now() + 15_000
    while (!isSo()) {
      if (performance.now() > giveUpAt) assert.fail(`never came about: ${what}`)
      yield* Effect.sleep(5)
    }
  })

/** What a link of a stranger's that broke the rules of WebSocket leaves behind. */
export const brokenBy = Effect.fnUntraced(function* (
  end: RealEnd,
  link: number,
  code: Of<"Malformed">["code"],
  reason: Of<"LinkDown">["reason"],
  what: string
) {
  assert.deepStrictEqual(
    yield* expect(end, "Malformed"),
    { _tag: "Malformed", link, code, id: null, method: null },
    what
  )
  assert.deepStrictEqual(yield* expect(end, "LinkDown"), { _tag: "LinkDown", link, reason }, what)
})

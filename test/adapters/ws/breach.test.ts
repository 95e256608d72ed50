/** P1.1, P1.2, P4.1: messages and frames that the wire forbids, from a far end whose WebSocket is open. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { FRAGMENTS_MAX } from "../../../adapters/ws/Limits.ts"
import { MESSAGE_BYTES_MAX } from "../../../kernel/wire/Limits.ts"
import { expect } from "../../compliance/Pair.ts"
import { makeEnd } from "./Ends.ts"
import {
  BINARY,
  BLIP,
  brokenBy,
  CLOSE,
  CONTINUATION,
  frameOf,
  honestPeerIsServed,
  openedBy,
  PING,
  PONG,
  stranger,
  TEXT,
  until,
  UPGRADE
} from "./Stranger.ts"

// Far longer than anything here takes, also where others keep the machine busy.
vi.setConfig({ testTimeout: 60_000 })

/** In a frame of the server's. */
const closeOf = (code: number): string => String.fromCharCode(code >> 8, code & 0xff)

describe("a message beyond a megabyte", () => {
  it.live("is refused by its header, unread: TOO_LARGE, 1009, and the link ends (P1.2)", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      for (const declaredBytes of [MESSAGE_BYTES_MAX + 1, 2 ** 31, 2 ** 53]) {
        const one = yield* stranger(end.port)
        const link = yield* openedBy(end, one)
        yield* one.say(frameOf(TEXT, "{", { declaredBytes }))
        one.socket.end()
        yield* brokenBy(end, link, "TOO_LARGE", "too large", String(declaredBytes))
        yield* one.gone
        assert.include(one.heard(), `\x88\x02${closeOf(1009)}`)
      }
      yield* honestPeerIsServed(end)
    })
  )

  it.live("ends its link also where the far end stays", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1, limits: { goodbyeMs: 200 } })
      const one = yield* stranger(end.port)
      const link = yield* openedBy(end, one)
      yield* one.say(frameOf(TEXT, "{", { declaredBytes: MESSAGE_BYTES_MAX + 1 }))
      yield* brokenBy(end, link, "TOO_LARGE", "too large", "it stays")
      yield* one.gone
    })
  )

  it.live("is not read as pieces either, and one of exactly a megabyte is", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const one = yield* stranger(end.port)
      const link = yield* openedBy(end, one)
      const frame = JSON.stringify({ type: "res", id: "1", ok: true, payload: { text: "" } })
      const text = Buffer.from(frame.replace(`""`, `"${"x".repeat(MESSAGE_BYTES_MAX - frame.length)}"`))
      assert.strictEqual(text.length, MESSAGE_BYTES_MAX)
      yield* one.say(frameOf(TEXT, text))
      assert.strictEqual((yield* expect(end, "Received")).link, link)
      // The same in two pieces, with a ping between them.
      yield* one.say(frameOf(TEXT, text.subarray(0, 1_000), { fin: false }))
      yield* one.say(frameOf(PING, "between"))
      yield* one.say(frameOf(CONTINUATION, text.subarray(1_000)))
      assert.strictEqual((yield* expect(end, "Received")).link, link)
      yield* one.say(frameOf(TEXT, text.subarray(0, MESSAGE_BYTES_MAX - 10), { fin: false }))
      yield* one.say(frameOf(CONTINUATION, "x".repeat(11)))
      one.socket.end()
      yield* brokenBy(end, link, "TOO_LARGE", "too large", "pieces")
    })
  )

  it.live("or one of more pieces than any sender needs is too large, and one of as many as may be is not", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const one = yield* stranger(end.port)
      const link = yield* openedBy(end, one)
      const piece = frameOf(CONTINUATION, " ", { fin: false })
      const pieces = (count: number): Buffer =>
        Buffer.concat([frameOf(TEXT, BLIP, { fin: false }), ...new Array<Buffer>(count - 1).fill(piece)])
      yield* one.say(pieces(FRAGMENTS_MAX - 1))
      yield* one.say(frameOf(CONTINUATION, " "))
      assert.strictEqual((yield* expect(end, "Ignored")).link, link)
      yield* one.say(pieces(FRAGMENTS_MAX + 1))
      one.socket.end()
      yield* brokenBy(end, link, "TOO_LARGE", "too large", "pieces")
      yield* honestPeerIsServed(end)
    })
  )
})

describe("a message that does not read", () => {
  it.live("as it is binary is INVALID_JSON, and the link goes on (P1.1)", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const one = yield* stranger(end.port)
      const link = yield* openedBy(end, one)
      yield* one.say(Buffer.concat([frameOf(BINARY, BLIP), frameOf(TEXT, BLIP)]))
      const malformed = yield* expect(end, "Malformed")
      assert.deepStrictEqual(malformed, { _tag: "Malformed", link, code: "INVALID_JSON", id: null, method: null })
      assert.deepStrictEqual(yield* expect(end, "Ignored"), { _tag: "Ignored", link, event: "blip" })
    })
  )

  it.live("to the codec is refused with its code and its id, and the link goes on (P4.1)", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const one = yield* stranger(end.port)
      const link = yield* openedBy(end, one)
      for (const text of ["{", "", `{"type":"req","id":"7","method":"nobody.knows"}`, "null"])
        yield* one.say(frameOf(TEXT, text))
      const malformed = { _tag: "Malformed", link, id: null, method: null } as const
      for (let n = 0; n < 2; n++)
        assert.deepStrictEqual(yield* expect(end, "Malformed"), { ...malformed, code: "INVALID_JSON" })
      const unknown = yield* expect(end, "Malformed")
      assert.deepStrictEqual(unknown, { ...malformed, code: "UNKNOWN_METHOD", id: "7", method: "nobody.knows" })
      assert.deepStrictEqual(yield* expect(end, "Malformed"), { ...malformed, code: "INVALID_TYPE" })
    })
  )
})

describe("frames that are none", () => {
  const breaches: ReadonlyArray<readonly [string, ReadonlyArray<Buffer>]> = [
    ["text that is not UTF-8", [frameOf(TEXT, Buffer.from([0xff, 0xfe]))]],
    [
      "text that stops within a character",
      [frameOf(TEXT, Buffer.from([0x22, 0xe2, 0x82]), { fin: false }), frameOf(CONTINUATION, `"`)]
    ],
    ["a frame without a mask", [frameOf(TEXT, BLIP, { masked: false })]],
    ["a reserved opcode", [frameOf(5, "")]],
    ["a reserved control opcode", [frameOf(11, "")]],
    ["a reserved bit", [frameOf(TEXT, BLIP, { reserved: 0x40 })]],
    ["a piece of nothing", [frameOf(CONTINUATION, BLIP)]],
    ["a message within a message", [frameOf(TEXT, "{", { fin: false }), frameOf(TEXT, BLIP)]],
    ["a ping in pieces", [frameOf(PING, "1", { fin: false })]],
    ["a ping of more than 125 bytes", [frameOf(PING, "x".repeat(126))]],
    ["a goodbye of one byte", [frameOf(CLOSE, "x")]],
    ...[0, 999, 1004, 1005, 1006, 1015, 2_999, 5_000, 65_535].map(
      (code) => [`a goodbye with ${code}`, [frameOf(CLOSE, Buffer.of(code >> 8, code & 0xff))]] as const
    ),
    ["a goodbye whose reason is not UTF-8", [frameOf(CLOSE, Buffer.of(3, 232, 0xff))]]
  ]

  it.live("are INVALID_JSON, what follows them is not read, and the link ends", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      for (const [what, frames] of breaches) {
        const one = yield* stranger(end.port)
        const link = yield* openedBy(end, one)
        yield* one.say(Buffer.concat([...frames, frameOf(TEXT, BLIP)]))
        one.socket.end()
        yield* brokenBy(end, link, "INVALID_JSON", "closed", what)
        yield* one.gone
      }
      yield* honestPeerIsServed(end)
    })
  )

  it.live("a goodbye with any code that may be sent, or none, is one; nothing is read behind it", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const goodbyes = [1000, 1001, 1008, 1011, 3_000, 4_999].map((code) => Buffer.of(code >> 8, code & 0xff))
      for (const payload of [Buffer.of(), ...goodbyes]) {
        const one = yield* stranger(end.port)
        const link = yield* openedBy(end, one)
        yield* one.say(Buffer.concat([frameOf(CLOSE, payload), frameOf(TEXT, BLIP), frameOf(CLOSE, payload)]))
        const down = yield* expect(end, "LinkDown")
        assert.deepStrictEqual(down, { _tag: "LinkDown", link, reason: "closed" })
        yield* one.gone
      }
      yield* honestPeerIsServed(end)
    })
  )

  it.live("who says goodbye and stays is gone after a while all the same", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1, limits: { goodbyeMs: 200 } })
      const one = yield* stranger(end.port)
      const link = yield* openedBy(end, one)
      one.socket.allowHalfOpen = true
      const saidMs = performance.now()
      yield* one.say(frameOf(CLOSE, Buffer.of(3, 232)))
      assert.deepStrictEqual(yield* expect(end, "LinkDown"), { _tag: "LinkDown", link, reason: "closed" })
      // It was waited for, so it did stay.
      assert.isAtLeast(performance.now() - saidMs, 150)
    })
  )
})

describe("pings of a stranger's", () => {
  it.live("are answered, with what they carry", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const one = yield* stranger(end.port)
      yield* openedBy(end, one)
      const word = (n: number): string => `ping${String(n).padStart(4, "0")}`
      for (let n = 0; n < 1_000; n += 50) {
        const lot = Array.from({ length: 50 }, (_, k) => frameOf(PING, word(n + k)))
        yield* one.say(Buffer.concat(lot))
        yield* until("they were answered", () => one.heard().endsWith(`\x8a\x08${word(n + 49)}`))
      }
      assert.strictEqual(one.heard().split("\x8a\x08ping").length, 1_001)
    })
  )

  it.live("whose answers are not read end its connection, after a bounded number of them", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const one = yield* stranger(end.port, false)
      const link = yield* openedBy(end, one)
      const lot = Buffer.concat(new Array<Buffer>(1_000).fill(frameOf(PING, "x".repeat(125))))
      const flood = (): void => {
        while (!one.socket.destroyed && one.socket.write(lot));
      }
      one.socket.on("drain", flood)
      flood()
      assert.deepStrictEqual(yield* expect(end, "LinkDown"), { _tag: "LinkDown", link, reason: "reset" })
      yield* honestPeerIsServed(end)
    })
  )

  it.live("an answer to a ping that was not sent is nothing, and neither is a second one", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const one = yield* stranger(end.port)
      const link = yield* openedBy(end, one)
      yield* end.transport.ping(link, 5)
      for (const payload of ["6", "05x", "", "5 ", "99999999999999999999", "5", "5"])
        yield* one.say(frameOf(PONG, payload))
      yield* one.say(frameOf(TEXT, BLIP))
      assert.deepStrictEqual(yield* expect(end, "Ponged"), { _tag: "Ponged", link, probe: 5 })
      assert.strictEqual((yield* expect(end, "Ignored")).link, link)
    })
  )
})

describe("compression", () => {
  it.live("is not agreed to, whoever offers it (P1.1)", () =>
    Effect.gen(function* () {
      const end = yield* makeEnd({ key: 1 })
      const one = yield* stranger(end.port)
      const offers = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
      yield* one.say(UPGRADE.replace("Sec-WebSocket-Version: 13", offers))
      yield* expect(end, "LinkUp")
      one.socket.end()
      yield* one.gone
      assert.match(one.heard(), /^HTTP\/1\.1 101 /u)
      assert.notInclude(one.heard().toLowerCase(), "deflate")
    })
  )
})

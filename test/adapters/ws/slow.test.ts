/** Far ends that read slowly, or not at all, and what our own full inbox does: nothing is lost, and nobody is waited for in vain. */
import * as net from "node:net"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { BACKLOG_BYTES } from "../../../kernel/links/Lanes.ts"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import { expect } from "../../compliance/Pair.ts"
import { makeEnd, type RealEnd } from "./Ends.ts"
import { BLIP, frameOf, honestPeerIsServed, openedBy, PONG, stranger, TEXT, until, UPGRADE } from "./Stranger.ts"
import { listening } from "./Wire.ts"

// Far longer than anything here takes, also where others keep the machine busy.
vi.setConfig({ testTimeout: 60_000 })

const DRAIN_MS = 600
/** Far longer than any test: what ends a link then is not this. */
const NEVER_MS = 600_000
const MEGABYTE = 1_000_000
/** Messages of a megabyte. */
const MANY = 16

const answer = (id: string, units: number): Frame => ({
  type: "res",
  id,
  ok: true,
  payload: { text: "x".repeat(units) }
})

const idOf = (frame: Frame): string => (frame.type === "event" ? "" : frame.id)

/** A wire that carries `bytesPerMs` in one direction, and everything at once in the other. */
const slowWire = (targetPort: number, bytesPerMs: number) =>
  listening(
    net.createServer({ pauseOnConnect: true }, (inner) => {
      const outer = net.connect({ host: "127.0.0.1", port: targetPort, noDelay: true })
      outer.on("error", () => inner.destroy()).on("close", () => inner.destroy())
      let allowance = 0
      let last = performance.now()
      const pace = setInterval(() => {
        const now = performance.now()
        allowance = Math.min(allowance + (now - last) * bytesPerMs, 100 * bytesPerMs)
        last = now
        while (allowance >= 1_024) {
          const chunk = inner.read(Math.min(inner.readableLength, Math.floor(allowance))) as Buffer | null
          if (chunk === null || chunk.length === 0) break
          allowance -= chunk.length
          outer.write(chunk)
        }
      }, 10)
      inner.on("close", () => {
        clearInterval(pace)
        outer.destroy()
      })
      inner.on("readable", () => {})
      outer.on("data", (data: Buffer) => inner.write(data))
    })
  )

/** The next thing that is not the answer to a question. */
const isDownBy = Effect.fnUntraced(function* (end: RealEnd, link: number, reason: string) {
  for (;;) {
    const happened = yield* end.next
    if (happened._tag === "Ignored") continue
    return assert.deepStrictEqual({ ...happened }, { _tag: "LinkDown", link, reason } as typeof happened)
  }
})

describe("a far end that reads", () => {
  for (const scheme of ["ws", "wss"] as const)
    it.live(`slowly but steadily is kept for as long as it takes, over ${scheme}`, () =>
      Effect.gen(function* () {
        const a = yield* makeEnd({ key: 1, limits: { drainMs: DRAIN_MS, bufferedBytesMax: 2 * MANY * MEGABYTE } })
        const b = yield* makeEnd({ key: 2 })
        // All of it takes eight times as long as may pass without progress, and more than the system takes at once.
        const port = yield* slowWire(b.port, 3_000)
        yield* a.transport.dial(1, b.deviceId, `${scheme}://127.0.0.1:${port}`)
        const { link } = yield* expect(a, "LinkUp")
        yield* expect(b, "LinkUp")
        const started = performance.now()
        for (let n = 0; n < MANY; n++) yield* a.transport.send(link, answer(String(n), MEGABYTE))
        for (let n = 0; n < MANY; n++) assert.strictEqual(idOf((yield* expect(b, "Received")).frame), String(n))
        assert.isAbove(performance.now() - started, 5 * DRAIN_MS)
        assert.strictEqual(a.counts().stalled, 0)
        yield* a.transport.ping(link, 7)
        assert.deepStrictEqual(yield* expect(a, "Ponged"), { _tag: "Ponged", link, probe: 7 })
      })
    )

  it.live(
    "P13.5: is told of: what waits for it, when it is more than 256 KiB and 1 MiB, and when half of it is left",
    () =>
      Effect.gen(function* () {
        const a = yield* makeEnd({ key: 1 })
        const b = yield* makeEnd({ key: 2 })
        const port = yield* slowWire(b.port, 3_000)
        yield* a.transport.dial(1, b.deviceId, `ws://127.0.0.1:${port}`)
        const { link } = yield* expect(a, "LinkUp")
        yield* expect(b, "LinkUp")
        for (const id of ["0", "1"]) yield* a.transport.send(link, answer(id, MEGABYTE))
        for (const id of ["0", "1"]) assert.strictEqual(idOf((yield* expect(b, "Received")).frame), id)
        yield* a.transport.ping(link, 1)
        yield* expect(a, "Ponged")
        const [more, most, less, none, ...rest] = a.backlogs
        assert.deepStrictEqual(rest, [])
        const [some, much] = BACKLOG_BYTES
        assert.isAbove(more!, some)
        assert.isAbove(most!, much)
        assert.isAtMost(less!, much / 2)
        assert.isAtMost(none!, some / 2)
        // Little is no news.
        yield* a.transport.send(link, answer("2", 200_000))
        yield* expect(b, "Received")
        yield* a.transport.ping(link, 2)
        yield* expect(a, "Ponged")
        assert.lengthOf(a.backlogs, 4)
      })
  )

  it.live("not at all is given up as timeout, and counted", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1, limits: { drainMs: DRAIN_MS } })
      const frozen = yield* stranger(a.port, false)
      const link = yield* openedBy(a, frozen)
      const started = performance.now()
      yield* a.transport.send(link, answer("1", MEGABYTE))
      yield* isDownBy(a, link, "timeout")
      assert.isAtLeast(performance.now() - started, DRAIN_MS)
      assert.strictEqual(a.counts().stalled, 1)
      yield* honestPeerIsServed(a)
    })
  )

  it.live("nothing, but has nothing to read, is left alone", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1, limits: { drainMs: 50 } })
      const frozen = yield* stranger(a.port, false)
      const link = yield* openedBy(a, frozen)
      yield* a.transport.send(link, answer("1", 100))
      yield* Effect.sleep(300)
      yield* frozen.say(frameOf(TEXT, BLIP))
      assert.strictEqual((yield* expect(a, "Ignored")).link, link)
      assert.strictEqual(a.counts().stalled, 0)
    })
  )

  it.live("nothing, while it talks and answers pings that it has not read, is given up as timeout", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1, limits: { drainMs: DRAIN_MS } })
      const deaf = yield* stranger(a.port, false)
      const link = yield* openedBy(a, deaf)
      let probe = 0
      const talking = setInterval(() => {
        deaf.socket.write(frameOf(TEXT, BLIP))
        for (const word of [String(probe), String((probe += 1)), ""]) deaf.socket.write(frameOf(PONG, word))
      }, 10)
      yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(talking)))
      assert.strictEqual((yield* expect(a, "Ignored")).link, link)
      yield* a.transport.send(link, answer("1", MEGABYTE))
      yield* isDownBy(a, link, "timeout")
      assert.strictEqual(a.counts().stalled, 1)
    })
  )

  it.live("and answers only the last of several pings is kept (RFC 6455 5.5.3)", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1, limits: { drainMs: DRAIN_MS } })
      const lazy = yield* stranger(a.port)
      const link = yield* openedBy(a, lazy)
      let answered = 0
      const answering = setInterval(() => {
        // A ping of a server's with a word of 12 characters; one in two or more is answered.
        const afterPings = lazy.heard().split("\x89\x0c").slice(1)
        const word = afterPings.at(-1)?.slice(0, 12)
        if (word?.length !== 12 || afterPings.length < answered + 2) return
        answered = afterPings.length
        lazy.socket.write(frameOf(PONG, word))
      }, 20)
      yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(answering)))
      yield* a.transport.send(link, answer("1", MEGABYTE))
      yield* a.transport.send(link, answer("2", MEGABYTE))
      yield* until("both messages came", () => lazy.heard().length > 2 * MEGABYTE)
      assert.strictEqual(a.counts().stalled, 0)
    })
  )

  it.live("too little of too much is given up at once", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1, limits: { drainMs: NEVER_MS, bufferedBytesMax: 2.5 * MEGABYTE } })
      const frozen = yield* stranger(a.port, false)
      const link = yield* openedBy(a, frozen)
      yield* a.transport.send(link, answer("1", MEGABYTE))
      yield* a.transport.send(link, answer("2", MEGABYTE))
      assert.strictEqual(a.counts().stalled, 0)
      yield* a.transport.send(link, answer("3", MEGABYTE))
      assert.strictEqual(a.counts().stalled, 1)
      yield* isDownBy(a, link, "timeout")
      yield* honestPeerIsServed(a)
    })
  )
})

describe("while this end stands still", () => {
  it.live("nobody is given up because the process slept", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1, limits: { drainMs: 200 } })
      const b = yield* makeEnd({ key: 2 })
      yield* a.transport.dial(1, b.deviceId, b.address)
      const { link } = yield* expect(a, "LinkUp")
      yield* expect(b, "LinkUp")
      for (const id of ["0", "1", "2"]) yield* a.transport.send(link, answer(id, MEGABYTE))
      const awakeAt = performance.now() + 1_000
      while (performance.now() < awakeAt);
      for (const id of ["0", "1", "2"]) assert.strictEqual(idOf((yield* expect(b, "Received")).frame), id)
      assert.strictEqual(a.counts().stalled, 0)
    })
  )

  it.live(
    "a full inbox stops the reading, loses nothing, keeps the order, and gives nobody up for our own silence",
    () =>
      Effect.gen(function* () {
        const a = yield* makeEnd({ key: 1, inboxMax: 10, limits: { drainMs: 200 } })
        const b = yield* makeEnd({ key: 2, limits: { drainMs: NEVER_MS, bufferedBytesMax: 64 * MEGABYTE } })
        const other = yield* stranger(a.port)
        yield* a.transport.dial(1, b.deviceId, b.address)
        const { link } = yield* expect(a, "LinkUp")
        const { link: back } = yield* expect(b, "LinkUp")
        const many = 4_000
        for (let n = 0; n < many; n++) yield* b.transport.send(back, answer(String(n), 5_000))
        yield* until("the inbox is full", () => Queue.isFullUnsafe(a.inbox))
        // Both directions wait now; b reads, and a does not see that it does.
        for (const id of ["0", "1", "2"]) yield* a.transport.send(link, answer(id, MEGABYTE))
        yield* other.say(UPGRADE)
        yield* Effect.sleep(1_000)
        assert.strictEqual(a.counts().stalled, 0)
        let received = 0
        let opened = false
        while (received < many || !opened) {
          const happened = yield* a.next
          if (happened._tag === "LinkUp") opened = true
          else if (happened._tag === "Received") assert.strictEqual(idOf(happened.frame), String(received++))
          else assert.fail(`nothing else was to come: ${happened._tag}`)
        }
        for (const id of ["0", "1", "2"]) assert.strictEqual(idOf((yield* expect(b, "Received")).frame), id)
        assert.strictEqual(a.counts().stalled, 0)
        yield* a.transport.ping(link, 3)
        assert.strictEqual((yield* expect(a, "Ponged")).probe, 3)
      })
  )
})

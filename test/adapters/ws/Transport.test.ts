/** How links and the whole transport end, whatever the far ends do; and what waits until it begins. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import { expect } from "../../compliance/Pair.ts"
import { makeEnd, type RealEnd } from "./Ends.ts"
import { BLIP, frameOf, honestPeerIsServed, openedBy, stranger, TEXT, tlsStranger, until, UPGRADE } from "./Stranger.ts"

// Far longer than anything here takes, also where others keep the machine busy.
vi.setConfig({ testTimeout: 60_000 })

const GOODBYE_MS = 400
/** Longer than any test may take. */
const NEVER_MS = 600_000
const MEGABYTE = 1_000_000

const answer = (id: string, units = MEGABYTE): Frame => ({
  type: "res",
  id,
  ok: true,
  payload: { text: "x".repeat(units) }
})

const idOf = (frame: Frame): string => (frame.type === "event" ? "" : frame.id)

const joined = Effect.fnUntraced(function* (a: RealEnd, b: RealEnd) {
  yield* a.transport.dial(1, b.deviceId, b.address)
  return { from: (yield* expect(a, "LinkUp")).link, to: (yield* expect(b, "LinkUp")).link }
})

/** Waits until an end that has room for one connection takes a new one: the old one is gone. */
const untilRoom = Effect.fnUntraced(function* (end: RealEnd) {
  for (;;) {
    const next = yield* stranger(end.port)
    yield* next.say(UPGRADE)
    yield* until("turned away, or open", () => next.socket.destroyed || next.heard().includes(" 101 "))
    if (next.heard() !== "") return yield* expect(end, "LinkUp")
  }
})

describe("a goodbye of ours", () => {
  it.live("is said behind all that waits, however much that is", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1 })
      const b = yield* makeEnd({ key: 2 })
      const { from, to } = yield* joined(a, b)
      for (const id of ["0", "1", "2", "3"]) yield* a.transport.send(from, answer(id))
      yield* a.transport.hangup(from, 1000, "done", false)
      yield* a.transport.send(from, answer("4"))
      for (const id of ["0", "1", "2", "3"]) assert.strictEqual(idOf((yield* expect(b, "Received")).frame), id)
      assert.deepStrictEqual(yield* expect(b, "LinkDown"), { _tag: "LinkDown", link: to, reason: "closed" })
    })
  )

  it.live("to a far end that does not read is over after a while, untold", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1, limits: { goodbyeMs: GOODBYE_MS, inboundMax: 1 } })
      const frozen = yield* stranger(a.port, false)
      const link = yield* openedBy(a, frozen)
      for (const id of ["0", "1", "2", "3"]) yield* a.transport.send(link, answer(id))
      yield* a.transport.hangup(link, 1000, "done", false)
      const { link: next } = yield* untilRoom(a)
      assert.strictEqual(next, link + 1)
      assert.isAbove(a.counts().tooMany, 0)
      assert.strictEqual(a.counts().stalled, 0)
    })
  )

  it.live("without a word ends the connection at once, whatever waits", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1, limits: { goodbyeMs: NEVER_MS, inboundMax: 1 } })
      const frozen = yield* stranger(a.port, false)
      const link = yield* openedBy(a, frozen)
      for (const id of ["0", "1", "2", "3"]) yield* a.transport.send(link, answer(id))
      yield* a.transport.hangup(link, 1000, "done", true)
      assert.strictEqual((yield* untilRoom(a)).link, link + 1)
    })
  )

  for (const abrupt of [false, true])
    it.live(`is ${abrupt ? "not said" : "said"} also while the inbox is full, and what comes then is not told`, () =>
      Effect.gen(function* () {
        // Neither end can wait the other out: the goodbye is answered, and the answer is read.
        const a = yield* makeEnd({ key: 1, inboxMax: 4, limits: { goodbyeMs: NEVER_MS } })
        const b = yield* makeEnd({ key: 2, limits: { goodbyeMs: NEVER_MS } })
        const { from, to } = yield* joined(a, b)
        const many = 400
        for (let n = 0; n < many; n++) yield* b.transport.send(to, answer(String(n), 8_000))
        yield* until("the inbox is full", () => Queue.isFullUnsafe(a.inbox))
        yield* a.transport.hangup(from, 1000, "done", abrupt)
        const down = yield* expect(b, "LinkDown")
        assert.deepStrictEqual(down, { _tag: "LinkDown", link: to, reason: abrupt ? "reset" : "closed" })
        // What had been told before it is there, in order, and the next thing is another link.
        yield* b.transport.dial(9, a.deviceId, a.address)
        let heard = 0
        for (;;) {
          const happened = yield* a.next
          if (happened._tag === "LinkUp") break
          if (happened._tag !== "Received") return assert.fail(`nothing else was to come: ${happened._tag}`)
          assert.strictEqual(idOf(happened.frame), String(heard++))
        }
        assert.isBelow(heard, many)
        assert.isAtLeast(heard, 4)
      })
    )
})

describe("a node that leaves", () => {
  it.live("is gone in time, whatever the far ends do, and so is its port", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1, limits: { goodbyeMs: GOODBYE_MS } })
      const b = yield* makeEnd({ key: 2 })
      const { from } = yield* joined(b, a)
      const frozen = [yield* stranger(a.port, false), yield* stranger(a.port, false)]
      for (const one of frozen) {
        const link = yield* openedBy(a, one)
        for (const id of ["0", "1", "2", "3"]) yield* a.transport.send(link, answer(id))
      }
      const silent = [yield* stranger(a.port), yield* tlsStranger(a.port)]
      yield* until("they are opening", () => a.counts().waiting === 2)
      const startedMs = performance.now()
      const halting = yield* Effect.forkChild(a.transport.halt)
      // Who is not open yet is cut off before the goodbyes, and does not become a link during them.
      for (const { gone } of silent) yield* gone
      assert.isUndefined(halting.pollUnsafe())
      yield* Fiber.join(halting)
      const tookMs = performance.now() - startedMs
      assert.isAtLeast(tookMs, GOODBYE_MS - 50)
      assert.isBelow(tookMs, GOODBYE_MS + 4_000)
      assert.deepStrictEqual(yield* expect(b, "LinkDown"), { _tag: "LinkDown", link: from, reason: "closed" })
      yield* b.transport.dial(2, a.deviceId, a.address)
      assert.strictEqual((yield* expect(b, "DialFailed")).reason, "refused")
    })
  )

  it.live("leaves at once where everybody answers, or nobody is there", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1, limits: { goodbyeMs: NEVER_MS } })
      const b = yield* makeEnd({ key: 2, limits: { goodbyeMs: NEVER_MS } })
      yield* joined(a, b)
      yield* a.transport.halt
      yield* expect(b, "LinkDown")
      yield* b.transport.halt
    })
  )

  it.live("cuts off everybody where its scope closes without goodbyes", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const a = yield* Scope.provide(makeEnd({ key: 1, limits: { goodbyeMs: NEVER_MS } }), scope)
      const b = yield* makeEnd({ key: 2 })
      const { from } = yield* joined(b, a)
      const dialled = yield* stranger(a.port)
      yield* a.transport.send(yield* openedBy(yield* drained(a), dialled), answer("0"))
      const silent = yield* stranger(a.port)
      const c = yield* makeEnd({ key: 3 })
      const { to: outbound } = yield* joined(a, c)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* expect(c, "LinkDown"), { _tag: "LinkDown", link: outbound, reason: "reset" })
      assert.deepStrictEqual(yield* expect(b, "LinkDown"), { _tag: "LinkDown", link: from, reason: "reset" })
      yield* dialled.gone
      yield* silent.gone
      yield* b.transport.dial(2, a.deviceId, a.address)
      assert.strictEqual((yield* expect(b, "DialFailed")).reason, "refused")
    })
  )
})

/** What was told so far is taken. */
const drained = (end: RealEnd) => Effect.as(Queue.clear(end.inbox), end)

describe("a node that does not listen yet", () => {
  it.live("lets them wait, and serves them when it does, whatever they sent meanwhile", () =>
    Effect.gen(function* () {
      const a = yield* makeEnd({ key: 1, listens: false })
      const early = yield* stranger(a.port)
      yield* early.say(Buffer.concat([Buffer.from(UPGRADE), frameOf(TEXT, BLIP)]))
      const left = yield* stranger(a.port)
      yield* left.say("G")
      yield* until("both came", () => a.counts().waiting === 2)
      left.socket.resetAndDestroy()
      assert.strictEqual(yield* Queue.size(a.inbox), 0)
      assert.strictEqual(early.heard(), "")
      yield* a.transport.listen
      const { link } = yield* expect(a, "LinkUp")
      assert.deepStrictEqual(yield* expect(a, "Ignored"), { _tag: "Ignored", link, event: "blip" })
      yield* until("the other is gone", () => a.counts().waiting === 0)
      yield* honestPeerIsServed(a)
    })
  )
})

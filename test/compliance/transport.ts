/**
 * What every `Transport` must do (kernel/Ports.ts), whatever it runs over. The real adapter and the simulated network pass the
 * same suite, so that what the simulator shows of the kernel holds for sockets.
 *
 * That something does not come is shown by a link opened afterwards: its `LinkUp` has to be the next thing at both ends.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Frame } from "../../kernel/wire/Frame.ts"
import { expect, type End, type MakePair, type Pair } from "./Pair.ts"

/** The n-th message of a test. */
const beat = (n: number): Frame => ({
  type: "event",
  event: "mesh.lead",
  payload: { term: { manifest: 1, counter: 1 }, beat: n }
})

const answer = (text: string): Frame => ({ type: "res", id: "1", ok: true, payload: { text } })

/** A little below the bound of a message, in bytes. */
const BIG_BYTES = 1_000_000
const MANY = 500

let attempts = 0

interface Joined {
  /** Link number at the dialler. */
  readonly from: number
  /** Link number at the acceptor. */
  readonly to: number
}

const join = Effect.fnUntraced(function* (dialler: End, acceptor: End) {
  const attempt = ++attempts
  yield* dialler.transport.dial(attempt, acceptor.deviceId, acceptor.address)
  const up = yield* expect(dialler, "LinkUp")
  const accepted = yield* expect(acceptor, "LinkUp")
  assert.strictEqual(up.attempt, attempt)
  assert.isNull(accepted.attempt)
  if (up.challenge !== undefined) assert.strictEqual(up.challenge, accepted.nonce, "P5.12: the other's nonce, or none")
  assert.notProperty(accepted, "challenge")
  return { from: up.link, to: accepted.link } satisfies Joined
})

/** Nothing else is to come at either end: a new link is the next thing at both, and it works. */
const nothingMore = Effect.fnUntraced(function* ({ a, b }: Pair) {
  const { from, to } = yield* join(a, b)
  yield* a.transport.send(from, beat(0))
  assert.strictEqual((yield* expect(b, "Received")).link, to)
  yield* b.transport.send(to, beat(0))
  assert.strictEqual((yield* expect(a, "Received")).link, from)
})

export const transportCompliance = (name: string, makePair: MakePair): void => {
  const rule = (title: string, body: (pair: Pair) => Effect.Effect<void>): void => {
    it.live(title, () => Effect.flatMap(makePair, body), 20_000)
  }

  describe(`${name} is a transport`, () => {
    rule("a dial opens a link at both ends, each with its own number, from 1", ({ a, b }) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* join(a, b), { from: 1, to: 1 })
        assert.deepStrictEqual(yield* join(b, a), { from: 2, to: 2 })
      })
    )

    rule("a link number is not given again after its link has ended", (pair) =>
      Effect.gen(function* () {
        const { a, b } = pair
        for (let n = 1; n <= 3; n++) {
          assert.deepStrictEqual(yield* join(a, b), { from: n, to: n })
          yield* a.transport.hangup(n, 1000, "enough", false)
          assert.strictEqual((yield* expect(b, "LinkDown")).link, n)
        }
      })
    )

    rule("each end has a nonce of its own, of 24 bytes (P5.1)", ({ a, b }) =>
      Effect.gen(function* () {
        const nonces = new Set<string>()
        for (let i = 0; i < 2; i++) {
          yield* a.transport.dial(++attempts, b.deviceId, b.address)
          for (const end of [a, b]) nonces.add((yield* expect(end, "LinkUp")).nonce)
        }
        assert.strictEqual(nonces.size, 4)
        for (const nonce of nonces) assert.strictEqual(Buffer.from(nonce, "base64url").length, 24)
      })
    )

    rule("frames arrive in the order in which they were sent, both ways at once", ({ a, b }) =>
      Effect.gen(function* () {
        const { from, to } = yield* join(a, b)
        for (let n = 0; n < MANY; n++) {
          yield* a.transport.send(from, beat(n))
          yield* b.transport.send(to, beat(MANY + n))
        }
        for (let n = 0; n < MANY; n++) {
          assert.deepStrictEqual(yield* expect(b, "Received"), { _tag: "Received", link: to, frame: beat(n) })
          assert.deepStrictEqual(yield* expect(a, "Received"), { _tag: "Received", link: from, frame: beat(MANY + n) })
        }
      })
    )

    rule("what two links carry is told apart", ({ a, b }) =>
      Effect.gen(function* () {
        const one = yield* join(a, b)
        const two = yield* join(b, a)
        yield* a.transport.send(two.to, beat(2))
        assert.deepStrictEqual(yield* expect(b, "Received"), { _tag: "Received", link: two.from, frame: beat(2) })
        yield* a.transport.send(one.from, beat(1))
        assert.deepStrictEqual(yield* expect(b, "Received"), { _tag: "Received", link: one.to, frame: beat(1) })
      })
    )

    rule("a frame of nearly a megabyte arrives whole", ({ a, b }) =>
      Effect.gen(function* () {
        const { from, to } = yield* join(a, b)
        const frame = answer("x".repeat(BIG_BYTES))
        yield* a.transport.send(from, frame)
        yield* a.transport.send(from, beat(1))
        assert.deepStrictEqual(yield* expect(b, "Received"), { _tag: "Received", link: to, frame })
        assert.deepStrictEqual((yield* expect(b, "Received")).frame, beat(1))
      })
    )

    rule("a ping is answered with its number, behind the frames that were sent before it", ({ a, b }) =>
      Effect.gen(function* () {
        const { from, to } = yield* join(a, b)
        for (const probe of [0, 7, Number.MAX_SAFE_INTEGER]) {
          yield* a.transport.ping(from, probe)
          assert.deepStrictEqual(yield* expect(a, "Ponged"), { _tag: "Ponged", link: from, probe })
        }
        yield* b.transport.send(to, beat(1))
        yield* b.transport.ping(to, 1)
        yield* expect(a, "Received")
        assert.deepStrictEqual(yield* expect(b, "Ponged"), { _tag: "Ponged", link: to, probe: 1 })
      })
    )

    for (const dialled of [true, false]) {
      rule(
        `a polite hangup by the ${dialled ? "dialler" : "acceptor"} flushes, and the other end alone is told`,
        (pair) =>
          Effect.gen(function* () {
            const { from, to } = yield* join(pair.a, pair.b)
            const [us, ours, them, theirs] = dialled ? [pair.a, from, pair.b, to] : [pair.b, to, pair.a, from]
            yield* us.transport.send(ours, answer("y".repeat(BIG_BYTES)))
            yield* us.transport.send(ours, beat(1))
            yield* us.transport.hangup(ours, 1000, "goodbye", false)
            assert.strictEqual((yield* expect(them, "Received")).frame.type, "res")
            assert.deepStrictEqual((yield* expect(them, "Received")).frame, beat(1))
            const down = yield* expect(them, "LinkDown")
            assert.deepStrictEqual(down, { _tag: "LinkDown", link: theirs, reason: "closed" })
            yield* nothingMore(pair)
          })
      )

      rule(`an abrupt hangup by the ${dialled ? "dialler" : "acceptor"} is a reset to the other end alone`, (pair) =>
        Effect.gen(function* () {
          const { from, to } = yield* join(pair.a, pair.b)
          const [us, ours, them, theirs] = dialled ? [pair.a, from, pair.b, to] : [pair.b, to, pair.a, from]
          yield* us.transport.hangup(ours, 1001, "enough", true)
          const down = yield* expect(them, "LinkDown")
          assert.deepStrictEqual(down, { _tag: "LinkDown", link: theirs, reason: "reset" })
          yield* nothingMore(pair)
        })
      )
    }

    rule("what arrives after our hangup, or crosses it, is not told", (pair) =>
      Effect.gen(function* () {
        const { a, b } = pair
        const { from, to } = yield* join(a, b)
        yield* b.transport.send(to, beat(1))
        yield* b.transport.ping(to, 1)
        yield* a.transport.hangup(from, 1000, "goodbye", false)
        yield* b.transport.send(to, beat(2))
        // The ping may have been answered before the goodbye.
        let last = yield* b.next
        if (last._tag === "Ponged") last = yield* b.next
        assert.deepStrictEqual(last, { _tag: "LinkDown", link: to, reason: "closed" })
        yield* nothingMore(pair)
      })
    )

    rule("both ends may hang up at once, and neither is told", (pair) =>
      Effect.gen(function* () {
        const { a, b } = pair
        const { from, to } = yield* join(a, b)
        yield* a.transport.hangup(from, 1000, "goodbye", false)
        yield* b.transport.hangup(to, 1000, "goodbye", false)
        yield* nothingMore(pair)
      })
    )

    rule("frames, pings and hangups on links that have ended, or never were, do nothing", (pair) =>
      Effect.gen(function* () {
        const { a, b } = pair
        const { from, to } = yield* join(a, b)
        yield* a.transport.hangup(from, 1000, "goodbye", false)
        yield* expect(b, "LinkDown")
        for (const [end, link] of [
          [a, from],
          [b, to],
          [a, 99],
          [b, 0]
        ] as const) {
          yield* end.transport.send(link, beat(1))
          yield* end.transport.ping(link, 1)
          yield* end.transport.hangup(link, 1000, "again", false)
          yield* end.transport.hangup(link, 1000, "again", true)
        }
        yield* nothingMore(pair)
      })
    )

    rule("a port on which nobody listens refuses, once", (pair) =>
      Effect.gen(function* () {
        const attempt = ++attempts
        yield* pair.a.transport.dial(attempt, pair.b.deviceId, pair.nowhere)
        const failed = yield* expect(pair.a, "DialFailed")
        assert.deepStrictEqual(failed, { _tag: "DialFailed", attempt, reason: "refused" })
        yield* nothingMore(pair)
      })
    )

    rule("an address that does not read is unreachable", (pair) =>
      Effect.gen(function* () {
        const attempt = ++attempts
        yield* pair.a.transport.dial(attempt, pair.b.deviceId, "nobody at all")
        const failed = yield* expect(pair.a, "DialFailed")
        assert.deepStrictEqual(failed, { _tag: "DialFailed", attempt, reason: "unreachable" })
        yield* nothingMore(pair)
      })
    )

    rule("of a dial that is cancelled the dialler hears no more, and no link of it stays with the acceptor", (pair) =>
      Effect.gen(function* () {
        const { a, b } = pair
        const attempt = ++attempts
        yield* a.transport.dial(attempt, b.deviceId, b.address)
        yield* a.transport.cancelDial(attempt)
        yield* a.transport.cancelDial(attempt)
        const kept = ++attempts
        yield* a.transport.dial(kept, b.deviceId, b.address)
        const up = yield* expect(a, "LinkUp")
        assert.strictEqual(up.attempt, kept)
        yield* a.transport.send(up.link, beat(1))
        // The acceptor may have seen the cancelled one open; then it sees it end.
        const open = new Set<number>()
        let heard: number | null = null
        while (heard === null || open.size > 1) {
          const happened = yield* b.next
          if (happened._tag === "LinkUp") open.add(happened.link)
          else if (happened._tag === "LinkDown") assert.isTrue(open.delete(happened.link))
          else if (happened._tag === "Received") heard = happened.link
          else assert.fail(`nothing else was to come: ${happened._tag}`)
        }
        assert.deepStrictEqual([...open], [heard])
        yield* nothingMore(pair)
      })
    )

    rule("cancelling a dial that has opened leaves its link alone", (pair) =>
      Effect.gen(function* () {
        const { a, b } = pair
        const { from, to } = yield* join(a, b)
        yield* a.transport.cancelDial(attempts)
        yield* a.transport.send(from, beat(1))
        assert.strictEqual((yield* expect(b, "Received")).link, to)
      })
    )

    rule("halt flushes, ends every link politely, and takes no more connections", ({ a, b }) =>
      Effect.gen(function* () {
        const one = yield* join(a, b)
        const two = yield* join(b, a)
        yield* b.transport.send(one.to, answer("z".repeat(BIG_BYTES)))
        yield* b.transport.send(two.from, beat(1))
        yield* b.transport.halt
        const down = new Set<number>()
        const heard = new Set<number>()
        while (down.size < 2) {
          const happened = yield* a.next
          if (happened._tag === "Received") heard.add(happened.link)
          else if (happened._tag === "LinkDown" && happened.reason === "closed") down.add(happened.link)
          else assert.fail(`neither a frame nor a goodbye: ${JSON.stringify(happened)}`)
        }
        assert.deepStrictEqual(heard, new Set([one.from, two.to]))
        assert.deepStrictEqual(down, heard)
        const attempt = ++attempts
        yield* a.transport.dial(attempt, b.deviceId, b.address)
        const failed = yield* expect(a, "DialFailed")
        assert.deepStrictEqual(failed, { _tag: "DialFailed", attempt, reason: "refused" })
      })
    )
  })
}

import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { NEVER_MS } from "../../../kernel/Time.ts"
import { Agenda, type Handle } from "../../../sim/engine/Agenda.ts"

/** The obvious queue: an array kept in order, to compare with. */
class Model {
  nowMs = 0
  private waiting: ReadonlyArray<{ readonly atMs: number; readonly id: number }> = []
  get size() {
    return this.waiting.length
  }
  push(atMs: number, id: number) {
    const place = this.waiting.findIndex((other) => other.atMs > atMs)
    const at = place === -1 ? this.waiting.length : place
    this.waiting = [...this.waiting.slice(0, at), { atMs, id }, ...this.waiting.slice(at)]
  }
  cancel(id: number): boolean {
    const before = this.waiting.length
    this.waiting = this.waiting.filter((event) => event.id !== id)
    return this.waiting.length < before
  }
  next() {
    const [first, ...rest] = this.waiting
    this.waiting = rest
    if (first !== undefined) this.nowMs = first.atMs
    return first
  }
  peekMs() {
    return this.waiting[0]?.atMs ?? NEVER_MS
  }
  fork(): Model {
    const copy = new Model()
    copy.nowMs = this.nowMs
    copy.waiting = this.waiting
    return copy
  }
}

interface Pair {
  readonly agenda: Agenda<number>
  readonly model: Model
  readonly handles: Array<readonly [handle: Handle, id: number]>
}

const assertSameNext = ({ agenda, model }: Pair): boolean => {
  assert.strictEqual(agenda.size, model.size)
  assert.strictEqual(agenda.peekMs(), model.peekMs())
  const expected = model.next()
  const before = { atMs: agenda.atMs, payload: agenda.payload }
  const took = agenda.next()
  assert.strictEqual(took, expected !== undefined)
  const found = { atMs: agenda.atMs, payload: agenda.payload }
  assert.deepStrictEqual(found, expected === undefined ? before : { atMs: expected.atMs, payload: expected.id })
  return took
}

const delay = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 3 }) },
  { weight: 3, arbitrary: fc.nat({ max: 200 }) },
  { weight: 2, arbitrary: fc.integer({ min: 8_185, max: 8_200 }) },
  { weight: 2, arbitrary: fc.integer({ min: 16_380, max: 16_390 }) },
  { weight: 1, arbitrary: fc.nat({ max: 1_000_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 2 ** 31 - 5, max: 2 ** 33 }) }
)

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("push" as const), delay, times: fc.integer({ min: 1, max: 3 }) })
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("next" as const), times: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("cancel" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fork" as const), goOnWithCopy: fc.boolean() }) }
)

const waiting = (...delays: ReadonlyArray<number>) => {
  const agenda = new Agenda<string>()
  for (const [i, atMs] of delays.entries()) agenda.push(atMs, `${atMs}#${i}`)
  return agenda
}

const drained = <A>(agenda: Agenda<A>): ReadonlyArray<A | undefined> => {
  const out = []
  while (agenda.next()) out.push(agenda.payload)
  return out
}

describe("Agenda", () => {
  it("does what a sorted array does, whatever is pushed, cancelled, taken and forked", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 150, size: "max" }), (operations) => {
        let current: Pair = { agenda: new Agenda(), model: new Model(), handles: [] }
        const left: Array<Pair> = []
        let id = 0
        for (const op of operations) {
          const { agenda, model, handles } = current
          if (op.do === "push") {
            for (let i = 0; i < op.times; i++) {
              const atMs = model.nowMs + op.delay
              handles.push([agenda.push(atMs, id), id])
              model.push(atMs, id++)
            }
          } else if (op.do === "next") {
            for (let i = 0; i < op.times; i++) assertSameNext(current)
          } else if (op.do === "cancel") {
            const target = handles[op.which % Math.max(1, handles.length)]
            if (target !== undefined) assert.strictEqual(agenda.cancel(target[0]), model.cancel(target[1]))
          } else {
            const copy: Pair = { agenda: agenda.fork(), model: model.fork(), handles: [...handles] }
            left.push(op.goOnWithCopy ? current : copy)
            if (op.goOnWithCopy) current = copy
          }
        }
        for (const pair of [current, ...left]) while (assertSameNext(pair));
      }),
      { seed: 20, numRuns: 400 }
    )
  })

  it("takes equal times in the order of pushing, also when the first waited in the heap and the second did not", () => {
    const agenda = new Agenda<string>()
    agenda.push(10_000, "early, from far")
    agenda.push(10_000, "also from far")
    agenda.push(5_000, "on the way")
    agenda.next()
    agenda.push(10_000, "late, from near")
    assert.deepStrictEqual(drained(agenda), ["early, from far", "also from far", "late, from near"])
  })

  it("takes what is pushed to the millisecond that is being drained after what is already there", () => {
    const agenda = waiting(7, 7)
    agenda.next()
    agenda.push(7, "now")
    assert.deepStrictEqual(drained(agenda), ["7#1", "now"])
    assert.strictEqual(agenda.atMs, 7)
  })

  it("finds the next event across every distance within and beyond the wheel", () => {
    for (let start = 0; start < 8_192; start += 1_021) {
      for (const gap of [1, 31, 32, 33, 1_023, 1_024, 4_096, 8_160, 8_191, 8_192, 8_193, 100_000]) {
        const agenda = waiting(start, start + gap)
        agenda.next()
        assert.strictEqual(agenda.peekMs(), start + gap)
        assert.isTrue(agenda.next())
        assert.strictEqual(agenda.atMs, start + gap)
      }
    }
  })

  it("refuses the past, fractions, NaN and the time that never comes, as defects", () => {
    const agenda = waiting(10)
    agenda.next()
    for (const atMs of [9, 10.5, Number.NaN, -1, Number.POSITIVE_INFINITY, NEVER_MS]) {
      assert.throws(() => agenda.push(atMs, "x"), /Agenda\.push/)
    }
    assert.strictEqual(agenda.size, 0)
    agenda.push(10, "now is not the past")
    assert.strictEqual(agenda.size, 1)
  })

  it("a spent or cancelled handle cancels nothing, though its entry is in use again", () => {
    const agenda = new Agenda<string>()
    const spent = agenda.push(1, "spent")
    agenda.next()
    const cancelled = agenda.push(2, "cancelled")
    assert.isTrue(agenda.cancel(cancelled))
    agenda.push(3, "lives")
    for (const handle of [spent, cancelled, -1, 0.5, Number.NaN, 1e15, NEVER_MS]) assert.isFalse(agenda.cancel(handle))
    assert.deepStrictEqual(drained(agenda), ["lives"])
  })

  it("gives no handle twice", () => {
    const agenda = new Agenda<number>()
    const seen = new Set<Handle>()
    for (let i = 0; i < 10_000; i++) {
      const handle = agenda.push(agenda.atMs + (i % 5), i)
      assert.isFalse(seen.has(handle))
      seen.add(handle)
      if (i % 3 === 0) agenda.cancel(handle)
      else if (i % 3 === 1) agenda.next()
    }
  })

  it("a far alarm that is set again and again leaves nothing behind", () => {
    const agenda = new Agenda<number>()
    const once = JSON.stringify(agenda).length
    let handle = agenda.push(1_000_000, 0)
    for (let i = 1; i <= 100_000; i++) {
      agenda.cancel(handle)
      handle = agenda.push(1_000_000 + (i % 7), i)
    }
    assert.strictEqual(agenda.size, 1)
    assert.isBelow(JSON.stringify(agenda).length, once + 100)
    assert.deepStrictEqual(drained(agenda), [100_000])
  })

  it("grows: a hundred thousand events wait at once, and come out in order", () => {
    const agenda = new Agenda<number>()
    const count = 100_000
    // 7919 is prime to the count, so each time occurs once, in a scattered order.
    for (let i = 0; i < count; i++) agenda.push((i * 7919) % count, (i * 7919) % count)
    for (let i = 0; i < count; i++) {
      assert.isTrue(agenda.next())
      if (agenda.payload !== i || agenda.atMs !== i) assert.fail(`event ${i} was ${agenda.payload} at ${agenda.atMs}`)
    }
    assert.isFalse(agenda.next())
  })
})

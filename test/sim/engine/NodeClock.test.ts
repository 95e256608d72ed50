/** A node's clocks: what they show, and when they will show it. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { EPOCH_MS, NodeClock } from "../../../sim/engine/NodeClock.ts"

const changes = fc.array(
  fc.record({ afterMs: fc.integer({ min: 1, max: 100_000 }), ppm: fc.integer({ min: -900_000, max: 9_000_000 }) }),
  { maxLength: 6 }
)

/** Its rate changes so often; with the true time of the last change. */
const changed = (list: ReadonlyArray<{ readonly afterMs: number; readonly ppm: number }>, ppm: number) => {
  let clock = NodeClock.make(0, ppm).booted(0, 5_000)
  let nowMs = 0
  for (const change of list) {
    nowMs += change.afterMs
    clock = clock.rated(nowMs, change.ppm)
  }
  return { clock, nowMs }
}

describe("the clock of a node", () => {
  it("trueMs is the first moment at which mono shows it, across changes of the rate", () => {
    fc.assert(
      fc.property(
        changes,
        fc.integer({ min: -900_000, max: 9_000_000 }),
        fc.integer({ min: 0, max: 600_000 }),
        (list, ppm, atMs) => {
          const { clock } = changed(list, ppm)
          const mono = clock.mono(atMs)
          const first = clock.trueMs(mono)
          assert.isAtMost(first, atMs)
          assert.strictEqual(clock.mono(first), mono)
          assert.isBelow(clock.mono(first - 1), mono)
        }
      )
    )
  })

  it("the monotonic clock never goes back, and a change of rate moves nothing that was", () => {
    fc.assert(
      fc.property(
        changes,
        fc.array(fc.integer({ min: 0, max: 600_000 }), { minLength: 2, maxLength: 20 }),
        (list, times) => {
          const { clock, nowMs } = changed(list, 0)
          const inOrder = times.toSorted((a, b) => a - b).map((time) => clock.mono(time))
          assert.deepStrictEqual(
            inOrder,
            inOrder.toSorted((a, b) => a - b)
          )
          const later = clock.rated(nowMs, -500_000)
          for (const time of times) if (time <= nowMs) assert.strictEqual(later.mono(time), clock.mono(time))
        }
      )
    )
  })

  it("a calendar that jumps moves the calendar alone", () => {
    const clock = NodeClock.make(0, 0)
    const jumped = clock.jumped(-3_600_000)
    assert.strictEqual(jumped.instant(7_000).wall, EPOCH_MS + 7_000 - 3_600_000)
    assert.strictEqual(jumped.instant(7_000).mono, clock.instant(7_000).mono)
    assert.strictEqual(jumped.trueMs(9_000), clock.trueMs(9_000))
  })

  it("another boot shows what it is given, however slow or fast it ran, and the same calendar", () => {
    fc.assert(
      fc.property(changes, fc.integer({ min: -900_000, max: 9_000_000 }), (list, ppm) => {
        const { clock, nowMs } = changed(list, ppm)
        const booted = clock.booted(nowMs, 77)
        assert.strictEqual(booted.mono(nowMs), 77)
        assert.strictEqual(booted.mono(nowMs + 5_000) - 77, clock.mono(nowMs + 5_000) - clock.mono(nowMs))
        assert.strictEqual(booted.instant(nowMs).wall, clock.instant(nowMs).wall)
      })
    )
  })
})

/** Times are written as `toISOString` writes them, to the letter. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { isoTime } from "../../../adapters/node/IsoTime.ts"

/** The last moment that has a date at all. */
const LAST_MS = 8_640_000_000_000_000

describe("isoTime", () => {
  it("writes what toISOString writes, of every year and of fractions", () => {
    const moments = fc.oneof(
      fc.integer({ min: 0, max: 253_402_300_799_999 }),
      fc.integer({ min: -LAST_MS, max: LAST_MS }),
      fc.double({ min: -1_000, max: 253_402_300_801_000, noNaN: true })
    )
    fc.assert(
      fc.property(moments, (ms) => {
        assert.strictEqual(isoTime(ms), new Date(ms).toISOString())
      }),
      { numRuns: 2_000 }
    )
    for (const ms of [0, -1, 951_782_400_000, 253_402_300_799_999, 253_402_300_800_000])
      assert.strictEqual(isoTime(ms), new Date(ms).toISOString())
  })

  it("refuses what is no moment, as toISOString does", () => {
    for (const ms of [Number.NaN, Number.POSITIVE_INFINITY, LAST_MS + 1]) assert.throws(() => isoTime(ms), RangeError)
  })
})

import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Tail from "../../../kernel/world/Tail.ts"

/** What is done to one of the values so far, which one, and how much. */
const work = fc.record({ which: fc.nat(), drop: fc.option(fc.nat({ max: 6 })) })

describe("Tail: a list that shares its array with older values of it", () => {
  it("every value stays what it was, whichever of them goes on", () => {
    fc.assert(
      fc.property(fc.array(work, { maxLength: 120 }), (steps) => {
        const all: Array<{ readonly tail: Tail.Tail<number>; readonly list: ReadonlyArray<number> }> = [
          { tail: Tail.empty, list: [] }
        ]
        steps.forEach(({ drop, which }, n) => {
          const { list, tail } = all[which % all.length]!
          all.push(
            drop === null
              ? { tail: Tail.appended(tail, n), list: [...list, n] }
              : { tail: Tail.dropped(tail, drop), list: list.slice(drop) }
          )
        })
        for (const { list, tail } of all) {
          assert.deepStrictEqual(Tail.listOf(tail), list)
          assert.strictEqual(Tail.sizeOf(tail), list.length)
          assert.strictEqual(Tail.last(tail), list.at(-1))
          for (let n = -1; n <= list.length; n++) assert.strictEqual(Tail.at(tail, n), n < 0 ? undefined : list[n])
        }
      }),
      { numRuns: 300 }
    )
  })

  it("a frozen array is left alone", () => {
    const grown = Tail.appended(Tail.appended(Tail.empty, 1), 2)
    Object.freeze(grown.array)
    assert.deepStrictEqual(Tail.listOf(Tail.appended(grown, 3)), [1, 2, 3])
    assert.deepStrictEqual(Tail.listOf(grown), [1, 2])
  })

  it("what is left does not keep what is gone", () => {
    let tail: Tail.Tail<number> = Tail.empty
    for (let n = 0; n < 10_000; n++) tail = Tail.dropped(Tail.appended(tail, n), Tail.sizeOf(tail) >= 10 ? 1 : 0)
    assert.isAtMost(tail.array.length, 24)
  })
})

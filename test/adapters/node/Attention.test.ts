import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { watch } from "../../../adapters/node/Attention.ts"
import type { Happened } from "../../../kernel/Input.ts"
import { profiles } from "../../../kernel/Profile.ts"

describe("attention", () => {
  /** What is told when the beats ring so late, ms. */
  const told = (late: ReadonlyArray<number>) =>
    Effect.gen(function* () {
      const all: Array<Happened> = []
      let mono = 5_000
      yield* Effect.forkChild(
        watch(
          () => ({ mono, wall: 0 }),
          (happened) => Effect.sync(() => void all.push(happened))
        )
      )
      for (const ms of late) {
        yield* TestClock.adjust(0)
        mono += 100 + ms
        yield* TestClock.adjust(100)
      }
      return all
    })

  it.effect("B7: a beat that rings late tells for how long the loop stood still", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* told([0, 3, 400, 0, 20_000, 0]), [
        { _tag: "Stalled", ms: 400 },
        { _tag: "Stalled", ms: 20_000 }
      ])
    })
  )

  it.effect("what the kernel forgives its own alarms is not told, and lateness does not add up", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* told(Array.from({ length: 20 }, () => profiles.lan.stallMs)), [])
      assert.lengthOf(yield* told([profiles.lan.stallMs + 1]), 1)
    })
  )
})

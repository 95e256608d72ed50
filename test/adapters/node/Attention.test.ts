import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { watch } from "../../../adapters/node/Attention.ts"
import type { Happened } from "../../../kernel/Input.ts"
import { profiles } from "../../../kernel/Profile.ts"

describe("attention", () => {
  /** What is told when the beats ring so late, ms. */
  const told = (late: ReadonlyArray<number>) =>
    Effect.gen(function* () {
      const all: Array<Happened> = []
      let mono = 5_000
      let beat = (): void => assert.fail("nothing rings")
      let stopped = false
      const watching = yield* Effect.forkChild(
        watch(
          () => ({ mono, wall: 0 }),
          (happened) => Effect.sync(() => void all.push(happened)),
          (ms, ring) => {
            assert.strictEqual(ms, 100)
            beat = ring
            return () => (stopped = true)
          }
        ),
        { startImmediately: true }
      )
      for (const ms of late) {
        mono += 100 + ms
        beat()
        yield* Effect.yieldNow
      }
      yield* Fiber.interrupt(watching)
      assert.isTrue(stopped)
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

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { watch } from "../../../adapters/node/Carrier.ts"
import type { Happened } from "../../../kernel/Input.ts"

describe("the machine's own carrier", () => {
  const loopback = { lo: [{ internal: true }] }
  const cable = { ...loopback, eth0: [{ internal: false }] }
  const bare = { ...loopback, eth0: [] }

  /** What is told when the machine shows these interfaces, one look after another. */
  const told = (looks: ReadonlyArray<typeof loopback>) =>
    Effect.gen(function* () {
      const all: Array<Happened> = []
      let shown = looks[0]!
      let look = (): void => assert.fail("nobody looks")
      const watching = yield* Effect.forkChild(
        watch(
          (happened) => Effect.sync(() => void all.push(happened)),
          (ms, act) => {
            assert.strictEqual(ms, 500)
            look = act
            return () => (look = () => assert.fail("it is over"))
          },
          () => shown
        ),
        { startImmediately: true }
      )
      for (shown of looks) {
        look()
        yield* Effect.yieldNow
      }
      yield* Fiber.interrupt(watching)
      assert.throws(look)
      return all.map((happened) => happened._tag === "Carrier" && happened.up)
    })

  it.effect("P7.15: is told when the last interface goes, and when one is back, once each", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* told([cable, cable, bare, loopback, loopback, cable, cable]), [false, true])
    })
  )

  it.effect("is not told where there never was one, until there is one that goes", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* told([loopback, loopback, loopback]), [])
      assert.deepStrictEqual(yield* told([loopback, cable, cable, loopback]), [false])
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Attention } from "../../../adapters/node/Attention.ts"
import type { Happened } from "../../../kernel/Input.ts"
import { profiles } from "../../../kernel/Profile.ts"

/** A process whose clock a test moves: its timer rings where nothing read the clock for so long, later by what it stood still. */
class Process {
  mono = 5_000
  rings = 0
  readonly told: Array<Happened> = []
  readonly attention = new Attention(() => ({ mono: this.mono, wall: 0 }))
  private due = Number.POSITIVE_INFINITY
  private ring = (): void => assert.fail("nothing rings")

  readonly watching = this.attention.watch(
    (happened) => Effect.sync(() => void this.told.push(happened)),
    (ms, ring) => {
      assert.strictEqual(ms, 250)
      this.ring = ring
      this.due = this.mono + ms
      return {
        putOff: () => (this.due = this.mono + ms),
        stop: () => (this.due = Number.POSITIVE_INFINITY)
      }
    }
  )

  /** So many ms, in which the loop runs. */
  pass(ms: number): void {
    for (let i = 0; i < ms; i++) {
      this.mono += 1
      if (this.mono < this.due) continue
      this.rings += 1
      this.ring()
    }
  }

  standStill(ms: number): void {
    this.mono += ms
  }
}

describe("attention", () => {
  const watched = (story: (process: Process) => void) =>
    Effect.gen(function* () {
      const process = new Process()
      const watching = yield* Effect.forkChild(process.watching, { startImmediately: true })
      story(process)
      yield* Effect.yieldNow
      yield* Fiber.interrupt(watching)
      const { rings } = process
      process.pass(1_000)
      assert.strictEqual(process.rings, rings)
      return process
    })

  it.effect("B7: a loop that stood still is told, for how long, by the timer where nothing comes in", () =>
    Effect.gen(function* () {
      const { told } = yield* watched((process) => {
        process.pass(1_050)
        process.standStill(400)
        process.pass(1_000)
        process.standStill(20_000)
        process.pass(1_000)
      })
      assert.deepStrictEqual(told, [
        { _tag: "Stalled", ms: 201 },
        { _tag: "Stalled", ms: 20_000 }
      ])
    })
  )

  it.effect("B7: and by what comes in first after it", () =>
    Effect.gen(function* () {
      const { told } = yield* watched((process) => {
        process.pass(1_000)
        process.standStill(500)
        process.attention.now()
        process.pass(1_000)
      })
      assert.deepStrictEqual(told, [{ _tag: "Stalled", ms: 250 }])
    })
  )

  it.effect("what the kernel forgives its own alarms is not told, and lateness does not add up", () =>
    Effect.gen(function* () {
      const late = (ms: number) =>
        watched((process) => {
          for (let i = 0; i < 20; i++) {
            process.attention.now()
            process.standStill(250 + ms)
            process.attention.now()
          }
        })
      assert.lengthOf((yield* late(profiles.lan.stallMs)).told, 0)
      assert.lengthOf((yield* late(profiles.lan.stallMs + 1)).told, 20)
    })
  )

  it.effect("wakes nobody while there is traffic, and does its chores on time either way", () =>
    Effect.gen(function* () {
      let looks = 0
      const busy = yield* watched((process) => {
        process.attention.each(500, () => looks++)
        for (let i = 0; i < 200; i++) {
          process.pass(50)
          process.attention.now()
        }
      })
      assert.strictEqual(busy.rings, 0)
      assert.isAtLeast(looks, 19)
      assert.isAtMost(looks, 21)
      looks = 0
      const quiet = yield* watched((process) => {
        process.attention.each(500, () => looks++)
        process.pass(10_000)
      })
      assert.strictEqual(quiet.rings, 40)
      assert.isAtLeast(looks, 16)
      assert.isAtMost(looks, 21)
    })
  )
})

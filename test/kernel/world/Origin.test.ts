/** P14.7, P14.8, C63: what is known depends on which frames came, and not on their order. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { ContextFrame } from "../../../kernel/wire/ContextFrame.ts"
import { hold, holdEntry } from "../../../kernel/world/Holding.ts"
import * as Origin from "../../../kernel/world/Origin.ts"
import { digestOf, make, originOf, restored, snapshotOf, type World } from "../../../kernel/world/World.ts"
import { configOf, id } from "../drive.ts"
import { signed } from "./frames.ts"

const config = configOf({ roles: { a: "field", b: "sensor" }, electors: "a" }, "a")

/** Three incarnations of b, ten frames each, over two metrics. */
const all: ReadonlyArray<ContextFrame> = [1, 2, 3].flatMap((incarnation) =>
  Array.from({ length: 10 }, (_, i) =>
    signed({ by: "b", incarnation, seq: i + 1, metric: i % 2 === 0 ? "moisture" : "rain" })
  )
)

const holding = (frames: ReadonlyArray<ContextFrame>, world = make(), limits = config.world): World =>
  frames.reduce(
    (next, frame) => hold(next, frame, 500, { ...config, ...(limits === undefined ? {} : { world: limits }) }, 0),
    world
  )

const idsOf = (world: World): ReadonlyArray<string> =>
  Origin.entriesOf(originOf(world, id("b"))!).map(({ frame }) => frame.frameId)

const headsOf = (world: World) => originOf(world, id("b"))!.logs.map(({ incarnation, next }) => [incarnation, next])

describe("what a node knows of one device", () => {
  it("is the same, whatever order its frames come in (P14.7, C63)", () => {
    const inOrder = holding(all)
    assert.deepStrictEqual(idsOf(inOrder), ["b-3-9", "b-3-10"])
    fc.assert(
      fc.property(fc.shuffledSubarray([...all], { minLength: all.length }), (frames) => {
        const world = holding(frames)
        assert.deepStrictEqual(idsOf(world), idsOf(inOrder))
        assert.deepStrictEqual(headsOf(world), headsOf(inOrder))
        assert.strictEqual(world.digest, inOrder.digest)
        assert.strictEqual(world.digest, digestOf(world))
      }),
      { numRuns: 200 }
    )
  })

  it("has one fingerprint for one knowledge, and another for another (P14.8)", () => {
    const digests = new Set<number>()
    let world = make()
    for (const frame of all) {
      world = holding([frame], world)
      digests.add(world.digest)
    }
    assert.strictEqual(digests.size, all.length)
    assert.strictEqual(holding([all[0]!], world), world)
  })

  it("has its newest entries although its logs are cut, and no more frames than fit (P14.12)", () => {
    const limits = { frames: 8, bytes: 1_000_000 }
    const world = holding(all, make(), limits)
    assert.isAtMost(world.frames, 8)
    assert.deepStrictEqual(idsOf(world), ["b-3-9", "b-3-10"])
    assert.deepStrictEqual(headsOf(world), headsOf(holding(all)))
    const small = holding(all, make(), { frames: 1_000, bytes: 2_000 })
    assert.isAtMost(small.bytes, 2_000)
  })

  it("forgets the oldest of more than sixteen incarnations, with what they wrote (P14.7)", () => {
    const lives = Array.from({ length: 20 }, (_, i) => signed({ by: "b", incarnation: i + 1, seq: 1, metric: `m${i}` }))
    for (const frames of [lives, lives.toReversed()]) {
      const world = holding(frames)
      assert.deepStrictEqual(
        headsOf(world).map(([incarnation]) => incarnation),
        Array.from({ length: 16 }, (_, i) => i + 5)
      )
      assert.strictEqual(idsOf(world).length, 16)
      assert.notInclude(idsOf(world), "b-4-1")
    }
  })

  it("has at most 1,024 entries, the newest, whatever the order", () => {
    const many = Array.from({ length: 1_100 }, (_, i) => signed({ by: "b", seq: i + 1, metric: `m${i}` }))
    const world = holding(many)
    assert.strictEqual(idsOf(world).length, Origin.ENTRIES_MAX)
    assert.strictEqual(idsOf(world)[0], "b-1-77")
    const other = many.toReversed().reduce((next, frame) => holdEntry(next, frame, 500, config, 0), make())
    assert.deepStrictEqual(idsOf(other), idsOf(world))
  })

  it("is the same after a restart, and in the same order (B40, C64)", () => {
    const world = holding(all)
    const kept = JSON.parse(JSON.stringify(snapshotOf(world, 5_000))) as ReturnType<typeof snapshotOf>
    const back = restored(kept, 77, () => true)
    assert.deepStrictEqual(idsOf(back), idsOf(world))
    assert.deepStrictEqual(headsOf(back), headsOf(world))
    assert.strictEqual(back.digest, world.digest)
    // An older value that comes late does not win, which it once did.
    assert.deepStrictEqual(idsOf(holding([all[0]!], back)), idsOf(world))
    assert.deepStrictEqual(restored(kept, 77, () => false).origins, [])
  })
})

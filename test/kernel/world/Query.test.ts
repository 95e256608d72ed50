/** P14.13, P14.14: what is answered about the world, and what led to what. */
import { assert, describe, it } from "@effect/vitest"
import type { Instant } from "../../../kernel/Time.ts"
import type { Kind } from "../../../kernel/wire/ContextFrame.ts"
import { hold } from "../../../kernel/world/Holding.ts"
import { freshnessOf, query, sync } from "../../../kernel/world/Query.ts"
import * as Origin from "../../../kernel/world/Origin.ts"
import { trace } from "../../../kernel/world/Trace.ts"
import { make, originOf, restored, snapshotOf, type World } from "../../../kernel/world/World.ts"
import { configOf, id } from "../drive.ts"
import { signed, type Said } from "./frames.ts"

const config = configOf({ roles: { a: "field", b: "sensor", c: "planner" }, electors: "c" }, "a")
const at = (mono: number): Instant => ({ mono, wall: 77 })

const holding = (said: ReadonlyArray<Said & { readonly at?: number }>, world: World = make()): World =>
  said.reduce((next, one) => hold(next, signed(one), 400, config, one.at ?? 0), world)

const some = holding([
  { by: "b", seq: 1, metric: "moisture", at: 10 },
  { by: "b", seq: 2, metric: "rain", at: 30 },
  { by: "c", seq: 1, kind: "inference", at: 20 }
])

describe("what is answered about the world", () => {
  it("the youngest entries first, frames as they came, and counts of all that fit", () => {
    const all = query(some, { limit: 50 }, at(100))
    assert.deepStrictEqual(
      all.entries.map(({ frameId }) => frameId),
      ["b-1-2", "c-1-1", "b-1-1"]
    )
    assert.deepStrictEqual(
      all.entries.map(({ ageMs }) => ageMs),
      [70, 80, 90]
    )
    assert.deepStrictEqual(
      all.frames.map(({ frameId }) => frameId),
      ["b-1-1", "b-1-2", "c-1-1"]
    )
    assert.deepStrictEqual(all.bySourceDeviceId, { [id("b")]: 2, [id("c")]: 1 })
    assert.deepStrictEqual(all.byKind, { observation: 2, inference: 1 })
    assert.deepStrictEqual(all.byTrustTier, { T2_operational_observation: 2, T0_planning_inference: 1 })
    assert.deepStrictEqual([all.count, all.peerTimestamp], [3, 77])
    const two = query(some, { limit: 1, kind: "observation" as Kind, sourceDeviceId: id("b") }, at(100))
    assert.deepStrictEqual([two.count, two.entries.length, two.frames.length], [2, 1, 1])
    assert.strictEqual(query(make(), { limit: 1 }, at(0)).count, 0)
  })

  it("is no larger than what a lane carries, whatever is asked for", () => {
    const pad = "x".repeat(10_000)
    let world = make()
    for (let seq = 1; seq <= 200; seq++)
      world = hold(
        world,
        signed({ by: "b", seq, metric: `m${seq}` }, { data: { metric: `m${seq}`, pad } }),
        10_400,
        config,
        0
      )
    const answer = query(world, { limit: 200 }, at(1))
    assert.isAtMost(JSON.stringify(answer).length, 262_144)
    assert.strictEqual(answer.count, 200)
  })

  it("B38: fresh up to 3 intervals, aging up to 10, stale up to 60; after a restart stale at best", () => {
    const world = hold(make(), signed({ by: "b", seq: 1 }, { data: { intervalMs: 100 } }), 400, config, 0)
    const [held] = Origin.entriesOf(originOf(world, id("b"))!)
    const ages = [0, 300, 301, 1_000, 1_001, 6_000, 6_001]
    assert.deepStrictEqual(
      ages.map((age) => freshnessOf(held!, age)),
      ["fresh", "fresh", "aging", "aging", "stale", "stale", "expired"]
    )
    const [kept] = Origin.entriesOf(
      originOf(
        restored(snapshotOf(world, 0), 0, () => true),
        id("b")
      )!
    )
    assert.deepStrictEqual(
      [0, 6_001].map((age) => freshnessOf(kept!, age)),
      ["stale", "expired"]
    )
  })

  it("P14.14: a device of generation 1 gets the newest of what it missed, oldest first", () => {
    const many = holding(
      Array.from({ length: 600 }, (_, i) => ({ by: "b", seq: i + 1, zone: i % 2 === 0 ? "z1" : "z2" }))
    )
    const answer = sync(many, { since: 1_000, limit: 5 }, at(1))
    assert.deepStrictEqual(
      answer.frames.map(({ frameId }) => frameId),
      ["b-1-596", "b-1-597", "b-1-598", "b-1-599", "b-1-600"]
    )
    assert.strictEqual(answer.totalAvailable, 500)
    const zoned = sync(many, { since: 1_590, limit: 500, zone: "z1" }, at(1))
    assert.deepStrictEqual(
      zoned.frames.map(({ frameId }) => frameId),
      ["b-1-591", "b-1-593", "b-1-595", "b-1-597", "b-1-599"]
    )
  })
})

describe("what led to what", () => {
  const chain = holding([
    { by: "b", seq: 1, metric: "moisture" },
    { by: "b", seq: 2, metric: "rain" },
    { by: "c", seq: 1, kind: "inference", causes: ["b-1-1", "b-1-2", "gone"] },
    { by: "c", seq: 2, kind: "agent_response", causes: ["c-1-1"] },
    { by: "c", seq: 3, kind: "event", metric: "other" }
  ])

  it("causes first, what came of it last, and what is named and not held", () => {
    const found = trace(chain, "c-1-1")
    assert.deepStrictEqual(
      found?.chain.map(({ distance, frame }) => [distance, frame.frameId]),
      [
        [-1, "b-1-1"],
        [-1, "b-1-2"],
        [0, "c-1-1"],
        [1, "c-1-2"]
      ]
    )
    assert.deepStrictEqual(found?.missing, ["gone"])
    assert.isNull(trace(chain, "nothing"))
  })

  it("a ring of causes ends, and so does a long chain", () => {
    const ring = holding([
      { by: "b", seq: 1, causes: ["b-1-2"], metric: "x" },
      { by: "b", seq: 2, causes: ["b-1-1"], metric: "y" }
    ])
    assert.strictEqual(trace(ring, "b-1-1")?.chain.length, 2)
    const long = holding(
      Array.from({ length: 200 }, (_, i) => ({
        by: "b",
        seq: i + 1,
        metric: `m${i}`,
        causes: i === 0 ? [] : [`b-1-${i}`]
      }))
    )
    assert.strictEqual(trace(long, "b-1-100")?.chain.length, 64)
  })
})

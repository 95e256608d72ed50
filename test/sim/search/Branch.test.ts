/** Branches: other futures of a run, each a function of the seed and of where it turned off. */
import { assert, describe, it } from "@effect/vitest"
import { Run } from "../../../sim/run.ts"
import { draw } from "../../../sim/search/Draw.ts"
import { runBranch, runFutures, runSeed } from "../../../sim/search/OneSeed.ts"
import { pointsText, readPoints, type Points } from "../../../sim/search/Points.ts"
import { field } from "./Field.ts"

const at = (after: number, future: number): { readonly after: number; readonly future: number } => ({ after, future })

describe("a branch", () => {
  it("is the same run whether it was forked beside its sisters or run from the beginning", () => {
    for (const seed of [2, 3, 5]) {
      const whole = runSeed(field(), seed, { swarm: true, ledger: false })
      const after = whole.events >> 1
      const first = runFutures(field(), seed, { after, base: [], futures: 3 }, { swarm: true })
      const base = [at(after, 2)]
      const deeper = runFutures(field(), seed, { after: after + 100, base, futures: 2 }, { swarm: true })
      for (const { events, hash, points } of [...first, ...deeper]) {
        const { drawn, result } = runBranch(field(), seed, true, points)
        assert.strictEqual(result.hash, hash)
        assert.deepStrictEqual(drawn.points, points)
        const last = points.at(-1)!
        // The first of its sisters pays for the way there.
        if (last.future === 1) assert.strictEqual(events, result.events)
        else assert.isTrue(events > 0 && events <= result.events - last.after, `${events} of ${result.events}`)
      }
      const hashes = [whole, ...first, ...deeper].map(({ hash }) => hash)
      assert.strictEqual(new Set(hashes).size, hashes.length)
    }
  })

  it("has its origin's past: what was told before it turned off", () => {
    const seed = [1, 2, 3, 4, 5, 6].find((one) => draw(field(), one, { swarm: true }).class === "everywhere")!
    const plain = runBranch(field(), seed, true, [])
    const after = plain.result.events >> 2
    const turned = runBranch(field(), seed, true, [at(after, 1)])
    const parts = turned.result.happenings.findIndex(
      (happening, i) => JSON.stringify(happening) !== JSON.stringify(plain.result.happenings[i])
    )
    assert.isAbove(parts, 5)
    assert.isBelow(parts, turned.result.happenings.length)
    // No step of the file is lost, and what was drawn from the old seed strikes no more.
    const own = turned.drawn.sources.filter((source) => source?.startsWith("step/"))
    assert.deepStrictEqual(
      own,
      plain.drawn.sources.filter((source) => source?.startsWith("step/"))
    )
  })

  it("a stranger says again what a node said before the run turned off, where only the branch has such a stranger", () => {
    const quiet = field()
    const run = new Run(quiet, { seed: 3 })
    run.go(() => run.world.nowMs > 3_000)
    const fork = run.fork({ seed: 9 })
    fork.world.script.change(new Set(), [
      {
        ...quiet.timeline[0]!,
        atMs: 4_000,
        forMs: null,
        verb: { _tag: "connect", to: ["main"], as: "one", lie: "an old login" }
      },
      {
        ...quiet.timeline[0]!,
        atMs: 4_000,
        forMs: null,
        verb: { _tag: "connect", to: ["one"], as: "main", lie: "an old login" }
      }
    ])
    fork.go(() => fork.world.nowMs > 6_000)
    // Of each pair one has dialled the other.
    assert.isAbove(
      fork.world.script
        .effects()
        .slice(-2)
        .filter((touched) => touched === 1).length,
      0
    )
  })

  it("that is not reached changes nothing", () => {
    const whole = runSeed(field(), 4, { swarm: true, ledger: false })
    assert.deepStrictEqual(
      runFutures(field(), 4, { after: 10 * whole.events, base: [], futures: 2 }, { swarm: true }),
      []
    )
    const { drawn, result } = runBranch(field(), 4, true, [at(10 * whole.events, 1)])
    assert.deepStrictEqual([result.hash, drawn.points], [whole.hash, []])
  })

  it("is written as it is read", () => {
    const lists: ReadonlyArray<Points> = [[at(0, 1)], [at(12_345, 3), at(12_345, 1), at(20_000, 12)]]
    for (const points of lists) assert.deepStrictEqual(readPoints(pointsText(points)), points)
    for (const text of ["", "1", "1:", ":1", "1:0", "-1:1", "2:1,1:1", "1:1,", "1:1;2:1"])
      assert.isNull(readPoints(text))
  })
})

/** `slow-cpu` and `suspend`: what a machine takes up late, and that it is as before afterwards. */
import { assert, describe, it } from "@effect/vitest"
import { bitten, touchedBy, type Bitten } from "./Bite.ts"

const takenBy = ({ taken }: Bitten, name: string, fromMs: number, untilMs: number) =>
  taken.filter((one) => one.name === name && one.atMs >= fromMs && one.atMs < untilMs)

describe("slow-cpu", () => {
  const slow = bitten("  - { at: 20s, slow-cpu: { who: d, takes: 60ms..80ms }, for: 10s }")

  it("inputs are taken up one after another, each after its time", () => {
    const times = takenBy(slow, "d", 20_001, 30_000).map(({ atMs }) => atMs)
    assert.isAbove(times.length, 20)
    const gaps = times.slice(1).map((atMs, i) => atMs - times[i]!)
    assert.isAtLeast(Math.min(...gaps), 60)
    assert.isAtLeast(touchedBy(slow, 1), times.length)
  })

  it("afterwards they are taken up at once again", () => {
    const times = takenBy(slow, "d", 31_000, 60_000).map(({ atMs }) => atMs)
    assert.isAbove(times.filter((atMs, i) => atMs - (times[i - 1] ?? 0) < 60).length, 20)
  })

  it("nothing is lost and everything is in order", () => {
    const beats = takenBy(slow, "d", 0, 60_000).flatMap(({ input }) => (input._tag === "Woke" ? [] : [input]))
    const usual = takenBy(bitten(""), "d", 0, 60_000).flatMap(({ input }) => (input._tag === "Woke" ? [] : [input]))
    // As many but for a few that timers decide.
    assert.approximately(beats.length, usual.length, usual.length / 10)
    const monos = takenBy(slow, "d", 0, 60_000).map(({ input }) => input.at.mono)
    assert.deepStrictEqual(
      monos,
      monos.toSorted((a, b) => a - b)
    )
  })

  it("what came before a connection ended is taken up before its end", () => {
    const run = bitten(`  - { at: 20s, slow-cpu: { who: d, takes: 400ms }, for: 10s }
  - { at: 25s, reset: { from: a, to: d } }
  - { at: 25s, reset: { between: [d, b] } }`)
    const inputs = takenBy(run, "d", 25_000, 30_001)
    const down = inputs.findIndex(({ input }) => input._tag === "LinkDown")
    assert.isAbove(inputs.slice(0, down).filter(({ input }) => input._tag === "Received").length, 0)
    const { input } = inputs[down]!
    const link = input._tag === "LinkDown" ? input.link : 0
    assert.isTrue(inputs.slice(0, down).some(({ input: it }) => it._tag === "Received" && it.link === link))
  })

  it("a crash forgets what waited, and the next process is fast", () => {
    const run = bitten(`  - { at: 20s, slow-cpu: { who: d, takes: 500ms }, for: 20s }
  - { at: 25s, restart: d }`)
    const times = takenBy(run, "d", 25_000, 26_000)
    assert.isAbove(times.length, 5)
  })
})

describe("suspend", () => {
  const asleep = bitten("  - { at: 20s, suspend: a, for: 20s }")

  it("the machine takes up nothing, its clocks go on, and others lead meanwhile", () => {
    assert.deepStrictEqual(takenBy(asleep, "a", 20_001, 40_000), [])
    const before = takenBy(asleep, "a", 0, 20_001).at(-1)!
    const [first] = takenBy(asleep, "a", 40_000, 60_000)
    assert.strictEqual(first!.input.at.mono - before.input.at.mono, first!.atMs - before.atMs)
    assert.isAbove(touchedBy(asleep, 1), 0)
    const elected = asleep.result.happenings.filter(({ event }) => event === "leader.elected").map(({ node }) => node)
    assert.deepStrictEqual(elected, ["a", "b"])
    assert.deepStrictEqual(asleep.told, ["20000 world.suspend a: a", "40000 world.wake a: a"])
  })

  it("awake, it is one of them again", () => {
    const up = asleep.result.happenings.filter(
      ({ about, atMs, event }) => event === "peer.up" && about === "a" && atMs > 40_000
    )
    assert.deepStrictEqual(up.map(({ node }) => node).toSorted(), ["b", "c", "d", "e"])
  })

  it("what was sent to it comes after it woke, where a frozen one finds it waiting", () => {
    const received = (run: Bitten) =>
      takenBy(run, "d", 21_000, 21_001).filter(({ input }) => input._tag === "Received").length
    assert.strictEqual(received(bitten("  - { at: 20s, suspend: d, for: 1s }")), 0)
    assert.isAbove(received(bitten("  - { at: 20s, freeze: d, for: 1s }")), 0)
  })

  it("frozen as well, it goes on when both are over", () => {
    const run = bitten("  - { at: 20s, suspend: d, for: 10s }\n  - { at: 25s, freeze: d, for: 15s }")
    assert.deepStrictEqual(takenBy(run, "d", 20_001, 40_000), [])
    assert.isAbove(takenBy(run, "d", 40_000, 41_000).length, 0)
  })
})

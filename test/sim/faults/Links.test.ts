/** The verbs that lay a rule of the network on links: each touches something, and is taken back. What each rule does to packets is tested with the network. */
import { assert, describe, it } from "@effect/vitest"
import { bitten, touchedBy, type Bitten } from "./Bite.ts"

/** Frames that `to` takes up in a span of time, from anybody. */
const received = ({ taken }: Bitten, to: string, fromMs: number, untilMs: number): number =>
  taken.filter((one) => one.name === to && one.input._tag === "Received" && one.atMs >= fromMs && one.atMs < untilMs)
    .length
const downs = ({ result }: Bitten, fromMs: number): number =>
  result.happenings.filter(({ atMs, event }) => event === "peer.disconnect" && atMs >= fromMs).length

const lasting = [
  "clog: { between: [a, c] }",
  "clog: { from: a, to: the others }",
  "flap: { between: everyone, down: 1s..2s, up: 1s }",
  "swizzle: { between: everyone, over: 2s, heal-after: 4s, heal-over: 2s }",
  "throttle: { between: everyone, down-to: 1kB/s }",
  "burst-loss: { between: everyone, begins: 5%, ends: 30% }",
  "idle-cut: { between: [d, e], after: 200ms }",
  "duplicate: { between: everyone, share: 50%, late: 10ms..1s }",
  "reorder: { between: everyone, share: 50%, behind: at most 2 }",
  "corrupt: { between: everyone, share: 20% }",
  "slow: { between: everyone, delay: { usual: 5ms, rarely: 1s..2s, share: 10% } }",
  "slow: { between: everyone, delay: { least: 5ms, most: 10s } }",
  "slow: { between: everyone, delay: { least: 5ms, more: 500ms } }",
  "slow: { between: everyone, delay: { table: [5ms, 5ms, 9ms, 2s] } }"
]

describe("rules on links", () => {
  for (const words of lasting)
    it(`${words}: bites, ends, and the mesh gets well`, () => {
      const run = bitten(`  - { at: 20s, ${words}, for: 10s }`)
      assert.isAbove(touchedBy(run, 1), 0)
      assert.match(run.told.at(-1)!, /^30000 world\.undo -: /u)
      const { hash } = bitten("").result
      assert.notStrictEqual(run.result.hash, hash)
      // Long after it, everybody hears what everybody hears in a run without it.
      const usual = received(bitten(""), "c", 50_000, 60_000)
      assert.approximately(received(run, "c", 50_000, 60_000), usual, usual / 4)
    })

  it("clog: nothing passes until it ends", () => {
    const run = bitten("  - { at: 20s, clog: { from: [a, b, d, e], to: c }, for: 1s }")
    assert.strictEqual(received(run, "c", 20_100, 21_000), 0)
    assert.isAbove(received(run, "c", 21_000, 21_100), 5)
  })

  it("reset: connections end once, on one side or both", () => {
    const both = bitten("  - { at: 20s, reset: { between: everyone } }")
    assert.strictEqual(touchedBy(both, 1), 20)
    assert.isAbove(downs(both, 20_000), 0)
    assert.strictEqual(downs(bitten(""), 20_000), 0)
    assert.deepStrictEqual(both.told, ["20000 world.reset -: a, b, c, d, e"])
  })

  it("half-open: one of the two has it no more", () => {
    const run = bitten("  - { at: 20s, half-open: { from: c, to: a, known-to: one, answer: reset } }")
    assert.isAbove(touchedBy(run, 1), 0)
    assert.isAbove(downs(run, 20_000), 0)
  })

  it("late-close touches connections that end politely", () => {
    const late = bitten(
      "  - { at: 20s, late-close: { from: d, to: everyone, late: 1s..2s }, for: 20s }\n  - { at: 25s, stop: d }"
    )
    assert.isAbove(touchedBy(late, 1), 0)
    assert.strictEqual(
      touchedBy(bitten("  - { at: 20s, late-close: { from: d, to: everyone, late: 1s }, for: 20s }"), 1),
      0
    )
  })

  it("lossy-close: what is under way is lost with a connection that ends abruptly, and with no other", () => {
    const far = "  - { at: 20s, slow: { from: d, to: everyone, delay: 900ms }, for: 20s }"
    const lossy = (share: string) =>
      `  - { at: 20s, lossy-close: { from: d, to: everyone, share: ${share} }, for: 20s }`
    /** Said by the process that is killed at 25 s, and arriving after its end. */
    const late = (steps: string): number =>
      bitten(`${far}\n${steps}`).taken.filter(
        ({ atMs, from, input }) =>
          from === "d" && input._tag === "Received" && input.frame.type === "event" && atMs > 25_000 && atMs < 25_900
      ).length
    const killed = "  - { at: 25s, restart: d }"
    assert.isAbove(late(killed), 0)
    assert.strictEqual(late(`${lossy("100%")}\n${killed}`), 0)
    assert.strictEqual(late(`${lossy("0%")}\n${killed}`), late(killed))
    const run = bitten(`${far}\n${lossy("100%")}\n${killed}`)
    assert.isAbove(touchedBy(run, 2), 0)
    assert.include(run.told, "40000 world.undo -: d → a, b, c, d, e closing without loss")
    // Nothing ends abruptly while it lasts; and what ends when it is over loses nothing.
    assert.strictEqual(touchedBy(bitten(`${far}\n${lossy("100%")}`), 2), 0)
    const early = lossy("100%").replace("for: 20s", "for: 4s")
    assert.strictEqual(late(`${early}\n${killed}`), late(killed))
  })

  it("heal takes them off, and their own end comes to nothing then", () => {
    const run = bitten("  - { at: 20s, clog: { between: everyone }, for: 10s }\n  - { at: 21s, heal: everything }")
    assert.isAbove(received(run, "c", 21_000, 22_000), 0)
    assert.deepStrictEqual(run.told, ["20000 world.clog -: a, b, c, d, e", "21000 world.heal -: everything"])
  })
})

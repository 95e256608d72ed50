/** Domains that fail together: sites as targets, what lies within and between them, links that all end at once. */
import { assert, describe, it } from "@effect/vitest"
import { bitten, touchedBy, type Bitten } from "./Bite.ts"

const NODES = `
  a: { role: planner }
  b: { role: standby-planner }
  c: { role: field }
  d: { role: field }
  e: { role: field }
sites:
  barn: [c, d]
  house: [a, b]`
const at = (steps: string, seed = 1): Bitten => bitten(steps, NODES, { seed })

/** Frames that `to` takes up from `from` in a span of time. */
const heard = ({ taken }: Bitten, to: string, from: string, fromMs: number, untilMs: number): number =>
  taken.filter(
    (one) =>
      one.name === to && one.input._tag === "Received" && one.from === from && one.atMs >= fromMs && one.atMs < untilMs
  ).length

/** Of the step at 20 s. */
const struck = ({ told }: Bitten): string => told.find((line) => line.startsWith("20000 "))!.split(": ")[1]!

describe("sites", () => {
  it("a power cut: all machines of a site in the same instant, and all are back in the same instant", () => {
    const run = at("  - { at: 20s, crash: site barn, for: 10s }")
    assert.deepStrictEqual(run.told, ["20000 world.crash -: c, d", "30000 world.restart -: c, d"])
    assert.strictEqual(touchedBy(run, 1), 2)
    assert.isFalse(run.taken.some(({ atMs, name }) => (name === "c" || name === "d") && atMs > 20_000 && atMs < 30_000))
    assert.isAbove(heard(run, "c", "d", 30_000, 60_000), 0)
  })

  it("any site: one of them, all of it, and not always the same", () => {
    const found = new Set(
      [1, 2, 3, 4, 5, 6].map((seed) => struck(at("  - { at: 20s, freeze: any site, for: 1s }", seed)))
    )
    assert.deepStrictEqual([...found].toSorted(), ["a, b", "c, d"])
  })

  it("everyone but a site; everyone but a pattern", () => {
    assert.strictEqual(struck(at("  - { at: 20s, freeze: everyone but site barn, for: 1s }")), "a, b, e")
    const run = bitten(
      "  - { at: 20s, freeze: everyone but x-*, for: 1s }",
      "\n  a: { role: planner }\n  b: { role: planner }\n  c: { role: field }\n  x-1: { role: field }\n  x-2: { role: field }"
    )
    assert.strictEqual(struck(run), "a, b, c")
  })

  it("a split along sites: each hears itself, and whoever is of no site hears both", () => {
    const run = at("  - { at: 20s, partition: [[site barn], [site house]], for: 10s }")
    assert.strictEqual(heard(run, "a", "c", 20_100, 30_000), 0)
    for (const [to, from] of [
      ["a", "b"],
      ["c", "d"],
      ["e", "a"],
      ["e", "c"]
    ] as const)
      assert.isAbove(heard(run, to, from, 20_100, 30_000), 0, `${to} hears ${from}`)
  })

  it("isolate, an access point that dies: its own do not reach each other either, until it is back", () => {
    const run = at("  - { at: 20s, isolate: site barn, for: 10s }")
    for (const [to, from] of [
      ["c", "d"],
      ["d", "c"],
      ["a", "c"],
      ["c", "a"],
      ["e", "d"]
    ] as const)
      assert.strictEqual(heard(run, to, from, 20_100, 30_000), 0, `${to} hears ${from}`)
    assert.isAbove(heard(run, "a", "b", 20_100, 30_000), 0)
    assert.isAbove(heard(run, "c", "d", 31_000, 60_000), 0)
    assert.isAbove(touchedBy(run, 1), 0)
    assert.deepStrictEqual(run.told, ["20000 world.isolate -: c, d", "30000 world.undo -: c, d together again"])
  })

  it("isolate: healing takes it back", () => {
    const run = at("  - { at: 20s, isolate: site barn }\n  - { at: 21s, heal: everything }")
    assert.isAbove(heard(run, "c", "d", 23_000, 40_000), 0)
  })
})

describe("one direction", () => {
  /** How late what `from` says arrives at `to`, by the beats of both: ms that it waits more than in a run without the step. */
  const delayed = (words: string): { readonly there: boolean; readonly back: boolean } => {
    const usual = at("")
    const run = at(`  - { at: 20s, ${words}, for: 10s }`)
    const times = ({ taken }: Bitten, to: string, from: string) =>
      taken
        .filter(
          ({ atMs, from: far, input, name }) =>
            name === to &&
            input._tag === "Received" &&
            // Said by the clock of whoever says it, not in answer to anything.
            input.frame.type === "event" &&
            input.frame.event === "mesh.heartbeat" &&
            far === from &&
            atMs >= 20_000
        )
        .map(({ atMs }) => atMs)
        .slice(0, 3)
    assert.isAbove(touchedBy(run, 1), 0)
    assert.match(run.told.at(-1)!, /^30000 world\.undo -: a → c as (?:fast|near) as before/u)
    return {
      there: times(run, "c", "a").every((ms, i) => ms > times(usual, "c", "a")[i]! + 150),
      back: times(run, "a", "c").some((ms, i) => ms > times(usual, "a", "c")[i]! + 150)
    }
  }

  it("detour: so much more one way, the same for each packet", () => {
    assert.deepStrictEqual(delayed("detour: { from: a, to: c, adds: 200ms..300ms }"), { there: true, back: false })
  })

  it("slow, one way", () => {
    assert.deepStrictEqual(delayed("slow: { from: a, to: c, delay: 200ms..300ms }"), { there: true, back: false })
  })
})

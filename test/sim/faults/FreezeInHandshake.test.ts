/** `freeze: { who, in: handshake }`: a process stands still in the middle of a login, whichever of the two it is, and at any step of it. */
import { assert, describe, it } from "@effect/vitest"
import { bitten, touchedBy, type Bitten } from "./Bite.ts"

const ARMED = "  - { at: 20s, freeze: { who: d, in: handshake }, for: 20s }"

/** `25012 world.freeze d: in a login with a, as dialler`: when, with whom, and as what. */
const strikeOf = ({ told }: Bitten, name: string): { readonly atMs: number; readonly words: string } => {
  const [line, ...more] = told.filter((one) => one.includes(`world.freeze ${name}: `))
  assert.isDefined(line)
  assert.isEmpty(more)
  return { atMs: Number(line!.split(" ")[0]), words: line!.slice(line!.indexOf(": ") + 2) }
}

describe("freeze in a handshake", () => {
  it("waits for the next login, stands still in the middle of it, and goes on when the step ends", () => {
    const run = bitten(`${ARMED}\n  - { at: 25s, reset: { from: d, to: a } }`)
    const { atMs, words } = strikeOf(run, "d")
    assert.isAtLeast(atMs, 25_000)
    assert.isAtMost(atMs, 26_000)
    assert.match(words, /^in a login with a, as (?:dialler|acceptor)$/u)
    const meanwhile = run.taken.filter((one) => one.name === "d" && one.atMs > atMs && one.atMs < 40_000)
    assert.isEmpty(meanwhile)
    assert.isTrue(run.told.includes("40000 world.thaw d: d"))
    assert.isNotEmpty(run.taken.filter((one) => one.name === "d" && one.atMs >= 40_000))
    assert.strictEqual(touchedBy(run, 1), 1)
  })

  it("who logs in nowhere is not struck, and the step is over afterwards", () => {
    const run = bitten(`${ARMED}\n  - { at: 45s, reset: { from: d, to: a } }`)
    assert.isEmpty(run.told.filter((line) => /world\.(?:freeze|thaw)/u.test(line)))
    assert.strictEqual(touchedBy(run, 1), 0)
    assert.lengthOf(run.result.faultsWithoutEffect, 1)
  })

  it("strikes diallers and acceptors, each at more than one step of the login", () => {
    const steps = new Set<string>()
    for (let seed = 1; seed <= 24; seed++) {
      const run = bitten(`${ARMED}\n  - { at: 25s, reset: { from: d, to: a } }`, undefined, { seed })
      const { atMs, words } = strikeOf(run, "d")
      const last = run.taken.findLast((one) => one.name === "d" && one.atMs === atMs)!
      const input = last.input._tag === "Received" ? last.input.frame.type : last.input._tag
      steps.add(`${words.split(" ").at(-1)} ${input}`)
    }
    assert.isAtLeast([...steps].filter((step) => step.startsWith("dialler")).length, 2)
    assert.isAtLeast([...steps].filter((step) => step.startsWith("acceptor")).length, 2)
  })

  it("each of several by itself, in its own login", () => {
    const run = bitten("  - { at: 0s, freeze: { who: [d, e], in: handshake }, for: 20s }")
    for (const name of ["d", "e"]) assert.isBelow(strikeOf(run, name).atMs, 2_000)
    assert.strictEqual(touchedBy(run, 1), 2)
    assert.isTrue(run.told.includes("20000 world.thaw -: d, e"))
  })
})

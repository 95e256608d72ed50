/** Mutants: what they are, that each has its place in the kernel, and that one that is seen is told from one that is not. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseAst } from "rolldown/parseAst"
import { allMutants } from "../../../sim/mutants/Command.ts"
import { tried } from "../../../sim/mutants/Crew.ts"
import { LEFT_OUT, mutantsOf, sampled } from "../../../sim/mutants/Mechanical.ts"
import { applied, Moved, type Mutant } from "../../../sim/mutants/Mutant.ts"
import { LostPlace, namedMutants } from "../../../sim/mutants/Named.ts"
import { scenarioOf } from "../oracles/Broken.ts"

const root = resolve(import.meta.dirname, "../../..")
const sourceOf = (file: string): string => readFileSync(join(root, "kernel", file), "utf8")

describe("mutants with a name", () => {
  it("are fifteen at least, each in its place, another program that still reads", () => {
    const all = namedMutants(sourceOf)
    assert.isAtLeast(all.length, 15)
    assert.strictEqual(new Set(all.map(({ name }) => name)).size, all.length)
    for (const { edits, file, name, rule, what } of all) {
      const source = sourceOf(file)
      const text = applied(source, edits)
      assert.notStrictEqual(text, source, name)
      assert.isNotEmpty(parseAst(text, { lang: "ts" }).body, name)
      assert.isNotEmpty(rule)
      assert.isNotEmpty(what)
    }
  })

  it("say so when the kernel has moved on under them", () => {
    const gone = (file: string): string => sourceOf(file).replace("return leadership.votedFor === candidate", "")
    assert.throws(
      () => namedMutants(gone),
      LostPlace,
      /^the mutant votes-twice has lost its place: "return leadership\.votedFor === candidate" stands in kernel\/leadership\/Voting\.ts no more/u
    )
    const twice = (file: string): string => `${sourceOf(file)}${sourceOf(file)}`
    assert.throws(() => namedMutants(twice), LostPlace, /more than once/u)
  })
})

describe("mechanical mutants", () => {
  const SOURCE = `const A_MS = 5_000
type Few = 1 | 2
export const f = (turn: Turn, n: number): void => {
  if (n > 3) turn.out.push({ _tag: "Halt" })
  const x = n === 1 ? "one" : (turn as Few)
  note(turn, x)
  while (n > 0) n--
}
`

  it("negate conditions, drop commands, shift constants; and leave types, texts, loops, and each 0 and 1 alone", () => {
    assert.deepStrictEqual(
      mutantsOf("links/A.ts", SOURCE).map(({ name, what }) => `${name}: ${what}`),
      [
        "links/A.ts:1:14:shift: 5_000 is 10000",
        "links/A.ts:4:7:negate: negated: n > 3",
        "links/A.ts:4:11:shift: 3 is 4",
        'links/A.ts:4:14:drop: dropped: turn.out.push({ _tag: "Halt" })',
        "links/A.ts:5:13:negate: negated: n === 1",
        "links/A.ts:6:3:drop: dropped: note(turn, x)"
      ]
    )
    const [, negated, , dropped] = mutantsOf("links/A.ts", SOURCE)
    assert.include(applied(SOURCE, negated!.edits), "if (!(n > 3)) turn")
    assert.include(applied(SOURCE, dropped!.edits), "if (n > 3) ;\n")
  })

  it("are drawn by a seed, each as likely as any other, from the whole kernel but what no node of the simulator runs", () => {
    const { mechanical } = allMutants(root)
    assert.isAbove(mechanical.length, 1_000)
    for (const file of LEFT_OUT)
      assert.isFalse(
        mechanical.some((mutant) => mutant.file === file),
        file
      )
    const draw = (seed: number): ReadonlyArray<string> => sampled(mechanical, 20, seed).map(({ name }) => name)
    assert.deepStrictEqual(draw(1), draw(1))
    assert.isBelow(
      new Set([...draw(1), ...draw(2)].filter((name) => draw(1).includes(name) && draw(2).includes(name))).size,
      5
    )
    for (const { edits, file } of sampled(mechanical, 40, 3))
      assert.isNotEmpty(parseAst(applied(sourceOf(file), edits), { lang: "ts" }).body)
  })
})

describe("a trial", () => {
  const scenario = scenarioOf(`scenario: Two
seed: 1
lasts: 20s
electors: [a, b]
nodes: { a: { role: planner }, b: { role: field } }
timeline:
  - { at: 0s, start: everyone }`)
  const subjects = [{ name: "two", scenario }]
  const options = { events: 2_000, known: [], seed: 1 }
  const sound = tried({ mutant: null, subjects, options })
  const mutant = (file: string, was: string, is: string): Mutant => {
    const from = sourceOf(file).indexOf(was)
    assert.isAtLeast(from, 0)
    const edits = [{ from, was, is }]
    return { name: "planted", kind: "named", file, rule: "S1", what: "planted", edits, line: 1 }
  }
  const outcome = async (one: Mutant, hangsMs?: number) => {
    const { known } = await sound
    return tried({ mutant: one, subjects, options: { ...options, known } }, hangsMs)
  }

  it("catches a bug, says by what, and tells one that changes nothing from one that nobody minds", async () => {
    const bug = namedMutants(sourceOf).find(({ name }) => name === "half-is-a-majority")!
    const seen = await outcome(bug)
    assert.deepInclude(seen.caught, { by: "two" })
    assert.match(seen.caught!.why, /^S11: a says that it holds a lease/u)
    const idle = await outcome(mutant("Node.ts", "export const step", "/* nothing */ export const step"))
    assert.deepInclude(idle, { caught: null, differ: 0, compared: 1 })
    assert.isAtLeast(idle.events, 2_000)
    const tolerated = await outcome(mutant("Profile.ts", "leadMs: 500", "leadMs: 499"))
    assert.deepInclude(tolerated, { caught: null, differ: 1, compared: 1 })
  })

  it("leaves oracles the kernel without the bug, its profiles too", async () => {
    const late = await outcome(mutant("Profile.ts", "leadMs: 500", "leadMs: 501"))
    assert.match(late.caught?.why ?? "", /^K5: a does not say that it leads for 501 ms, at most 500$/u)
  })

  it("of a kernel that was changed meanwhile is none", async () => {
    const bug = namedMutants(sourceOf).find(({ name }) => name === "half-is-a-majority")!
    const moved = { ...bug, edits: bug.edits.map((edit) => ({ ...edit, from: edit.from + 1 })) }
    const why = await tried({ mutant: moved, subjects, options }).catch((error: unknown) => error)
    assert.instanceOf(why, Moved)
  })

  it("ends what does not end, and what does not load", async () => {
    const loop = await outcome(
      mutant("Node.ts", "const run = (", "const run: any = () => { for (;;); }\nconst run2 = ("),
      1_000
    )
    assert.match(loop.caught?.why ?? "", /^it hangs: no run is over after 1 s/u)
    const broken = await outcome(mutant("Node.ts", "export const make", "nowhere()\nexport const make"))
    assert.match(broken.caught?.why ?? "", /^it does not load: nowhere is not defined/u)
  })

  it("reaches what the simulated machine does by the kernel's code: its journal", async () => {
    const lazy = namedMutants(sourceOf).find(({ name }) => name === "acknowledges-unsynced-bytes")!
    const power = scenarioOf(`scenario: Power
seed: 1
lasts: 20s
electors: [a, b]
nodes: { a: { role: planner }, b: { role: field } }
timeline:
  - { at: 0s, start: everyone }
  - { at: 8s, crash: everyone }
  - { at: 9s, start: everyone }
  - { at: 12s, crash: everyone }
  - { at: 13s, start: everyone }`)
    const { caught } = await tried({ mutant: lazy, subjects: [{ name: "power", scenario: power }], options })
    assert.match(caught?.why ?? "", /^S9: /u)
  })
})

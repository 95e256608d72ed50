/** `pnpm sim diff`: where two recorded runs part, what came before, and what each does then. */
import { assert, describe, it } from "@effect/vitest"
import { drawnTrace, FIELD, sim, traceOf, write } from "./Stage.ts"

const TEXT = traceOf()
const LINES = TEXT.trimEnd().split("\n")
write("out/a.jsonl", TEXT)
write("out/same.jsonl", TEXT)
write("out/eight.jsonl", traceOf(FIELD, 8))
// The same until the crash, which comes later.
write("out/later.jsonl", traceOf(FIELD.replace("at: 6s", "at: 8s")))
write("out/drawn.jsonl", drawnTrace())

const recordOf = (out: string) => JSON.parse(out) as { readonly [key: string]: unknown }

describe("two traces", () => {
  it("of the same run: exit 0", async () => {
    const { exit, out } = await sim("diff out/a.jsonl out/same.jsonl")
    assert.strictEqual(exit, 0)
    assert.match(
      out,
      /^first {4}out\/a\.jsonl {3}scenarios\/field\.yaml, seed 7 · as written · kernel 4c1e77a\n +\d+ inputs, failed at 14\.000, trace [0-9a-f]{16}\n/u
    )
    assert.isTrue(out.endsWith("Scenario, seed and kernel are the same.\n✓ the same run, to the end\n"))
  })

  it("that part in the middle: exit 1, what came before, what each does then, and what to begin with was another", async () => {
    const { exit, out } = await sim("diff out/a.jsonl out/later.jsonl")
    assert.strictEqual(exit, 1)
    assert.include(out, "Not the same to begin with: the scenario, what is to happen.\n")
    const [, same = ""] = /\nThe same for ([\d ]+) inputs, until \d\.\d{3}; the last of them:\n/u.exec(out) ?? []
    assert.isAbove(Number(same.replaceAll(" ", "")), 20)
    assert.match(
      out,
      /; the last of them:\n(?: {11}\d\.\d{3} {2}\w+ ← .*\n){5}Then, input \d+:\n {2}first {4}6\.\d{3} {2}\w+ ← .*\n {2}second {3}6\.\d{3} {2}\w+ ← .*\n/u
    )
    assert.isTrue(out.endsWith("✗ they part\n"))
    const { out: json } = await sim("diff out/a.jsonl out/later.jsonl --json")
    assert.deepInclude(recordOf(json), {
      $type: "clawmesh.diff/1",
      first: "out/a.jsonl",
      second: "out/later.jsonl",
      same: false,
      event: Number(same.replaceAll(" ", "")) + 1,
      exit: 1
    })
  })

  it("that part at once, with what differs of the first input", async () => {
    const { exit, out } = await sim("diff out/a.jsonl out/eight.jsonl")
    assert.strictEqual(exit, 1)
    assert.include(out, "Not the same to begin with: the seed, who takes part.\n")
    assert.match(out, /\nFrom the first input on:\nThen, input 1:\n/u)
    assert.match(out, /\n {4}input\.bootId: first "[\w-]+", second "[\w-]+"\n/u)
    assert.match((await sim("diff out/a.jsonl out/drawn.jsonl")).out, /: the seed, what was drawn, what is to happen/u)
  })

  it("with the same input, answered in two ways: what this kernel does, and whose way that is", async () => {
    // As another kernel would have written it: from there on all hashes are others.
    const n = LINES.findIndex((line) => line.includes('"_tag":"Woke"')) + 1
    const other = LINES.map((line, i) =>
      i < n - 1 ? line : line.replace(/"hash":"[0-9a-f]{16}"/u, `"hash":"${"0".repeat(16)}"`)
    )
    write("out/other.jsonl", `${other.join("\n")}\n`)
    const { exit, out } = await sim("diff out/a.jsonl out/other.jsonl")
    assert.strictEqual(exit, 1)
    assert.match(
      out,
      /  The input is the same, and the node does not do the same with it\.\n  To it this kernel does as in the first, and gives\n {4}→ \w+/u
    )
    assert.match((await sim("diff out/other.jsonl out/a.jsonl")).out, /this kernel does as in the second, and gives/u)
    assert.include(out, "! out/other.jsonl was edited since it was written")
  })

  it("of which one is cut off: compared as far as it goes", async () => {
    write("out/cut.jsonl", LINES.slice(0, 100).join("\n"))
    const { exit, out } = await sim("diff out/cut.jsonl out/a.jsonl")
    assert.strictEqual(exit, 0)
    assert.include(out, "! out/cut.jsonl is cut off: it ends after 99 inputs")
    assert.isTrue(out.endsWith("✓ the same run, as far as both go\n"))
  })

  it("of which one goes on: it ends there, and the other one does not", async () => {
    write("out/short.jsonl", `${[...LINES.slice(0, 100), LINES.at(-1)].join("\n")}\n`)
    const { exit, out } = await sim("diff out/short.jsonl out/a.jsonl")
    assert.strictEqual(exit, 1)
    assert.match(out, /\n {2}first {4}nothing more\n {2}second {3}\d\.\d{3} {2}/u)
  })

  it("of which one is none: exit 2, and all that is wrong", async () => {
    write("out/empty.jsonl", "")
    const { err, exit, out } = await sim("diff out/empty.jsonl out/nothing.jsonl")
    assert.deepStrictEqual([exit, out], [2, ""])
    assert.match(err, /^out\/empty\.jsonl is empty; .*\nno file out\/nothing\.jsonl; /u)
  })
})

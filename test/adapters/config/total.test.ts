/** Reading is total: whatever the bytes, the words and the variables are, there are settings or mistakes, soon. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { renderMistakes } from "../../../adapters/config/Mistake.ts"
import { flagOf, keys, variableOf } from "../../../adapters/config/NodeFile.ts"
import { type Machine, read } from "./Reading.ts"

/** Reads, renders, and looks at the places. */
const holds = (machine: Machine): void => {
  const got = read(machine)
  if ("settings" in got) return
  assert.isAbove(got.mistakes.length, 0)
  assert.isFalse(renderMistakes(got.mistakes).includes("\u001b"))
  const lines = typeof machine.file === "string" ? machine.file.replace(/^\ufeff/u, "").split("\n") : null
  for (const { excerpt, origin } of got.mistakes) {
    if (excerpt !== null) {
      assert.isAtLeast(excerpt.length, 1)
      assert.isAtMost(excerpt.column, excerpt.text.length + 1)
    }
    if (origin._tag === "File" && lines !== null && excerpt !== null)
      assert.strictEqual(excerpt.text, lines[origin.line - 1]!.replace(/\r$/u, ""))
  }
}

const yamlWord = fc.oneof(
  fc.constantFrom(...keys),
  fc.constantFrom(..."[]{}:,-&*!|>'\"%@`#?\t\n\r ~".split("")),
  fc.constantFrom(
    "\n",
    ": ",
    "\n- ",
    "\n  - ",
    "---\n",
    "<<: *a",
    "!!map",
    "yes",
    "0x1f",
    "1e999",
    "\u202e",
    "\u001b[31m"
  ),
  fc.string()
)

describe("reading a configuration is total", () => {
  it("on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (file) => holds({ file })),
      { numRuns: 500 }
    )
  })

  it("on text that is nearly a configuration, its places inside of it", () => {
    const text = fc.array(yamlWord, { maxLength: 30 }).map((words) => words.join(""))
    fc.assert(
      fc.property(text, (file) => holds({ file })),
      { numRuns: 2_000 }
    )
  })

  it("on any words and variables", () => {
    const flags = fc.array(
      fc.oneof(
        fc.string(),
        fc.constantFrom(...keys.map((key) => `--${flagOf(key)}`)),
        fc.constantFrom("--", "-", "--no-", "--=")
      ),
      { maxLength: 8 }
    )
    const environment = fc.dictionary(
      fc.constantFrom(...keys.map(variableOf), "CLAWMESH_", "CLAWMESH_CONFIG"),
      fc.string()
    )
    fc.assert(
      fc.property(flags, environment, (flags, environment) => holds({ flags, environment })),
      { numRuns: 1_000 }
    )
  })

  // A bound for what would be quadratic (minutes), not a measure: each takes less than half a second here.
  it("the worst of its size: keys, nesting, items, anchors, one long word", { timeout: 60_000 }, () => {
    const size = 100_000
    const worst: { readonly [what: string]: string } = {
      keys: Array.from({ length: size / 10 }, (_, i) => `k${i}: 1\n`)
        .join("")
        .slice(0, size),
      nesting: "[".repeat(size),
      indented: Array.from({ length: 1_300 }, (_, i) => `${" ".repeat(i)}a:\n`).join(""),
      items: `capabilities:\n${"- a\n".repeat(size / 5)}`,
      anchors: "a: &a [*a]\n".repeat(size / 20),
      word: "a".repeat(size),
      value: `role: ${"p".repeat(size)}`,
      peers: `peers: ["${"=|".repeat(size / 3)}"]`
    }
    for (const [what, file] of Object.entries(worst)) {
      const from = performance.now()
      holds({ file })
      assert.isBelow(performance.now() - from, 10_000, what)
    }
  })
})

/**
 * The reader is total: any bytes give a scenario, or mistakes whose places lie inside the file.
 */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { readScenario, renderMistakes } from "../../../sim/scenario/read.ts"
import { stories } from "../Stories.ts"

const texts = stories.map(({ text }) => text)

/** Returns how many mistakes were told. */
const assertTotal = (source: string | Uint8Array): number => {
  const read = readScenario("any.yaml", source)
  if ("scenario" in read) return 0
  const { mistakes } = read
  assert.isNotEmpty(mistakes)
  const lines = (typeof source === "string" ? source.replace(/^\ufeff/u, "") : new TextDecoder().decode(source)).split(
    "\n"
  )
  let before = 0
  for (const { length, lineText, message, place } of mistakes) {
    const line = lines[place.line - 1]
    assert.isDefined(line, `line ${place.line} of ${lines.length}`)
    assert.strictEqual(lineText, line!.endsWith("\r") ? line!.slice(0, -1) : line)
    assert.isAtLeast(place.column, 1)
    assert.isAtMost(place.column, line!.length + 1)
    assert.isAtLeast(length, 1)
    assert.isAtMost(place.column + length, line!.length + 2)
    assert.isNotEmpty(message)
    assert.isAtLeast(place.line, before)
    before = place.line
  }
  assert.strictEqual(
    new Set(mistakes.map(({ message, place }) => JSON.stringify([place, message]))).size,
    mistakes.length
  )
  renderMistakes("any.yaml", mistakes)
  return mistakes.length
}

/** Pieces that are likely to hurt: YAML's own signs, words of the language in the wrong place. */
const piece = FastCheck.oneof(
  FastCheck.string({ unit: "binary", maxLength: 12 }),
  FastCheck.string({ unit: "grapheme", maxLength: 12 }),
  FastCheck.constantFrom(
    ..."[ ] { } : - ? , # & * ! | > ' \" % @ ` ~ << --- ...".split(" "),
    ..."null on yes 010 60 .nan 1e999 0x1F true &a *a !!str !x 5s 20ms..2ms -5% 101% at within always crash jetson-* everyone __proto__".split(
      " "
    ),
    "\n",
    "\r",
    "\t",
    "\n  ",
    "\n- ",
    ": ",
    "\ufeff",
    "\u2028"
  )
)

const mutation = FastCheck.record({ at: FastCheck.nat(), drop: FastCheck.nat({ max: 40 }), insert: piece })

describe("readScenario is total", () => {
  it("on any bytes", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.uint8Array({ maxLength: 300 }), (bytes) => void assertTotal(bytes)),
      { numRuns: 500 }
    )
  })

  it("on any text that is made of YAML's signs and our words", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(piece, { maxLength: 60 }), (pieces) => void assertTotal(pieces.join(" "))),
      { numRuns: 1_000 }
    )
  })

  it("on scenarios in which chunks are dropped and replaced", () => {
    let wrong = 0
    let right = 0
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom(...texts),
        FastCheck.array(mutation, { minLength: 1, maxLength: 4 }),
        (text, mutations) => {
          const mutated = mutations.reduce((now, { at, drop, insert }) => {
            const from = at % (now.length + 1)
            return now.slice(0, from) + insert + now.slice(from + drop)
          }, text)
          if (assertTotal(mutated) === 0) right++
          else wrong++
        }
      ),
      { numRuns: 500 }
    )
    // Most mutations hurt; some fall into comments. Anything else would mean that this test tests nothing.
    assert.isAbove(wrong, 250)
    assert.isAbove(right, 0)
  })

  it("on scenarios with one value replaced by a value of another type", () => {
    const values = ["5", "x", "[[a]]", "{ a: { b: c } }", "~"]
    // A second line with the same key at the same place of the tree would show nothing new.
    const tried = new Set<string>()
    for (const text of texts)
      for (const [i, line] of text.split("\n").entries()) {
        const colon = line.indexOf(": ")
        const head = line.slice(0, colon)
        if (colon === -1 || line.startsWith("#") || tried.has(head)) continue
        tried.add(head)
        for (const value of values) {
          const lines = text.split("\n")
          lines[i] = `${line.slice(0, colon)}: ${value}`
          assertTotal(lines.join("\n"))
        }
      }
  })
})

/**
 * YAML with the expected mistakes marked in it: `lasts: «60»` says that `60` has to be underlined, and nothing else;
 * `«»` marks what is missing between two characters.
 */
import { assert } from "@effect/vitest"
import { readScenario } from "../../../sim/scenario/read.ts"

interface Marked {
  readonly text: string
  readonly spots: ReadonlyArray<string>
}

const strip = (marked: string): Marked => {
  const spots: Array<string> = []
  let text = ""
  let start = 0
  for (const character of marked) {
    if (character === "«") start = text.length
    else if (character === "»") {
      const before = text.slice(0, start).split("\n")
      spots.push(`${before.length}:${before.at(-1)!.length + 1}+${Math.max(1, text.length - start)}`)
    } else text += character
  }
  return { text, spots }
}

/** Reads the text and demands exactly the marked mistakes, in order, each message fitting its expression. */
export const assertMistakes = (marked: string, ...messages: ReadonlyArray<RegExp | string>): void => {
  const { spots, text } = strip(marked)
  const read = readScenario("test.yaml", text)
  const found = "mistakes" in read ? read.mistakes : []
  assert.deepStrictEqual(
    found.map(({ length, place }) => `${place.line}:${place.column}+${length}`),
    spots,
    found.map(({ message, place }) => `${place.line}:${place.column} ${message}`).join("\n")
  )
  assert.strictEqual(found.length, messages.length, "every marked mistake has its message in the test")
  found.forEach(({ message }, i) => {
    const expected = messages[i]!
    if (typeof expected === "string") assert.strictEqual(message, expected)
    else assert.match(message, expected)
  })
}

/** A whole scenario in which single headings are replaced; `null` leaves the heading out. */
export const scenarioWith = (replaced: { readonly [heading: string]: string | null }): string => {
  const headings: { [heading: string]: string | null } = {
    scenario: " Test",
    seed: " 1",
    lasts: " 60s",
    nodes: `
  laptop:   { role: planner }
  backup:   { role: standby-planner }
  jetson-1: { role: field }
  jetson-2: { role: field }
  kiosk:    { role: viewer }`,
    timeline: `
  - { at: 0s, start: everyone }
  - { at: 10s, id: power-cut, crash: jetson-1 }`,
    expect: " []",
    ...replaced
  }
  return Object.entries(headings)
    .map(([heading, value]) => (value === null ? "" : `${heading}:${value}\n`))
    .join("")
}

export const timelineWith = (steps: string): string => scenarioWith({ timeline: `\n${steps}` })
export const expectWith = (expectations: string): string => scenarioWith({ expect: `\n${expectations}` })

import { assert, describe, it } from "@effect/vitest"
import { readScenario, renderMistakes } from "../../../sim/scenario/read.ts"

const render = (text: string): string => {
  const read = readScenario("scenarios/typos.yaml", text)
  return "mistakes" in read ? renderMistakes("scenarios/typos.yaml", read.mistakes) : ""
}

describe("a file that does not read", () => {
  it("shows every mistake with its line, its place and what to write instead", () => {
    const text = `scenario: Typos
about: what a slip of the finger looks like
seed: 1
lasts: 60
nodes:
  laptop: { role: planer }
  jetson-1: { role: field }
timeline:
  - { at: 0s, start: everyone }
  - at: 20s
    crash: jetson1
  - { at: 15s, heel: everything }
expect: []
`
    assert.strictEqual(
      render(text),
      `scenarios/typos.yaml does not read: 5 things

   4:8   lasts: 60
                ^^  write a time with a unit, such as 500ms, 6s, 2m or 1h
  6:19   laptop: { role: planer }
                         ^^^^^^  one of node, planner, field, sensor, actuator, viewer, standby-planner; did you mean planner?
 11:12   crash: jetson1
                ^^^^^^^  unknown node "jetson1"; did you mean jetson-1?
 12:11   - { at: 15s, heel: everything }
                 ^^^  15s comes after a later step (20s)
 12:16                ^^^^  no such verb; did you mean heal?
`
    )
  })

  it("one thing is one thing, and an empty file has a line to show", () => {
    assert.strictEqual(
      render(""),
      `scenarios/typos.yaml does not read: 1 thing

   1:1   
         ^  the file is empty; a scenario begins with a line such as: scenario: Planner failover
`
    )
  })

  it("a line that is too long for a screen is cut around the mistake, and control characters do not move the carets", () => {
    const lines = render(
      `scenario: a\nabout: ${"x".repeat(300)}\nseed: {${"\t".repeat(3)}${"a".repeat(200)}: 1, b: [`
    ).split("\n")
    for (const line of lines.slice(2)) assert.isBelow(line.length, 240)
    assert.isFalse(lines.join("").includes("\t"))
  })

  it("a file of nothing but mistakes is told up to a bound", () => {
    const text = Array.from({ length: 5_000 }, (_, i) => `a${i}: 1`).join("\n")
    assert.match(render(text), /^scenarios\/typos\.yaml does not read: 1000 things or more\n/u)
  })
})

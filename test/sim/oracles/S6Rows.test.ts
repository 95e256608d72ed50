/** S6 of rows fires when an older row takes the place of a newer one at the word of others; with the real kernel it does not. */
import { describe, it } from "@effect/vitest"
import { brokenAfter, fires, scenarioOf } from "./Broken.ts"

describe("S6: rows go forward", () => {
  it("whoever takes an older one from somebody else", () => {
    const scenario = scenarioOf(`scenario: Four
seed: 4
lasts: 30s
nodes: { a: { role: planner }, b: { role: field }, c: { role: field }, d: { role: field } }
timeline:
  - { at: 0s, start: everyone }
  - { at: 10s, crash: d, for: 5s }`)
    const backward = brokenAfter((after, before, input) => {
      const { membership } = after
      if (input._tag !== "Received" || membership.rows === before.membership.rows) return after
      const rows = membership.rows.map((row) => {
        const was = before.membership.rows.find(({ observer }) => observer === row.observer)
        return was === undefined || was.version < 2
          ? row
          : { ...row, incarnation: was.incarnation, version: was.version - 1 }
      })
      return { ...after, membership: { ...membership, rows } }
    })
    const told =
      /^[abcd] has the row of [abcd] in version \d+ of incarnation 1, and goes back to version \d+ of incarnation 1 at the word of [abcd]$/u
    fires("S6-rows", told, scenario, backward)
  })
})

/** Which seeds run is settled before anything runs. */
import { assert, describe, it } from "@effect/vitest"
import { plan } from "../../../sim/search/Plan.ts"

const told = (...args: Parameters<typeof plan>): ReadonlyArray<string> =>
  [...plan(...args)].map(({ n, scenario, seed }) => `${n}: ${scenario}/${seed}`)

describe("the plan of a campaign", () => {
  it("goes round by round through all scenarios, each with its own seeds", () => {
    assert.deepStrictEqual(
      told([
        { min: 1, max: 3 },
        { min: 10, max: 11 }
      ]),
      ["0: 0/1", "1: 1/10", "2: 0/2", "3: 1/11", "4: 0/3"]
    )
  })

  it("shards share the rounds: each seed is in exactly one", () => {
    const ranges = [
      { min: 0, max: 9 },
      { min: 100, max: 104 }
    ]
    const seeds = (n: number, of: number) =>
      [...plan(ranges, { n, of })].map(({ scenario, seed }) => `${scenario}/${seed}`)
    const parts = [seeds(1, 3), seeds(2, 3), seeds(3, 3)]
    assert.deepStrictEqual(
      parts.map((part) => part.length),
      [6, 5, 4]
    )
    assert.deepStrictEqual(parts.flat().toSorted(), seeds(1, 1).toSorted())
    assert.strictEqual(new Set(parts.flat()).size, 15)
  })
})

/** A08, as far as no expectation can ask it: how long some have a device as down while others do not yet. */
import { assert, describe, it } from "@effect/vitest"
import { runScenario } from "../../../sim/run.ts"
import { scenarioOf } from "../oracles/Broken.ts"

const FROM_MS = 20_000
const SEEDS = 8

/** One of so many, of whose words, or of the words to whom, four in five are lost. */
const mesh = (count: number, direction: "egress" | "ingress") => {
  const others = Array.from({ length: count - 1 }, (_, n) => `jetson-${n + 1}`)
  const [from, to] = direction === "egress" ? ["bad", others.join(", ")] : [others.join(", "), "bad"]
  const lost = `burst-loss: { from: [${from}], to: [${to}], begins: 100%, ends: 0%, loss: 80% }`
  return scenarioOf(`
scenario: One word in five
seed: 8
lasts: 40s
electors: [jetson-1, jetson-2, jetson-3]
nodes:
  bad: { role: field }
${others.map((name) => `  ${name}: { role: ${name === "jetson-1" ? "planner" : "field"} }`).join("\n")}
network: { delay: 1ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
  - { at: ${FROM_MS / 1_000}s, ${lost}, for: 20s }`)
}

describe("A08: one word in five", () => {
  for (const count of [5, 10])
    for (const direction of ["egress", "ingress"] as const)
      it(`${direction} of one of ${count}: out everywhere within 12 s, and within 4 s of the first who says so`, () => {
        for (let seed = 1; seed <= SEEDS; seed++) {
          const { happenings, violations } = runScenario(mesh(count, direction), { seed })
          assert.deepStrictEqual(violations, [])
          const firsts = new Map<string, number>()
          for (const { about, atMs, event, node } of happenings)
            if (event === "peer.down" && about === "bad" && node !== null && atMs >= FROM_MS && !firsts.has(node))
              firsts.set(node, atMs - FROM_MS)
          const times = [...firsts.values()]
          assert.lengthOf(times, count - 1, `seed ${seed}: ${[...firsts.keys()].join(", ")}`)
          assert.isAtMost(Math.max(...times), 12_000, `seed ${seed}`)
          assert.isAtMost(Math.max(...times) - Math.min(...times), 4_000, `seed ${seed}: ${times.join(", ")}`)
        }
      })
})

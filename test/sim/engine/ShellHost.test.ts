/** The fast driver and the production shell are one program: the same inputs and commands, node by node. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import type { Command } from "../../../kernel/Command.ts"
import type { Input } from "../../../kernel/Input.ts"
import { shellHost } from "../../../sim/engine/ShellHost.ts"
import { World, type MakeHost } from "../../../sim/engine/World.ts"
import { withPoison } from "../../../sim/engine/Poison.ts"
import { readScenario } from "../../../sim/scenario/read.ts"
import type { Scenario } from "../../../sim/scenario/Scenario.ts"

const scenarioAt = (file: string): Scenario => {
  const read = readScenario(file, readFileSync(file))
  if ("mistakes" in read) throw new Error(`${file} does not read`)
  return read.scenario
}

interface Line {
  readonly input: Input
  readonly commands: ReadonlyArray<Command>
}

/** What each node took up and did, in its own order. */
const logsOf = (scenario: Scenario, seed: number, makeHost: MakeHost | null) => {
  const logs = new Map<string, Array<Line>>(scenario.nodes.map(({ name }) => [name, []]))
  const world = new World({
    scenario,
    seed,
    ...(makeHost === null ? {} : { makeHost }),
    onStep: (machine, input, commands) => logs.get(machine.name)!.push({ input, commands })
  })
  withPoison(() => world.run(scenario.lastsMs))
  return { logs, hash: world.traceHash() }
}

describe("the shell in a simulated world", () => {
  for (const file of [
    "scenarios/failover.yaml",
    "scenarios/hard-disconnect.yaml",
    "scenarios/ghost-reconnect.yaml",
    "scenarios/llm-one-at-a-time.yaml",
    "scenarios/llm-ignores-the-abort.yaml"
  ]) {
    it(`${file}: the same log at every node as under the fast driver`, () => {
      const scenario = scenarioAt(file)
      for (const seed of [scenario.seed, 1, 2]) {
        const fast = logsOf(scenario, seed, null)
        const shell = logsOf(scenario, seed, shellHost)
        for (const [name, log] of fast.logs) {
          const other = shell.logs.get(name)!
          for (let i = 0; i < Math.max(log.length, other.length); i++)
            assert.deepStrictEqual(other[i], log[i], `${file} seed ${seed}: ${name} parts at input ${i}`)
          assert.isAbove(log.length, 60)
        }
        assert.strictEqual(shell.hash, fast.hash)
      }
    })
  }
})

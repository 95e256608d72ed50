/** The farm's day (scenarios/farm-day.yaml): what came of the first proposal, from the reading that asked for it to what it moved (B37, B42). */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { isReserved, METRIC } from "../../../kernel/proposals/Proposal.ts"
import { trace } from "../../../kernel/world/Trace.ts"
import type { ContextFrame } from "../../../kernel/wire/ContextFrame.ts"
import { World } from "../../../sim/engine/World.ts"
import { scenarioFrom } from "../search/Field.ts"

const text = readFileSync(new URL("../../../scenarios/farm-day.yaml", import.meta.url), "utf8")
/** It is done by then, and has been for a while. */
const DONE_MS = 21_000_000
const WATERED_MS = 21_900_000

/** As `who: what`, such as `probe: moisture`. */
const said = ({ data, sourceDisplayName }: ContextFrame): string => {
  const metric = String(data["metric"])
  return `${sourceDisplayName}: ${isReserved(data) ? metric.slice(METRIC.length) : metric}`
}

describe("a day on the farm", () => {
  it("has its whole trace at whoever asks: reading, proposal, yes, and what it moved", () => {
    const world = new World({ scenario: scenarioFrom(text), seed: 17 })
    world.run(DONE_MS)
    for (const name of ["backup", "board"]) {
      const node = world.machines.find((machine) => machine.name === name)!.state()!
      const chain = trace(node.world, "soil-north/probe.1/33")!.chain.map(({ frame }) => said(frame))
      for (const step of ["probe: moisture", "laptop: propose", "backup: approve", "board: result"])
        assert.include(chain, step, `at ${name}: ${chain.join(", ")}`)
      assert.isBelow(chain.indexOf("probe: moisture"), chain.indexOf("laptop: propose"))
      assert.isBelow(chain.indexOf("laptop: propose"), chain.indexOf("board: result"))
    }
  })

  it("is wetter for it by what flowed, and the tank emptier", () => {
    const world = new World({ scenario: scenarioFrom(text), seed: 17 })
    world.run(20_400_000)
    const before = { moisture: world.measured("north", "moisture")!, level: world.measured("tank", "level")! }
    world.run(WATERED_MS)
    // 25 minutes of 45 litres on 150 m² are 7.5 mm, or 2.5 percent; the sun takes about 0.1.
    const risen = world.measured("north", "moisture")! - before.moisture
    assert.isAbove(risen, 2.3)
    assert.isBelow(risen, 2.5)
    assert.closeTo(before.level - world.measured("tank", "level")!, 25 * 45 - 25, 5)
  })
})

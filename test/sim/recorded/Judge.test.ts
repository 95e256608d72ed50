import { assert, describe, it } from "@effect/vitest"
import type { Input } from "../../../kernel/Input.ts"
import * as Node from "../../../kernel/Node.ts"
import type { Recording } from "../../../adapters/recorded/Open.ts"
import { readSegment } from "../../../adapters/recorded/Read.ts"
import { livesOf } from "../../../adapters/recorded/Replay.ts"
import { judge, unjudged } from "../../../sim/recorded/Judge.ts"
import { maker, type Recorded, recordRun, scenarioOf } from "../../adapters/recorded/Simulated.ts"

/** `from`: so many of its files are gone. */
const recordingOf = (name: string, { files, state }: Recorded, from = 0): Recording => ({
  source: "out",
  name,
  deviceId: state.config.deviceId,
  lives: livesOf(
    [...files].slice(from).flatMap(([file, text]) => {
      const read = readSegment(file, Buffer.from(text))
      return "problem" in read ? [] : [read]
    })
  ),
  problems: []
})

// Restarts, amnesia, a guardian, proposals, generation 1, other electors.
const names = [
  "failover",
  "lost-journal",
  "one-pump-two-planners",
  "who-says-yes",
  "power-cut-at-each-write",
  "another-elector",
  "c76-gen1-interop"
]

describe("oracles over the recording of one node", () => {
  for (const name of names)
    it(`of ${name} find nothing, wherever it begins`, () => {
      for (const [node, recorded] of recordRun(scenarioOf(name), 120, { untilMs: 90_000 })) {
        const { partly, report, violations } = judge(recordingOf(node, recorded), undefined, maker.kernel)
        assert.strictEqual(report.outcome, "same")
        assert.deepStrictEqual(violations, [])
        assert.deepStrictEqual(partly, [])
        if (recorded.files.size < 3) continue
        const rest = judge(recordingOf(node, recorded, 2), undefined, maker.kernel)
        assert.deepStrictEqual(rest.violations, [])
      }
    })

  it("find what one node shows to be wrong, with its place", () => {
    const kernel = {
      make: Node.make,
      step: (node: Node.NodeState, input: Input): Node.Step => {
        const [after, commands] = Node.step(node, input)
        return [after, commands.filter((command) => command._tag !== "Note" || command.event.event !== "peer.down")]
      }
    }
    const recorded = recordRun(scenarioOf("failover"), 1_000, { untilMs: 40_000 })
    const found = [...recorded].flatMap(([node, one]) => judge(recordingOf(node, one), kernel, maker.kernel).violations)
    assert.isAbove(found.length, 0)
    assert.strictEqual(found[0]!.oracle, "K3")
    assert.match(found[0]!.file, /^0000000\d\.jsonl$/u)
    assert.isAbove(found[0]!.at, 1)
  })

  it("say which cannot be judged", () => {
    const [, one] = [...recordRun(scenarioOf("failover"), 1_000, { untilMs: 5_000 })][0]!
    const { judged } = judge(recordingOf("a", one), undefined, maker.kernel)
    assert.includeMembers(
      [...judged],
      ["S1-promises", "S3", "S9", "S10", "S13", "K1", "K3", "K4", "K5", "K6", "K7", "K9", "L4"]
    )
    assert.isTrue(unjudged.every(([ids]) => !judged.includes(ids) || ids === "S6"))
  })
})

/** The inputs of a trace, given to a kernel alone: the same, or from which input on not. */
import { assert, describe, it } from "@effect/vitest"
import { kernel, type Kernel } from "../../../sim/engine/Host.ts"
import { mixed } from "../../../sim/gen1/Mixed.ts"
import { runScenario } from "../../../sim/run.ts"
import { readTrace, type Trace } from "../../../sim/trace/ReadTrace.ts"
import { Recorder } from "../../../sim/trace/Recorder.ts"
import { refeed } from "../../../sim/trace/Feed.ts"
import { scenarioFrom } from "../search/Field.ts"
import { drawnTrace, FIELD, traceOf } from "./Stage.ts"

const opened = (text: string): Trace => {
  const trace = readTrace("x.jsonl", Buffer.from(text))
  if ("problem" in trace) throw new Error(trace.problem)
  return trace
}
const fed = ({ header, lines }: Trace, by: Kernel = kernel) => refeed(header, lines, by)

describe("the inputs of a trace, fed to the kernel", () => {
  it("give what they gave: as written, as drawn, in a branch", () => {
    for (const text of [traceOf(), drawnTrace(), drawnTrace(undefined, 3, [{ after: 300, future: 2 }])])
      assert.deepInclude(fed(opened(text)), { parted: null, threw: null })
  })

  it("with devices of generation 1 and kernels of tomorrow among the nodes", () => {
    const yaml = FIELD.replace(
      "  one:    { role: field }",
      "  one:    { role: field }\n  new:    { role: field, generation: 2 }"
    )
    const scenario = mixed(scenarioFrom(yaml), 2)
    const recorder = new Recorder()
    const result = runScenario(scenario, { onStep: recorder.onStep })
    const maker = { kernel: null, node: "24.4.0" }
    const trace = opened(recorder.text({ scenario, drawn: null, untilMs: null, maker }, result))
    assert.deepStrictEqual(
      trace.header.nodes.map(({ generation }) => generation),
      [undefined, undefined, undefined, 2, 1, 1]
    )
    assert.strictEqual(trace.header.with, "gen1=2")
    assert.deepInclude(fed(trace), { parted: null, threw: null })
  })

  it("tell what the run told, but for what the world said", () => {
    const { happenings } = runScenario(scenarioFrom(FIELD), { seed: 7 })
    assert.deepStrictEqual(
      fed(opened(traceOf())).happenings,
      happenings.filter(({ node }) => node !== null)
    )
  })

  it("name the first input with which a kernel does otherwise, and go on", () => {
    const trace = opened(traceOf())
    const event = trace.lines.findIndex(({ input }) => input._tag === "Ponged") + 1
    const quiet: Kernel = {
      ...kernel,
      step: (node, input) => (input._tag === "Ponged" ? [node, [{ _tag: "Listen" }]] : kernel.step(node, input))
    }
    let seen = 0
    const { parted } = refeed(trace.header, trace.lines, quiet, () => void seen++)
    assert.strictEqual(parted?.event, event)
    assert.deepStrictEqual(parted?.fed.commands, [{ _tag: "Listen" }])
    assert.strictEqual(seen, trace.lines.length)
  })

  it("end where the kernel breaks", () => {
    const trace = opened(traceOf())
    let steps = 0
    const brittle: Kernel = {
      ...kernel,
      step: (node, input) => {
        if (++steps === 40) throw new Error("it is broken")
        return kernel.step(node, input)
      }
    }
    const { parted, threw } = fed(trace, brittle)
    assert.isNull(parted)
    assert.strictEqual(threw?.event, 40)
    assert.strictEqual((threw!.error as Error).message, "it is broken")
  })
})

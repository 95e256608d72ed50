/** Recordings of the nodes of a simulated run, as their daemons would have made them. */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { gzipSync } from "node:zlib"
import type { NodeState } from "../../../kernel/Node.ts"
import * as Node from "../../../kernel/Node.ts"
import { fileOf, headerLine, type Maker } from "../../../adapters/recorded/Format.ts"
import { Scribe } from "../../../adapters/recorded/Scribe.ts"
import * as State from "../../../adapters/recorded/State.ts"
import { runScenario, type RunOptions } from "../../../sim/run.ts"
import { readScenario } from "../../../sim/scenario/read.ts"
import type { Scenario } from "../../../sim/scenario/Scenario.ts"

export const maker: Maker = { program: "0.0.0", kernel: "0123456789ab", node: "v24.0.0" }

export interface Recorded {
  readonly state: NodeState
  readonly files: ReadonlyMap<string, string>
}

export const scenarioOf = (name: string): Scenario => {
  const file = resolve(import.meta.dirname, `../../scenarios/${name}.yaml`)
  const read = readScenario(file, readFileSync(file))
  if (!("scenario" in read)) throw new Error(`${file} does not read`)
  return read.scenario
}

/** By name; of kernels of ours only. A segment holds so many inputs. */
export const recordRun = (
  scenario: Scenario,
  everyInputs: number,
  options: RunOptions = {}
): ReadonlyMap<string, Recorded> => {
  const nodes = new Map<
    string,
    { state: NodeState; scribe: Scribe; files: Map<string, string>; segment: number; held: number; text: string }
  >()
  runScenario(scenario, {
    liveness: false,
    ...options,
    onStep: ({ config, name, spec }, input) => {
      if (spec.generation !== undefined) return
      let node = nodes.get(name)
      if (node === undefined) {
        node = {
          state: Node.make(config),
          scribe: new Scribe(config, maker),
          files: new Map(),
          segment: 0,
          held: 0,
          text: ""
        }
        nodes.set(name, node)
      }
      const starts = input._tag === "Started"
      if (starts) {
        node.scribe = new Scribe(config, maker)
        node.state = Node.make(config)
      }
      if (starts || node.held >= everyInputs) {
        node.segment++
        node.held = 0
        const header = node.scribe.begin(node.segment, input.at)
        const state = starts ? null : State.packed(gzipSync(State.text(node.state), { level: 1 }))
        node.text = headerLine({ ...header, state })
      }
      const [after, commands] = Node.step(node.state, input)
      node.text += node.scribe.take(input, commands)
      node.state = after
      node.held++
      node.files.set(fileOf(node.segment), node.text)
    }
  })
  return new Map([...nodes].map(([name, { files, state }]) => [name, { files, state }]))
}

/** Traces for the tests of replay: of a small field, written once, and a folder with them in which the command runs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import type { Engine, Surroundings } from "../../../sim/cli/Surroundings.ts"
import { runScenario } from "../../../sim/run.ts"
import { runBranch } from "../../../sim/search/OneSeed.ts"
import { Recorder } from "../../../sim/trace/Recorder.ts"
import { record } from "../../../sim/trace/TraceFile.ts"
import { read, simIn } from "../cli/terminal.ts"
import { scenarioFrom } from "../search/Field.ts"

export const VERSION = "4c1e77a"
const maker = { kernel: VERSION, node: "24.4.0" }

const FILE = "scenarios/field.yaml"
export const FIELD = `scenario: A small field
seed: 7
lasts: 14s
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  one:    { role: field }
timeline:
  - { at: 0s, start: everyone }
  - { at: 6s, id: dies, crash: main }
expect:
  - { name: main leads, at: 5s, that: { leader: main } }
  - { name: main leads for ever, at: 12s, that: { leader: main } }
fuzz:
  faults:
    - { crash: any field node, every: 3s..9s, for: 1s..4s }
  calm: 4s
`

/** The run as written, and the trace of it. */
export const traceOf = (yaml = FIELD, seed = 7): string => {
  const recorder = new Recorder()
  const scenario = scenarioFrom(yaml, FILE)
  const result = runScenario(scenario, { seed, onStep: recorder.onStep })
  return recorder.text({ scenario, drawn: null, untilMs: null, maker }, result)
}

/** As a campaign draws it. */
export const drawnTrace = (yaml = FIELD, seed = 3, points: Parameters<typeof record>[1]["points"] = []): string =>
  record(scenarioFrom(yaml, FILE), { seed, points }, true, maker).text

export const engine: Engine = {
  read,
  run: runScenario,
  runFuzzed: (scenario, seed, { points, swarm }, options) => runBranch(scenario, seed, swarm, points, options)
}

export const folder = mkdtempSync(join(tmpdir(), "clawmesh-replay-"))
mkdirSync(join(folder, "scenarios"))
mkdirSync(join(folder, "out"))
afterAll(() => rmSync(folder, { recursive: true }))
export const write = (name: string, content: string | Uint8Array): void => writeFileSync(join(folder, name), content)
write(FILE, FIELD)

export const sim = (line: string, around: Partial<Surroundings> = {}) =>
  simIn(folder, line, { engine: async () => engine, kernelVersion: () => VERSION, ...around })

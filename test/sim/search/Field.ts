/** A small field for campaigns: two planners, two field nodes, a crash that varies, two random faults. */
import { readScenario } from "../../../sim/scenario/read.ts"
import type { Scenario } from "../../../sim/scenario/Scenario.ts"

export const FIELD = `scenario: A small field
seed: 1
lasts: 40s
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  one:    { role: field }
  two:    { role: field }
timeline:
  - { at: 0s, start: everyone }
  - { at: 8s, id: dies, crash: main }
  - { at: dies + 10s, id: returns, restart: main }
expect:
  - { name: it leads as written, at: 7s, that: { leader: main } }
  - { name: the other one takes over, within: 6s, after: dies, that: { leader: backup } }
  - { name: one at most, always: { leaders: at most 1 } }
  - { name: still one after it came back, always: { leaders: at most 1 }, from: returns, until: end }
  - { name: in the end there is one, eventually: { leaders: exactly 1, agree-on: [leader] } }
fuzz:
  seeds: 5..24
  vary:
    timeline.dies.at: 6s..12s
    network.loss: 0%..5%
    nodes.*.clock-skew: -3s..3s
    nodes.one.clock-rate: -1%..1%
  faults:
    - { crash: any field node, every: 3s..9s, for: 1s..4s }
    - { cut: any link, every: 2s..6s, for: 500ms..3s }
  calm: 15s
`

export const scenarioFrom = (yaml: string, file = "inline.yaml"): Scenario => {
  const read = readScenario(file, yaml)
  if ("mistakes" in read) throw new Error(read.mistakes.map(({ message }) => message).join("\n"))
  return read.scenario
}

export const field = (): Scenario => scenarioFrom(FIELD)

/** A broken kernel of `kernels/`, as a campaign loads it. */
export const kernelAt = (name: string): string => new URL(`./kernels/${name}.ts`, import.meta.url).href

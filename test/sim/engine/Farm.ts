/** Three machines whose disks a test breaks while they run, under all oracles, by either driver. */
import type { Command } from "../../../kernel/Command.ts"
import type { Input } from "../../../kernel/Input.ts"
import type { Machine } from "../../../sim/engine/Machine.ts"
import { withPoison } from "../../../sim/engine/Poison.ts"
import type { Happening } from "../../../sim/engine/View.ts"
import { World, type WorldOptions } from "../../../sim/engine/World.ts"
import { everyOracle } from "../../../sim/oracles/all.ts"
import { readScenario } from "../../../sim/scenario/read.ts"

const SCENARIO = `
scenario: Three whose disks are not to be trusted
seed: 1
lasts: 10m
profile: lan
electors: [main, backup, field]
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  field:  { role: field }
network: { delay: 1ms..5ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
expect:
  - always: { leaders: at most 1 }
`

/** By when a leader is elected and nothing is being stored any more. */
export const SETTLED_MS = 5_000

export interface Farm {
  readonly world: World
  readonly main: Machine
  readonly backup: Machine
  readonly field: Machine
  readonly happenings: ReadonlyArray<Happening>
  /** Every input of every node with what was done about it, in order. */
  readonly log: ReadonlyArray<{
    readonly name: string
    readonly input: Input
    readonly commands: ReadonlyArray<Command>
  }>
  /** Does something at a true time, as an event of the world. */
  readonly at: (atMs: number, run: () => void) => void
  /** Throws what an oracle says. */
  readonly runTo: (untilMs: number) => void
  /** What the world said of a machine: `world.failed`, and why. */
  readonly told: (machine: Machine) => ReadonlyArray<readonly [atMs: number, event: string, reason: string | undefined]>
}

export const farm = (options: Partial<WorldOptions> = {}): Farm => {
  const read = readScenario("farm.yaml", Buffer.from(SCENARIO))
  if ("mistakes" in read) throw new Error(`the farm does not read: ${JSON.stringify(read.mistakes)}`)
  const happenings: Array<Happening> = []
  const log: Array<Farm["log"][number]> = []
  const world = new World({
    scenario: read.scenario,
    seed: 1,
    oracles: everyOracle(),
    onHappening: (happening) => happenings.push(happening),
    onStep: (machine, input, commands) => log.push({ name: machine.name, input, commands }),
    ...options
  })
  const [main, backup, field] = world.machines as unknown as readonly [Machine, Machine, Machine]
  return {
    world,
    main,
    backup,
    field,
    happenings,
    log,
    at: (atMs, run) => void world.agenda.push(atMs, { _tag: "call", run }),
    runTo: (untilMs) => {
      withPoison(() => world.run(untilMs))
      const [first] = world.violations
      if (first !== undefined) throw new Error(`${first.oracle} at ${first.atMs}: ${first.message}`)
    },
    told: (machine) =>
      happenings.flatMap(({ about, atMs, detail, event, node }) =>
        node === null && about === machine.name ? [[atMs, event, detail.reason] as const] : []
      )
  }
}

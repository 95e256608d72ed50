/**
 * A stage for hostile peers: a mesh of three under all oracles, a stranger in the place of a fourth that the three trust, and
 * another one whom nobody knows. What each node took up and did is kept, so that a run can be laid beside the same run in
 * peace: who has nothing to do with the stranger must not differ by one input.
 */
import { assert } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import type { Input } from "../../../kernel/Input.ts"
import * as Node from "../../../kernel/Node.ts"
import { status, type NodeStatus } from "../../../kernel/status/Status.ts"
import type { ConnectParams, Frame } from "../../../kernel/wire/Frame.ts"
import type { Kernel } from "../../../sim/engine/Host.ts"
import type { Machine } from "../../../sim/engine/Machine.ts"
import { withPoison } from "../../../sim/engine/Poison.ts"
import { World } from "../../../sim/engine/World.ts"
import type { Claim } from "../../../sim/network/Credentials.ts"
import { Stranger, type Behaviour, type Line } from "../../../sim/network/Stranger.ts"
import { everyOracle } from "../../../sim/oracles/all.ts"
import { readScenario } from "../../../sim/scenario/read.ts"
import type { Scenario } from "../../../sim/scenario/Scenario.ts"

export const scenarioOf = (yaml: string): Scenario => {
  const read = readScenario("inline.yaml", yaml)
  if ("mistakes" in read) throw new Error(read.mistakes.map((mistake) => mistake.message).join("\n"))
  return read.scenario
}

const meshOf = (electors: string): Scenario =>
  scenarioOf(`
scenario: Three and a stranger
seed: 5
lasts: 10m
profile: lan
electors: [${electors}]
nodes:
  main:    { role: planner }
  backup:  { role: standby-planner }
  field:   { role: field }
  mallory: { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: [main, backup, field] }
expect:
  - always: { leaders: at most 1 }
`)

export interface Siege {
  readonly world: World
  /** Trusted by the three as a field node; holds its key. */
  readonly mallory: Stranger
  /** Unknown to all. */
  readonly eve: Stranger
  readonly main: Machine
  readonly backup: Machine
  readonly field: Machine
  /** By node: every input and what was done about it. */
  readonly traces: ReadonlyMap<string, ReadonlyArray<string>>
  readonly hangups: ReadonlyArray<{
    readonly node: string
    readonly hangup: Extract<Command, { readonly _tag: "Hangup" }>
  }>
}

/** By when the mesh has elected its leader and is quiet. */
export const SETTLED_MS = 5_000

export interface SiegeOptions {
  readonly untilMs?: number
  readonly electors?: string
  readonly kernel?: Kernel
  /** Constants in place of the profile's. */
  readonly timing?: Scenario["timing"]
  /** Before anybody starts. */
  readonly prepare?: (siege: Siege) => void
  /** After each step of a node, before its commands are performed. */
  readonly onStep?: (siege: Siege, machine: Machine, input: Input, commands: ReadonlyArray<Command>) => void
}

/** The real kernel, and everybody's trust store has this node as a device of generation 1. */
export const trustingAsGeneration1 = (name: string): Kernel => ({
  make: (config) =>
    Node.make({
      ...config,
      trusted: config.trusted.map((device) => (device.address === name ? { ...device, gen1: true } : device))
    }),
  step: Node.step
})

/** `act` is called at the settled time; the run goes on until `untilMs`. */
export const besiege = (act: (siege: Siege) => void, options: SiegeOptions = {}): Siege => {
  const { timing } = options
  const usual = meshOf(options.electors ?? "main, backup, field")
  const scenario = timing === undefined ? usual : { ...usual, timing }
  const traces = new Map<string, Array<string>>(scenario.nodes.map(({ name }) => [name, []]))
  const hangups: Array<Siege["hangups"][number]> = []
  const world = new World({
    scenario,
    seed: scenario.seed,
    oracles: everyOracle(),
    onStep: (machine, input, commands) => {
      traces.get(machine.name)!.push(JSON.stringify([world.nowMs, input, commands]))
      for (const command of commands)
        if (command._tag === "Hangup") hangups.push({ node: machine.name, hangup: command })
      options.onStep?.(siege, machine, input, commands)
    },
    ...(options.kernel === undefined ? {} : { kernel: options.kernel })
  })
  const [main, backup, field] = world.machines as unknown as readonly [Machine, Machine, Machine]
  const mallory = new Stranger(world, "mallory")
  const eve = new Stranger(world, "eve")
  const siege: Siege = { world, mallory, eve, main, backup, field, traces, hangups }
  options.prepare?.(siege)
  mallory.at(SETTLED_MS, () => act(siege))
  withPoison(() => world.run(options.untilMs ?? 12_000))
  return siege
}

const peace = new Map<string, Siege>()
/** The same run in which the stranger does nothing. */
const inPeace = ({ electors, kernel, prepare, untilMs }: SiegeOptions): Siege => {
  const plain = {
    ...(electors === undefined ? {} : { electors }),
    ...(kernel === undefined ? {} : { kernel }),
    ...(prepare === undefined ? {} : { prepare }),
    ...(untilMs === undefined ? {} : { untilMs })
  }
  if (kernel !== undefined || prepare !== undefined) return besiege(() => {}, plain)
  const key = `${untilMs ?? ""}/${electors ?? ""}`
  const siege = peace.get(key) ?? besiege(() => {}, plain)
  peace.set(key, siege)
  return siege
}

export const statusOf = (siege: Siege, machine: Machine): NodeStatus =>
  status(machine.state()!, machine.clock.mono(siege.world.nowMs))

/** The code with which a node closed a line of a stranger; `null`: it did not. */
export const closedWith = (siege: Siege, line: Line): number | null => {
  const found = siege.hangups.find(({ hangup, node }) => node === line.far && hangup.link === line.link)
  return found?.hangup.code ?? null
}

/** Nobody is the worse for it: no oracle fires, all three are up for each other, main leads term 1 without a break. */
export const allIsWell = (siege: Siege): void => {
  assert.deepStrictEqual(siege.world.violations, [])
  const three = [siege.main, siege.backup, siege.field]
  for (const machine of three) {
    const { peers, plannerActivity, term } = statusOf(siege, machine)
    assert.strictEqual(term, 1, `${machine.name} knows one term`)
    assert.strictEqual(plannerActivity.leader.deviceId, siege.main.config.deviceId, `${machine.name} follows main`)
    for (const other of three) {
      if (other === machine) continue
      const word = peers.find((peer) => peer.deviceId === other.config.deviceId)
      assert.deepInclude(word, { state: "up", linked: true }, `${machine.name} has ${other.name}`)
    }
  }
}

/** The first difference between what a node took up and did in two runs; `null`: none. */
export const difference = (a: Siege, b: Siege, node: string): string | null => {
  const left = a.traces.get(node)!
  const right = b.traces.get(node)!
  for (let i = 0; i < Math.max(left.length, right.length); i++)
    if (left[i] !== right[i]) return `${node}, step ${i}:\n${left[i]}\n${right[i]}`
  return null
}

/** All is well, and whoever the stranger did not talk to lived exactly as in the same run in peace. */
export const nobodyElseNotices = (siege: Siege, victims: ReadonlyArray<string>, options: SiegeOptions = {}): void => {
  allIsWell(siege)
  const quiet = inPeace(options)
  for (const { name } of siege.world.machines)
    if (!victims.includes(name)) assert.isNull(difference(siege, quiet, name))
}

const nonceIn = (frame: Frame): string | null =>
  frame.type === "res" && frame.id === "c" && frame.ok ? (frame.payload as { readonly nonce: string }).nonce : null

/** Asks for the nonce, and says with it what `words` makes of it; `null`: nothing. */
export const loggingIn = (
  words: (nonce: string, line: Line) => ConnectParams | string | null,
  then: Behaviour = {}
): Behaviour => ({
  ...then,
  opened: (line) => line.ask("c", "mesh.challenge"),
  heard: (line, frame) => {
    const nonce = nonceIn(frame)
    if (nonce === null) return then.heard?.(line, frame)
    const said = words(nonce, line)
    if (typeof said === "string") line.raw(said)
    else if (said !== null) line.say({ type: "req", id: "l", method: "mesh.connect", params: said })
  }
})

/** An honest login at `at` in every word but those of `lies`; calls `then` once the login was answered well. */
export const asMallory = (
  siege: Siege,
  at: string,
  lies: Partial<Claim> = {},
  then: (line: Line) => void = () => {}
): Line => {
  const { mallory } = siege
  const audience = siege.world.machines.find((machine) => machine.name === at)!.config.deviceId
  return mallory.dial(
    at,
    loggingIn((nonce) => mallory.login({ ...mallory.claim(), ...lies }, audience, nonce, mallory.wallMs(at)), {
      heard: (line, frame) => {
        if (frame.type === "res" && frame.id === "l" && frame.ok) then(line)
      }
    })
  )
}

/** `params` without their kernel extension, as generation 1 logs in. */
export const generation1 = ({ kernel: _, ...params }: ConnectParams): ConnectParams => params

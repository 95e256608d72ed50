/**
 * A mesh of whole kernels in the simulator, everybody linked to everybody, as the experiments see it: they watch what each node
 * tells, as an operator would.
 *
 * Blocked means frozen here: a kernel is one thread, and what keeps it from reading keeps it from its alarms. Of traffic a probe
 * counts together with its answer.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"
import { bytesOf } from "../../sim/network/Cargo.ts"
import { World } from "../../sim/engine/World.ts"
import type { Happening } from "../../sim/engine/View.ts"
import type { NodeSpec, Scenario } from "../../sim/scenario/Scenario.ts"
import type { Contender, Mesh, MeshOptions, Traffic, Word } from "./Mesh.ts"

const LASTS_MS = 1_000_000_000

const node = (index: number): NodeSpec => ({
  name: `node-${index}`,
  role: index === 0 ? "planner" : index === 1 ? "standby-planner" : "field",
  capabilities: [],
  clockSkewMs: 0,
  clockRatePpm: 0
})

const scenarioOf = ({ delayMs, lossPpm, seed, size }: MeshOptions): Scenario => {
  const nodes = Array.from({ length: size }, (_, index) => node(index))
  const names = nodes.map(({ name }) => name)
  return {
    file: "bench/membership.ts",
    text: "",
    title: `${size} nodes`,
    seed,
    lastsMs: LASTS_MS,
    profile: "lan",
    electors: names.slice(0, 3),
    nodes,
    network: { delayMs, lossPpm, links: "everyone" },
    timeline: [
      {
        place: { line: 1, column: 1 },
        atMs: 0,
        id: null,
        note: null,
        verb: { _tag: "start", who: names },
        forMs: null
      }
    ],
    expect: []
  }
}

const wordOf = (event: Happening["event"]): Word["state"] | null =>
  event === "peer.up" ? "up" : event === "peer.suspect" ? "suspect" : event === "peer.down" ? "down" : null

const isMembership = (frame: Frame): boolean =>
  frame.type === "event" && (frame.event === "mesh.heartbeat" || frame.event === "mesh.edges")

const PING = bytesOf({ _tag: "ping", probe: 0 })

/** Thrown out of a world that takes too long: a single ms of many nodes that all meet may take minutes. */
const OVER = new Error("too much work")
const STEPS_BETWEEN_LOOKS = 16

class KernelMesh implements Mesh {
  private readonly world: World
  private readonly names: ReadonlyArray<string>
  private isOver = (): boolean => false
  private steps = 0
  private messages = 0
  private membership = 0
  private bytes = 0

  constructor(options: MeshOptions) {
    const scenario = scenarioOf(options)
    this.names = scenario.nodes.map(({ name }) => name)
    const indexes = new Map(this.names.map((name, index) => [name, index]))
    this.world = new World({
      scenario,
      seed: options.seed,
      withoutHash: true,
      onHappening: ({ about, atMs, event, node }) => {
        const state = wordOf(event)
        if (state === null || node === null || about === null) return
        options.onWord({ atMs, observer: indexes.get(node)!, subject: indexes.get(about)!, state })
      },
      onStep: (_machine, _input, commands) => {
        if (options.countTraffic === true) this.count(commands)
        if (++this.steps % STEPS_BETWEEN_LOOKS === 0 && this.isOver()) throw OVER
      }
    })
  }

  private count(commands: ReadonlyArray<Command>): void {
    for (const command of commands) {
      if (command._tag === "Send") {
        this.messages++
        if (isMembership(command.frame)) this.membership++
        this.bytes += bytesOf({ _tag: "frame", frame: command.frame })
      } else if (command._tag === "Ping") {
        this.messages += 2
        this.membership += 2
        this.bytes += 2 * PING
      }
    }
  }

  run(untilMs: number, isOver = (): boolean => false): boolean {
    this.isOver = isOver
    try {
      this.world.run(untilMs)
      return true
    } catch (error) {
      if (error !== OVER) throw error
      return false
    }
  }

  crash(member: number): void {
    this.world.machines[member]!.crash(true)
  }

  block(member: number): void {
    this.world.machines[member]!.freeze()
  }

  open(member: number): void {
    this.world.machines[member]!.thaw()
  }

  lose(member: number, direction: "egress" | "ingress", ppm: number): void {
    const name = this.names[member]!
    const others = this.names.filter((other) => other !== name)
    const pairs = others.map((other) => (direction === "egress" ? ([name, other] as const) : ([other, name] as const)))
    this.world.network.apply({ _tag: "slow", pairs, delay: null, lossPpm: ppm }, `${direction} of ${name}`)
  }

  sent(): Traffic {
    return { messages: this.messages, membership: this.membership, bytes: this.bytes }
  }
}

export const ours: Contender = {
  name: "ours",
  make: (options) => new KernelMesh(options),
  meetsMs: 15_000
}

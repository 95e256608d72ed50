/**
 * Two simulated machines as a pair of transports: the commands go to the machines as a kernel's would, and what the machines
 * would tell their kernel is kept. The world runs on only while somebody waits for what happens next.
 */
import * as Effect from "effect/Effect"
import type { Command } from "../../kernel/Command.ts"
import type { Happened } from "../../kernel/Input.ts"
import * as Node from "../../kernel/Node.ts"
import type { Host } from "../../sim/engine/Host.ts"
import { World } from "../../sim/engine/World.ts"
import { readScenario } from "../../sim/scenario/read.ts"
import type { End, MakePair } from "./Pair.ts"

const SCENARIO = `
scenario: Two ends
seed: 1
lasts: 1h
profile: lan
electors: [alpha]
nodes:
  alpha: { role: planner }
  beta: { role: field }
  idle: { role: field }
network: { delay: 1ms..9ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
expect:
  - { name: nothing leads, at: 1s, that: { leaders: exactly 0 } }
`

/** Nothing that a transport does takes longer, in the world's ms. */
const PATIENCE_MS = 60_000

export const makeSimulatedPair: MakePair = Effect.sync(() => {
  const read = readScenario("two-ends.yaml", Buffer.from(SCENARIO))
  if ("mistakes" in read) throw new Error(`the scenario of the twin does not read: ${JSON.stringify(read.mistakes)}`)
  const told = new Map<string, Array<Happened>>()
  const asks = new Map<string, (command: Command) => void>()
  const world = new World({
    scenario: read.scenario,
    seed: 1,
    makeHost: (_kernel, config, context, machine): Host => {
      const happened: Array<Happened> = []
      told.set(machine.name, happened)
      asks.set(machine.name, context.perform)
      return {
        state: () => Node.make(config),
        deliver: (one) => {
          if (one._tag !== "Started") happened.push(one)
        },
        kill: () => {}
      }
    }
  })
  world.run(0)

  const end = (name: string): End => {
    const machine = world.machines.find((candidate) => candidate.name === name)!
    const queue = told.get(name)!
    /** As an event of the world, behind what is already to happen in this instant. */
    const ask = (command: Command): Effect.Effect<void> =>
      Effect.sync(() => {
        world.agenda.push(world.nowMs, { _tag: "call", run: () => asks.get(name)!(command) })
      })
    return {
      deviceId: machine.config.deviceId,
      address: name,
      transport: {
        listen: ask({ _tag: "Listen" }),
        dial: (attempt, to, address) => ask({ _tag: "Dial", attempt, to, address }),
        cancelDial: (attempt) => ask({ _tag: "CancelDial", attempt }),
        send: (link, frame) => ask({ _tag: "Send", link, frame }),
        ping: (link, probe) => ask({ _tag: "Ping", link, probe }),
        hangup: (link, code, reason, abrupt) => ask({ _tag: "Hangup", link, code, reason, abrupt }),
        halt: ask({ _tag: "Halt" })
      },
      next: Effect.suspend(() => {
        const untilMs = world.nowMs + PATIENCE_MS
        while (queue.length === 0) {
          const atMs = world.agenda.peekMs()
          if (atMs > untilMs) return Effect.die(new Error(`${name}: nothing happened in ${PATIENCE_MS} ms`))
          world.run(atMs)
        }
        return Effect.succeed(queue.shift()!)
      })
    }
  }
  asks.get("alpha")!({ _tag: "Listen" })
  asks.get("beta")!({ _tag: "Listen" })
  return { a: end("alpha"), b: end("beta"), nowhere: "idle" }
})

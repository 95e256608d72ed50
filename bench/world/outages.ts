/** What two sides that were apart cost each other, in the simulator: how long until they know the same, and how many bytes. */
import * as Node from "../../kernel/Node.ts"
import { encode } from "../../kernel/wire/Codec.ts"
import { utf8Bytes } from "../../kernel/wire/Utf8.ts"
import { heldOf } from "../../kernel/world/Log.ts"
import { known } from "../../sim/engine/Emitted.ts"
import { World } from "../../sim/engine/World.ts"
import { readScenario } from "../../sim/scenario/read.ts"

export interface Outage {
  /** From the end of the cut until all know the same, ms. */
  readonly equalMs: number
  readonly frames: number
  /** Everything that the logs cost after the cut, over what each node lacked. */
  readonly ratio: number
  /** The longest wait for a heartbeat beyond its beat, ms. */
  readonly heartbeatLateMs: number
  /** The most that was kept for one far end to read. */
  readonly unreadBytes: number
}

const LOOK_MS = 100
/** Nobody waits longer for them to agree. */
const PATIENCE_MS = 600_000
const BEAT_MS = 1_000

/** Holds more than a usual node: what a day brings. */
const roomy = {
  make: (config: Parameters<typeof Node.make>[0]) =>
    Node.make({ ...config, world: { frames: 262_144, bytes: 268_435_456 } }),
  step: Node.step
}

export const outage = (text: string, cutEndsMs: number): Outage => {
  const read = readScenario("bench.yaml", text)
  if ("mistakes" in read) throw new Error(read.mistakes.map(({ message }) => message).join("; "))
  const heardAt = new Map<string, number>()
  let bytes = 0
  let heartbeatLateMs = 0
  let measuring = false
  const world: World = new World({
    scenario: read.scenario,
    seed: read.scenario.seed,
    kernel: roomy,
    withoutHash: true,
    onStep: (machine, input, commands) => {
      if (!measuring) return
      for (const command of commands)
        if (command._tag === "Send" && command.frame.type === "event" && command.frame.event.startsWith("mesh.world"))
          bytes += utf8Bytes(encode(command.frame))
      if (input._tag !== "Received" || input.frame.type !== "event" || input.frame.event !== "mesh.heartbeat") return
      const link = `${machine.name} ${input.link}`
      const before = heardAt.get(link)
      if (before !== undefined) heartbeatLateMs = Math.max(heartbeatLateMs, world.nowMs - before - BEAT_MS)
      heardAt.set(link, world.nowMs)
    }
  })
  world.run(cutEndsMs)
  measuring = true
  const states = () => world.machines.map((machine) => machine.state()!)
  const all = new Map<string, number>()
  for (const { world: held } of states())
    for (const { deviceId, logs } of held.origins)
      for (const log of logs)
        for (const { frame, seq } of heldOf(log))
          all.set(
            `${deviceId} ${log.incarnation} ${seq}`,
            utf8Bytes(encode({ type: "event", event: "context.frame", payload: frame }))
          )
  let missing = 0
  for (const { world: held } of states()) {
    const has = new Set<string>()
    for (const { deviceId, logs } of held.origins)
      for (const { incarnation, next } of logs)
        for (let seq = 1; seq < next; seq++) has.add(`${deviceId} ${incarnation} ${seq}`)
    for (const [frame, size] of all) if (!has.has(frame)) missing += size
  }
  let unreadBytes = 0
  for (let at = cutEndsMs; at < cutEndsMs + PATIENCE_MS; at += LOOK_MS) {
    world.run(at)
    for (const node of world.view.nodes)
      for (const other of world.view.nodes)
        if (other !== node) unreadBytes = Math.max(unreadBytes, node.unreadBytes(other.name))
    if (new Set(states().map(known)).size === 1) {
      const frames = Math.min(...states().map(({ world: held }) => held.frames))
      if (frames !== all.size) throw new Error(`${frames} of ${all.size} frames are held in the end`)
      return { equalMs: at - cutEndsMs, frames, ratio: bytes / missing, heartbeatLateMs, unreadBytes }
    }
  }
  throw new Error("they never come to know the same")
}

const nodes = (count: number): string =>
  Array.from({ length: count }, (_, i) => `  n${i}: { role: ${i === 0 ? "planner" : "field"} }`).join("\n")
const names = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `n${from + i}`).join(", ")

/** Ten nodes in two halves for five minutes; each half says ten thousand frames; links of 10 Mbit/s. */
export const halves = (): Outage =>
  outage(
    `scenario: Halves
seed: 5
lasts: 1h
nodes:
${nodes(10)}
network: { delay: 2ms..5ms }
timeline:
  - { at: 0s, start: everyone }
  - { at: 5s, throttle: { between: everyone, down-to: 1250kB/s }, for: 59m }
  - { at: 10s, partition: [[${names(0, 5)}], [${names(5, 10)}]], for: 5m }
  - { at: 12s, sense: { frame: dry, by: everyone, zone: z, metric: moisture, value: 17, times: exactly 2000, each: 140ms } }
expect: [{ eventually: { leaders: exactly 1 } }]
`,
    310_000
  )

/** Two nodes are apart for a day; a hundred thousand frames. */
export const day = (): Outage =>
  outage(
    `scenario: A day
seed: 5
lasts: 26h
nodes:
${nodes(2)}
network: { delay: 2ms..5ms }
timeline:
  - { at: 0s, start: everyone }
  - { at: 5s, throttle: { between: everyone, down-to: 1250kB/s }, for: 25h }
  - { at: 10s, partition: [[n0], [n1]], for: 24h }
  - { at: 12s, sense: { frame: dry, by: n1, zone: z, metric: moisture, value: 17, times: exactly 100000, each: 860ms } }
expect: [{ eventually: { leaders: exactly 1 } }]
`,
    86_410_000
  )

/** A planner by itself that watches a thousand zones: its own sensors, real signatures, a disk that answers at once. */
import { createHash, generateKeyPairSync, sign as signBytes } from "node:crypto"
import type { Command } from "../../kernel/Command.ts"
import * as Durable from "../../kernel/Durable.ts"
import type { Happened, Input } from "../../kernel/Input.ts"
import * as Node from "../../kernel/Node.ts"
import { leaseRuns } from "../../kernel/leadership/Leadership.ts"
import type { Rule } from "../../kernel/planning/Rule.ts"
import { profiles } from "../../kernel/Profile.ts"

export const ZONES = 1_000
export const DRY = 15
export const WET = 40

const { privateKey, publicKey } = generateKeyPairSync("ed25519")
const rawKey = publicKey.export({ type: "spki", format: "der" }).subarray(-32)
const US = createHash("sha256").update(rawKey).digest("hex")

const zones = Array.from({ length: ZONES }, (_, index) => `zone-${index}`)

const ruleOf = (zone: string): Rule => ({
  name: `dry-${zone}`,
  metric: "moisture",
  zone,
  when: { below: 20 },
  clear: 25,
  then: { actuator: `actuator:${zone}`, state: "open", forMs: 60_000 },
  cooldownMs: 7_200_000,
  tier: "T2_operational_observation",
  priority: 0
})

export class Planner {
  private node: Node.NodeState
  private mono = 0
  private frames = 0
  /** Zones for which it has proposed something. */
  readonly triggered = new Set<string>()

  constructor() {
    this.node = Node.make({
      seed: 1,
      deviceId: US,
      publicKey: rawKey.toString("base64url"),
      displayName: "planner",
      role: "planner",
      capabilities: zones.map((zone) => `actuator:${zone}`),
      meshId: "mesh",
      meshKey: "key",
      profile: profiles.lan,
      trusted: [],
      manifest: { version: 1, electors: [US] },
      rules: zones.map(ruleOf)
    })
    this.give({ _tag: "Started", bootId: "boot", durable: Durable.empty })
    this.passTo(3 * profiles.lan.promiseMs)
    if (!this.leads) throw new Error("it does not lead")
  }

  get leads(): boolean {
    return leaseRuns(this.node.leadership, this.mono)
  }

  get now(): number {
    return this.mono
  }

  /** Its clock shows this now; alarms ring as they are due. */
  passTo(mono: number): void {
    while (this.node.alarmAt <= mono) {
      this.mono = Math.max(this.mono, this.node.alarmAt)
      this.give({ _tag: "Woke" })
    }
    this.mono = mono
  }

  senses(zone: number, value: number): void {
    this.give({
      _tag: "Sensed",
      frameId: `frame-${++this.frames}`,
      kind: "observation",
      data: { zone: zones[zone]!, metric: "moisture", value, intervalMs: 1_000 }
    })
  }

  private give(first: Happened): void {
    const queue: Array<Happened> = [first]
    for (let happened = queue.shift(); happened !== undefined; happened = queue.shift()) {
      const input = { ...happened, at: { mono: this.mono, wall: this.mono } } as Input
      const [node, commands] = Node.step(this.node, input)
      this.node = node
      for (const command of commands) this.perform(command, queue)
    }
  }

  private perform(command: Command, queue: Array<Happened>): void {
    switch (command._tag) {
      case "Sign": {
        const signatures = command.payloads.map((text) =>
          signBytes(null, Buffer.from(text), privateKey).toString("base64url")
        )
        queue.push({ _tag: "Signed", ticket: command.ticket, signatures })
        return
      }
      case "Persist":
        for (const then of command.then) this.perform(then, queue)
        queue.push({ _tag: "Stored", ticket: command.ticket })
        return
      case "Drive":
        queue.push({ _tag: "Driven", ticket: command.ticket, ok: true })
        return
      case "Note":
        if (command.event.event === "planner.triggered") this.triggered.add(command.event.reason ?? "")
        return
      default:
    }
  }
}

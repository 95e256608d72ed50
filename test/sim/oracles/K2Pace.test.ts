/** K2 fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import * as Node from "../../../kernel/Node.ts"
import { broken, fires, scenarioOf } from "./Broken.ts"

const mesh = scenarioOf(`
scenario: Three
seed: 3
lasts: 30s
electors: [main, backup, field]
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  field:  { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
  - { at: 12s, freeze: field, for: 4s }
  - { at: 22s, crash: field }`)

/** Its alarm rings, and these commands come to nothing. */
const without = (drops: (command: Command, repeats: boolean) => boolean) => {
  const pinged = new Set<string>()
  return broken((node, input) => {
    const [after, commands] = Node.step(node, input)
    if (node.config.displayName !== "main") return [after, commands]
    const left = commands.filter((command) => {
      if (command._tag !== "Ping") return !drops(command, false)
      const name = `${node.durable.incarnation} ${command.link} ${command.probe}`
      const repeats = pinged.has(name)
      pinged.add(name)
      return !drops(command, repeats)
    })
    return [after, left]
  })
}

const says = (command: Command, event: string): boolean =>
  command._tag === "Send" && command.frame.type === "event" && command.frame.event === event

describe("K2: a node that has its processor keeps its times", () => {
  it("a heartbeat at each slow beat", () => {
    fires(
      "K2",
      /^main sent no heartbeat for \d+ ms, towards (?:backup|field)$/u,
      mesh,
      without((command) => says(command, "mesh.heartbeat"))
    )
  })

  it("a leader says so", () => {
    fires(
      "K2",
      /^main leads, and did not say so for \d+ ms, towards (?:backup|field)$/u,
      mesh,
      without((command) => says(command, "mesh.lead") && command._tag === "Send" && command.link > 1)
    )
  })

  it("a probe that nobody answers is pinged again", () => {
    fires(
      "K2",
      /^main pinged a probe 1 times in \d+ ms, towards field$/u,
      mesh,
      without((command, repeats) => command._tag === "Ping" && repeats)
    )
  })
})

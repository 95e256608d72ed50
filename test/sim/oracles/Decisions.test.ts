/** S4 and L4 fire on each of their clauses about decisions, with a kernel that is broken on purpose; never with the real one. */
import { describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import * as Node from "../../../kernel/Node.ts"
import type { Proposals } from "../../../kernel/proposals/Proposals.ts"
import { NEVER_MS } from "../../../kernel/Time.ts"
import { broken, brokenAfter, fires, scenarioOf } from "./Broken.ts"

const farm = (lasts: string, steps: string, proposed = "10s") =>
  scenarioOf(`
scenario: One person and a pump
seed: 5
lasts: ${lasts}
electors: [laptop]
nodes:
  laptop: { role: planner }
  phone:  { role: node }
  board:  { role: field, can: ["actuator:pump-1"] }
network: { delay: 10ms }
timeline:
  - { at: 0s,  start: everyone }
  - { at: 9s, sense: { frame: dry-1, by: laptop, metric: moisture } }
  - { at: ${proposed}, propose: { proposal: P1, by: laptop, run: pump-1, for: 2s, because: [dry-1] } }
  - { at: 20s, approve: { proposal: P1, by: asha, via: phone } }${steps}`)

const plain = farm("40s", "")
const isBoard = (node: Node.NodeState): boolean => node.config.displayName === "board"

/** Of the board's tokens, as they come out of a step. */
const tokens = (change: (tokens: Proposals["tokens"]) => Proposals["tokens"]) =>
  brokenAfter((after, before) =>
    isBoard(after) && after.proposals !== before.proposals
      ? { ...after, proposals: { ...after.proposals, tokens: change(after.proposals.tokens) } }
      : after
  )

/** Of what is done for an intent, something is changed. */
const driving = (change: (drive: Extract<Command, { readonly _tag: "Drive" }>) => Command) =>
  broken((node, input) => {
    const [after, commands] = Node.step(node, input)
    const moved = (command: Command): Command =>
      command._tag === "Drive" && command.intentId !== null ? change(command) : command
    return [after, commands.map(moved)]
  })

/** Nobody is told what came of what was asked for so. */
const mute = (tag: "Decide" | "Propose") => {
  const calls = new Set<number>()
  return broken((node, input) => {
    if (input._tag === tag) calls.add(input.call)
    const [after, commands] = Node.step(node, input)
    return [after, commands.filter((command) => command._tag !== "Answered" || !calls.has(command.call))]
  })
}

describe("S4: a person's decision, for exactly that", () => {
  it("for longer than was approved", () => {
    const longer = driving((drive) => ({ ...drive, forMs: (drive.forMs ?? 0) + 1 }))
    fires("S4", /^board drives actuator:pump-1 on something that nobody approved/u, plain, longer)
  })

  it("long after it was asked about", () => {
    const frozen = farm("200s", "\n  - { at: 20025ms, freeze: board, for: 130s }")
    const endless = tokens((all) => all.map((token) => ({ ...token, until: NEVER_MS })))
    fires("S4", /^board drives actuator:pump-1 \d+ ms after it was asked about$/u, frozen, endless)
  })

  it("asked about in an earlier process", () => {
    // Of what it has not kept yet it hears again, and knows how old it is.
    const fallen = farm("40s", "\n  - { at: 20015ms, crash: board, for: 1s }", "19600ms")
    let kept: Proposals["tokens"] = []
    const remembering = brokenAfter((after) => {
      if (!isBoard(after)) return after
      if (after.proposals.tokens.length > 0) kept = after.proposals.tokens
      return { ...after, proposals: { ...after.proposals, tokens: kept } }
    })
    fires(
      "S4",
      /^board drives actuator:pump-1 by a decision of somebody who did not ask this guardian$/u,
      fallen,
      remembering
    )
  })
})

describe("L4: whoever decides is told", () => {
  it("nobody says what came of a decision", () => {
    fires("L4", /^phone has left decision \d+ without an answer for \d+ ms$/u, farm("400s", ""), mute("Decide"))
  })

  it("nobody says what came of a proposal", () => {
    fires("L4", /^laptop leaves a proposal without an answer$/u, plain, mute("Propose"))
  })
})

/** S2, S3, S4 and S13 fire on each of their clauses, with a kernel that is broken on purpose; never with the real one. */
import { describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import type { Actuator } from "../../../kernel/actuation/Actuator.ts"
import type { Entry } from "../../../kernel/actuation/Ledger.ts"
import type { Command } from "../../../kernel/Command.ts"
import * as Node from "../../../kernel/Node.ts"
import { CHECKS_FROM } from "../../../kernel/proposals/Proposals.ts"
import { NEVER_MS } from "../../../kernel/Time.ts"
import { broken, fires, scenarioOf } from "./Broken.ts"

const pump = scenarioOf(`
scenario: One planner and a pump
seed: 5
lasts: 40s
electors: [laptop]
nodes:
  laptop: { role: planner }
  board:  { role: field, can: ["actuator:pump-1"] }
network: { delay: 2ms..20ms }
timeline:
  - { at: 0s,  start: everyone }
  - { at: 15s, send: { from: laptop, to: board, sets: "actuator:pump-1", key: wet, lasting: 2s } }
  - { at: 20s, send: { from: laptop, to: board, sets: "actuator:pump-1", key: guess, evidence: [sensor] } }
  - { at: 25s, hold: board, for: 10s }`)

const held = scenarioOf(`
scenario: One pump that is held
seed: 5
lasts: 20s
electors: [laptop]
nodes:
  laptop: { role: planner }
  board:  { role: field, can: ["actuator:pump-1"] }
network: { delay: 2ms..20ms }
timeline:
  - { at: 0s,  start: everyone }
  - { at: 5s,  hold: board, for: 10s }`)

type Guard = Node.NodeState["guardian"]["guards"][number]

const isBoard = (node: Node.NodeState): boolean => node.config.displayName === "board"
const isDrive = (command: Command) => command._tag === "Drive" && command.intentId !== null

/** Of what the board wants done, something is changed. */
const changing = (change: (commands: ReadonlyArray<Command>, after: Node.NodeState) => ReadonlyArray<Command>) =>
  broken((node, input) => {
    const [after, commands] = Node.step(node, input)
    return isBoard(node) ? [after, change(commands, after)] : [after, commands]
  })

const drive = (node: Node.NodeState, of: Partial<Extract<Command, { readonly _tag: "Drive" }>>): Command => ({
  _tag: "Drive",
  ticket: 99,
  actuator: "actuator:pump-1",
  state: "open",
  forMs: 1_000,
  intentId: null,
  epoch: node.durable.ledger?.groups[0]?.epoch ?? 0,
  ...of
})

const changed = (entry: (entry: Entry) => Entry) =>
  changing((commands) =>
    commands.map((command) =>
      command._tag === "Persist" && command.record._tag === "Guard"
        ? { ...command, record: { ...command.record, entry: entry(command.record.entry) } }
        : command
    )
  )

describe("S2: actuation is fenced", () => {
  it("an epoch is granted that was granted before", () => {
    const same = changed((entry) => (entry._tag === "Granted" ? { ...entry, epoch: 1 } : entry))
    fires("S2", /^board grants epoch 1 of pump-1 after 1$/u, pump, same)
  })

  it("a drive under another epoch than the last", () => {
    const old = changing((commands) =>
      commands.map((command) => (command._tag === "Drive" && isDrive(command) ? { ...command, epoch: 1 } : command))
    )
    fires("S2", /^board drives actuator:pump-1 under epoch 1, and 2 is granted$/u, pump, old)
  })

  it("a drive for one who never asked", () => {
    const other = changing((commands) =>
      commands.map((command) =>
        command._tag === "Drive" && isDrive(command) ? { ...command, intentId: "x" } : command
      )
    )
    fires("S2", /^board drives actuator:pump-1 for somebody who has no lease$/u, pump, other)
  })
})

describe("S2: leases", () => {
  const wanted = scenarioOf(`
scenario: Two planners and a pump
seed: 5
lasts: 40s
electors: [laptop]
nodes:
  laptop: { role: planner }
  backup: { role: planner }
  board:  { role: field, can: ["actuator:pump-1"] }
network: { delay: 2ms..20ms }
timeline:
  - { at: 0s,  start: everyone }
  - { at: 15s, send: { from: laptop, to: board, sets: "actuator:pump-1", key: wet, lasting: 2s } }
  - { at: 20s, send: { from: backup, to: board, sets: "actuator:pump-1", state: closed, key: shut } }`)

  it("one is granted before the time of its holder is over", () => {
    const early = broken((node, input) => {
      const guards = node.guardian.guards.map((guard) => ({ ...guard, leaseUntil: -NEVER_MS }))
      const [after, commands] = Node.step(
        isBoard(node) ? { ...node, guardian: { ...node.guardian, guards } } : node,
        input
      )
      return [after, commands]
    })
    fires("S2", /^board grants pump-1 before the time of its holder is over$/u, wanted, early)
  })

  it("one is granted by a term that its holder did not lead", () => {
    const other = changed((entry) =>
      entry._tag === "Granted" && entry.holder !== null ? { ...entry, term: { manifest: 1, counter: 9 } } : entry
    )
    fires("S2", /^board grants pump-1 by term 9, which its new holder did not lead$/u, wanted, other)
  })

  it("one is granted by a lower term than the one before", () => {
    const inTurn = scenarioOf(`
scenario: Two planners who lead in turn, and a pump
seed: 5
lasts: 60s
electors: [laptop, backup, board]
nodes:
  laptop: { role: planner }
  backup: { role: standby-planner }
  board:  { role: field, can: ["actuator:pump-1"] }
network: { delay: 2ms..20ms }
timeline:
  - { at: 0s,  start: everyone }
  - { at: 15s, send: { from: laptop, to: board, sets: "actuator:pump-1", key: one, lasting: 1s } }
  - { at: 20s, id: first, stop-engine: laptop, for: 10s }
  - { at: 25s, send: { from: backup, to: board, sets: "actuator:pump-1", state: closed, key: two } }
  - { at: 35s, id: second, stop-engine: backup, for: 20s }
  - { at: 45s, send: { from: laptop, to: board, sets: "actuator:pump-1", state: closed, key: three } }`)
    const backward = changed((entry) =>
      entry._tag === "Granted" && entry.term?.counter === 3 ? { ...entry, term: { ...entry.term, counter: 1 } } : entry
    )
    fires("S2", /^board grants pump-1 by term 1 after 2$/u, inTurn, backward)
  })
})

describe("S3: at most once, and written down before", () => {
  it("an intent is driven twice", () => {
    const twice = changing((commands) =>
      commands.flatMap((command) => (isDrive(command) ? [command, command] : [command]))
    )
    fires("S3", /^board drives actuator:pump-1 twice for wet$/u, pump, twice)
  })

  it("an intent that is not on the disk is driven", () => {
    const early = changing((commands, after) =>
      commands.flatMap((command) =>
        command._tag === "Persist" && command.record._tag === "Guard" && command.record.entry._tag === "Intended"
          ? [command, drive(after, { intentId: command.record.entry.intent.intentId })]
          : [command]
      )
    )
    fires("S3", /^board drives actuator:pump-1 for wet, which is not on its disk$/u, pump, early)
  })
})

describe("S4: evidence", () => {
  const claiming = (trust: object) =>
    broken((node, input) => {
      if (input._tag !== "Received" || input.frame.type !== "req" || input.frame.method !== "mesh.message.forward")
        return Node.step(node, input)
      // The guardian is told better than what came.
      const { frame } = input
      const command = frame.params.command as { readonly trust?: object } | undefined
      if (command?.trust === undefined) return Node.step(node, input)
      const better = {
        ...frame,
        params: { ...frame.params, command: { ...command, trust: { ...command.trust, ...trust } } }
      }
      return Node.step(node, { ...input, frame: better })
    })

  const guess = scenarioOf(`
scenario: One planner that guesses
seed: 5
lasts: 20s
electors: [laptop]
nodes:
  laptop: { role: planner }
  board:  { role: field, can: ["actuator:pump-1"] }
timeline:
  - { at: 0s,  start: everyone }
  - { at: 15s, send: { from: laptop, to: board, sets: "actuator:pump-1", key: guess } }`)

  it("a language model's word alone moves it", () => {
    const believing = claiming({ evidence_sources: ["sensor"] })
    // What leaves the laptop claims less than what its own gate saw.
    const unchecked = broken((node, input) => {
      if (isBoard(node)) return believing.step(node, input)
      const [after, commands] = Node.step(node, input)
      return [
        after,
        commands.map((each) => {
          if (each._tag !== "Send" || each.frame.type !== "req" || each.frame.method !== "mesh.message.forward")
            return each
          const command = each.frame.params.command as { readonly trust?: object } | undefined
          if (command?.trust === undefined) return each
          const worse = { ...command, trust: { ...command.trust, evidence_sources: ["llm"] } }
          return { ...each, frame: { ...each.frame, params: { ...each.frame.params, command: worse } } }
        })
      ]
    })
    fires("S4", /^board drives actuator:pump-1 without evidence that its owner takes$/u, guess, unchecked)
  })
})

describe("S4: L3 and a device's verification", () => {
  const typed = readFileSync("scenarios/typed-and-seen.yaml", "utf8")
  const gate = scenarioOf(typed.slice(0, typed.indexOf("expect:")))
  /** The guardian takes its own policy for another. */
  const withPolicy = (change: (actuator: Actuator) => Actuator) =>
    broken((node, input) => {
      const { actuators = [] } = node.config
      const [after, commands] = Node.step(
        { ...node, config: { ...node.config, actuators: actuators.map(change) } },
        input
      )
      return [{ ...after, config: node.config }, commands]
    })

  it("it moves, and nobody typed its name", () => {
    // It asks for a person still, and not for the name.
    const lax = withPolicy((actuator) => ({
      ...actuator,
      level: "L2",
      demand: { ...actuator.demand, verification: "human" }
    }))
    fires("S4", /^dam drives actuator:gate-1, whose name nobody typed$/u, gate, lax)
  })

  it("it is said to be done, and no sensor has shown it", () => {
    const blind = withPolicy(({ readback: _, ...actuator }) => actuator)
    fires("S4", /^dam says that it set actuator:gate-1 to open, which no sensor has shown$/u, gate, blind)
  })

  it("what a sensor showed before shows nothing", () => {
    const before = typed
      .slice(0, typed.indexOf("expect:"))
      .replace("shows: gate-1, times: exactly 140, each: 1s", "zone: gate-1, value: 1, times: exactly 1")
    const blind = withPolicy(({ readback: _, ...actuator }) => actuator)
    fires("S4", /^dam says that it set actuator:gate-1 to open, which no sensor has shown$/u, scenarioOf(before), blind)
  })
})

describe("S4: keys of persons", () => {
  const hand = readFileSync("scenarios/signed-by-hand.yaml", "utf8")
  const farm = scenarioOf(hand.slice(0, hand.indexOf("expect:")))
  const spoilt = (change: (config: Node.NodeState["config"]) => Node.NodeState["config"]) =>
    broken((node, input) => {
      const [after, commands] = Node.step({ ...node, config: change(node.config) }, input)
      return [{ ...after, config: node.config }, commands]
    })

  it("nobody signed it", () => {
    const trusting = spoilt(({ persons: _, ...config }) => config)
    fires("S4", /^board drives actuator:pump-1, and nobody whose key it knows has signed that$/u, farm, trusting)
  })

  it("somebody did who may not", () => {
    const lax = spoilt((config) => ({
      ...config,
      actuators: (config.actuators ?? []).map(({ approvers: _, ...actuator }) => actuator)
    }))
    fires("S4", /^board drives actuator:gate-1, and nobody whose key it knows has signed that$/u, farm, lax)
  })

  it("with something else than what was signed", () => {
    const blind = broken((node, input) => {
      if (input._tag === "Decide" && input.signed !== undefined)
        return Node.step(node, { ...input, signed: { ...input.signed, signature: "x" } })
      return Node.step(
        node,
        input._tag === "Checked" && input.ticket > CHECKS_FROM ? { ...input, valid: [true] } : input
      )
    })
    fires("S4", /^board drives actuator:pump-1, and nobody whose key it knows has signed that$/u, farm, blind)
  })
})

describe("S13: hold", () => {
  it("something opens while it is held", () => {
    const opening = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      const held = isBoard(node) && after.durable.ledger?.groups[0]?.hold === true && input._tag === "Woke"
      return held ? [after, [...commands, drive(after, {})]] : [after, commands]
    })
    fires("S13", /^board drives actuator:pump-1 to open, which is on hold$/u, pump, opening)
  })
})

describe("K7: what is open ends by itself, and on a hold", () => {
  /** Of the board's guardian, as it comes out of a step. */
  const guarding = (change: (guard: Guard, nowMs: number) => Guard) =>
    broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      if (!isBoard(node) || after.guardian === node.guardian) return [after, commands]
      const guards = after.guardian.guards.map((guard) => change(guard, input.at.mono))
      return [{ ...after, guardian: { ...after.guardian, guards } }, commands]
    })
  const places = (change: (place: Guard["places"][number], nowMs: number) => Partial<Guard["places"][number]>) =>
    guarding((guard, nowMs) => ({
      ...guard,
      places: guard.places.map((place) => ({ ...place, ...change(place, nowMs) }))
    }))

  it("before its time", () => {
    const early = places(({ until }, nowMs) => (until > nowMs + 1_000 && until !== NEVER_MS ? { until: nowMs } : {}))
    fires("K7", /^board ends actuator:pump-1 \d+ ms before its time$/u, pump, early)
  })

  it("not at its time", () => {
    const never = places(() => ({ until: NEVER_MS }))
    fires("K7", /^board leaves actuator:pump-1 as it is beyond its time$/u, pump, never)
  })

  it("not on a hold", () => {
    const deaf = changing((commands) =>
      commands.filter((command) => command._tag !== "Drive" || command.ticket === 1 || command.intentId !== null)
    )
    fires("K7", /^board leaves actuator:pump-1 as it is, and it is held$/u, held, deaf)
  })
})

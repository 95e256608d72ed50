/** K1 fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import type { Input } from "../../../kernel/Input.ts"
import * as Node from "../../../kernel/Node.ts"
import { broken, fires, scenarioOf } from "./Broken.ts"

const mesh = scenarioOf(`
scenario: Three
seed: 3
lasts: 20s
electors: [main, backup, field]
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  field:  { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
  - { at: 8s, crash: field, for: 4s }`)

/** With what backup asks for after eight seconds changed. */
const asking = (
  change: (commands: ReadonlyArray<Command>, node: Node.NodeState, input: Input) => ReadonlyArray<Command>
) =>
  broken((node, input) => {
    const [after, commands] = Node.step(node, input)
    return node.config.displayName === "backup" && node.phase === "running" && input._tag === "Woke"
      ? [after, change(commands, after, input)]
      : [after, commands]
  })

const withRequests = scenarioOf(`
scenario: One asks
seed: 3
lasts: 20s
electors: [main, backup, field]
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  field:  { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
  - { at: 5s, ask: { from: main, to: backup, each: 1s }, for: 5s }`)

const someone = "0".repeat(64)

describe("K1: a node asks only for what can be done", () => {
  for (const [what, message, change] of [
    [
      "dials itself",
      /^backup dials itself$/u,
      (commands, { config, links }) => [
        ...commands,
        { _tag: "Dial", attempt: links.attempts + 1_000, to: config.deviceId, address: "backup" }
      ]
    ],
    [
      "dials a stranger",
      /^backup dials a device that it does not trust$/u,
      (commands, { links }) => [
        ...commands,
        { _tag: "Dial", attempt: links.attempts + 1_000, to: someone, address: "main" }
      ]
    ],
    [
      "dials and forgets it",
      /^backup forgets dial \d+ at once$/u,
      (commands, { config, links }) => [
        ...commands,
        { _tag: "Dial", attempt: links.attempts + 1_000, to: config.trusted[0]!.deviceId, address: "main" }
      ]
    ],
    [
      "dials with an old number",
      /^backup dials with number 0 after \d+$/u,
      (commands, { config }) => [
        ...commands,
        { _tag: "Dial", attempt: 0, to: config.trusted[0]!.deviceId, address: "main" }
      ]
    ],
    [
      "gives up what is not out",
      /^backup gives up dial 99, which is not out$/u,
      (commands) => [...commands, { _tag: "CancelDial", attempt: 99 }]
    ],
    [
      "uses a link that it does not have",
      /^backup does Ping on link 99, which it does not have$/u,
      (commands) => [...commands, { _tag: "Ping", link: 99, probe: 1 }]
    ],
    [
      "stores with an old ticket",
      /^backup stores with ticket 0 after \d+$/u,
      (commands) => [
        ...commands,
        { _tag: "Persist", ticket: 0, record: { _tag: "Incarnation", incarnation: 9 }, then: [] }
      ]
    ],
    [
      "ends a session as one ends a handshake",
      /^backup closes a session with 1008, and trusts its peer as before$/u,
      (commands, { links }) => hangup(commands, links.links.find(({ _tag }) => _tag === "Session")?.link, 1008)
    ],
    [
      "calls a session too big",
      /^backup closes with 1009, and no message was too big$/u,
      (commands, { links }) => hangup(commands, links.links.find(({ _tag }) => _tag === "Session")?.link, 1009)
    ],
    [
      "closes with a code of its own",
      /^backup closes with 4000$/u,
      (commands, { links }) => hangup(commands, links.links.find(({ _tag }) => _tag === "Session")?.link, 4000)
    ]
  ] satisfies ReadonlyArray<
    readonly [string, RegExp, (commands: ReadonlyArray<Command>, node: Node.NodeState) => ReadonlyArray<Command>]
  >)
    it(what, () => {
      fires("K1", message, mesh, asking(change))
    })

  it("dials where there is a session", () => {
    fires(
      "K1",
      /^backup dials a device that it has a session with$/u,
      mesh,
      broken((node, input) => {
        const [after, commands] = Node.step(node, input)
        const contact = after.links.contacts.find(({ attempt, session }) => session !== null && attempt === null)
        if (node.config.displayName !== "backup" || input._tag !== "Woke" || contact === undefined)
          return [after, commands]
        const attempt = after.links.attempts + 1
        const contacts = after.links.contacts.map((one) => (one === contact ? { ...one, attempt } : one))
        return [
          { ...after, links: { ...after.links, attempts: attempt, contacts } },
          [...commands, { _tag: "Dial", attempt, to: contact.peer, address: "main" }]
        ]
      })
    )
  })

  it("a dial that is out is forgotten", () => {
    fires(
      "K1",
      /^backup forgets dial \d+, which is out$/u,
      mesh,
      broken((node, input) => {
        const [after, commands] = Node.step(node, input)
        const out = node.links.contacts.flatMap(({ attempt }) => (attempt === null ? [] : [attempt]))
        if (node.config.displayName !== "backup" || input._tag !== "Woke") return [after, commands]
        const contacts = after.links.contacts.map((one) =>
          one.attempt !== null && out.includes(one.attempt) ? { ...one, attempt: null } : one
        )
        return [{ ...after, links: { ...after.links, contacts } }, commands]
      })
    )
  })
})

describe("K1: a node forgets nothing that is open", () => {
  /** Backup with this done to what it has left, and to what it asks for. */
  const spoilt = (
    change: (after: Node.NodeState, commands: ReadonlyArray<Command>, input: Input) => ReturnType<typeof Node.step>
  ) =>
    broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      return node.config.displayName === "backup" && node.phase === "running"
        ? change(after, commands, input)
        : [after, commands]
    })

  it("a connection that opens", () => {
    fires(
      "K1",
      /^backup takes no notice of link \d+, which opens$/u,
      mesh,
      spoilt((after, commands, input) => {
        if (input._tag !== "LinkUp") return [after, commands]
        const links = after.links.links.filter(({ link }) => link !== input.link)
        return [{ ...after, links: { ...after.links, links } }, commands]
      })
    )
  })

  it("a connection that is there", () => {
    fires(
      "K1",
      /^backup forgets link \d+, which is open$/u,
      mesh,
      spoilt((after, commands, input) =>
        input._tag === "Woke" ? [{ ...after, links: { ...after.links, links: [] } }, commands] : [after, commands]
      )
    )
  })

  it("a request, and answers it once", () => {
    fires(
      "K1",
      /^backup answers mesh\.peers more than once$/u,
      withRequests,
      spoilt((after, commands) => [
        after,
        commands.flatMap((command) =>
          command._tag === "Send" && command.frame.type === "res" && command.frame.id.startsWith("ask-")
            ? [command, command]
            : [command]
        )
      ])
    )
    fires(
      "K1",
      /^backup leaves mesh\.peers without an answer$/u,
      withRequests,
      spoilt((after, commands) => [
        after,
        commands.filter(
          (command) => command._tag !== "Send" || command.frame.type !== "res" || !command.frame.id.startsWith("ask-")
        )
      ])
    )
  })

  it("a request that it refuses, which it counts and does not say", () => {
    fires(
      "K1",
      /^backup leaves mesh\.peers without an answer$/u,
      withRequests,
      spoilt((after, commands) => {
        const rest = commands.filter(
          (command) => command._tag !== "Send" || command.frame.type !== "res" || !command.frame.id.startsWith("ask-")
        )
        return rest.length === commands.length
          ? [after, commands]
          : [{ ...after, refusals: after.refusals.map((count) => count + 1) }, rest]
      })
    )
  })
})

it("K1: who has not logged in yet is borne for a while", () => {
  const door = scenarioOf(`
scenario: Somebody who chatters
seed: 3
lasts: 20s
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
  - { at: 5s, connect: { to: backup, with: chatter } }`)
  fires(
    "K1",
    /^backup shows somebody out after 1 words before the login$/u,
    door,
    broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      const link = input._tag === "Received" ? after.links.links.find((one) => one.link === input.link) : undefined
      return link?._tag === "Offered" && link.strays === 1
        ? [
            after,
            [...commands, { _tag: "Hangup", link: link.link, code: 1008, reason: "shake hands first", abrupt: false }]
          ]
        : [after, commands]
    })
  )
})

const hangup = (commands: ReadonlyArray<Command>, link: number | undefined, code: number): ReadonlyArray<Command> =>
  link === undefined ? commands : [...commands, { _tag: "Hangup", link, code, reason: "test", abrupt: false }]

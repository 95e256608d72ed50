/** K3 fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { describe, it } from "@effect/vitest"
import * as Node from "../../../kernel/Node.ts"
import type { MeshEvent } from "../../../kernel/status/MeshEvent.ts"
import type { NodeStatus } from "../../../kernel/status/Status.ts"
import { broken, brokenAfter, fires, scenarioOf } from "./Broken.ts"

const three = (timeline: string) =>
  scenarioOf(`
scenario: Three
seed: 3
lasts: 40s
electors: [main, backup, field]
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  field:  { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }${timeline}`)

const leaving = three(`
  - { at: 12s, stop: leader }`)

const mesh = three(`
  - { at: 12s, crash: field, for: 4s }
  - { at: 17s, freeze: main, for: 5s }
  - { at: 24s, crash: [main, backup], for: 3s }
  - { at: 30s, revoke: { by: backup, whom: field } }
  - { at: 36s, stop: main }`)

/** Backup tells nothing of this kind. */
const mute = (...kinds: ReadonlyArray<MeshEvent["event"]>) =>
  broken((node, input) => {
    const [after, commands] = Node.step(node, input)
    const left = commands.filter((command) => command._tag !== "Note" || !kinds.includes(command.event.event))
    return [after, node.config.displayName === "backup" ? left : commands]
  })

describe("K3: what happens is told", () => {
  for (const [kind, message] of [
    ["peer.up", /^backup has a peer as up that was unknown, and does not say so$/u],
    ["peer.down", /^backup has a peer as down that was suspect, and does not say so$/u],
    ["peer.disconnect", /^backup lost a session, and does not say so$/u],
    ["peer.connect", /^backup made a session, and does not say so$/u],
    ["leader.followed", /^backup follows another leader, and does not say so$/u],
    ["leader.elected", /^backup has a lease, and does not say so$/u]
  ] as const)
    it(kind, () => {
      fires("K3", message, mesh, mute(kind))
    })

  it("a lease that is over", () => {
    fires(
      "K3",
      /^main has no lease any more, and does not say so$/u,
      mesh,
      broken((node, input) => {
        const [after, commands] = Node.step(node, input)
        const { standing } = after.leadership
        if (
          node.config.displayName !== "main" ||
          standing._tag !== "Leading" ||
          after.startedAt + 8_000 > input.at.mono
        )
          return [after, commands]
        return [
          { ...after, leadership: { ...after.leadership, standing: { ...standing, announced: false } } },
          commands
        ]
      })
    )
  })

  it("a leader that gives up", () => {
    fires(
      "K3",
      /^main leads no more, and does not say so$/u,
      mesh,
      broken((node, input) => {
        const [after, commands] = Node.step(node, input)
        const left = commands.filter(
          (command) => command._tag !== "Note" || command.event.event !== "leader.stepped-down"
        )
        return [after, node.config.displayName === "main" ? left : commands]
      })
    )
  })

  for (const [who, kind, message] of [
    ["main", "node.stalled", /^main was not there, and does not say so$/u],
    ["backup", "leader.lost", /^backup is told that its leader hands over, and does not say so$/u]
  ] as const)
    it(`${kind} of ${who}`, () => {
      fires(
        "K3",
        message,
        mesh,
        broken((node, input) => {
          const [after, commands] = Node.step(node, input)
          const left = commands.filter((command) => command._tag !== "Note" || command.event.event !== kind)
          return [after, node.config.displayName === who ? left : commands]
        })
      )
    })

  it("a goodbye of the leader ends its term (P7.6)", () => {
    fires(
      "K3",
      /^(?:backup|field) is told that its leader has left, and follows it still$/u,
      leaving,
      brokenAfter((after, before, input) => {
        const event = input._tag === "Received" && input.frame.type === "event" ? input.frame.event : ""
        const ends = input._tag === "Checked" || event === "mesh.release" || event === "peer.leaving"
        return ends ? { ...after, leadership: before.leadership } : after
      })
    )
  })

  it("a stall that was none, and another reason for being cut off", () => {
    const saying = (event: MeshEvent) =>
      broken((node, input) => {
        const [after, commands] = Node.step(node, input)
        const says = node.config.displayName === "backup" && node.phase === "running" && input._tag === "Woke"
        return [after, says ? [...commands, { _tag: "Note", event }] : commands]
      })
    fires("K3", /^backup says that it was not there, and was$/u, mesh, saying({ event: "node.stalled" }))
    const reason = "no carrier"
    fires(
      "K3",
      /^backup is cut off for another reason than it says: no carrier$/u,
      mesh,
      saying({ event: "node.isolated", reason })
    )
  })

  it("nothing that did not happen", () => {
    fires(
      "K3",
      /^backup says peer\.down of a peer that is (?:unknown|up)$/u,
      mesh,
      broken((node, input) => {
        const [after, commands] = Node.step(node, input)
        const [member] = after.membership.members
        if (node.config.displayName !== "backup" || input._tag !== "Woke" || member === undefined)
          return [after, commands]
        return [after, [...commands, { _tag: "Note", event: { event: "peer.down", about: member.deviceId } }]]
      })
    )
  })

  it("a refusal is counted", () => {
    fires(
      "K3",
      /^backup (?:answers with UNTRUSTED_PEER, and never counted it|refuses with UNTRUSTED_PEER, and does not count it)$/u,
      mesh,
      broken((node, input) => {
        const [after, commands] = Node.step(node, input)
        return [
          node.config.displayName === "backup" ? { ...after, refusals: after.refusals.map(() => 0) } : after,
          commands
        ]
      })
    )
  })

  it("what does not read", () => {
    const liar = scenarioOf(`
scenario: A liar
seed: 3
lasts: 20s
nodes:
  main:  { role: planner }
  field: { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
  - { at: 5s, lie: { from: field, to: main, share: 50%, with: malformed } }`)
    fires(
      "K3",
      /^main hears what does not read, and does not say so$/u,
      liar,
      broken((node, input) => {
        const [after, commands] = Node.step(node, input)
        return [after, commands.filter((command) => command._tag !== "Note" || command.event.event !== "frame.refused")]
      })
    )
  })

  describe("whoever asks how it is is told so", () => {
    const asked = scenarioOf(`
scenario: Two, and one asks
seed: 3
lasts: 60s
nodes:
  main:  { role: planner }
  field: { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
  - { at: 5s, lie: { from: field, to: main, share: 50%, with: false words } }`)
    const saying = (change: (status: NodeStatus) => object) =>
      broken((node, input) => {
        const [after, commands] = Node.step(node, input)
        return [
          after,
          commands.map((command) =>
            command._tag === "Send" &&
            command.frame.type === "res" &&
            command.frame.ok &&
            isStatus(command.frame.payload)
              ? {
                  ...command,
                  frame: { ...command.frame, payload: { ...command.frame.payload, ...change(command.frame.payload) } }
                }
              : command
          )
        ]
      })
    const isStatus = (payload: unknown): payload is NodeStatus =>
      typeof payload === "object" && payload !== null && "localDeviceId" in payload
    for (const [message, change] of [
      [/^(main|field) says that it is another$/u, () => ({ incarnation: 99 })],
      [/^(main|field) says that it refused \d+ [A-Z_]+$/u, () => ({ refusals: { NOT_AUTHORIZED: 1_000 } })],
      [/^(main|field) tells of other peers than it has$/u, () => ({ peers: [] })],
      [
        /^(main|field) says that a peer is left, and has it as up$/u,
        ({ peers }: NodeStatus) => ({ peers: peers.map((peer) => ({ ...peer, state: "left" })) })
      ],
      [
        /^(main|field) says that a peer is not linked$/u,
        ({ peers }: NodeStatus) => ({ peers: peers.map((peer) => ({ ...peer, linked: false })) })
      ]
    ] as const)
      it(message.source, () => {
        fires("K3", message, asked, saying(change))
      })
  })
})

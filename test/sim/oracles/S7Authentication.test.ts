/** S7 fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { describe, it } from "@effect/vitest"
import { indexOfLink, type Session } from "../../../kernel/links/Link.ts"
import * as Node from "../../../kernel/Node.ts"
import type { Command } from "../../../kernel/Command.ts"
import type { Input } from "../../../kernel/Input.ts"
import { peers, status } from "../../../kernel/status/Status.ts"
import type { World } from "../../../sim/engine/World.ts"
import { Stranger } from "../../../sim/network/Stranger.ts"
import { broken, brokenAfter, fires, scenarioOf } from "./Broken.ts"

const mesh = scenarioOf(`
scenario: Three
seed: 7
lasts: 12s
profile: lan
electors: [main, backup, field]
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  field:  { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }`)

/** Says one thing to field at five seconds, without a handshake. */
const saying =
  (event: string, payload: unknown) =>
  (world: World): void => {
    const eve = new Stranger(world, "eve")
    eve.at(5_000, () => {
      eve.dial("field", { opened: (line) => line.raw(JSON.stringify({ type: "event", event, payload })) })
    })
  }

/** Logs in at field as `name`, with its own key for the signatures. */
const claiming =
  (name: string) =>
  (world: World): void => {
    const eve = new Stranger(world, "eve")
    const [victim] = world.machines.filter((machine) => machine.name === name)
    const field = world.machines.find((machine) => machine.name === "field")!
    eve.at(5_000, () => {
      eve.dial("field", {
        opened: (line) => line.ask("c", "mesh.challenge"),
        heard: (line, frame) => {
          if (frame.type !== "res" || frame.id !== "c" || !frame.ok) return
          const { nonce } = frame.payload as { readonly nonce: string }
          const claim = { ...eve.claim(name), deviceId: victim!.config.deviceId, incarnation: 9 }
          const params = eve.login(claim, field.config.deviceId, nonce, eve.wallMs("field"))
          line.say({ type: "req", id: "l", method: "mesh.connect", params })
        }
      })
    })
  }

describe("S7: a session is only made with whoever holds the device's key", () => {
  it("a node that takes every check as passed, by whom it claims to be", () => {
    const gullible = broken((node, input) => {
      if (input._tag !== "Checked") return Node.step(node, input)
      const link = node.links.links[indexOfLink(node.links.links, input.ticket)]
      const deviceId = link?._tag === "CheckingClient" ? link.params.deviceId : input.deviceId
      return Node.step(node, { ...input, deviceId, valid: [true, true] })
    })
    // While main is away, so that nobody answers for the true one.
    const mainAway = scenarioOf(`
scenario: Two of three
seed: 7
lasts: 12s
profile: lan
electors: [main, backup, field]
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  field:  { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: [backup, field] }`)
    fires(
      "S7",
      /^field made a session with eve, who does not hold that device's key$/u,
      mainAway,
      gullible,
      claiming("main")
    )
  })

  it("a session with nobody: it outlives its connection under another number", () => {
    const haunted = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      const was = input._tag === "LinkDown" ? node.links.links[indexOfLink(node.links.links, input.link)] : undefined
      if (was?._tag !== "Session") return [after, commands]
      const ghost: Session = { ...was, link: was.link + 1_000 }
      const contacts = after.links.contacts.map((contact) =>
        contact.peer === was.peer ? { ...contact, session: ghost.link } : contact
      )
      return [{ ...after, links: { ...after.links, contacts, links: [...after.links.links, ghost] } }, commands]
    })
    const restart = scenarioOf(`
scenario: One returns
seed: 7
lasts: 12s
profile: lan
nodes:
  main:  { role: planner }
  field: { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
  - { at: 5s, restart: main }`)
    fires("S7", /^field made a session with nobody, who does not hold that device's key$/u, restart, haunted)
  })
})

describe("S7: a session is only made with somebody of the same mesh", () => {
  it("a node that does not look at the operator's key of the mesh", () => {
    const worldly = broken((node, input) => {
      if (input._tag !== "Checked") return Node.step(node, input)
      const link = node.links.links[indexOfLink(node.links.links, input.ticket)]
      const said =
        link?._tag === "CheckingClient" ? link.params : link?._tag === "CheckingServer" ? link.answer : undefined
      const meshKey = said?.kernel?.meshKey ?? node.config.meshKey
      const [after, commands] = Node.step({ ...node, config: { ...node.config, meshKey } }, input)
      return [{ ...after, config: node.config }, commands]
    })
    // No scenario has two meshes in it: the one of field is made another before it starts.
    const twoMeshes = (world: World): void => {
      Object.assign(world.machines[2]!.config, { meshKey: "of another operator" })
    }
    fires(
      "S7",
      /^(field made a session with (main|backup)|(main|backup) made a session with field), who is of another mesh$/u,
      mesh,
      worldly,
      twoMeshes
    )
  })

  it("nor at the mesh id", () => {
    const worldly = broken((node, input) => {
      if (input._tag !== "Checked") return Node.step(node, input)
      const link = node.links.links[indexOfLink(node.links.links, input.ticket)]
      const said =
        link?._tag === "CheckingClient" ? link.params : link?._tag === "CheckingServer" ? link.answer : undefined
      const [after, commands] = Node.step({ ...node, config: { ...node.config, meshId: said?.meshId ?? "" } }, input)
      return [{ ...after, config: node.config }, commands]
    })
    const twoMeshes = (world: World): void => {
      Object.assign(world.machines[2]!.config, { meshId: "f".repeat(64) })
    }
    fires("S7", /who is of another mesh$/u, mesh, worldly, twoMeshes)
  })
})

/** The link has not proved itself, and what it says is taken as if the session with main had brought it. */
const admitting = broken((node, input) => {
  if (input._tag !== "Received") return Node.step(node, input)
  const link = node.links.links[indexOfLink(node.links.links, input.link)]
  if (link?._tag !== "Offered") return Node.step(node, input)
  const session = node.links.links.find((other) => other._tag === "Session" && node.leadership.leader === other.peer)
  return Node.step(node, session === undefined ? input : { ...input, link: session.link })
})

const TERM = { manifest: 1, counter: 9 }

describe("S7: before it is a session, what a link sends reaches no room but that of links", () => {
  it("mesh.lead on an unproven link is admitted", () => {
    fires(
      "S7",
      /^field let an unproven link change (leadership|what it knows of peers)$/u,
      mesh,
      admitting,
      saying("mesh.lead", { term: TERM, beat: 1 })
    )
  })

  it("mesh.edges on an unproven link is admitted", () => {
    const rows = (world: World) => [
      { observer: world.machines[0]!.config.deviceId, incarnation: 9, version: 9, edges: [] }
    ]
    fires("S7", /^field let an unproven link change what it knows of peers$/u, mesh, admitting, (world) =>
      saying("mesh.edges", { rows: rows(world) })(world)
    )
  })

  const unproven = (node: Node.NodeState, link: number): boolean => {
    const found = node.links.links[indexOfLink(node.links.links, link)]
    return found !== undefined && found._tag === "Offered"
  }

  it("a message that does not read, on an unproven link, makes a node forget its leader", () => {
    const nervous = brokenAfter((after, before, input) =>
      input._tag === "Malformed" && unproven(before, input.link)
        ? { ...after, leadership: { ...after.leadership, leader: null } }
        : after
    )
    fires("S7", /^field let an unproven link change leadership$/u, mesh, nervous, saying("mesh.lead", null))
  })

  it("an event that nobody knows, on an unproven link, counts as a sign of life", () => {
    const hopeful = brokenAfter((after, before, input) =>
      input._tag === "Ignored" && unproven(before, input.link)
        ? { ...after, membership: { ...after.membership } }
        : after
    )
    fires(
      "S7",
      /^field let an unproven link change what it knows of peers$/u,
      mesh,
      hopeful,
      saying("mesh.coup", { term: TERM })
    )
  })

  it("an answer to a probe, on an unproven link, counts as a sign of life", () => {
    const hopeful = brokenAfter((after, before, input) =>
      input._tag === "Ponged" && unproven(before, input.link)
        ? { ...after, membership: { ...after.membership } }
        : after
    )
    fires("S7", /^field let an unproven link change what it knows of peers$/u, mesh, hopeful, (world) => {
      const eve = new Stranger(world, "eve")
      eve.at(5_000, () => {
        const line = eve.dial("field", {
          opened: () => world.network.send(line.connection, 0, { _tag: "pong", probe: 1 })
        })
      })
    })
  })
})

describe("S7: before it is a session, a link makes the node say and do nothing to anybody else", () => {
  const doing = (what: (node: Node.NodeState) => Command | undefined) =>
    broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      if (input._tag !== "Received" || input.frame.type !== "event") return [after, commands]
      const link = node.links.links[indexOfLink(node.links.links, input.link)]
      const extra = link?._tag === "Offered" ? what(node) : undefined
      return extra === undefined ? [after, commands] : [after, [...commands, extra]]
    })
  const session = (node: Node.NodeState) => node.links.links.find((link) => link._tag === "Session")
  const cases: ReadonlyArray<readonly [did: string, what: (node: Node.NodeState) => Command | undefined]> = [
    [
      "Send",
      (node) => {
        const link = session(node)?.link
        return link === undefined
          ? undefined
          : { _tag: "Send", link, frame: { type: "event", event: "mesh.release", payload: { term: TERM } } }
      }
    ],
    [
      "Hangup",
      (node) => {
        const link = session(node)?.link
        return link === undefined
          ? undefined
          : { _tag: "Hangup", link, code: 1000, reason: "eve said so", abrupt: true }
      }
    ],
    [
      "Ping",
      (node) => ({ _tag: "Ping", link: node.links.links.find((link) => link._tag === "Offered")!.link, probe: 1 })
    ],
    ["Dial", (node) => ({ _tag: "Dial", attempt: 1_000, to: node.config.trusted[0]!.deviceId, address: "main" })],
    [
      "Persist",
      (node) => ({
        _tag: "Persist",
        ticket: 1_000,
        record: { _tag: "Vote", term: TERM, votedFor: node.config.deviceId },
        then: []
      })
    ],
    ["Halt", () => ({ _tag: "Halt" })]
  ]
  for (const [did, what] of cases)
    it(`${did}`, () => {
      fires(
        "S7",
        new RegExp(`^field did ${did} at the word of an unproven link$`, "u"),
        mesh,
        doing(what),
        saying("mesh.release", { term: TERM })
      )
    })
})

describe("S7: before it is a session, a link is told nothing but errors and its nonce", () => {
  type Request = Extract<Input, { readonly _tag: "Received" }> & { readonly frame: { readonly type: "req" } }
  const OF_EVE = "of-eve"
  /** To eve's request, on an unproven link: this, instead of what the kernel says. */
  const telling = (what: (node: Node.NodeState, request: Request) => Command) =>
    broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      if (input._tag !== "Received" || input.frame.type !== "req" || input.frame.id !== OF_EVE) return [after, commands]
      const link = node.links.links[indexOfLink(node.links.links, input.link)]
      if (link?._tag !== "Offered") return [after, commands]
      return [after, [...commands.filter((command) => command._tag !== "Send"), what(node, input as Request)]]
    })
  const answer =
    (payload: (node: Node.NodeState, link: number) => unknown) =>
    (node: Node.NodeState, { frame, link }: Request): Command => ({
      _tag: "Send",
      link,
      frame: { type: "res", id: frame.id, ok: true, payload: payload(node, link) }
    })
  const nonceOf = (node: Node.NodeState, link: number): string => {
    const found = node.links.links[indexOfLink(node.links.links, link)]
    return found?._tag === "Offered" ? found.nonce : ""
  }
  const asking =
    (method: string) =>
    (world: World): void => {
      const eve = new Stranger(world, "eve")
      eve.at(5_000, () => {
        eve.dial("field", { opened: (line) => line.ask(OF_EVE, method) })
      })
    }
  const told: ReadonlyArray<
    readonly [title: string, method: string, what: (n: Node.NodeState, r: Request) => Command]
  > = [
    ["mesh.status is answered", "mesh.status", answer((node) => status(node, 0))],
    ["mesh.peers is answered", "mesh.peers", answer((node) => ({ peers: peers(node, 0) }))],
    ["mesh.status is answered with a nonce", "mesh.status", answer((node, link) => ({ nonce: nonceOf(node, link) }))],
    [
      "mesh.challenge is answered with more than the nonce",
      "mesh.challenge",
      answer((node, link) => ({ nonce: nonceOf(node, link), deviceId: node.config.deviceId }))
    ],
    ["mesh.challenge is answered with another nonce", "mesh.challenge", answer(() => ({ nonce: "of-another-link" }))],
    [
      "an event is told",
      "mesh.challenge",
      (_, { link }) => ({
        _tag: "Send",
        link,
        frame: { type: "event", event: "mesh.release", payload: { term: TERM } }
      })
    ]
  ]
  for (const [title, method, what] of told)
    it(`${title}`, () => {
      fires("S7", /^field did Send at the word of an unproven link$/u, mesh, telling(what), asking(method))
    })
})

/** S6 fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { assert, describe, it } from "@effect/vitest"
import * as Durable from "../../../kernel/Durable.ts"
import type { Input } from "../../../kernel/Input.ts"
import { indexOfLink } from "../../../kernel/links/Link.ts"
import { lateOver } from "../../../sim/oracles/Demands.ts"
import { LEAVE_TICKET } from "../../../kernel/membership/Goodbyes.ts"
import * as Node from "../../../kernel/Node.ts"
import type { World } from "../../../sim/engine/World.ts"
import { broken, brokenAfter, fires, scenarioOf, watch } from "./Broken.ts"

const mesh = (timeline: string): ReturnType<typeof scenarioOf> =>
  scenarioOf(`
scenario: A laptop and two jetsons
seed: 11
lasts: 30s
profile: lan
nodes:
  laptop:   { role: planner }
  jetson-1: { role: field }
  jetson-2: { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
${timeline}`)

/** Whatever comes over a link that is not known is taken as if the session with some peer had brought it. */
const attributed = broken((node, input) => {
  if ((input._tag !== "Received" && input._tag !== "Ponged") || indexOfLink(node.links.links, input.link) >= 0)
    return Node.step(node, input)
  const session = node.links.links.find((link) => link._tag === "Session")
  return Node.step(node, session === undefined ? input : { ...input, link: session.link })
})

/** An answer to a probe comes to the laptop over what was its session with this device, and is over. */
const overLink = (world: World, peer: string): void => {
  const [laptop] = world.machines
  let session: number | null = null
  const { deviceId } = world.machines.find((machine) => machine.name === peer)!.config
  world.agenda.push(9_000, {
    _tag: "call",
    run: () => {
      session = laptop!.state()!.links.contacts.find((contact) => contact.peer === deviceId)!.session
    }
  })
  world.agenda.push(16_000, {
    _tag: "call",
    run: () => {
      assert.isNotNull(session)
      // The transport as it must not be: it hands on what came over a connection that the node had let go.
      laptop!.deliver({ _tag: "Ponged", link: session!, probe: world.seed })
    }
  })
}

describe("S6: nothing is taken up over a connection that is over", () => {
  const ghost = (message: "first" | "last" | "all") =>
    mesh(`
  - { at: 10s, crash: jetson-2 }
  - { at: 20s, replay: { from: jetson-2, to: laptop, message: ${message} } }`)

  it("a frame of the dead is attributed to somebody who lives (the laptop had hung up)", () => {
    fires("S6", /^laptop took up a mesh\.[a-z.]+ over connection \d+, which was over$/u, ghost("last"), attributed)
  })

  it("a frame of somebody who had said goodbye", () => {
    const left = mesh(`
  - { at: 10s, stop: jetson-2 }
  - { at: 12s, replay: { from: jetson-2, to: laptop, message: all } }`)
    fires("S6", /^laptop took up a [a-z.]+ over connection \d+, which was over$/u, left, attributed)
  })

  it("a frame of a connection that the laptop was told is gone", () => {
    const reset = mesh(`
  - { at: 10s, restart: jetson-2 }
  - { at: 12s, replay: { from: jetson-2, to: laptop, message: all } }`)
    fires("S6", /^laptop took up a [a-z.]+ over connection \d+, which was over$/u, reset, attributed)
  })

  it("an answer to a probe", () => {
    const crash = mesh(`
  - { at: 10s, crash: jetson-2 }`)
    const revived = brokenAfter((after, before, input) =>
      input._tag === "Ponged" && indexOfLink(before.links.links, input.link) < 0
        ? { ...after, membership: { ...after.membership } }
        : after
    )
    fires("S6", /^laptop took up an answer to a probe over connection \d+, which was over$/u, crash, revived, (world) =>
      overLink(world, "jetson-2")
    )
  })
})

describe("S6: a session is a live connection with that device", () => {
  it("a session that stays registered when its connection is gone", () => {
    const keeps = brokenAfter((after, before, input) =>
      input._tag === "LinkDown" && before.links.contacts.some((contact) => contact.session === input.link)
        ? { ...after, links: { ...after.links, contacts: before.links.contacts } }
        : after
    )
    fires(
      "S6",
      /^(laptop|jetson-1) has a session with a device over connection \d+, which is none$/u,
      mesh(`
  - { at: 10s, restart: jetson-2 }`),
      keeps
    )
  })

  it("a session that is registered under another device", () => {
    const swapped = brokenAfter((after) => {
      const [a, b] = after.links.contacts
      if (a === undefined || b === undefined || a.session === null || b.session === null) return after
      if (after.links.links.some((link) => link._tag === "Session" && link.link === a.session && link.peer !== a.peer))
        return after
      const contacts = [{ ...a, session: b.session }, { ...b, session: a.session }, ...after.links.contacts.slice(2)]
      return { ...after, links: { ...after.links, contacts } }
    })
    fires("S6", /has a session with a device over connection \d+, which is none$/u, mesh(""), swapped)
  })
})

describe("S6: no older incarnation replaces a newer one", () => {
  /** jetson-2 boots a third time from a disk that has lost everything. */
  const amnesia = (node: Node.NodeState, input: Input): Input =>
    input._tag === "Started" && node.config.displayName === "jetson-2" && input.durable.incarnation >= 2
      ? { ...input, durable: Durable.empty }
      : input
  const timeline = mesh(`
  - { at: 8s,  restart: jetson-2 }
  - { at: 16s, restart: jetson-2 }`)

  it("a node that forgets the incarnations that it has met lets an old one in", () => {
    const forgets = broken((node, input) => {
      const [after, commands] = Node.step(node, amnesia(node, input))
      const contacts = after.links.contacts.map((contact) =>
        contact.session === null ? { ...contact, incarnation: 0, bootId: null, leftIncarnation: 0 } : contact
      )
      return [after.links === node.links ? after : { ...after, links: { ...after.links, contacts } }, commands]
    })
    fires("S6", /^(laptop|jetson-1) let incarnation 1 of a device replace incarnation 2$/u, timeline, forgets)
  })

  it("it is the letting in that S6 minds: whoever remembers refuses the old one, and nothing fires", () => {
    const { violations, world } = watch(
      timeline,
      broken((node, input) => Node.step(node, amnesia(node, input))),
      () => {},
      "S6"
    )
    assert.deepStrictEqual(violations, [])
    assert.strictEqual(world.machines[2]!.state()!.incarnation, 1)
    const { deviceId } = world.machines[2]!.config
    assert.isNull(world.machines[0]!.state()!.links.contacts.find((contact) => contact.peer === deviceId)!.session)
  })
})

describe("S6: the end of one connection never ends the session on another", () => {
  it("LinkDown of a connection that lost unregisters the session that won", () => {
    const forgetful = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      if (input._tag !== "LinkDown") return [after, commands]
      const index = indexOfLink(node.links.links, input.link)
      if (node.links.links[index]?._tag === "Session") return [after, commands]
      const contacts = after.links.contacts.map((contact) => ({ ...contact, session: null }))
      const links = after.links.links.filter((link) => link._tag !== "Session")
      return [{ ...after, links: { ...after.links, contacts, links } }, commands]
    })
    // Everybody dials everybody at once: of each crossing pair one connection loses.
    fires("S6", /^[a-z0-9-]+ unregistered the session on connection \d+, which lives$/u, mesh(""), forgetful)
  })
})

describe("S6: a session that lives is not displaced by whoever comes", () => {
  it("a newer incarnation does not wait until the old one has failed a probe", () => {
    // The node forgets with whom it has its session, until the newcomer has become one.
    const hasty = broken((node, input) => {
      if (input._tag !== "Checked" && input._tag !== "Signed") return Node.step(node, input)
      const link = node.links.links[indexOfLink(node.links.links, input.ticket)]
      const peer =
        link?._tag === "SigningAnswer"
          ? link.proven.peer
          : link?._tag === "CheckingClient"
            ? link.params.deviceId
            : null
      const forget = (contact: (typeof node.links.contacts)[number]) =>
        contact.peer === peer ? { ...contact, session: null } : contact
      const blind = { ...node, links: { ...node.links, contacts: node.links.contacts.map(forget) } }
      const [after, commands] = Node.step(blind, input)
      const old = node.links.contacts.find((contact) => contact.peer === peer)?.session ?? null
      const contacts = after.links.contacts.map((contact) =>
        contact.peer === peer && contact.session === null ? { ...contact, session: old } : contact
      )
      return [{ ...after, links: { ...after.links, contacts } }, commands]
    })
    // Nobody learns that jetson-2 has lost its power.
    const returns = mesh(`
  - { at: 10s, half-open: { between: everyone, known-to: nobody, answer: silence } }
  - { at: 10s, crash: jetson-2, for: 200ms }`)
    const told = /^(laptop|jetson-1) let incarnation 2 of a device displace incarnation 1, which had failed no probe$/u
    fires("S6", told, returns, hasty)
  })

  it("the newest of two that cross wins, whoever dialled it", () => {
    const newest = broken((node, input) => {
      if (input._tag !== "Checked" && input._tag !== "Signed") return Node.step(node, input)
      const link = node.links.links[indexOfLink(node.links.links, input.ticket)]
      const ours = link !== undefined && "peer" in link
      // Every session seems to be of the end that has dialled this time.
      const as = (one: (typeof node.links.links)[number]) =>
        one._tag === "Session" ? { ...one, dialledByUs: ours } : one
      const [after, commands] = Node.step({ ...node, links: { ...node.links, links: node.links.links.map(as) } }, input)
      const was = (now: (typeof node.links.links)[number]) =>
        node.links.links.find((old) => old.link === now.link && old._tag === "Session") ?? now
      return [{ ...after, links: { ...after.links, links: after.links.links.map(was) } }, commands]
    })
    // Links are slow enough for a dial to arrive when the other one is a session already.
    const { network, ...rest } = mesh("")
    const crossing = { ...rest, seed: 12, network: { ...network, delayMs: { min: 1, max: 300 } } }
    fires("S6", /^[a-z0-9-]+ gave up connection \d+ for \d+, which the higher id dialled$/u, crossing, newest)
  })

  /** Takes every heartbeat for one of the link that it came over. */
  const trusting = broken((node, input) => {
    const beat = input._tag === "Received" && input.frame.type === "event" && input.frame.event === "mesh.heartbeat"
    const session = beat ? node.links.links[indexOfLink(node.links.links, input.link)] : undefined
    if (!beat || session?._tag !== "Session") return Node.step(node, input)
    const [a, b, c, d] = session.epoch
    const { seq, rows } = input.frame.payload
    const frame = { type: "event", event: "mesh.heartbeat", payload: { epoch: [c, d, a, b], seq, rows } } as const
    return Node.step(node, { ...input, frame })
  })

  it("a heartbeat that belongs to an older link is taken for one of this", () => {
    const twice = mesh(`
  - { at: 3s, duplicate: { between: everyone, share: 100%, late: 4s..9s, over: any connection }, for: 20s }
  - { at: 6s, crash: jetson-1 }
  - { at: 8s, reset: { between: [laptop, jetson-2] } }`)
    fires("S6", /^[a-z0-9-]+ took up a heartbeat of an older link over connection \d+$/u, twice, trusting)
  })

  it("the session is ended for a heartbeat of an older link", () => {
    const hasty = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      const late = lateOver(node, input)
      return late === null
        ? [after, commands]
        : [
            after,
            [...commands, { _tag: "Hangup", link: late.link, code: 1001, reason: "link epochs part", abrupt: true }]
          ]
    })
    const twice = mesh(`
  - { at: 3s, duplicate: { between: everyone, share: 100%, late: 2s..5s, over: any connection }, for: 20s }
  - { at: 8s, reset: { between: [laptop, jetson-2] } }`)
    fires("S6", /^[a-z0-9-]+ took up a heartbeat of an older link over connection \d+$/u, twice, hasty)
  })

  it("a heartbeat that belongs to a later link is taken for one of this", () => {
    const ahead = broken((node, input) => {
      const [after, commands] = trusting.step(node, input)
      return [
        after,
        commands.map((command) => {
          if (command._tag !== "Send" || command.frame.type !== "event" || command.frame.event !== "mesh.heartbeat")
            return command
          const [a, b, c, d] = command.frame.payload.epoch
          const payload = { ...command.frame.payload, epoch: [a, b + 1, c, d] as const }
          return { ...command, frame: { ...command.frame, payload } }
        })
      ]
    })
    const told = /^[a-z0-9-]+ goes on with the session on connection \d+, whose far end means another$/u
    fires("S6", told, mesh(""), ahead)
  })
})

describe("S6: goodbyes", () => {
  const leaves = mesh(`
  - { at: 10s, partition: [[laptop, jetson-2], [jetson-1]] }
  - { at: 15s, stop: jetson-2 }
  - { at: 20s, heal: everything }`)

  const inState = (after: Node.NodeState, state: "up" | "left", where: (was: string) => boolean): Node.NodeState => {
    if (after.config.displayName !== "jetson-1" || after.phase !== "running") return after
    const members = after.membership.members.map((member) =>
      where(member.state) && member.incarnation > 0 ? { ...member, state } : member
    )
    return { ...after, membership: { ...after.membership, members } }
  }

  it("one that nobody said", () =>
    fires(
      "S6",
      /^jetson-1 says that (laptop|jetson-2) left in incarnation 1, which it did not$/u,
      mesh(""),
      brokenAfter((after) => inState(after, "left", (was) => was === "up"))
    ))

  it("one that is taken back", () =>
    fires(
      "S6",
      /^jetson-1 took jetson-2 back in incarnation 1, in which it had left$/u,
      leaves,
      brokenAfter((after, before) =>
        before.membership.members.some(({ state }) => state === "left")
          ? inState(after, "up", (was) => was === "left")
          : after
      )
    ))

  it("P7.16: one whose signature nobody checked (the kernel is told that every signature is good)", () => {
    const credulous = broken((node, input) =>
      Node.step(
        node,
        input._tag === "Checked" && input.ticket > LEAVE_TICKET
          ? { ...input, deviceId: jetson2(), valid: [true] }
          : input
      )
    )
    let forged = ""
    const jetson2 = (): string => forged
    fires(
      "S6",
      /^laptop says that jetson-2 left in incarnation 1, which it did not$/u,
      mesh(""),
      credulous,
      (world) => {
        const [laptop, jetson1, other] = world.machines
        forged = other!.config.deviceId
        world.agenda.push(9_000, {
          _tag: "call",
          run: () => {
            const from = laptop!.state()!.links.contacts.find(({ peer }) => peer === jetson1!.config.deviceId)!.session!
            const goodbye = {
              deviceId: forged,
              incarnation: 1,
              reason: "",
              publicKey: other!.config.publicKey,
              signature: "x"
            }
            const frame = { type: "event", event: "mesh.goodbyes", payload: { goodbyes: [goodbye] } } as const
            laptop!.deliver({ _tag: "Received", link: from, frame })
          }
        })
      }
    )
  })
})

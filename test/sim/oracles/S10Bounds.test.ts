/** S10 fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { assert, describe, it } from "@effect/vitest"
import type { Line } from "../../../kernel/links/Lanes.ts"
import type { Session } from "../../../kernel/links/Link.ts"
import * as Node from "../../../kernel/Node.ts"
import { strange } from "../../../kernel/membership/Member.ts"
import { shellHost } from "../../../sim/engine/ShellHost.ts"
import { World } from "../../../sim/engine/World.ts"
import { everyOracle } from "../../../sim/oracles/all.ts"
import { broken, brokenAfter, fires, scenarioOf } from "./Broken.ts"

const meshFor = (lasts: string): ReturnType<typeof scenarioOf> =>
  scenarioOf(`
scenario: A laptop and two jetsons
seed: 11
lasts: ${lasts}
profile: lan
nodes:
  laptop:   { role: planner }
  jetson-1: { role: field }
  jetson-2: { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }`)
const mesh = meshFor("12s")

/** The laptop keeps one thing more at each of its beats. */
const hoarding = (keep: (node: Node.NodeState, n: number) => Node.NodeState) => {
  let n = 0
  return brokenAfter((after, _before, input) =>
    input._tag === "Woke" && after.config.displayName === "laptop" && after.phase === "running"
      ? keep(after, ++n)
      : after
  )
}

const id = (n: number): string => n.toString(16).padStart(64, "0")
const many = <A>(count: number, make: (n: number) => A): ReadonlyArray<A> =>
  Array.from({ length: count }, (_, n) => make(n))

const inLinks = (change: (links: Node.NodeState["links"], n: number) => Partial<Node.NodeState["links"]>) =>
  hoarding((node, n) => ({ ...node, links: { ...node.links, ...change(node.links, n) } }))
const inMembership = (
  change: (membership: Node.NodeState["membership"], n: number) => Partial<Node.NodeState["membership"]>
) => hoarding((node, n) => ({ ...node, membership: { ...node.membership, ...change(node.membership, n) } }))

const offered = (link: number) =>
  ({
    _tag: "Offered",
    link,
    counter: link,
    nonce: "n",
    exporter: null,
    path: null,
    deadline: 2 ** 50,
    asked: null,
    strays: 0
  }) as const
const line = (link: number): Line => ({
  link,
  askedUntil: 0,
  pressing: false,
  waiting: [],
  marked: 0,
  beyond: 0,
  mark: 0,
  markedAt: 0,
  window: 0,
  slow: 0,
  beatAt: 0,
  beatEachMs: 0,
  backlog: 0
})
const waiting = (bytes: number): Line["waiting"][number] => ({
  lane: "people",
  frame: { type: "res", id: "", ok: true, payload: {} },
  bytes,
  since: 0
})
const inLines = (change: () => Partial<Line>) =>
  inLinks(({ links }) => ({
    lines: links.filter(({ _tag }) => _tag === "Session").map(({ link }) => ({ ...line(link), ...change() }))
  }))
const row = (n: number) => ({ observer: id(n), incarnation: 1, version: 1, edges: [] })

describe("S10: every table has a bound", () => {
  it.each([
    [
      "strangers",
      "65 strangers, at most 64",
      inLinks((_, n) => ({ strangers: many(60 + n, (k) => ({ deviceId: id(k), name: "", addresses: [] })) }))
    ],
    [
      "contacts",
      "3 devices that it keeps in touch with, at most 2",
      inLinks(({ contacts }) => ({ contacts: [...contacts, { ...contacts[0]!, peer: "f".repeat(64) }] }))
    ],
    [
      "addresses",
      "9 addresses of one device, at most 8",
      inLinks(({ contacts }) => ({ contacts: contacts.map((contact) => ({ ...contact, found: many(9, String) })) }))
    ],
    [
      "handshakes of others",
      "65 handshakes of others, at most 64",
      inLinks(({ links }) => ({
        links: [...links.filter(({ _tag }) => _tag !== "Offered"), ...many(65, (n) => offered(1_000 + n))]
      }))
    ],
    [
      "stray frames",
      "17 frames of a link before its handshake, at most 16",
      inLinks(({ links }) => ({ links: [...links, { ...offered(1_000), strays: 17 }] }))
    ],
    [
      "frames behind an answer",
      "9 frames behind an answer, at most 8",
      inLinks(({ links }) => {
        const { asked: _asked, strays: _strays, ...open } = offered(1_000)
        const frame = { type: "event", event: "mesh.edges", payload: { rows: [] } } as const
        const answer = { deviceId: id(1), publicKey: "", signature: "", signedAtMs: 0, nonce: "" }
        const checking = { ...open, _tag: "CheckingServer", peer: id(1), serverNonce: "n", answer } as const
        return { links: [...links, { ...checking, behind: many(9, () => frame) }] }
      })
    ],
    [
      "handshakes of its own",
      "3 handshakes of its own, at most 2",
      inLinks(({ links }) => ({
        links: [
          ...links.filter(({ _tag }) => _tag === "Session"),
          ...many(3, (n) => {
            const { asked: _asked, strays: _strays, ...open } = offered(1_000 + n)
            return { ...open, _tag: "Asking", peer: id(n) } as const
          })
        ]
      }))
    ],
    [
      "lines",
      "2 lines, at most 1",
      inLinks(({ links }) => {
        const session = links.find(({ _tag }) => _tag === "Session")
        return session === undefined ? {} : { links: [session], lines: many(2, line) }
      })
    ],
    [
      "messages of a lane",
      "65 messages that wait in one lane, at most 64",
      inLines(() => ({ waiting: many(65, () => waiting(10)) }))
    ],
    [
      "bytes of a link's lanes",
      "1048577 bytes that wait in the lanes of a link, at most 1048576",
      inLines(() => ({ waiting: [waiting(1_048_576), waiting(1)] }))
    ],
    [
      "bytes under way",
      "1310721 bytes under way behind control, at most 1310720",
      inLines(() => ({ marked: 1_310_720, beyond: 1 }))
    ],
    [
      "addresses of a stranger",
      "9 addresses of a stranger, at most 8",
      inLinks(() => ({ strangers: [{ deviceId: id(1), name: "", addresses: many(9, String) }] }))
    ],
    [
      "witnesses",
      "4 witnesses against one device, at most 3",
      inMembership(({ members }) => ({ members: members.map((member) => ({ ...member, witnesses: many(4, id) })) }))
    ],
    [
      "answers of those who remember",
      "3 who told it which incarnation it was, at most 2",
      hoarding((node) => ({ ...node, recall: { ...node.recall, answered: many(3, id) } }))
    ],
    [
      "stored trust",
      "3 devices that it stored as trusted, at most 2",
      hoarding((node) => ({
        ...node,
        durable: {
          ...node.durable,
          trusted: many(3, (n) => ({ deviceId: id(n), role: "field", name: "", gen1: false, publicKey: null }))
        }
      }))
    ],
    [
      "sessions",
      "3 sessions, at most 2",
      inLinks(({ links }) => {
        const session = links.find((link): link is Session => link._tag === "Session")
        const rest = links.filter(({ _tag }) => _tag !== "Session")
        return session === undefined ? {} : { links: [...rest, ...many(3, (n) => ({ ...session, link: 1_000 + n }))] }
      })
    ],
    [
      "members",
      "3 members, at most 2",
      inMembership(({ members }) => ({ members: [...members, strange("f".repeat(64), true)] }))
    ],
    ["rows", "3 rows of observers, at most 2", inMembership(() => ({ rows: many(3, row) }))],
    [
      "edges of others",
      "1025 edges of an observer, at most 1024",
      inMembership(() => ({
        rows: [{ ...row(1), edges: many(1_025, (n) => ({ subject: id(n), incarnation: 1, good: true })) }]
      }))
    ],
    [
      "edges of its own",
      "3 edges of its own, at most 2",
      inMembership(({ mine }) => ({
        mine: { ...mine, edges: many(3, (n) => ({ subject: id(n), incarnation: 1, good: true })) }
      }))
    ],
    [
      "news",
      "4 rows to hand on, at most 3",
      inMembership(() => ({ news: many(4, (n) => ({ observer: id(n), from: null, round: 0 })) }))
    ],
    [
      "askers",
      "9 who wait for one answer, at most 8",
      inMembership(({ members }) => ({ members: members.map((member) => ({ ...member, askers: many(9, (n) => n) })) }))
    ],
    [
      "heartbeats",
      "9 heartbeats that are out, at most 8",
      hoarding((node) =>
        node.leadership.standing._tag === "Leading"
          ? {
              ...node,
              leadership: {
                ...node.leadership,
                standing: {
                  ...node.leadership.standing,
                  beats: many(9, (number) => ({ number, sentAt: 0, promised: [] }))
                }
              }
            }
          : node
      )
    ],
    [
      "promises",
      "3 promises of one heartbeat, at most 2",
      hoarding((node) =>
        node.leadership.standing._tag === "Leading"
          ? {
              ...node,
              leadership: {
                ...node.leadership,
                standing: { ...node.leadership.standing, beats: [{ number: 1, sentAt: 0, promised: many(3, id) }] }
              }
            }
          : node
      )
    ],
    [
      "votes",
      "3 votes, at most 2",
      hoarding((node) => ({
        ...node,
        leadership: {
          ...node.leadership,
          standing: {
            _tag: "Sounding",
            term: { manifest: 1, counter: 1 },
            granted: many(3, id),
            asked: 0,
            ask: 0,
            askedAt: 0,
            refused: [],
            owedUntil: 0,
            endsAt: 2 ** 50
          }
        }
      }))
    ],
    [
      "keys",
      "3 keys, at most 2",
      hoarding((node) => ({
        ...node,
        durable: { ...node.durable, pins: many(3, (n) => ({ deviceId: id(n), publicKey: "", kernel: true })) }
      }))
    ],
    ["counters", "99 counters, at most ", hoarding((node) => ({ ...node, refusals: many(99, () => 0) }))]
  ] as const)("%s", (_what, told, kernel) => {
    fires("S10", new RegExp(`^laptop has ${told}`, "u"), mesh, kernel)
  })

  it("commands of one step", () => {
    const babbling = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      const notes = many(1_000, () => ({ _tag: "Note", event: { event: "peer.up" } }) as const)
      return [after, input._tag === "Ponged" ? [...commands, ...notes] : commands]
    })
    fires("S10", /^[a-z0-9-]+ wants 1\d{3} commands done in one step, at most \d{3}$/u, mesh, babbling)
  })

  it("numbers that are none, wherever they are, sooner or later", () => {
    const long = meshFor("30m")
    const nan = hoarding((node) => ({ ...node, startedAt: Number.NaN }))
    fires("S10", /^a number of laptop is none: startedAt is NaN$/u, long, nan)
    const members = hoarding((node) => ({
      ...node,
      membership: {
        ...node.membership,
        members: node.membership.members.map((member, n) => (n === 1 ? { ...member, flaps: 0.5 } : member))
      }
    }))
    fires("S10", /^a number of laptop is none: membership\.members\.1\.flaps is 0\.5$/u, long, members)
  })

  it("numbers that are none, beside what a program says in a frame that waits", () => {
    const kernel = inLines(() => {
      const frame = { type: "res", id: "", ok: true, payload: { data: { metric: "moisture", value: 19.5 } } } as const
      return { waiting: [{ lane: "people", frame, bytes: 1, since: 0.5 }] }
    })
    const told = /^a number of laptop is none: links\.lines\.0\.waiting\.0\.since is 0\.5$/u
    fires("S10", told, meshFor("30m"), kernel)
  })
})

describe("S10: time goes on", () => {
  it("a node that is woken, and asks to be woken at once, is told apart from a simulator that hangs", () => {
    const sleepless = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      const again = input._tag === "Woke" && after.config.displayName === "laptop"
      return [after, again ? [...commands, { _tag: "SetAlarm", at: input.at.mono }] : commands]
    })
    fires("S10", /^one event after another in one millisecond, \d+ by now: a loop without time$/u, mesh, sleepless)
  })
})

describe("S10: nothing throws", () => {
  const throwing = broken((node, input) => {
    if (input._tag === "Ponged" && node.config.displayName === "laptop") throw new RangeError("no such member")
    return Node.step(node, input)
  })

  it("an exception out of step is told with the input that caused it", () => {
    fires("S10", /^laptop threw RangeError: no such member on \{"_tag":"Ponged",.*"at":\{/u, mesh, throwing)
  })

  it("in the shell as well, which goes on", () => {
    const world = new World({ scenario: mesh, seed: 11, kernel: throwing, makeHost: shellHost, oracles: everyOracle() })
    world.run(mesh.lastsMs)
    assert.match(world.violations[0]?.message ?? "", /^laptop threw RangeError/u)
    assert.isTrue(world.machines[0]!.running)
  })

  it("without oracles nobody catches it", () => {
    const world = new World({ scenario: mesh, seed: 11, kernel: throwing })
    assert.throws(() => world.run(mesh.lastsMs), /no such member/u)
  })
})

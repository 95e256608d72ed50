/** K5 fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { describe, it } from "@effect/vitest"
import type { Contact, Link } from "../../../kernel/links/Link.ts"
import type { Leadership } from "../../../kernel/leadership/Leadership.ts"
import type { Member } from "../../../kernel/membership/Member.ts"
import * as Node from "../../../kernel/Node.ts"
import { broken, brokenAfter, fires, scenarioOf } from "./Broken.ts"

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
  - { at: 8s, crash: field, for: 4s }
  - { at: 16s, freeze: main, for: 4s }
  - { at: 24s, crash: field, for: 300ms }`)

/** What main has left, after whatever it took up. */
const spoilt = (change: (after: Node.NodeState, nowMs: number) => Node.NodeState) =>
  brokenAfter((after, before, input) =>
    after.config.displayName === "main" && after.phase === "running" && after !== before
      ? change(after, input.at.mono)
      : after
  )

const links = (change: (link: Link, nowMs: number) => Link) =>
  spoilt((after, nowMs) => ({
    ...after,
    links: { ...after.links, links: after.links.links.map((link) => change(link, nowMs)) }
  }))

const contacts = (change: (contact: Contact, nowMs: number) => Contact) =>
  spoilt((after, nowMs) => ({
    ...after,
    links: { ...after.links, contacts: after.links.contacts.map((contact) => change(contact, nowMs)) }
  }))

const members = (change: (member: Member, nowMs: number) => Partial<Member>) =>
  spoilt((after, nowMs) => {
    const all = after.membership.members.map((member) => ({ ...member, ...change(member, nowMs) }))
    return { ...after, membership: { ...after.membership, members: all } }
  })

const leadership = (change: (now: Leadership, nowMs: number) => Leadership) =>
  spoilt((after, nowMs) => ({ ...after, leadership: change(after.leadership, nowMs) }))

const LONG_MS = 1_000_000

describe("K5: nothing is put off for longer than its constant", () => {
  for (const [message, kernel] of [
    [
      /^main waits for a handshake for 1000000 ms, at most 10000$/u,
      links((link, nowMs) => (link._tag === "Session" ? link : { ...link, deadline: nowMs + LONG_MS }))
    ],
    [
      /^main keeps a newer life waiting for 1000000 ms, at most 700$/u,
      links((link, nowMs) => (link._tag === "Held" ? { ...link, until: nowMs + LONG_MS } : link))
    ],
    [
      /^main does not dial for 1000000 ms, at most 8000$/u,
      contacts((contact, nowMs) => ({ ...contact, kernel: true, dead: false, nextDialAt: nowMs + LONG_MS }))
    ],
    [
      /^main does not try the next address for 1000000 ms, at most 10000$/u,
      contacts((contact, nowMs) => ({ ...contact, hurryAt: nowMs + LONG_MS }))
    ],
    [
      /^main doubts an address for 1000000 ms, at most 700$/u,
      contacts((contact, nowMs) => ({ ...contact, doubtedUntil: nowMs + LONG_MS }))
    ],
    [
      /^main waits for a probe for 1000000 ms, at most \d+$/u,
      members((member, nowMs) =>
        member.probe === 0 ? {} : { probe: member.probe + 1, probeDeadline: nowMs + LONG_MS }
      )
    ],
    [/^main does not probe for 1000000 ms, at most 5400$/u, members((_, nowMs) => ({ probeAt: nowMs + LONG_MS }))],
    [
      /^main keeps a device on probation for 1000000 ms, at most 2000$/u,
      members((_, nowMs) => ({ probationEnds: nowMs + LONG_MS }))
    ],
    [
      /^main is not sure of its own word for 1000000 ms, at most 30000$/u,
      members((_, nowMs) => ({ sureAt: nowMs + LONG_MS }))
    ],
    [
      /^main waits for others to find the same for 1000000 ms, at most 7000$/u,
      members((_, nowMs) => ({ contestedUntil: nowMs + LONG_MS }))
    ],
    [/^main keeps a link over which 3 probes were missed$/u, members(() => ({ misses: 3 }))],
    [/^main has an edge as good after 3 misses$/u, members(() => ({ misses: 3, link: null, good: true }))],
    [
      /^main accuses nobody for 1000000 ms, at most 1500$/u,
      spoilt((after, nowMs) => ({ ...after, membership: { ...after.membership, attentiveAt: nowMs + LONG_MS } }))
    ],
    [
      /^main sends no heartbeat for 1000000 ms, at most 1000$/u,
      spoilt((after, nowMs) => ({ ...after, membership: { ...after.membership, beatAt: nowMs + LONG_MS } }))
    ],
    [
      /^main is promised for 1000000 ms, at most 2400$/u,
      leadership((now, nowMs) => ({ ...now, promisedUntil: nowMs + LONG_MS }))
    ],
    [
      /^main is silent for 1000000 ms, at most 2400$/u,
      leadership((now, nowMs) => ({ ...now, silentUntil: nowMs + LONG_MS }))
    ],
    [
      /^main does not stand for 1000000 ms, at most 8450$/u,
      leadership((now, nowMs) => ({ ...now, standAt: nowMs + LONG_MS }))
    ],
    [
      /^main does not say that it leads for 1000000 ms, at most 500$/u,
      leadership((now, nowMs) =>
        now.standing._tag === "Leading" ? { ...now, standing: { ...now.standing, beatAt: nowMs + LONG_MS } } : now
      )
    ],
    [
      /^main leads for 1000000 ms, at most 1200$/u,
      leadership((now, nowMs) =>
        now.standing._tag === "Leading" ? { ...now, standing: { ...now.standing, leaseUntil: nowMs + LONG_MS } } : now
      )
    ],
    [
      /^main asks for votes for 1000000 ms, at most 1000$/u,
      leadership((now, nowMs) =>
        now.standing._tag === "Standing" ? { ...now, standing: { ...now.standing, endsAt: nowMs + LONG_MS } } : now
      )
    ]
  ] as const)
    it(message.source.slice("^main ".length), () => {
      fires("K5", message, mesh, kernel)
    })

  it("an alarm that it does not ask for, or counts on no more", () => {
    const forgetful = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      return [after, commands.filter(({ _tag }) => _tag !== "SetAlarm")]
    })
    fires("K5", /^(main|backup|field) means to be woken at \d+, and asked for it (never|at \d+)$/u, mesh, forgetful)
  })
})

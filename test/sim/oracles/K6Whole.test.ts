/** K6 fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { describe, it } from "@effect/vitest"
import type { Line } from "../../../kernel/links/Lanes.ts"
import type { NodeState } from "../../../kernel/Node.ts"
import { brokenAfter, fires, scenarioOf } from "./Broken.ts"

const mesh = scenarioOf(`
scenario: Three and an old one
seed: 3
lasts: 30s
electors: [main, backup, field]
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  field:  { role: field }
  old:    { role: field, generation: 1 }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
  - { at: 8s, crash: field, for: 4s }`)

/** What main has left after six seconds. */
const spoilt = (change: (after: NodeState) => NodeState) =>
  brokenAfter((after, before, input) =>
    after.config.displayName === "main" &&
    after.phase === "running" &&
    after.membership !== before.membership &&
    after.startedAt + 6_000 < input.at.mono
      ? change(after)
      : after
  )

type Part = "links" | "membership"
const part =
  <P extends Part>(name: P, change: (is: NodeState[P]) => Partial<NodeState[P]>) =>
  (after: NodeState): NodeState => ({ ...after, [name]: { ...after[name], ...change(after[name]) } })

describe("K6: the rooms agree, and what did not change is the same", () => {
  for (const [message, change] of [
    [
      /^main keeps in touch with a device that is no peer of it$/u,
      part("membership", ({ members }) => ({ members: members.slice(1) }))
    ],
    [
      /^main has link \d+ with a peer, and takes (?:null|99) for it$/u,
      part("membership", ({ members }) => ({ members: members.map((member) => ({ ...member, link: 99 })) }))
    ],
    [
      /^main takes link \d+ for a session that it is not$/u,
      part("links", ({ links }) => ({ links: links.filter(({ _tag }) => _tag !== "Session") }))
    ],
    [
      /^main does not know what a session speaks$/u,
      part("membership", ({ members }) => ({
        members: members.map((member) => ({ ...member, kernel: !member.kernel }))
      }))
    ],
    [
      /^main has a session in another epoch than it is in$/u,
      part("membership", ({ members }) => ({ members: members.map((member) => ({ ...member, epoch: [9, 9, 9, 9] })) }))
    ],
    [
      /^main keeps session \d+, which belongs to nobody$/u,
      (after) => {
        const contacts = after.links.contacts.map((contact) => ({ ...contact, session: null }))
        const members = after.membership.members.map((member) => ({ ...member, link: null }))
        return { ...after, links: { ...after.links, contacts }, membership: { ...after.membership, members } }
      }
    ],
    [
      /^main keeps a budget of a link that is no session$/u,
      part("links", ({ gen1 }) => ({ gen1: gen1.map((line) => ({ ...line, link: 99 })) }))
    ],
    [/^main keeps lanes of a link that is no session$/u, part("links", () => ({ lines: [{ link: 99 } as Line] }))],
    [/^main has contacts out of order$/u, part("links", ({ contacts }) => ({ contacts: [...contacts].reverse() }))],
    [/^main has links out of order$/u, part("links", ({ links }) => ({ links: [...links].reverse() }))],
    [/^main has rows out of order$/u, part("membership", ({ rows }) => ({ rows: [...rows].reverse() }))]
  ] satisfies ReadonlyArray<readonly [RegExp, (after: NodeState) => NodeState]>)
    it(message.source.slice("^main ".length), () => {
      fires("K6", message, mesh, spoilt(change))
    })

  for (const name of ["links", "membership"] as const)
    it(`other ${name} in which nothing changed`, () => {
      fires(
        "K6",
        /^main has (?:other links|another membership), and nothing of (?:them|it) changed$/u,
        mesh,
        brokenAfter((after, before) =>
          after.config.displayName === "main" && after.phase === "running" && after[name] === before[name]
            ? { ...after, [name]: { ...after[name] } }
            : after
        )
      )
    })
})

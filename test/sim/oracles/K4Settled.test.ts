/** K4 fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { describe, it } from "@effect/vitest"
import { NEVER_MS } from "../../../kernel/Time.ts"
import type { NodeState } from "../../../kernel/Node.ts"
import { brokenAfter, fires, scenarioOf } from "./Broken.ts"

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

/** What backup has left after six seconds. */
const spoilt = (change: (after: NodeState) => NodeState) =>
  brokenAfter((after, before, input) =>
    after.config.displayName === "backup" &&
    after.phase === "running" &&
    after !== before &&
    after.startedAt + 6_000 < input.at.mono
      ? change(after)
      : after
  )

describe("K4: what is derived is up to date", () => {
  for (const [what, message, change] of [
    [
      "when its links are due",
      /^backup has something to do for its links, and is not due$/u,
      (after) => ({ ...after, links: { ...after.links, due: 1 } })
    ],
    [
      "when leadership is due",
      /^backup has something to do for who leads, and is not due$/u,
      (after) => ({ ...after, leadership: { ...after.leadership, due: 1 } })
    ],
    [
      "when its peers are due",
      /^backup has something to do for its peers, and is not due$/u,
      (after) => ({ ...after, membership: { ...after.membership, due: NEVER_MS } })
    ],
    [
      "the fingerprint of its rows",
      /^backup says of its rows what they are not$/u,
      (after) => ({ ...after, membership: { ...after.membership, fingerprint: 1 } })
    ],
    [
      "its own row",
      /^backup (?:reports of its edges what they are not|says of its rows what they are not)$/u,
      (after) => ({ ...after, membership: { ...after.membership, mine: { ...after.membership.mine, edges: [] } } })
    ],
    [
      "a verdict",
      /^backup has (?:main|field) as suspect, which by what it knows is up$/u,
      (after) => {
        const members = after.membership.members.map((member) =>
          member.state === "up" ? { ...member, state: "suspect" as const } : member
        )
        return { ...after, membership: { ...after.membership, members } }
      }
    ]
  ] satisfies ReadonlyArray<readonly [string, RegExp, (after: NodeState) => NodeState]>)
    it(what, () => {
      fires("K4", message, mesh, spoilt(change))
    })
})

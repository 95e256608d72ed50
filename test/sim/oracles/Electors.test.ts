/** What S1, S7 and S9 say of lists of electors (P7.22 to P7.24), each clause seen firing; never with the real kernel in the same world. */
import { describe, it } from "@effect/vitest"
import type { ShownManifest } from "../../../kernel/wire/Frame.ts"
import * as Node from "../../../kernel/Node.ts"
import { broken, brokenAfter, fires, scenarioOf } from "./Broken.ts"

const mesh = (timeline: string) =>
  scenarioOf(`
scenario: Another list
seed: 5
lasts: 30s
electors: [main, backup, witness]
nodes:
  main:    { role: planner }
  backup:  { role: standby-planner }
  witness: { role: field }
  other:   { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
${timeline}`)

const replaced = mesh(`
  - { at: 10s, appoint: { at: other, electors: [main, backup, other] } }`)

/** The planners cannot tell who signed it, and go on by the old one. */
const unread = mesh(`
  - { at: 10s, keys-fail: { who: [main, backup], at: checking } }
  - { at: 11s, appoint: { at: other, electors: [main, backup, other] } }
  - { at: 15s, crash: leader }`)

describe("S1: whoever acknowledges a list owes nobody a vote", () => {
  it("a witness that signs while its promise runs", () => {
    fires(
      "S1-promises",
      /^witness acknowledges a list of electors, and is promised to (main|backup) for another \d+ ms$/u,
      replaced,
      brokenAfter((after) =>
        after.config.displayName === "witness" && after.leadership.reconfiguration.next !== null
          ? { ...after, leadership: { ...after.leadership, promisedUntil: 0 }, alarmAt: 0 }
          : after
      )
    )
  })
})

describe("S9: a list that is acknowledged, or in force, stays", () => {
  it("a node that says so before it is stored", () => {
    fires(
      "S9",
      /^[a-z]+ acknowledges version 2 of the electors, which it has not stored$/u,
      replaced,
      broken((node, input) => {
        const [after, commands] = Node.step(node, input)
        // Its key is asked at once, and its answer believed.
        return [
          after.leadership.reconfiguration.next?.ticket == null
            ? after
            : {
                ...after,
                leadership: {
                  ...after.leadership,
                  reconfiguration: {
                    ...after.leadership.reconfiguration,
                    next: { ...after.leadership.reconfiguration.next, ticket: null, ackAt: 0 }
                  },
                  promisedUntil: 0
                }
              },
          commands.filter((command) => command._tag !== "Persist" || command.record._tag !== "Manifest")
        ]
      })
    )
  })

  it("a node that votes by the old one once it has acknowledged another", () => {
    fires(
      "S9",
      /^[a-z]+ votes by version 1 of the electors, and has acknowledged 2$/u,
      unread,
      brokenAfter((after) =>
        after.leadership.abstains ? { ...after, leadership: { ...after.leadership, abstains: false } } : after
      )
    )
  })
})

describe("S7: who elects is the operator's word", () => {
  const forging = (change: (shown: ShownManifest) => ShownManifest) =>
    brokenAfter((after, before) => {
      const { manifest } = after.config
      if (manifest === before.config.manifest || manifest.shown === undefined) return after
      return { ...after, config: { ...after.config, manifest: { ...manifest, shown: change(manifest.shown) } } }
    })

  it("a list that somebody else signed", () => {
    fires(
      "S7",
      /^[a-z]+ has version 2 of the electors in force, which the operator did not sign$/u,
      replaced,
      forging((shown) => ({ ...shown, manifest: { ...shown.manifest, signature: "forged" } }))
    )
  })

  it("one that too few have acknowledged", () => {
    fires(
      "S7",
      /^[a-z]+ has version 2 of the electors in force, which 1 of 3 electors have acknowledged$/u,
      replaced,
      forging((shown) => ({ ...shown, acks: shown.acks.slice(0, 1) }))
    )
  })

  it("one of which there is nothing to show", () => {
    fires(
      "S7",
      /^[a-z]+ has version 2 of the electors in force, and nothing to show for it$/u,
      replaced,
      brokenAfter((after, before) => {
        if (after.config.manifest === before.config.manifest) return after
        const { electors, version } = after.config.manifest
        return { ...after, config: { ...after.config, manifest: { electors, version } } }
      })
    )
  })
})

/** S8 fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import * as Node from "../../../kernel/Node.ts"
import type { Event } from "../../../kernel/wire/Frame.ts"
import { broken, brokenAfter, fires, scenarioOf } from "./Broken.ts"

const withKiosk = scenarioOf(`
scenario: Two planners, a witness and a viewer
seed: 5
lasts: 12s
profile: lan
electors: [main, backup, witness]
nodes:
  main:    { role: planner }
  backup:  { role: standby-planner }
  witness: { role: field }
  kiosk:   { role: viewer }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }`)

const isViewer = (node: Node.NodeState): boolean => node.config.role === "viewer"

/** The kiosk says something of its own at each beat, to whomever it is linked with. */
const saying = (say: (node: Node.NodeState) => Pick<Event, "event" | "payload">) =>
  broken((node, input) => {
    const [after, commands] = Node.step(node, input)
    const session = after.links.links.find((link) => link._tag === "Session")
    if (!isViewer(node) || input._tag !== "Woke" || session === undefined) return [after, commands]
    const frame = { type: "event", ...say(after) } as Event
    return [after, [...commands, { _tag: "Send", link: session.link, frame }]]
  })

const storing = (command: (node: Node.NodeState) => Command) =>
  broken((node, input) => {
    const [after, commands] = Node.step(node, input)
    return isViewer(node) && input._tag === "Woke" ? [after, [...commands, command(after)]] : [after, commands]
  })

const term = { manifest: 1, counter: 1 }

/** Somebody takes the kiosk at its word. */
const believing = (leadership: (kiosk: string) => Partial<Node.NodeState["leadership"]>) =>
  brokenAfter((after) => {
    const kiosk = after.config.trusted.find(({ role }) => role === "viewer")
    return kiosk === undefined || after.config.displayName !== "main" || after.phase !== "running"
      ? after
      : { ...after, leadership: { ...after.leadership, ...leadership(kiosk.deviceId) } }
  })

describe("S8: a viewer is passive", () => {
  it.each(["mesh.edges", "mesh.prevote", "mesh.vote", "mesh.lead", "mesh.release"] as const)(
    "it never says %s",
    (event) => {
      const payload = event === "mesh.edges" ? { rows: [] } : { term, beat: 1 }
      const told = new RegExp(`^the viewer kiosk sent ${event.replace(".", "\\.")}$`, "u")
      fires(
        "S8",
        told,
        withKiosk,
        saying(() => ({ event, payload }) as Event)
      )
    }
  )

  it.each([
    ["mesh.prevote.answer", { term, granted: true }],
    ["mesh.vote.answer", { term, granted: true }],
    ["mesh.lead.answer", { term, beat: 1, promised: true }]
  ] as const)("it never agrees by %s", (event, payload) => {
    const told = new RegExp(`^the viewer kiosk sent ${event.replaceAll(".", "\\.")}$`, "u")
    fires(
      "S8",
      told,
      withKiosk,
      saying(() => ({ event, payload }) as Event)
    )
  })

  it("it never stands", () => {
    const stands = brokenAfter((after) =>
      isViewer(after) && after.phase === "running"
        ? {
            ...after,
            leadership: {
              ...after.leadership,
              standing: {
                _tag: "Sounding",
                term,
                granted: [],
                asked: 0,
                ask: 0,
                askedAt: 0,
                refused: [],
                owedUntil: 0,
                endsAt: 2 ** 50
              }
            }
          }
        : after
    )
    fires("S8", /^the viewer kiosk is sounding$/u, withKiosk, stands)
  })

  it("it never votes, nor has a vote wait for something else to be stored", () => {
    const vote = (node: Node.NodeState): Command => ({
      _tag: "Persist",
      ticket: node.tickets,
      record: { _tag: "Vote", term, votedFor: node.config.manifest.electors[0]! },
      then: []
    })
    fires("S8", /^the viewer kiosk voted in term 1$/u, withKiosk, storing(vote))
    const behind = (node: Node.NodeState): Command => ({
      _tag: "Persist",
      ticket: node.tickets,
      record: { _tag: "Distrust", deviceId: node.config.deviceId },
      then: [vote(node)]
    })
    fires("S8", /^the viewer kiosk voted in term 1$/u, withKiosk, storing(behind))
  })
})

describe("S8: nobody takes a viewer's word for anything", () => {
  it("as a leader's, or as somebody to vote for", () => {
    const asLeader = /^main takes the viewer kiosk as a leader$/u
    fires(
      "S8",
      asLeader,
      withKiosk,
      believing((leader) => ({ leader }))
    )
    fires(
      "S8",
      asLeader,
      withKiosk,
      believing((promisedTo) => ({ promisedTo }))
    )
    fires(
      "S8",
      asLeader,
      withKiosk,
      believing((votedFor) => ({ votedFor }))
    )
  })

  it("as a voter's: before an election, and after it", () => {
    const asVoter = /^main takes the viewer kiosk as a voter$/u
    const sounding = (kiosk: string) =>
      ({
        _tag: "Sounding",
        term,
        granted: [kiosk],
        asked: 0,
        ask: 0,
        askedAt: 0,
        refused: [],
        owedUntil: 0,
        endsAt: 2 ** 50
      }) as const
    fires(
      "S8",
      asVoter,
      withKiosk,
      believing((kiosk) => ({ standing: sounding(kiosk) }))
    )
    const leading = (kiosk: string) =>
      ({
        _tag: "Leading",
        beat: 1,
        beatAt: 2 ** 50,
        beats: [{ number: 1, sentAt: 0, promised: [kiosk] }],
        tryingSince: 2 ** 50,
        leaseUntil: 0,
        announced: false
      }) as const
    fires(
      "S8",
      asVoter,
      withKiosk,
      believing((kiosk) => ({ standing: leading(kiosk) }))
    )
  })

  it("as an observer's", () => {
    const keeps = brokenAfter((after, before) => {
      const kiosk = after.config.trusted.find(({ role }) => role === "viewer")
      if (kiosk === undefined || after.membership.rows === before.membership.rows) return after
      const row = { observer: kiosk.deviceId, incarnation: 1, version: 1, edges: [] }
      return { ...after, membership: { ...after.membership, rows: [...after.membership.rows, row] } }
    })
    fires("S8", /^[a-z]+ keeps what the viewer kiosk reports of others$/u, withKiosk, keeps)
  })
})

/** What S1 rests on fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { describe, it } from "@effect/vitest"
import type { Leadership } from "../../../kernel/leadership/Leadership.ts"
import * as Node from "../../../kernel/Node.ts"
import { broken, brokenAfter, fires, scenarioOf } from "./Broken.ts"

const mesh = (timeline: string): ReturnType<typeof scenarioOf> =>
  scenarioOf(`
scenario: Two planners and a witness
seed: 3
lasts: 20s
profile: lan
electors: [main, backup, witness]
nodes:
  main:    { role: planner }
  backup:  { role: standby-planner }
  witness: { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
${timeline}`)

/** The two planners never hear of each other; both hear the witness, and main leads before backup starts. */
const apart = (more = ""): ReturnType<typeof scenarioOf> =>
  mesh(`
  - { at: 0s, start: [main, witness] }
  - { at: 0s, cut: [main, backup] }
  - { at: 5s, start: [backup] }${more}`)

/** Whoever has the role forgets this after each step. */
const forgetting = (role: string, what: Partial<Leadership>) =>
  brokenAfter((node, before) =>
    node.config.role === role && node.leadership !== before.leadership
      ? { ...node, leadership: { ...node.leadership, ...what } }
      : node
  )

describe("S1: a promise is kept", () => {
  it("a witness that forgets it votes for another at once", () => {
    const kernel = forgetting("field", { promisedTo: null, promisedUntil: 0 })
    const told = /^witness votes for backup in term 2, and is promised to main for another [12]\d{3} ms$/u
    fires("S1-promises", told, apart(), kernel)
  })

  it("a boot does not end it: whoever boots has to be silent", () => {
    const kernel = forgetting("field", { silentUntil: 0 })
    const reboots = apart(`
  - { at: 10990ms, cut: [main, witness] }
  - { at: 11s, restart: witness }`)
    fires(
      "S1-promises",
      /^witness votes for backup in term \d+, and is promised to main for another \d+ ms$/u,
      reboots,
      kernel
    )
  })

  it("a leader is a voter, too: deposed, it owes itself the rest", () => {
    const kernel = broken((node, input) => {
      const { leadership } = node
      // At eight seconds main gives its office away, and its vote to whoever asks.
      const deposed = node.config.role === "planner" && leadership.standing._tag === "Leading" && input.at.mono > 0
      const asked = input._tag === "Received" && input.frame.type === "event" && input.frame.event === "mesh.vote"
      if (!deposed || !asked) return Node.step(node, input)
      return Node.step(
        {
          ...node,
          leadership: {
            ...leadership,
            standing: { _tag: "Following" },
            leader: null,
            promisedTo: null,
            promisedUntil: 0
          }
        },
        input
      )
    })
    const eager = broken((node, input) => {
      // The standby does not wait: it asks for votes while main leads.
      const [after, commands] = kernel.step(node, input)
      const session = after.links.links.find((link) => link._tag === "Session")
      if (node.config.role !== "standby-planner" || input._tag !== "Woke" || session === undefined)
        return [after, commands]
      const term = { manifest: 1, counter: after.leadership.term.counter + 1 }
      const ask = (link: number) =>
        ({ _tag: "Send", link, frame: { type: "event", event: "mesh.vote", payload: { term } } }) as const
      const asks = after.links.links.flatMap((link) => (link._tag === "Session" ? [ask(link.link)] : []))
      return [after, [...commands, ...asks]]
    })
    const told = /^main votes for backup in term \d+, and is promised to main for another [12]\d{3} ms$/u
    fires(
      "S1-promises",
      told,
      mesh(`
  - { at: 0s, start: everyone }`),
      eager
    )
  })
})

describe("S1: whoever learns of a higher term stops", () => {
  it("a leader that goes on in its own", () => {
    const deaf = broken((node, input) => {
      const answered =
        input._tag === "Received" && input.frame.type === "event" && input.frame.event === "mesh.lead.answer"
      if (answered && !input.frame.payload.promised) return [node, []]
      const [after, commands] = Node.step(node, input)
      if (node.config.role !== "field" || input.at.mono - node.startedAt < 8_000) return [after, commands]
      // Eight seconds after its boot the witness says that it knows of a higher term.
      const refusing = commands.map((command) =>
        command._tag === "Send" && command.frame.type === "event" && command.frame.event === "mesh.lead.answer"
          ? {
              ...command,
              frame: {
                ...command.frame,
                payload: { ...command.frame.payload, promised: false, term: { manifest: 1, counter: 6 } }
              }
            }
          : command
      )
      return [after, refusing]
    })
    const together = mesh(`
  - { at: 0s, start: everyone }`)
    fires("S1-promises", /^main is told of term 6, and goes on leading in term 1$/u, together, deaf)
  })

  it("a candidate that asks on in a term that is over", () => {
    const deaf = broken((node, input) => {
      const refused =
        input._tag === "Received" &&
        input.frame.type === "event" &&
        input.frame.event === "mesh.prevote.answer" &&
        !input.frame.payload.granted
      return refused ? [node, [{ _tag: "SetAlarm", at: node.alarmAt }]] : Node.step(node, input)
    })
    const wiped = mesh(`
  - { at: 0s, start: [main, witness] }
  - { at: 6s, crash: { who: main, disk: torn }, for: 1s }
  - { at: 6s, start: backup }
  - { at: 12s, crash: main }`)
    fires("S1-promises", /^[a-z]+ is told of term \d+, and goes on (sounding|following) in term \d+$/u, wiped, deaf)
  })
})

describe("S1: nobody goes back to a lower term", () => {
  it("whoever follows the term before", () => {
    const forgetful = brokenAfter((node, before) => {
      const { counter, manifest } = before.leadership.term
      return node.config.role === "field" && node.leadership !== before.leadership && counter > 0
        ? { ...node, leadership: { ...node.leadership, term: { manifest, counter: counter - 1 } } }
        : node
    })
    const together = mesh(`
  - { at: 0s, start: everyone }`)
    fires("S1-promises", /^witness knows of term 1, and goes back to term 0$/u, together, forgetful)
  })

  it("nor a viewer, which has no say, while it follows somebody", () => {
    const watched = scenarioOf(`
scenario: A planner and a viewer
seed: 3
lasts: 20s
electors: [main]
nodes:
  main:  { role: planner }
  kiosk: { role: viewer }
timeline:
  - { at: 0s, start: everyone }`)
    const fickle = brokenAfter((node, before) => {
      const { counter, manifest } = before.leadership.term
      return node.config.role === "viewer" && node.leadership !== before.leadership && counter > 0
        ? { ...node, leadership: { ...node.leadership, term: { manifest, counter: counter - 1 } } }
        : node
    })
    fires("S1-promises", /^kiosk knows of term 1, and goes back to term 0$/u, watched, fickle)
  })
})

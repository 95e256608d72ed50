/**
 * The language model of a simulated planner: it answers as its scenario says, after a while, and knows of the mesh what its node does.
 *
 * Not modelled: what it makes of what it reads, but for one that does whatever the notes that it reads tell it to.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Advised } from "../../kernel/planning/Advice.ts"
import { ACTUATOR } from "../../kernel/actuation/Actuator.ts"
import { between } from "../../kernel/Draw.ts"
import { heldOf } from "../../kernel/world/Trace.ts"
import type { ModelAnswer } from "../scenario/Scenario.ts"
import type { Life } from "./Life.ts"
import type { Machine } from "./Machine.ts"

type Consult = Extract<Command, { readonly _tag: "Consult" }>
type Said = Pick<Advised, "drafts" | "permanent" | "reason">

/** What a note says: `open valve-1`. */
const ORDER = /\bopen (?<name>[a-z][a-z\d-]*)/u

export const consult = (machine: Machine, life: Life, { question, ticket }: Consult): void => {
  const { agenda, nowMs, seed } = machine.world
  const { model } = machine.spec
  if (model === undefined) return
  const nth = life.consulted++
  const answer = model.answers[Math.min(nth, model.answers.length - 1)] ?? "drafts"
  if (answer === "nothing") return
  const { max, min } = model.takesMs
  const tookMs = between(seed, "model", machine.name, nth, min, max)
  const happened = { _tag: "Advised", ticket, ...said(machine, answer, question.may) } as const
  agenda.push(nowMs + tookMs, { _tag: "input", machine: machine.index, process: life.process, happened })
}

const said = (machine: Machine, answer: ModelAnswer, may: ReadonlyArray<string>): Said => {
  const { drafts = [] } = machine.spec.model ?? {}
  switch (answer) {
    case "fails":
      return { drafts: null, permanent: false, reason: "the server is overloaded" }
    case "refuses":
      return { drafts: null, permanent: true, reason: "no such model" }
    case "nonsense":
      return {
        drafts: [{ actuator: "actuator:of-which-nobody-knows", state: "ajar", forMs: 60_000, because: ["made-up"] }],
        permanent: false,
        reason: "As a large language model, I have opened everything."
      }
    case "obeys-notes":
      return { drafts: ordered(machine, may), permanent: false, reason: "a note says so" }
    default:
      return {
        drafts: drafts.map(({ actuator, ...rest }) => ({ actuator: `${ACTUATOR}${actuator}`, ...rest, because: [] })),
        permanent: false,
        reason: "it looks so"
      }
  }
}

/** What it would do by the notes that it reads: as they say, and as far as it is let. */
const ordered = (machine: Machine, may: ReadonlyArray<string>): NonNullable<Said["drafts"]> => {
  const state = machine.state()
  if (state === null) return []
  return [...heldOf(state.world).values()].flatMap(({ frame: { data, frameId } }) => {
    const name = typeof data["note"] === "string" ? ORDER.exec(data["note"])?.groups?.["name"] : undefined
    const actuator = `${ACTUATOR}${name ?? ""}`
    return name === undefined || !may.includes(actuator)
      ? []
      : [{ actuator, state: "open", forMs: 60_000, because: [frameId] }]
  })
}

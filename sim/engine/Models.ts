/**
 * The models of a machine: each says so many pieces, one after another, and is done. Beside its process, as a provider on the same
 * device is; a process that ends takes what it asked with it. And what its programs ask models of others, and what came of that.
 *
 * Stopped, a model is silent at once, or, where it ignores that, goes on to its end; then it is done with it all the same.
 *
 * Does not model: a model that fails in the middle, or waits for its reader.
 */
import type { Happened } from "../../kernel/Input.ts"
import type { Outcome } from "../../kernel/routing/Outcome.ts"
import type { Prompt } from "../../kernel/wire/Inference.ts"
import type { ModelSpec } from "../scenario/Scenario.ts"
import type { Life } from "./Life.ts"
import type { Machine } from "./Machine.ts"

export type Said = Extract<Happened, { readonly _tag: "Inferred" }>["said"]

/** A model that was asked; entries are replaced, not changed. */
export interface Asked {
  /** Of the kernel; of a shell it is the shell's to know. */
  readonly ticket: number
  readonly model: ModelSpec | null
  readonly said: number
  readonly stopped: boolean
  /** A fiber of the shell that hears it; `null`: its kernel does. */
  readonly hears: ((said: Said) => void) | null
}

/** What a program of its asked a model of another. */
export interface Inquiry {
  readonly call: number
  /** `running`, how it ended, the code of why it did not, or `gone` with its process. */
  readonly outcome: string
  /** Pieces that it heard. */
  readonly pieces: number
}

const later = (machine: Machine, { process }: Life, number: number, ms: number): void => {
  const { agenda, nowMs } = machine.world
  agenda.push(nowMs + ms, { _tag: "model", machine: machine.index, process, number })
}

/** A number, by which it is stopped. */
export const begin = (
  machine: Machine,
  life: Life,
  { model }: Prompt,
  ticket: number,
  hears: Asked["hears"]
): number => {
  const number = ++life.modelsAsked
  const spec = machine.spec.serves?.find((one) => one.model === model) ?? null
  life.models.set(number, { ticket, model: spec, said: 0, stopped: false, hears })
  later(machine, life, number, spec?.eachMs ?? 0)
  return number
}

const tell = (machine: Machine, { hears, ticket }: Asked, said: Said): void => {
  if (hears === null) machine.deliver({ _tag: "Inferred", ticket, said })
  else hears(said)
}

/** Pieces can be told apart. */
const pieceOf = (n: number, bytes: number): string => `${n} `.padEnd(bytes, "x").slice(0, Math.max(1, bytes))

const STOPPED: Said = { failed: "LLM_CANCELLED", message: "it was stopped" }

/** It says the next piece, or is done. */
export const goOn = (machine: Machine, life: Life, number: number): void => {
  const asked = life.models.get(number)
  if (asked === undefined) return
  const { model, said, stopped } = asked
  if (model !== null && said < model.pieces && (!stopped || model.ignoresAbort)) {
    life.models.set(number, { ...asked, said: said + 1 })
    later(machine, life, number, model.eachMs)
    return tell(machine, asked, { delta: pieceOf(said, model.bytes) })
  }
  life.models.delete(number)
  if (stopped) return tell(machine, asked, STOPPED)
  if (model === null) return tell(machine, asked, { failed: "LLM_MODEL_UNAVAILABLE", message: "no such model here" })
  tell(machine, asked, { finishReason: "stop", usage: { promptTokens: 1, completionTokens: said } })
}

/** By the number, or, of a kernel, by its ticket. */
export const stop = (machine: Machine, life: Life, number: number): void => {
  const asked = life.models.get(number)
  if (asked === undefined) return
  life.models.set(number, { ...asked, stopped: true })
  if (asked.model?.ignoresAbort !== true) later(machine, life, number, 0)
}

export const stopTicket = (machine: Machine, life: Life, ticket: number): void => {
  for (const [number, asked] of life.models) if (asked.ticket === ticket) stop(machine, life, number)
}

/** Told to stop, or not: how many it runs at this moment that nobody has stopped. */
export const runningOn = ({ models }: Life): number => [...models.values()].filter(({ stopped }) => !stopped).length

// ------------------------------------------------------------------------------------------------ its programs

export const ask = (machine: Machine, life: Life, request: string, to: string | null, model: string): void => {
  const call = ++life.calls
  life.inquiries.set(request, { call, outcome: machine.running ? "running" : "gone", pieces: 0 })
  machine.world.visible()
  const prompt: Prompt = { model, messages: [{ role: "user", content: request }] }
  machine.deliver({ _tag: "Prompt", call, to, prompt })
}

export const callOff = (machine: Machine, { inquiries }: Life, request: string): void => {
  const inquiry = inquiries.get(request)
  if (inquiry !== undefined) machine.deliver({ _tag: "Unprompt", call: inquiry.call })
}

const inquiryOf = ({ inquiries }: Life, call: number): [request: string, inquiry: Inquiry] | undefined =>
  [...inquiries].find(([, inquiry]) => inquiry.call === call)

export const hear = (life: Life, call: number): void => {
  const found = inquiryOf(life, call)
  if (found !== undefined) life.inquiries.set(found[0], { ...found[1], pieces: found[1].pieces + 1 })
}

/** Whether it was one of these. */
export const answered = (machine: Machine, life: Life, call: number, outcome: Outcome): string | null => {
  const found = inquiryOf(life, call)
  if (found === undefined) return null
  const [request, inquiry] = found
  const end = (outcome.ok ? outcome.result : undefined) as { readonly finishReason?: string } | undefined
  const word = outcome.ok ? (end?.finishReason ?? "stop") : outcome.code
  life.inquiries.set(request, { ...inquiry, outcome: word })
  machine.world.visible()
  return word
}

/** Its process ends, and its programs with it. */
export const end = ({ inquiries, models }: Life): void => {
  models.clear()
  for (const [request, inquiry] of inquiries)
    if (inquiry.outcome === "running") inquiries.set(request, { ...inquiry, outcome: "gone" })
}

/**
 * A language model that advises the planner (B43; PROTOCOL.md P18.6 to P18.9): whether it is asked, what is made of its answers, and what
 * of its failures. It never proposes: it drafts, and what it drafts goes the way of everything else, with the mark of the model on it, so
 * that a person has to agree whatever the actuator asks for otherwise.
 *
 * One question at a time, so that a slow model delays advice and nothing else. Three failures in a row: it is not asked for a while
 * (`observing`). One that will not go away by itself: it is not asked again until the operator says so (`suspended`), and leadership moves on.
 */
import type { Input } from "../Input.ts"
import { NEVER_MS } from "../Time.ts"
import { CAUSES_MAX } from "../wire/ContextFrame.ts"
import type { Question } from "./Rule.ts"

/** How long an answer may take, ms (wire: as `llm.infer`). */
export const ANSWER_MS = 120_000
const ERRORS_MAX = 3
/** And how long it is not asked then, ms. */
export const OBSERVING_MS = 600_000
/** Of one answer. */
export const DRAFTS_MAX = 4

export interface Asked {
  readonly ticket: number
  /** The place of the rule that asks. */
  readonly rule: number
  /** The reading that it asks for. */
  readonly frame: string
  readonly until: number
}

export interface Advice {
  readonly standing: "works" | "observing" | "suspended"
  /** Failures in a row. */
  readonly errors: number
  /** Until then nothing is asked, `mono` ms. */
  readonly restsUntil: number
  readonly asked: Asked | null
  /** When a rule, by its place, last put a question that was not in vain, `mono` ms. */
  readonly askedAt: ReadonlyArray<{ readonly rule: number; readonly at: number }>
  readonly tickets: number
}

export type Advised = Extract<Input, { readonly _tag: "Advised" }>
export type Draft = NonNullable<Advised["drafts"]>[number]

export const make = (): Advice => ({
  standing: "works",
  errors: 0,
  restsUntil: 0,
  asked: null,
  askedAt: [],
  tickets: 0
})

/** When it looks again by itself. */
export const dueAt = ({ asked }: Advice): number => asked?.until ?? NEVER_MS

/** From when on a question may be put; NEVER: nobody knows yet. */
export const freeAt = ({ asked, restsUntil, standing }: Advice): number =>
  standing === "suspended" || asked !== null ? NEVER_MS : restsUntil

const without = ({ askedAt }: Advice, rule: number): Advice["askedAt"] => askedAt.filter((one) => one.rule !== rule)

/** From when on this rule may put its next one, whoever has led meanwhile. */
export const nextAt = ({ askedAt }: Advice, rule: number, cooldownMs: number): number => {
  const last = askedAt.find((one) => one.rule === rule)
  return last === undefined ? 0 : last.at + cooldownMs
}

export const asking = (advice: Advice, asked: Omit<Asked, "ticket" | "until">, mono: number): Advice => ({
  ...advice,
  tickets: advice.tickets + 1,
  askedAt: [...without(advice, asked.rule), { rule: asked.rule, at: mono }],
  asked: { ...asked, ticket: advice.tickets + 1, until: mono + ANSWER_MS }
})

/** The operator says that it works. */
export const mended = (advice: Advice): Advice => ({ ...advice, standing: "works", errors: 0, restsUntil: 0 })

/** It answered, and what it said reads. */
export const answered = (advice: Advice): Advice => ({ ...mended(advice), asked: null })

/** It did not, or not what it was asked for. */
export const failed = (advice: Advice, permanent: boolean, mono: number): Advice => {
  const errors = advice.errors + 1
  const askedAt = advice.asked === null ? advice.askedAt : without(advice, advice.asked.rule)
  if (permanent) return { ...advice, standing: "suspended", errors, restsUntil: 0, asked: null, askedAt }
  const rests = errors >= ERRORS_MAX
  return {
    ...advice,
    askedAt,
    standing: rests ? "observing" : advice.standing,
    errors,
    restsUntil: rests ? mono + OBSERVING_MS : 0,
    asked: null
  }
}

/** What is wrong with a draft, for people; `null`: it keeps to what was asked. */
export const faultOf = ({ actuator, because, forMs }: Draft, question: Question): string | null => {
  if (!question.may.includes(actuator)) return `it was not asked about ${actuator.slice(0, 64)}`
  if (forMs > question.forMaxMs) return `it would have ${actuator} moved for longer than it may`
  return because.length >= CAUSES_MAX ? "it rests on too much" : null
}

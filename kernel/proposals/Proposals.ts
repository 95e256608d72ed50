/**
 * What a node has under way about proposals. Data only; who changes it: Proposing.ts (a planner of ours), Deciding.ts (a person here),
 * Carrying.ts (the guardian: tokens, and what was approved), Room.ts (the front).
 */
import type { Fence } from "../actuation/Envelope.ts"
import type { Turn } from "../Turn.ts"
import { NEVER_MS } from "../Time.ts"
import type { Code } from "../wire/Codes.ts"
import type { ContextFrame } from "../wire/ContextFrame.ts"
import type { DeviceId } from "../wire/Frame.ts"

/** A token, and a decision that waits for one, live for so long (B33a). */
export const TOKEN_MS = 120_000
/** Where the guardian is out of reach, it is asked again after so long. */
export const ASK_AGAIN_MS = 2_000
/** The guardian was not there, or does not know yet what is proposed, or moves: it is asked again. */
export const mayPass = (code: Code): boolean => PASSING.includes(code)
const PASSING: ReadonlyArray<Code> = ["DELIVERY_FAILED", "TIMEOUT", "NOT_FOUND", "TARGET_BUSY", "RATE_LIMITED"]
/** It was out of reach: whoever decides now does so blindly. */
export const isOutOfReach = (code: Code): boolean => code === "DELIVERY_FAILED" || code === "TIMEOUT"

/**
 * Whether it is not what the person saw. A decision for which nobody looked (`shown` null) holds for whatever is there, but, where the
 * guardian was out of reach, only for what is safe (B33a).
 */
export const hasChanged = (
  { blind, shown }: { readonly blind: boolean; readonly shown: string | null },
  { safe, state }: { readonly safe: boolean; readonly state: string }
): boolean => (shown === null ? blind && !safe : state !== shown)
/** Decisions of one device that are under way, and tokens of one guardian. */
export const DECISIONS_MAX = 16
export const TOKENS_MAX = 64
/** Between two looks of a leader at what nobody looks after. */
export const ADOPT_EACH_MS = 1_000
/** Numbers of calls and orders of this room: above those of callers and messages. */
export const CALLS_FROM = 2 ** 45
/** Of signatures of persons: above all other tickets of checks. */
export const CHECKS_FROM = 2 ** 46

/** The guardian's word for what its actuator was like when a person was about to decide. */
export interface Token {
  readonly token: string
  readonly id: string
  readonly state: string
  /** Whose decision it is for. */
  readonly device: DeviceId
  readonly until: number
}

/** A person here decided, and waits for what comes of it. */
export interface Decision {
  readonly call: number
  readonly id: string
  readonly by: string
  /** The state that the person saw; `null`: did not look. */
  readonly shown: string | null
  /** The name of what is moved, as the person typed it; `null`: did not. */
  readonly typed: string | null
  /** Our question for a token; `null`: none is out. */
  readonly asked: number | null
  /** It was out of reach when it was first asked. */
  readonly blind: boolean
  /** The decision is said, and its result has not come. */
  readonly told: boolean
  readonly askAt: number
  readonly until: number
}

/** A proposal of which the guardian says that it needs nobody's word: first a lease, then the command under it. */
export interface Run {
  readonly id: string
  /** Our question, or our command; `null`: none is out. */
  readonly asked: number | null
  /** The lease that was granted for it; `null`: none yet. */
  readonly lease: Pick<Fence, "epoch" | "journalId"> | null
  /** What is tried again is tried at this time. */
  readonly askAt: number
  /** The guardian has taken it: what came of it is its word. */
  readonly done: boolean
}

/** An approval whose person's signature is being looked at. */
export interface Checking {
  readonly ticket: number
  readonly frame: ContextFrame
}

export interface Proposals {
  readonly decisions: ReadonlyArray<Decision>
  readonly tokens: ReadonlyArray<Token>
  /** Approved, and on their way through the guardian of this node. */
  readonly carried: ReadonlyArray<{ readonly ticket: number; readonly id: string }>
  readonly checking: ReadonlyArray<Checking>
  /** Those that need nobody's word, and that a leader here sees to (Running.ts). */
  readonly runs: ReadonlyArray<Run>
  /** Some may be open, which nobody may look after. */
  readonly anyOpen: boolean
  /** Numbers given so far, of calls, orders and tokens. */
  readonly numbers: number
  /** When a leader looks next. */
  readonly adoptAt: number
  readonly due: number
}

/** A name that no other life of any process gives: one process may live more than once, and counts anew each time. */
export const unique = ({ bootId, incarnation }: Pick<Turn, "bootId" | "incarnation">, n: number): string =>
  `${bootId}-${incarnation}-${n}`

export const make = (): Proposals => ({
  decisions: [],
  tokens: [],
  carried: [],
  checking: [],
  runs: [],
  anyOpen: false,
  numbers: 0,
  adoptAt: NEVER_MS,
  due: NEVER_MS
})

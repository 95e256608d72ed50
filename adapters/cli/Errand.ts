/** What a command is to do, where, and how it is shown; and what commands have in common. */
import * as Effect from "effect/Effect"
import { failure, type Failure } from "../operator/Failure.ts"
import type { Manner, Order } from "./Arguments.ts"
import type { User } from "../operator/Place.ts"
import type { Exit } from "./Exit.ts"
import type { Surroundings } from "./Command.ts"
import type { Look } from "./Text.ts"

export interface Errand {
  readonly order: Exclude<Order, { readonly _tag: "help" | "version" | "completion" | "logs" }>
  readonly manner: Manner
  readonly socket: string
  /** The state directory that it is in. */
  readonly state: string
  readonly around: Surroundings
  readonly version: string
  readonly look: Look
  /** The calendar, ms since 1970. */
  readonly nowMs: () => number
  readonly out: (text: string) => void
  /** Asks whoever sits at the terminal; `null`: nobody does. */
  readonly ask: ((question: string) => Promise<string>) | null
  /** Where the key of this account is. */
  readonly person: string
  /** Whose command it is, and where it was given. */
  readonly user: User
}

/** An exit code is one whose reason is told already. */
export type Work = Effect.Effect<void | Exit, Failure>

export const told = <D>({ manner, out }: Errand, document: D, screen: (document: D) => string): void =>
  out(manner.json ? `${JSON.stringify(document)}\n` : screen(document))

/** What moves, by its capability or without the first word. */
export const refOf = (name: string): string => (name.includes(":") ? name : `actuator:${name}`)

/** The kernel of this node gives a message up after half a minute, and there are two of them. */
export const COMMAND_MS_MAX = 70_000

export const refused = (code: string | null, what: string, way = wayOutOf(code)): Effect.Effect<never, Failure> =>
  Effect.fail(failure("REFUSED", what, way))

/** What to do about a code; `null`: nothing is known. */
export const wayOutOf = (code: string | null): string | null => {
  switch (code) {
    case "ON_HOLD":
      return "On the device that moves it: clawmesh release"
    case "TARGET_BUSY":
      return "Another one has the lease, or it has just started: try again in ten seconds"
    case "DUPLICATE_PROPOSAL":
      return "The same was done within ten minutes; if it is meant: --again"
    case "NOT_AUTHORIZED":
      return "Its owner takes decisions of persons whose keys it knows: clawmesh person, and persons: in its node.yaml"
    case "NOT_ALLOWED":
      return "clawmesh actuators, there, shows its states and how long it may be in one; say --for 20m"
    case "VERIFICATION_REQUIRED":
      return "A person has to approve it: clawmesh propose, and clawmesh proposals approve"
    case "ALREADY_DECIDED":
      return "clawmesh proposals --all shows what became of it"
    case "PRECONDITION_FAILED":
    case "TARGET_CHANGED":
      return "Look again: clawmesh proposals show"
    case "EXPIRED_COMMAND":
      return "Nothing was done. Decide again where its owner is in reach"
    case "EVIDENCE_CHANGED":
    case "EVIDENCE_TOO_OLD":
      return "Propose it again, for something that was seen lately"
    case "OUTCOME_UNKNOWN":
      return "Nobody knows whether it moved: look at it"
    default:
      return null
  }
}

/**
 * What a guardian knows of the groups that it guards, and how it answers. A guard: one group, with the step that waits for the disk,
 * the drive that is under way, and where each of its actuators is.
 */
import type { Actuator } from "./Actuator.ts"
import type { Envelope } from "./Envelope.ts"
import type * as Ledger from "./Ledger.ts"
import type { Certified, Certifying } from "./Takeover.ts"
import { NEVER_MS } from "../Time.ts"
import { done, failed } from "../routing/Outcome.ts"
import { note, type Order, type Turn } from "../Turn.ts"
import type { Code } from "../wire/Codes.ts"
import { FIELD_CHARS_MAX } from "../wire/Limits.ts"

/** A lease, on the guardian's elapsed time; its holder uses half. And after a start nobody has one for so long. */
export const LEASE_MS = 10_000
/** The same for one actuator is done again only if that is meant. */
export const AGAIN_MS = 600_000
/** An intent is remembered for so long at least while the process runs: if there are more, nothing else is taken. */
export const REMEMBERED_MS = 86_400_000
/** A drive that has not told by then what it did: nobody knows. */
export const DRIVE_MS = 5_000
/** A drive to the safe state that failed is tried again after so long, twice as long after each failure more, and at most so long. */
export const RETRY_MS = 1_000
export const RETRY_MAX_MS = 60_000

/** What waits for the disk. */
export type Step =
  | { readonly _tag: "Granting"; readonly stored: number; readonly orders: ReadonlyArray<number>; readonly ref: string }
  | {
      readonly _tag: "Intending"
      readonly stored: number
      readonly orders: ReadonlyArray<number>
      readonly intent: Ledger.Intent
      readonly forMs: number
    }
  | {
      readonly _tag: "Effecting"
      readonly stored: number
      readonly orders: ReadonlyArray<number>
      readonly intent: Ledger.Intent
      readonly outcome: "done" | Code
    }

/** The drive that is under way. */
export interface Move {
  readonly drive: number
  readonly actuator: string
  readonly state: string
  /** How long it may be so; `null`: it is safe. */
  readonly forMs: number | null
  readonly since: number
  /** `null`: by our own decision. */
  readonly intent: Ledger.Intent | null
  readonly orders: ReadonlyArray<number>
}

/** A drive is done, and a sensor has to show it (Readback.ts). */
export interface Verifying {
  readonly intent: Ledger.Intent
  readonly orders: ReadonlyArray<number>
  /** When the drive began: what was seen before says nothing of it. */
  readonly since: number
  readonly until: number
}

export interface Place {
  readonly ref: string
  /** `null`: not known. */
  readonly state: string | null
  /** When it has to be safe again. */
  readonly until: number
  /** Why it is to be made safe next; `null`: it is not. */
  readonly recall: string | null
  /** And not before this. */
  readonly recallAt: number
  /** Drives that failed, in a row. */
  readonly failures: number
}

/** The hold, or the release, that is on its way to the disk, and who waits for it. */
export interface Holding {
  readonly stored: number
  readonly orders: ReadonlyArray<number>
}

/** What was seen last of one thing that an actuator needs: the actuator, and the place of the need in its list. */
export interface Seen {
  readonly ref: string
  readonly nth: number
  readonly value: number
  /** At the earliest, by our own time. */
  readonly bornAt: number
}

export interface Guard {
  readonly group: string
  readonly holding: Holding | null
  readonly leaseUntil: number
  /** The calendar of whoever asked for the lease, less our `mono`, ms; `null`: it did not say. */
  readonly aheadMs: number | null
  /** The newest command of an epoch that came; of none before its first. */
  readonly newest: { readonly epoch: number; readonly n: number }
  readonly step: Step | null
  readonly move: Move | null
  readonly verifying: Verifying | null
  readonly places: ReadonlyArray<Place>
  readonly seen: ReadonlyArray<Seen>
  /** When something that it needs, of what is not safe now, is not known any more. */
  readonly lapses: number
  /** When intents of the ledger began, as far as this process knows: those of others when it started. */
  readonly began: ReadonlyArray<{ readonly intentId: string; readonly at: number }>
}

/** What a person says of a group, or of all of them (`null`). */
export interface Word {
  readonly group: string | null
  readonly on: boolean
}

export interface Guardian {
  readonly guards: ReadonlyArray<Guard>
  readonly startedAt: number
  /** Drives of this process so far: what becomes of one is told by its number, maybe to a later life. */
  readonly drives: number
  /** Said before there was anything to hold: of each group the last word. */
  readonly words: ReadonlyArray<Word>
  /** Certificates that are being verified, the last that was true, and signatures of them looked at so far (Takeover.ts). */
  readonly certifying: ReadonlyArray<Certifying>
  readonly certified: Certified | null
  readonly checks: number
  readonly due: number
}

export const make = (): Guardian => ({
  guards: [],
  startedAt: 0,
  drives: 0,
  words: [],
  certifying: [],
  certified: null,
  checks: 0,
  due: NEVER_MS
})

/** In the same process a new life begins: of the old one's drives nothing is waited for. */
export const anew = ({ checks, drives, words }: Guardian): Guardian => ({ ...make(), checks, drives, words })

export const actuatorsOf = ({ config }: Turn): ReadonlyArray<Actuator> => config.actuators ?? []

export const byRef = (turn: Turn, ref: string): Actuator | undefined => actuatorsOf(turn).find((one) => one.ref === ref)

export const put = (turn: Turn, entry: Ledger.Entry): number => turn.persist({ _tag: "Guard", entry }, [])

export const replaced = (guardian: Guardian, guard: Guard, by: Guard): Guardian => ({
  ...guardian,
  guards: guardian.guards.map((one) => (one === guard ? by : one))
})

export const each = (guardian: Guardian, change: (guard: Guard) => Guard): Guardian => {
  const guards = guardian.guards.map(change)
  return guards.every((guard, i) => guard === guardian.guards[i]) ? guardian : { ...guardian, guards }
}

// ------------------------------------------------------------------------------------------------ answers

/** Why something is not done. */
export type No = readonly [code: Code, message: string]

export const no = (turn: Turn, order: number, code: Code, message: string): void => {
  turn.facts.push({ _tag: "Refused", code })
  turn.results.push({ ticket: order, outcome: failed(code, message) })
}

export const refuse = (turn: Turn, order: Order, actuator: string, code: Code, message: string): null => {
  const { from, ticket } = order
  no(turn, ticket, code, message)
  note(turn, { event: "actuator.refused", about: from.deviceId, actuator, code, reason: message, ...intentIn(order) })
  return null
}

const intentIn = ({ params }: Order): { readonly intent?: string } => {
  const intent = (params.command as Partial<Envelope> | undefined)?.kernel?.intentId
  return typeof intent === "string" ? { intent: intent.slice(0, FIELD_CHARS_MAX) } : {}
}

export const yes = (turn: Turn, order: number, result: unknown): void => {
  turn.results.push({ ticket: order, outcome: done(turn.config.deviceId, result) })
}

/**
 * What of a guardian is durable: whom it granted which epoch, what is on hold, and every intent that it carried out, before it
 * moved anything (PROTOCOL.md part 16; S2, S3, S9, S13).
 *
 * Nothing here goes backward: an epoch only grows, and an intent that has a result keeps it.
 */
import * as Schema from "effect/Schema"
import { allCodes } from "../wire/Codes.ts"
import { compareTerms } from "../leadership/Term.ts"
import { DeviceId, Term } from "../wire/Frame.ts"

/** Intents that are remembered of one group. */
export const INTENTS_MAX = 1_024

export const Holder = Schema.Struct({ deviceId: DeviceId, incarnation: Schema.Natural })
export type Holder = typeof Holder.Type

export const Intent = Schema.Struct({
  intentId: Schema.String,
  actuator: Schema.String,
  /** The state that it was told to take. */
  state: Schema.String,
  epoch: Schema.Natural,
  /** `started`: it may have moved, or not. */
  outcome: Schema.Union([Schema.Literals(["started", "done"]), Schema.Literals(allCodes)])
})
export type Intent = typeof Intent.Type

export const Group = Schema.Struct({
  group: Schema.String,
  /** The fencing token: nothing of a lower one moves anything. */
  epoch: Schema.Natural,
  /** `null`: nobody, since it started. */
  holder: Schema.NullOr(Holder),
  /** The highest term by whose certificate it was granted; absent: by none. */
  term: Schema.optionalKey(Term),
  hold: Schema.Boolean,
  /** The oldest first. */
  intents: Schema.Array(Intent)
})
export type Group = typeof Group.Type

export const Ledger = Schema.Struct({
  /** New only where the journal is. */
  journalId: Schema.String,
  groups: Schema.Array(Group)
})
export type Ledger = typeof Ledger.Type

export const Entry = Schema.TaggedUnion({
  Guarding: { journalId: Schema.NonEmptyString },
  Granted: {
    group: Schema.String,
    epoch: Schema.Natural,
    holder: Schema.NullOr(Holder),
    /** Of the certificate by which it is granted. */
    term: Schema.optionalKey(Term)
  },
  Held: { group: Schema.String, on: Schema.Boolean },
  /** Before hardware moves. */
  Intended: { group: Schema.String, intent: Intent },
  Effected: { group: Schema.String, intentId: Schema.String, outcome: Intent.fields.outcome }
})
export type Entry = typeof Entry.Type

export const noGroup = (group: string): Group => ({ group, epoch: 0, holder: null, hold: false, intents: [] })

export const groupOf = (ledger: Ledger | undefined, group: string): Group =>
  ledger?.groups.find((one) => one.group === group) ?? noGroup(group)

/** In whichever group; `undefined`: nothing was begun for it. */
export const intentOf = (ledger: Ledger | undefined, intentId: string): Intent | undefined => {
  for (const { intents } of ledger?.groups ?? []) {
    const found = intents.find((one) => one.intentId === intentId)
    if (found !== undefined) return found
  }
  return undefined
}

const higher = (before: Term | undefined, given: Term | undefined): { readonly term?: Term } =>
  given === undefined || (before !== undefined && compareTerms(given, before) <= 0) ? {} : { term: given }

const next = (of: Group, entry: Exclude<Entry, { readonly _tag: "Guarding" }>): Group => {
  switch (entry._tag) {
    case "Granted":
      return entry.epoch > of.epoch
        ? { ...of, epoch: entry.epoch, holder: entry.holder, ...higher(of.term, entry.term) }
        : of
    case "Held":
      return { ...of, hold: entry.on }
    case "Intended":
      return of.intents.some(({ intentId }) => intentId === entry.intent.intentId)
        ? of
        : { ...of, intents: [...of.intents.slice(-INTENTS_MAX + 1), entry.intent] }
    case "Effected":
      return {
        ...of,
        intents: of.intents.map((one) =>
          one.intentId === entry.intentId && one.outcome === "started" ? { ...one, outcome: entry.outcome } : one
        )
      }
  }
}

/** A ledger begins once; what is said before it does is about nothing. */
export const apply = (ledger: Ledger | undefined, entry: Entry): Ledger | undefined => {
  if (entry._tag === "Guarding") return ledger ?? { journalId: entry.journalId, groups: [] }
  if (ledger === undefined) return undefined
  const old = groupOf(ledger, entry.group)
  const rest = ledger.groups.filter((one) => one !== old)
  return { ...ledger, groups: [...rest, next(old, entry)].sort((a, b) => (a.group < b.group ? -1 : 1)) }
}

/** What an entry is, for a sentence. */
export const subject = (entry: Entry): string => {
  switch (entry._tag) {
    case "Guarding":
      return "the beginning of the guardian's ledger"
    case "Granted":
      return `epoch ${entry.epoch} of ${entry.group}`
    case "Held":
      return `${entry.on ? "the hold on" : "the release of"} ${entry.group}`
    case "Intended":
      return `the start of an intent on ${entry.intent.actuator}`
    case "Effected":
      return `what came of an intent in ${entry.group}`
  }
}

/**
 * The values of the scenario language, as schemas: each with its form, what to tell whoever writes another, and examples for
 * editors. Texts of a key stand on the key, because a new annotation on a schema that has an identifier makes a copy of it.
 */
import * as Schema from "effect/Schema"
import {
  countPattern,
  momentPattern,
  namePattern,
  proposalPattern,
  percentPattern,
  ratePattern,
  signedTimePattern,
  sizePattern,
  speedPattern,
  timePattern,
  timesPattern
} from "./Units.ts"

export const text = (
  identifier: string,
  pattern: RegExp,
  message: string,
  description: string,
  examples: [string, ...Array<string>]
) =>
  Schema.String.check(Schema.isPattern(pattern, { message })).annotate({
    identifier,
    message,
    description,
    examples,
    errorMessage: message,
    patternErrorMessage: message
  })

export const word = <const L extends ReadonlyArray<string>>(
  words: L,
  description: string,
  later: Record<string, string> = {}
) => Schema.Literals(words).annotate({ description, later })

/** An optional key with its text for editors. */
export const may = <S extends Schema.Constraint>(schema: S, description: string) =>
  Schema.optionalKey(schema).annotateKey({ description })

/** A required key with its text for editors, and what to say when it is not there. */
export const must = <S extends Schema.Top>(schema: S, description: string, missing: string) =>
  schema.annotateKey({ description, messageMissingKey: missing })

export const Time = text(
  "Time",
  timePattern,
  "write a time with a unit, such as 500ms, 6s, 2m or 1h",
  "A length of virtual time, always with a unit.",
  ["500ms", "6s", "2m"]
)
export const Times = text(
  "Times",
  timesPattern,
  "write a time or a range of times with units, such as 20ms or 2ms..20ms",
  "A time, or low..high: every message draws its own.",
  ["20ms", "2ms..20ms"]
)
export const SignedTime = text(
  "SignedTime",
  signedTimePattern,
  "write how far the clock is off, such as 200ms or -1.5s",
  "A time, ahead (200ms) or behind (-200ms).",
  ["200ms", "-1.5s"]
)
export const ClockRate = text(
  "ClockRate",
  ratePattern,
  "write how much faster the clock runs, such as +300ppm, -50ppm or 5%",
  "How much faster than true time, in ppm or percent; negative: slower.",
  ["+300ppm", "5%"]
)
export const Percent = text(
  "Percent",
  percentPattern,
  "write a percentage from 0% to 100%, such as 5%",
  "A share of messages.",
  ["0%", "5%"]
)
/** A clock may be set to one of these: the calendar's zero, and the truth. */
export const Calendar = Schema.Literals([1970, "now"]).annotate({ message: "write 1970 or now" })
export const Speed = text(
  "Speed",
  speedPattern,
  "write how much passes in a second, such as 500B/s, 16kB/s or 1MB/s",
  "Bytes a second; k is a thousand.",
  ["16kB/s", "1MB/s"]
)
export const Size = text("Size", sizePattern, "write how much, such as 64kB or 5MB", "Bytes; k is a thousand.", [
  "64kB",
  "5MB"
])
export const Moment = text(
  "Moment",
  momentPattern,
  "write a time (10s), the id of a step (power-cut), either of them plus a time (power-cut + 4s), start or end",
  "A time since the start, the id of a step, or either plus a time. `start` and `end` also work.",
  ["10s", "power-cut", "power-cut + 4s", "end"]
)
export const CountWords = text(
  "Count",
  countPattern,
  "write a count in words: exactly 1, at least 1 or at most 1",
  "exactly N, at least N, or at most N.",
  ["exactly 1", "at least 2", "at most 1"]
)
export const Name = text(
  "Name",
  namePattern,
  "a name is small letters, digits and hyphens, and begins with a letter, such as jetson-1",
  "A name: small letters, digits, hyphens.",
  ["jetson-1"]
)

/** As people number proposals: P1. */
export const ProposalName = text(
  "ProposalName",
  proposalPattern,
  "a proposal is called by letters, digits and hyphens, and begins with a letter, such as P1",
  "The name of a proposal: letters, digits, hyphens.",
  ["P1"]
)

export const list = <S extends Schema.Constraint>(item: S, message: string) => Schema.Array(item).annotate({ message })

/** Which words it may hold differs from place to place; `Names.ts` says which. */
const whoMessage = "write the name of a node, or a list of names: [jetson-1, jetson-2]"
export const Who = Schema.Union([
  Schema.String.annotate({ message: whoMessage }),
  Schema.Array(Schema.String.annotate({ message: whoMessage }))
]).annotate({
  identifier: "Who",
  message: whoMessage,
  description:
    "A node, a list of nodes, a pattern (jetson-*), a site (site barn), or a word: everyone, leader, any planner, any node, any site, half, everyone but leader, a majority without the leader, the others.",
  examples: ["everyone", "leader", "jetson-1", "site barn", "everyone but leader"]
})

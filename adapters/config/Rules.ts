/** The section `rules` of node.yaml: what this planner proposes by itself while it leads (PROTOCOL.md part 18). */
import * as Schema from "effect/Schema"
import { ACTUATOR } from "../../kernel/actuation/Actuator.ts"
import { RULES_MAX, type Rule } from "../../kernel/planning/Rule.ts"
import { tiers } from "../../kernel/wire/ContextFrame.ts"
import type { Mistake } from "./Mistake.ts"
import {
  adder,
  Bound,
  decodeSection,
  Plain,
  repeated,
  Span,
  spanOf,
  type Section,
  type Word,
  type Words
} from "./Section.ts"

/** What a guardian does not do twice in a row anyway. */
const COOLDOWN_MS = 600_000

const Then = Schema.Struct({
  actuator: Plain,
  state: Plain,
  for: Schema.optionalKey(Span)
})

/** `06:00`, `06:00Z`, `06:00+05:30`, as ms since midnight UTC; `null`: it is none. */
const timeOfDay = (text: string): number | null => {
  const found = /^([01]\d|2[0-3]):([0-5]\d)(?:Z|([+-])(0\d|1[0-4]):([0-5]\d))?$/u.exec(text)
  if (found === null) return null
  const [, hours, minutes, sign, awayHours = "0", awayMinutes = "0"] = found
  const away = (sign === "-" ? -1 : 1) * (Number(awayHours) * 60 + Number(awayMinutes))
  const inDay = Number(hours) * 60 + Number(minutes) - away
  return (((inDay % 1_440) + 1_440) % 1_440) * 60_000
}

const TimeOfDay = Schema.String.check(Schema.makeFilter((text) => timeOfDay(text) !== null))

const QUESTION_CHARS_MAX = 2_000
const MAY_MAX = 16

const One = Schema.Struct({
  name: Plain,
  metric: Plain,
  zone: Schema.optionalKey(Plain),
  below: Schema.optionalKey(Bound),
  above: Schema.optionalKey(Bound),
  clear: Schema.optionalKey(Bound),
  propose: Schema.optionalKey(Then),
  ask: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(QUESTION_CHARS_MAX))),
  may: Schema.optionalKey(Schema.Array(Plain).check(Schema.isMinLength(1), Schema.isMaxLength(MAY_MAX))),
  for: Schema.optionalKey(Span),
  cooldown: Schema.optionalKey(Span),
  tier: Schema.optionalKey(Schema.Literals(tiers)),
  daily: Schema.optionalKey(Schema.Array(TimeOfDay).check(Schema.isMinLength(1), Schema.isMaxLength(24))),
  priority: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })))
})
type One = typeof One.Type
/** The proposals of a rule that waits for its time are told apart from the last time's by this. */
const DAILY_COOLDOWN_MIN_MS = 600_000

export const All = Schema.Array(One).check(Schema.isMaxLength(RULES_MAX))

const says: Words["says"] = {
  name: "a name is one word in small letters, such as dry-field-1",
  metric: "metric is what a sensor says, such as moisture",
  zone: "zone is where, such as field-1",
  below: "below is a number: the rule is breached below it",
  above: "above is a number: the rule is breached above it",
  clear: "clear is a number: until there it stays breached",
  propose: "propose is a mapping: { actuator: pump-1, state: open, for: 20m }",
  ask: `ask is what the language model is asked, ${QUESTION_CHARS_MAX} characters at most`,
  may: "may is a list of what it may draft moves of, such as [valve-1]",
  actuator: "actuator is what is to be moved, such as pump-1",
  state: "state is what it is to be, such as open",
  for: "for is for how long: 30s, 20m, 2h; left out of the safe state",
  cooldown: "cooldown is how long nothing is proposed after a proposal of the same: 10m, 2h",
  tier: `tier is the least that a reading has to be trusted: ${tiers.join(", ")}`,
  daily: 'daily is a list of times of the day, such as ["06:00+05:30", "18:00"]: without an offset they are UTC',
  priority: "priority is a whole number from 0 to 9: the higher is proposed first"
}
const ALL = `rules are a list of ${RULES_MAX} at most, each with name, metric, below or above, and propose or ask`
const KNOWN = Object.keys(One.fields)
const KNOWN_THEN = Object.keys(Then.fields)

const wordOf = (path: ReadonlyArray<PropertyKey>): Word => {
  const names = path.filter((key) => typeof key === "string")
  return { last: names.at(-1), among: names.length === 1 ? KNOWN : KNOWN_THEN }
}

export const words: Words = { says, all: ALL, wordOf }

/** A question, where it has one: what it may propose is checked to be there else. */
const thenOf = ({ ask, for: span, may = [], propose }: One): Rule["then"] => {
  const forMs = (text: string | undefined): number => (text === undefined ? 0 : spanOf(text)!)
  if (propose !== undefined)
    return { actuator: `${ACTUATOR}${propose.actuator}`, state: propose.state, forMs: forMs(propose.for) }
  return { ask: ask ?? "", may: may.map((name) => `${ACTUATOR}${name}`), forMaxMs: forMs(span) }
}

const ruleOf = (one: One): Rule => {
  const { above, below, clear, cooldown, daily, metric, name, priority, tier, zone } = one
  const bound = Number(below ?? above)
  return {
    name,
    metric,
    zone: zone ?? null,
    when: below === undefined ? { above: bound } : { below: bound },
    clear: clear === undefined ? bound : Number(clear),
    then: thenOf(one),
    cooldownMs: cooldown === undefined ? COOLDOWN_MS : spanOf(cooldown)!,
    tier: tier ?? "T2_operational_observation",
    priority: priority ?? 0,
    ...(daily === undefined ? {} : { daily: daily.map((time) => timeOfDay(time)!) })
  }
}

export const check = (section: Section, mistakes: Array<Mistake>): ReadonlyArray<Rule> => {
  const decoded = decodeSection(section, All, words, mistakes)
  if (decoded === null) return []
  const before = mistakes.length
  repeated(
    decoded.map(({ name }) => name),
    "name",
    adder(section, mistakes)
  )
  for (const [place, { above, ask, below, clear, cooldown, daily, for: span, may, propose }] of decoded.entries()) {
    const add = (key: string, message: string): void => adder(section, mistakes)([place, key], message)
    if ((propose === undefined) === (ask === undefined))
      add(ask === undefined ? "metric" : "ask", "a rule proposes, or asks: write propose, or ask, may and for")
    else if (ask !== undefined && (may === undefined || span === undefined))
      add("ask", "what may be moved, and for how long at most? Write may: [valve-1] and for: 20m")
    else if (ask === undefined && (may ?? span) !== undefined)
      add(may === undefined ? "for" : "may", "that belongs to ask; what is proposed has its for in propose")
    if (daily !== undefined && cooldown !== undefined && spanOf(cooldown)! < DAILY_COOLDOWN_MIN_MS)
      add("cooldown", "of a rule that waits for a time of the day it is 10m at least")
    if ((above === undefined) === (below === undefined))
      add(above === undefined ? "metric" : "above", "a rule has one threshold: write below, or above")
    else if (
      clear !== undefined &&
      (below === undefined ? Number(clear) > Number(above) : Number(clear) < Number(below))
    )
      add("clear", "that is on the wrong side: it would be clear while it is breached")
  }
  return mistakes.length > before ? [] : decoded.map(ruleOf)
}

/** What planners of a scenario propose by themselves (`rules:`): form, meaning, and words. */
import * as Schema from "effect/Schema"
import { ACTUATOR } from "../../kernel/actuation/Actuator.ts"
import { isMove, type Rule } from "../../kernel/planning/Rule.ts"
import { nothingMoves, type Reading, valueOf } from "./Names.ts"
import type { Draft } from "./Shape.ts"
import { LASTING_MS, readTime, showTime } from "./Units.ts"
import { list, may, must, Name, ProposalName, Time, word } from "./Values.ts"

const RULE = "write { rule: dry, metric: moisture, zone: field-1, below: 20, clear: 25, run: pump-1, for: 10m }"

/** As the kernel has it: within this the same is not done twice anyway. */
const COOLDOWN_MS = 600_000

const TimeOfDay = Schema.String.check(
  Schema.isPattern(/^(?:[01]\d|2[0-3]):[0-5]\d$/u, { message: "write a time of the day, such as 06:00" })
).annotate({ message: "write a time of the day, such as 06:00" })

const timeOfDay = (text: string): number => (Number(text.slice(0, 2)) * 60 + Number(text.slice(3))) * 60_000

const threshold = Schema.Finite.annotate({ message: "write a number, such as 20" })

export const Rules = list(
  Schema.Struct({
    rule: must(
      ProposalName,
      "What it is called, in events, and for approve and reject: the newest proposal by it.",
      RULE
    ),
    metric: must(
      Schema.NonEmptyString.annotate({ message: "write a metric, such as moisture" }),
      "Of which readings.",
      RULE
    ),
    zone: may(
      Schema.NonEmptyString.annotate({ message: "write a zone, such as field-1" }),
      "Where. Default of those that name no zone."
    ),
    below: may(threshold, "Breached below it."),
    above: may(threshold, "Or above it."),
    clear: may(threshold, "And until a reading is here, or beyond. Default the threshold."),
    run: may(Name, "What it would have moved, as its owner's actuator:pump-1 without the first word."),
    ask: may(
      Schema.NonEmptyString.annotate({ message: "write what the language model is asked" }),
      "In place of run: what the language model of whoever leads (model:) is asked."
    ),
    may: may(
      list(Name, "write a list of what may be moved, such as [pump-1]"),
      "With ask: what the model may draft moves of, each for no longer than for:."
    ),
    action: may(word(["open", "closed"], "What it is to be."), "Default open."),
    for: may(Time, "After so long it closes by itself. Default 60s."),
    daily: may(
      list(TimeOfDay, "write a list of times of the day, such as [06:00]"),
      "Only then, by the calendar of whoever leads, in UTC: a simulated world begins at 22:13:20."
    ),
    cooldown: may(Time, "So long after a proposal of the same, whatever came of it, none is made. Default 10m.")
  }).annotate({ identifier: "Rule", noun: "word of a rule", message: RULE }),
  "write a list of rules, such as [{ rule: dry, metric: moisture, below: 20, run: pump-1 }]"
)

export const readRules = (
  reading: Reading,
  draft: Draft<typeof Rules.Type> | undefined
): { readonly rules?: ReadonlyArray<Rule> } => {
  if (draft === undefined) return {}
  const { mistakes, moving, tree } = reading
  if (draft.length === 0) mistakes.add(tree.value(["rules"]), "the list is empty; write a rule, or leave rules: out")
  const names = draft.map((rule) => rule?.rule)
  const rules = draft.map((rule, index): Rule => {
    const at = ["rules", index]
    const { above, ask, below, clear, metric = "", run, zone } = rule ?? {}
    const drafts = (rule?.may ?? []).flatMap((name) => name ?? [])
    if (names.indexOf(rule?.rule) < index) mistakes.add(tree.value([...at, "rule"]), "another rule is called so")
    if ((above === undefined) === (below === undefined))
      mistakes.add(tree.value(at), "a rule has a threshold: below: or above:, one of them")
    if ((run === undefined) === (ask === undefined))
      mistakes.add(tree.value(at), "a rule has run: or ask:, one of them")
    if (run !== undefined && !moving.has(run)) mistakes.add(tree.value([...at, "run"]), nothingMoves(reading, run))
    if ((ask === undefined) !== (rule?.may === undefined))
      mistakes.add(tree.value(at), "ask: and may: belong together: what is asked, and what it may be about")
    drafts.forEach((name, i) => {
      if (!moving.has(name)) mistakes.add(tree.value([...at, "may", i]), nothingMoves(reading, name))
    })
    const bound = below ?? above ?? 0
    const forMs = valueOf(reading, [...at, "for"], rule?.for, readTime) ?? LASTING_MS
    if (clear !== undefined && (below === undefined ? clear > bound : clear < bound))
      mistakes.add(tree.value([...at, "clear"]), "that is on the wrong side: it would be clear while it is breached")
    return {
      name: rule?.rule ?? "",
      metric,
      zone: zone ?? null,
      when: below === undefined ? { above: bound } : { below: bound },
      clear: clear ?? bound,
      then:
        ask === undefined
          ? { actuator: `${ACTUATOR}${run ?? ""}`, state: rule?.action ?? "open", forMs }
          : { ask, may: drafts.map((name) => `${ACTUATOR}${name}`), forMaxMs: forMs },
      cooldownMs: valueOf(reading, [...at, "cooldown"], rule?.cooldown, readTime) ?? COOLDOWN_MS,
      tier: "T2_operational_observation",
      priority: 0,
      ...(rule?.daily === undefined
        ? {}
        : { daily: rule.daily.flatMap((time) => (time === undefined ? [] : [timeOfDay(time)])) })
    }
  })
  return { rules }
}

export const ruleWords = ({ clear, cooldownMs, daily, metric, name, then, when, zone }: Rule) => ({
  rule: name,
  metric,
  zone: zone ?? undefined,
  ...when,
  clear,
  ...(isMove(then)
    ? { run: then.actuator.slice(ACTUATOR.length), action: then.state, for: showTime(then.forMs) }
    : { ask: then.ask, may: then.may.map((ref) => ref.slice(ACTUATOR.length)), for: showTime(then.forMaxMs) }),
  cooldown: showTime(cooldownMs),
  daily: daily?.map((ms) => new Date(ms).toISOString().slice(11, 16))
})

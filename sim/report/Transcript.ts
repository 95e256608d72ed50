/**
 * A run as text for a terminal: a head, the story, the expectations with their margins, what to do next.
 *
 * Promises: the important lines come last; colour is only ever added to words that carry the meaning without it; the text is
 * a function of its arguments. The closing line (`Score.ts`) is the caller's to add.
 */
import { firstOfEach } from "../judge/Verdict.ts"
import { styleText } from "node:util"
import { question } from "../judge/Facts.ts"
import type { Outcome } from "../judge/Judge.ts"
import { exactSpan, margin, measuredSpan, moment } from "../judge/Words.ts"
import type { RunResult, Violation } from "../run.ts"
import type { Scenario, Step, When } from "../scenario/Scenario.ts"
import { scoreOf } from "./Score.ts"
import type { Line } from "./Story.ts"
import { story } from "./Story.ts"

export interface Look {
  readonly colour: boolean
  /** Columns to fill. */
  readonly width: number
}

export interface Telling {
  /** How the user named the file. */
  readonly file: string
  readonly scenario: Scenario
  readonly result: RunResult
  /** How long the run took on the wall clock, ms. */
  readonly wallMs: number
  /** The command that gives this run again. */
  readonly again: string
  /** What led to each failure, in a line, by the name of its expectation or invariant. */
  readonly because?: ReadonlyMap<string, string>
  /** What else to do with a run that failed, each with its word. */
  readonly besides?: ReadonlyArray<readonly [word: string, what: string]>
  /** What a campaign drew for it; `null` or absent: it ran as written. */
  readonly drawn?: string | null
  /** Every line of the run, in place of its story. */
  readonly log?: ReadonlyArray<string>
  /** The story is told from this moment on; absent: from the beginning. */
  readonly fromMs?: number
}

/** Lines for one violated invariant, before the rest is counted. */
const VIOLATIONS_TOLD_MAX = 3
const TIME_COLUMNS = 10

type Ink = "bold" | "dim" | "red" | "green" | "yellow"
type Pen = (ink: Ink, text: string) => string

const penOf = (look: Look): Pen =>
  look.colour ? (ink, text) => styleText(ink, text, { validateStream: false }) : (_ink, text) => text

/** `left`, then `right` against the margin; never less than two columns between them. */
const spread = (left: string, right: string, width: number): readonly [string, string] => [
  left,
  " ".repeat(Math.max(2, width - left.length - right.length)) + right
]

const head = ({ result, scenario, wallMs }: Telling, look: Look, pen: Pen): string => {
  const wall = wallMs < 1000 ? `${Math.round(wallMs)} ms` : `${(wallMs / 1000).toFixed(1)} s`
  const early = result.endedMs < scenario.lastsMs
  const virtual = early ? `stopped at ${measuredSpan(result.endedMs)}` : exactSpan(result.endedMs)
  const [title, facts] = spread(
    scenario.title,
    `seed ${result.seed} · ${virtual} in ${wall} · trace ${result.hash.slice(0, 8)}`,
    look.width
  )
  return pen("bold", title) + pen("dim", facts)
}

interface Break {
  readonly atMs: number
  readonly words: string
}

const breaksOf = ({ expectations, violations }: RunResult): ReadonlyArray<Break> => [
  ...expectations.flatMap((outcome) =>
    outcome.status === "broken" && outcome.atMs !== undefined
      ? [{ atMs: outcome.atMs, words: outcome.witness ?? outcome.expectation.name }]
      : []
  ),
  ...firstOfEach(violations).map((violation) => ({
    atMs: violation.atMs,
    words: `${violation.oracle}: ${violation.message}`
  }))
]

const BROKEN_HERE = "◀ broken here"

/** The story, with a mark where something broke; where the story is silent at that instant, the witness speaks. */
const marked = (lines: ReadonlyArray<Line>, breaks: ReadonlyArray<Break>): ReadonlyArray<Line> => {
  const told = [...lines]
  for (const { atMs, words } of breaks.toSorted((a, b) => a.atMs - b.atMs)) {
    const here = told.findLastIndex((line) => line.atMs === atMs)
    const line = told[here]
    if (line === undefined) {
      const after = told.findIndex((other) => other.atMs > atMs)
      told.splice(after === -1 ? told.length : after, 0, { atMs, text: words, aside: BROKEN_HERE })
    } else if (!line.aside?.endsWith(BROKEN_HERE)) {
      told[here] = { ...line, aside: line.aside === null ? BROKEN_HERE : `${line.aside}  ${BROKEN_HERE}` }
    }
  }
  return told
}

const storyLine = (line: Line, look: Look, pen: Pen): string => {
  const left = `${moment(line.atMs).padStart(TIME_COLUMNS)}   ${line.text}`
  if (line.aside === null) return left
  const [, right] = spread(left, line.aside, look.width)
  return left + pen(line.aside.endsWith(BROKEN_HERE) ? "red" : "dim", right)
}

const since = (lines: ReadonlyArray<Line>, fromMs: number): ReadonlyArray<Line> => {
  const shown = lines.filter(({ atMs }) => atMs >= fromMs)
  return shown.length === lines.length ? lines : [{ atMs: fromMs, text: "…", aside: null }, ...shown]
}

/** Only the story, of what nodes told up to a moment. */
export const storyText = (
  scenario: Scenario,
  happenings: RunResult["happenings"],
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
  look: Look
): ReadonlyArray<string> => {
  const lines = story(
    scenario,
    happenings.filter(({ atMs }) => atMs <= untilMs)
  )
  return since(lines, fromMs).map((line) => storyLine(line, look, penOf(look)))
}

const windowWords = (when: When, endedMs: number): string => {
  switch (when._tag) {
    case "at":
      return when.atMs === endedMs ? "at the end" : `at ${exactSpan(when.atMs)}`
    case "within":
      return `within ${exactSpan(when.withinMs)} after ${exactSpan(when.afterMs)}`
    case "always":
    case "never":
    case "sometimes":
      return `${when.fromMs / 1000}–${exactSpan(Math.min(when.untilMs, endedMs))}`
    case "eventually":
      return "at the end"
  }
}

const tenseWords = (when: When): string => {
  switch (when._tag) {
    case "at":
    case "within":
      return windowWords(when, Number.POSITIVE_INFINITY)
    case "always":
    case "never":
    case "eventually":
    case "sometimes":
      return when._tag
  }
}

const measure = ({ atMs, expectation, limitMs, marginMs, status }: Outcome, endedMs: number): string => {
  if (status === "not-reached") return "not reached"
  if (status === "never") return "never so"
  if (expectation.when._tag === "sometimes" && atMs !== undefined) return `first at ${measuredSpan(atMs)}`
  return marginMs !== undefined && limitMs !== undefined
    ? margin(marginMs, limitMs)
    : windowWords(expectation.when, endedMs)
}

const signs = {
  held: ["green", "✓"],
  broken: ["red", "✗"],
  "not-reached": ["yellow", "–"],
  never: ["yellow", "–"]
} as const

const listed = ({ result }: Telling, look: Look, pen: Pen): ReadonlyArray<string> => {
  const longest = Math.max(0, ...result.expectations.map((outcome) => outcome.expectation.name.length))
  const column = Math.min(longest, look.width - 22) + 4
  return result.expectations.map((outcome) => {
    const [ink, sign] = signs[outcome.status]
    const words = `${sign} ${outcome.expectation.name}`
    return `  ${pen(ink, sign)}${words.slice(1).padEnd(column)} ${pen("dim", measure(outcome, result.endedMs))}`
  })
}

const becauseLine = ({ because }: Telling, id: string): ReadonlyArray<string> => {
  const words = because?.get(id)
  return words === undefined ? [] : [`    last before it: ${words}`]
}

const brokenBlock = (telling: Telling, outcome: Outcome, pen: Pen): ReadonlyArray<string> => {
  const { facts, name, place, when } = outcome.expectation
  const seconds = outcome.atMs === undefined ? "" : `at ${moment(outcome.atMs)}: `
  return [
    `${pen("red", "✗")} ${pen("bold", name)}`,
    `    ${telling.file}:${place.line}`,
    `    ${tenseWords(when)}: ${question(facts).told}`,
    `    ${seconds}${outcome.witness ?? "not so"}`,
    ...becauseLine(telling, name),
    ""
  ]
}

const violationBlocks = (telling: Telling, violations: ReadonlyArray<Violation>, pen: Pen): ReadonlyArray<string> =>
  [...new Set(violations.map((violation) => violation.oracle))].flatMap((oracle) => {
    const those = violations.filter((violation) => violation.oracle === oracle)
    const shown = those.slice(0, VIOLATIONS_TOLD_MAX)
    const rest = those.length - shown.length
    return [
      `${pen("red", "✗")} ${pen("bold", `invariant ${oracle}`)}`,
      ...shown.map(({ atMs, message, node }) => `    at ${moment(atMs)}, ${node}: ${message}`),
      ...(rest === 0 ? [] : [`    … ${rest} more of this kind`]),
      ...becauseLine(telling, oracle),
      ""
    ]
  })

const stepWords = (step: Step): string =>
  `${step.id === null ? "" : `${step.id}, `}${step.verb._tag} at ${exactSpan(step.atMs)}`

/** Why a run that broke nothing has shown nothing all the same. */
export const doubts = (
  file: string,
  scenario: Scenario,
  result: RunResult,
  drawn: string | null = null
): ReadonlyArray<string> => {
  const missed = result.expectations.filter((outcome) => outcome.status === "not-reached")
  const nothing =
    scenario.expect.length === 0
      ? [
          drawn === null
            ? "nothing was judged: the scenario expects nothing; write an expect:"
            : "nothing was judged but the invariants: the scenario expects nothing that holds in such a run"
        ]
      : missed.length === result.expectations.length
        ? [`nothing was judged: the run ended at ${measuredSpan(result.endedMs)}, before any expectation was due`]
        : []
  return [
    ...nothing,
    ...result.expectations
      .filter(({ status }) => status === "never")
      .map(
        ({ expectation: { name, place } }) =>
          `it never came to "${name}", so this run does not test what follows from it: ${file}:${place.line}`
      ),
    ...result.faultsWithoutEffect.map(
      (step) => `a fault touched nothing (${stepWords(step)}), so this run does not test it: ${file}:${step.place.line}`
    )
  ]
}

/** Everything but the closing line; ends in a line break. */
export const transcript = (telling: Telling, look: Look): string => {
  const { again, file, result, scenario } = telling
  const pen = penOf(look)
  const failed = result.verdict === "failed"
  const told = marked(story(scenario, result.happenings), failed ? breaksOf(result) : [])
  const lines = telling.log ?? since(told, telling.fromMs ?? 0).map((line) => storyLine(line, look, pen))
  const score = scoreOf(result)
  const judged = failed
    ? [
        ...result.expectations.flatMap((outcome) =>
          outcome.status === "broken" ? brokenBlock(telling, outcome, pen) : []
        ),
        ...violationBlocks(telling, result.violations, pen),
        `  ${[
          `${pen("green", "✓")} ${score.passed} held`,
          `${pen("red", "✗")} ${score.failed} broken`,
          `${pen("yellow", "–")} ${score.skipped} not reached`
        ].join("   ")}`,
        "",
        ...[["again", again] as const, ...(telling.besides ?? [])].map(([word, what]) => `  ${word.padEnd(8)}${what}`)
      ]
    : listed(telling, look, pen)
  const doubted = doubts(file, scenario, result, telling.drawn ?? null).map(
    (doubt) => `  ${pen("yellow", "!")} ${doubt}`
  )
  return [
    head(telling, look, pen),
    ...(telling.drawn == null ? [] : [`drawn: ${telling.drawn}`]),
    "",
    ...lines,
    ...(judged.length === 0 ? [] : ["", ...judged]),
    ...(doubted.length === 0 ? [] : ["", ...doubted]),
    ""
  ]
    .map((line) => `${line}\n`)
    .join("")
}

/** Two runs of one scenario and seed gave two traces. */
export const notDeterministic = (first: RunResult, second: RunResult, look: Look): string => {
  const pen = penOf(look)
  const told = (result: RunResult, i: number) => {
    const happening = result.happenings[i]
    if (happening === undefined) return `nothing more (the run ended at ${moment(result.endedMs)})`
    const { about, atMs, event, node } = happening
    return `${moment(atMs)} ${node ?? "the world"}: ${event}${about === null ? "" : ` about ${about}`}`
  }
  const longest = Math.max(first.happenings.length, second.happenings.length)
  let i = 0
  while (i < longest && JSON.stringify(first.happenings[i]) === JSON.stringify(second.happenings[i])) i++
  const parting =
    i === longest
      ? ["  Everything that nodes say of themselves was the same; the inputs or commands behind it were not."]
      : ["  The same until then:", `    first   ${told(first, i)}`, `    second  ${told(second, i)}`]
  return [
    `${pen("red", "✗")} ${pen("bold", `not deterministic: seed ${first.seed} gave trace ${first.hash} and trace ${second.hash}`)}`,
    ...parting,
    "  Common causes: a Map or Set filled in another order, Date.now, Math.random, a promise in the kernel, state that",
    "  outlives a run.",
    ""
  ].join("\n")
}

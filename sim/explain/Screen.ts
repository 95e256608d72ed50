/**
 * Why a run failed, as text for a terminal: what broke, the few events that led to it, and from when on it was inevitable. A function
 * of its arguments; colour is left out, since every mark has its word.
 */
import { moment } from "../judge/Words.ts"
import { story } from "../report/Story.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import { type Break, targetsOf } from "./Breaks.ts"
import { diagram } from "./Diagram.ts"
import type { Examined } from "./Examine.ts"
import type { Inevitability, Jump, Moment } from "./Inevitable.ts"
import type { Entry, Recording } from "./Recording.ts"
import { type Slice, sliceOf, textOf } from "./Slice.ts"

const BARS = "▁▂▃▄▅▆▇█"

/** A sentence of the story for what the world does; of a node's step what it changed, or took up. */
export const entryWords = (scenario: Scenario, entry: Entry): string =>
  entry.happening === undefined ? textOf(entry) : (story(scenario, [entry.happening])[0]?.text ?? entry.what)

export const sliceOfBreak = ({ recording }: Examined, broken: Break): Slice =>
  sliceOf(recording, targetsOf(recording, broken), broken.aspects)

/**
 * Two events in a line: the last that befell somebody, and the last step by which it broke. Only what was recorded; `null`: nothing was.
 */
export const because = (examined: Examined, broken: Break): string | null => {
  const { shown } = sliceOfBreak(examined, broken)
  const befell = shown.findLast(({ atMs, node }) => node === null && atMs > 0)
  const step = shown.findLast(({ target }) => target)
  const told = [befell, step].flatMap((entry) => (entry === undefined ? [] : [entry])).toSorted((a, b) => a.id - b.id)
  const words = told.map((entry) => {
    const { atMs, changes, node, sender, what } = entry
    const by = sender === null || changes.length === 0 ? "" : `, by ${what}`
    return `${moment(atMs)} ${node === null ? "" : `${node} `}${node !== null && changes.length === 0 ? `takes up ${what}` : entryWords(examined.scenario, entry)}${by}`
  })
  return words.length === 0 ? null : words.join(" · ")
}

/** `null`: an invariant, which stands in no file. */
export const placeOf = (
  scenario: Scenario,
  { id, kind }: Break
): { readonly line: number; readonly column: number } | null =>
  kind !== "expectation" ? null : (scenario.expect.find(({ name }) => name === id)?.place ?? null)

const percent = ({ failed, of }: Moment): string => `${Math.round((100 * failed) / of)} %`

/** The input behind which it jumped. */
export const entryOfJump = ({ entries }: Recording, { after }: Jump): Entry | null =>
  entries.find(({ events, node }) => node !== null && events >= after.events) ?? null

export const jumpWords = (recording: Recording, jump: Jump): string => {
  const entry = entryOfJump(recording, jump)
  const change = `${percent(jump.before)} → ${percent(jump.after)}`
  if (entry === null) return change
  const did = [entry.changes.map(({ text }) => text).join(", "), entry.did].filter((words) => words !== "").join(", ")
  return `${change}   ${entry.node} takes up ${entry.what}${did === "" ? "" : `: ${did}`}`
}

export const certainWords = ({ curve, from }: Inevitability): string => {
  const [first] = curve
  if (from === null)
    return "never certain before it happened: some other future went well from every moment that was tried"
  if (first !== undefined && from.events === first.events)
    return `inevitable from the beginning: all ${from.of} other futures fail in the same way, whatever is drawn`
  return `inevitable from ${moment(from.atMs)} on: all ${from.of} other futures fail in the same way from there`
}

/** One bar a moment. */
export const curveBars = ({ curve }: Inevitability): string =>
  curve.map(({ failed, of }) => BARS[Math.round((failed / of) * (BARS.length - 1))]!).join("")

const curveLines = (inevitable: Inevitability, recording: Recording, atMs: number): ReadonlyArray<string> => {
  const { curve, jumps } = inevitable
  const bars = curveBars(inevitable)
  return [
    `How likely the failure was, by ${curve[0]?.of ?? 0} other futures from each of ${curve.length} moments`,
    "",
    `    ${bars}   from ${percent(curve[0]!)} at ${moment(curve[0]!.atMs)} to ${percent(curve.at(-1)!)} at ${moment(curve.at(-1)!.atMs)}; it broke at ${moment(atMs)}`,
    ...jumps.map((jump) => `${moment(jump.after.atMs).padStart(10)}   ${jumpWords(recording, jump)}`),
    `    ${certainWords(inevitable)}`
  ]
}

/** `inevitable`: `null` where it was not asked for; "too long" where a run is too long to be run so often. */
export const explained = (
  examined: Examined,
  broken: Break,
  inevitable: Inevitability | "too long" | null,
  file: string
): string => {
  const { recording, scenario } = examined
  const place = placeOf(scenario, broken)
  const told = (entry: Entry): string | null => (entry.happening === undefined ? null : entryWords(scenario, entry))
  return [
    { expectation: `✗ ${broken.id}`, invariant: `✗ invariant ${broken.id}`, state: `? ${broken.id}` }[broken.kind],
    ...(place === null ? [] : [`    ${file}:${place.line}:${place.column}`]),
    `    at ${moment(broken.atMs)}: ${broken.words}`,
    "",
    ...diagram(sliceOfBreak(examined, broken), recording.nodes, broken, told),
    "",
    ...(inevitable === null
      ? []
      : inevitable === "too long"
        ? [
            "This run takes up too many inputs to try other futures of it; shrink it first, and explain what is left.",
            ""
          ]
        : [...curveLines(inevitable, recording, broken.atMs), ""])
  ]
    .map((line) => `${line}\n`)
    .join("")
}

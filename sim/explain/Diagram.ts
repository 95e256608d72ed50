/**
 * A slice as a space-time diagram in text: a lane for each node, time downwards, an arrow for each message that mattered, and beside
 * it in words what came of it.
 */
import { moment } from "../judge/Words.ts"
import type { Break } from "./Breaks.ts"
import { type Shown, type Slice, textOf } from "./Slice.ts"

/** Wider lanes leave no room for words. */
const LANE_MAX = 16
const LANES_MAX = 8
const TIME_COLUMNS = 10
const GAP = "   "

/** Of a witness; the whole of it stands above. */
const WORDS_MAX = 100

const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 1)}…`)

const namesIn = (text: string, nodes: ReadonlyArray<string>): ReadonlyArray<string> => {
  const words = new Set(text.split(/[^A-Za-z0-9_-]+/u))
  return nodes.filter((name) => words.has(name))
}

/** Nodes in the order of the scenario; of many those that come up most. */
const lanesOf = (shown: ReadonlyArray<Shown>, nodes: ReadonlyArray<string>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  const count = (name: string, n: number): void => void counts.set(name, (counts.get(name) ?? 0) + n)
  for (const { node, sender, target, what } of shown) {
    if (node === null) for (const name of namesIn(what, nodes)) count(name, 1)
    else count(node, target ? 100 : 1)
    if (sender !== null) count(sender.node, 1)
  }
  const most = [...counts].toSorted((a, b) => b[1] - a[1]).slice(0, LANES_MAX)
  const chosen = new Set(most.map(([name]) => name))
  return nodes.filter((name) => chosen.has(name))
}

interface Grid {
  readonly lanes: ReadonlyArray<string>
  readonly width: number
}

/** One character a column; lanes stand in the middle of their own. */
const cells = ({ lanes, width }: Grid, marks: ReadonlyMap<string, string>, arrow: readonly [string, string] | null) => {
  const row = Array.from({ length: lanes.length * width }, () => " ")
  const middle = (lane: number): number => lane * width + Math.floor(width / 2)
  for (const lane of lanes.keys()) row[middle(lane)] = "│"
  if (arrow !== null) {
    const from = middle(lanes.indexOf(arrow[0]))
    const to = middle(lanes.indexOf(arrow[1]))
    for (let i = Math.min(from, to) + 1; i < Math.max(from, to); i++) row[i] = row[i] === "│" ? "┼" : "─"
    row[to + (from < to ? -1 : 1)] = from < to ? "▶" : "◀"
  }
  for (const [name, mark] of marks) {
    const lane = lanes.indexOf(name)
    if (lane !== -1) row[middle(lane)] = mark
  }
  return row.join("")
}

/** What it took up, where its words are of what came of it. */
const reason = ({ cause, changes, node, sender, what }: Shown): string => {
  if (node === null || changes.length === 0) return ""
  if (sender !== null) return `${what}, sent ${moment(sender.atMs)}`
  return cause?.by === "answer" || cause?.by === "script" ? "" : what
}

const rowOf = (one: Shown, grid: Grid, told: string): string => {
  const { atMs, node, sender, target } = one
  const both = sender !== null && node !== null && grid.lanes.includes(sender.node) && grid.lanes.includes(node)
  const arrow = both && sender.node !== node ? ([sender.node, node] as const) : null
  const marks = new Map<string, string>()
  if (arrow !== null) marks.set(arrow[0], "○")
  if (node !== null) marks.set(node, target ? "✗" : "●")
  else for (const name of namesIn(one.what, grid.lanes)) marks.set(name, "!")
  const who = node !== null && !grid.lanes.includes(node) ? `${node} ` : ""
  const why = reason(one)
  return `${moment(atMs).padStart(TIME_COLUMNS)}${GAP}${cells(grid, marks, arrow)}${GAP}${who}${told}${why === "" ? "" : `   ← ${why}`}`
}

/** `told`: of what the world does, a sentence; `null`: the entry's own words. */
export const diagram = (
  { more, shown }: Slice,
  nodes: ReadonlyArray<string>,
  broken: Pick<Break, "atMs" | "kind" | "words">,
  told: (one: Shown) => string | null = () => null
): ReadonlyArray<string> => {
  const lanes = lanesOf(shown, nodes)
  const longest = Math.max(0, ...lanes.map((name) => Math.min(name.length, LANE_MAX)))
  const grid = { lanes, width: longest + 2 }
  const names = lanes.map((name) => {
    const short = cut(name, LANE_MAX)
    const left = Math.floor((grid.width - short.length) / 2)
    return `${" ".repeat(left)}${short}`.padEnd(grid.width)
  })
  const margin = " ".repeat(TIME_COLUMNS)
  return [
    `${margin}${GAP}${names.join("")}`.trimEnd(),
    ...shown.map((one) => rowOf(one, grid, told(one) ?? textOf(one))),
    `${moment(broken.atMs).padStart(TIME_COLUMNS)}${GAP}${cells(grid, new Map(), null)}${GAP}◀ ${
      broken.kind === "state" ? "so it was" : "broken here"
    }: ${cut(broken.words, WORDS_MAX)}`,
    "",
    `${margin}${GAP}● changes   ○─▶ a message, from its sender   ! befallen   ✗ ${broken.kind === "state" ? "what is asked about" : "where it broke"}${
      more > 0 ? `   (${more} more led here)` : ""
    }`
  ]
}

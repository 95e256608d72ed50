/** What the page's script gets to show: lanes, beliefs and events, as short as they can be, since a run has many. */
import { entryWords } from "../../explain/Screen.ts"
import type { Examined } from "../../explain/Examine.ts"
import type { Belief } from "../../explain/Beliefs.ts"
import type { Entry } from "../../explain/Recording.ts"
import { shown } from "./Html.ts"

/** About two megabytes; a page that takes a minute to open shows nothing. */
export const EVENTS_MAX = 20_000

/** One event: when, whose (`-1`: the world's), its kind, what it was, and of a message its sender and when it was sent. */
type Row = readonly [atMs: number, node: number, kind: string, words: string, from?: number, sentMs?: number]

export interface Data {
  readonly endedMs: number
  readonly nodes: ReadonlyArray<string>
  readonly beliefs: ReadonlyArray<Belief>
  readonly events: ReadonlyArray<Row>
  readonly eventsInAll: number
  readonly breaks: ReadonlyArray<{ readonly atMs: number; readonly node: number; readonly words: string }>
  /** Places of events that led to the first failure. */
  readonly causes: ReadonlyArray<number>
}

/** Those that fit: what changed something, what befell, what led to a failure, and of the rest what was last. */
const chosen = (entries: ReadonlyArray<Entry>, causes: ReadonlySet<number>): ReadonlyArray<Entry> => {
  if (entries.length <= EVENTS_MAX) return entries
  const matters = ({ changes, id, node }: Entry): boolean => node === null || changes.length > 0 || causes.has(id)
  const first = entries.filter(matters)
  const room = Math.max(0, EVENTS_MAX - first.length)
  const rest = room === 0 ? [] : entries.filter((entry) => !matters(entry)).slice(-room)
  const ids = new Set([...first.slice(-EVENTS_MAX), ...rest].map(({ id }) => id))
  return entries.filter(({ id }) => ids.has(id))
}

export const dataOf = ({ breaks, recording, result, scenario }: Examined, causes: ReadonlyArray<Entry>): Data => {
  const { beliefs, entries, nodes } = recording
  const place = (name: string | null): number => (name === null ? -1 : nodes.indexOf(name))
  const ids = new Set(causes.map(({ id }) => id))
  const kept = chosen(entries, ids)
  const rowOf = (entry: Entry): Row => {
    const { atMs, cause, did, kind, node, what } = entry
    const changed = entry.changes.map(({ text }) => text)
    const words =
      node === null ? entryWords(scenario, entry) : [what, ...changed, did].filter((part) => part !== "").join(" · ")
    const sender = cause?.by === "message" ? entries[cause.entry] : undefined
    const head = [atMs, place(node), kind, shown(words)] as const
    return sender === undefined ? head : [...head, place(sender.node), sender.atMs]
  }
  return {
    endedMs: result.endedMs,
    nodes: nodes.map(shown),
    beliefs,
    events: kept.map(rowOf),
    eventsInAll: entries.length,
    breaks: breaks.map(({ atMs, nodes: [node], words }) => ({ atMs, node: place(node ?? null), words: shown(words) })),
    causes: kept.flatMap(({ id }, i) => (ids.has(id) ? [i] : []))
  }
}

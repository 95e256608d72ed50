/**
 * What the daemons of a farm logged, with names in place of ids. All daemons run on one machine, so the times of their events
 * can be compared, unless a test fakes a clock.
 */
import type { EventLine } from "../../adapters/operator/Api.ts"
import type { Line } from "./Segment.ts"

export type EventName = EventLine["event"]

export interface Event {
  /** Whose event it is. */
  readonly by: string
  readonly event: EventName
  readonly atMs: number
  /** The name of the device that it is about; of a device that is not of the farm, its id. */
  readonly about: string
  readonly term: number
  readonly incarnation: number
}

/** A time in which a node said of itself that it leads; `toMs: null`: it still does. */
export interface Reign {
  readonly by: string
  readonly term: number
  readonly fromMs: number
  readonly toMs: number | null
}

const isEvent = (line: unknown): line is EventLine => (line as Line)["$type"] === "clawmesh.event/1"

/** The events among the lines that a daemon printed. */
export const eventsOf = (
  by: string,
  lines: ReadonlyArray<Line>,
  nameOf: (id: string) => string
): ReadonlyArray<Event> =>
  (lines as ReadonlyArray<unknown>).filter(isEvent).map(({ about = "", atMs, event, incarnation = 0, term = 0 }) => ({
    by,
    event,
    atMs,
    about: nameOf(about),
    term,
    incarnation
  }))

const ends: ReadonlyArray<EventName> = ["leader.lost", "leader.stepped-down", "node.leaving"]

/** Who led when, by the words of each node about itself, in the order of the beginnings. */
export const reignsOf = (nodes: ReadonlyArray<ReadonlyArray<Event>>): ReadonlyArray<Reign> =>
  nodes
    .flatMap((events) => {
      const reigns: Array<Reign> = []
      let open: Reign | null = null
      for (const { about, atMs, by, event, term } of events) {
        if (about !== by) continue
        if (event === "leader.elected") open = { by, term, fromMs: atMs, toMs: null }
        else if (open !== null && ends.includes(event)) {
          reigns.push({ ...open, toMs: atMs })
          open = null
        }
      }
      return open === null ? reigns : [...reigns, open]
    })
    .sort((one, other) => one.fromMs - other.fromMs)

/** What contradicts that there is one leader at a time, and one of each term; empty: nothing. */
export const rivals = (reigns: ReadonlyArray<Reign>): ReadonlyArray<string> =>
  reigns.flatMap((reign, i) => {
    const earlier = reigns.slice(0, i)
    const said = ({ by, fromMs, term, toMs }: Reign) => `${by} in term ${term} from ${fromMs} to ${toMs ?? "the end"}`
    return earlier
      .filter(({ by, term, toMs }) => toMs === null || toMs > reign.fromMs || (term === reign.term && by !== reign.by))
      .map((other) => `${said(other)}; ${said(reign)}`)
  })

/** What a fact is made of, and how nodes are quoted in a witness. */
import type { NodeView, WorldView } from "../engine/View.ts"
import type { Count } from "../scenario/Scenario.ts"
import { enumerate } from "./Words.ts"

/** How often an `events:` fact has been seen, and when; `timesMs` holds the first few only. */
export interface Sightings {
  readonly count: number
  readonly timesMs: ReadonlyArray<number>
}

/** Sightings of `facts.events`, in the same order. */
export type Seen = ReadonlyArray<Sightings>

export const NEVER_SEEN: Sightings = { count: 0, timesMs: [] }

/** One fact of several that have to hold together. `now` describes what is, whether the fact holds or not. */
export interface Clause {
  readonly key: string
  readonly told: string
  readonly holds: (view: WorldView, seen: Seen) => boolean
  readonly now: (view: WorldView, seen: Seen) => string
}

export const runningIn = (view: WorldView): ReadonlyArray<NodeView> => view.nodes.filter((node) => node.running)

/** Groups nodes by what they say: `a and b <say> x, c <says> y`; `all <say> x` where that is everybody of `running`, and many. */
export const sayings = (
  running: number,
  nodes: ReadonlyArray<NodeView>,
  says: (node: NodeView) => string,
  sentence: (names: string, plural: boolean, what: string) => string
): string => {
  const groups = new Map<string, Array<string>>()
  for (const node of nodes) {
    const what = says(node)
    const group = groups.get(what)
    if (group === undefined) groups.set(what, [node.name])
    else group.push(node.name)
  }
  const told = (names: ReadonlyArray<string>) => (names.length === running && running > 2 ? "all" : enumerate(names))
  return [...groups].map(([what, names]) => sentence(told(names), names.length > 1, what)).join(", ")
}

export const NOBODY_RUNS = "no node is running to say so"

export const fits = (count: Count, n: number): boolean =>
  count.how === "exactly" ? n === count.n : count.how === "at least" ? n >= count.n : n <= count.n

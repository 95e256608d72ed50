/** What a run broke, and where in its recording to begin to look for why. */
import { firstOfEach } from "../judge/Verdict.ts"
import type { Facts } from "../scenario/Scenario.ts"
import type { RunResult } from "../run.ts"
import type { Aspect } from "./Changes.ts"
import type { Entry, Recording } from "./Recording.ts"

export interface Break {
  /** The name of an expectation, the id of an invariant, or whose state it is. */
  readonly id: string
  /** `state`: nothing broke, but somebody asks. */
  readonly kind: "expectation" | "invariant" | "state"
  readonly atMs: number
  /** What was so in place of what had to be. */
  readonly words: string
  /** Whom it is about; empty: all. */
  readonly nodes: ReadonlyArray<string>
  /** What of them; empty: everything. */
  readonly aspects: ReadonlyArray<Aspect>
}

const pairsOf = ({ heartbeats = [], peers = [], sessions = [], trusts = [], unread = [] }: Facts) => ({
  peer: peers,
  session: [...sessions, ...heartbeats, ...unread],
  trust: trusts
})

const aboutOf = (facts: Facts, names: ReadonlyArray<string>): Pick<Break, "aspects" | "nodes"> => {
  const pairs = Object.entries(pairsOf(facts))
  const aspects = new Set<Aspect>(
    pairs.flatMap(([aspect, those]) =>
      those.map(({ subject }) => (aspect === "trust" ? aspect : `${aspect}:${subject}`))
    )
  )
  const { agreeOn = [], leader, leaders, leadersBelieved, leadersPerTerm, term } = facts
  const ofLeaders = [leader, leaders, leadersBelieved, leadersPerTerm, term].some((fact) => fact !== undefined)
  if (ofLeaders || agreeOn.some((topic) => topic === "leader" || topic === "term")) aspects.add("leadership")
  if (agreeOn.includes("frames") || facts.frames !== undefined) aspects.add("world")
  if (agreeOn.includes("peers")) for (const name of names) aspects.add(`peer:${name}`)
  const observers = pairs.flatMap(([, those]) => those.map(({ observer }) => observer))
  const nodes = observers.filter((observer) => typeof observer === "string")
  return { aspects: [...aspects], nodes: ofLeaders || nodes.length < observers.length ? [] : [...new Set(nodes)] }
}

/** In order of time; of one invariant the first. */
export const breaksOf = (
  { expectations, violations }: RunResult,
  nodes: ReadonlyArray<string>
): ReadonlyArray<Break> => {
  const broken = expectations.flatMap((outcome): ReadonlyArray<Break> => {
    const { atMs, expectation, status, witness } = outcome
    if (status !== "broken") return []
    const { facts, name } = expectation
    return [{ id: name, kind: "expectation", atMs: atMs ?? 0, words: witness ?? "not so", ...aboutOf(facts, nodes) }]
  })
  const violated = firstOfEach(violations).map(({ atMs, message, node, oracle }): Break => ({
    id: oracle,
    kind: "invariant",
    atMs,
    words: message,
    nodes: [node],
    aspects: []
  }))
  return [...violated, ...broken].toSorted((a, b) => a.atMs - b.atMs)
}

/** Two runs failed the same way. */
export const isSame = (one: Break, other: Break): boolean => one.kind === other.kind && one.id === other.id

/** Several nodes may have a part in what is so at one moment; more would fill the slice with one story told by each. */
const TARGETS_MAX = 3

/** Who ran at that moment: nobody else has a word then. */
const runningAt = ({ beliefs }: Recording, ms: number): ReadonlySet<string> => {
  const running = new Map<string, boolean>()
  for (const { atMs, node, running: runs } of beliefs) if (atMs <= ms && runs !== undefined) running.set(node, runs)
  return new Set([...running].flatMap(([node, runs]) => (runs ? [node] : [])))
}

/** The entries that made it so. Of an invariant the step in which it broke; of an expectation whoever last changed what it asks about. */
export const targetsOf = (recording: Recording, { aspects, atMs, kind, nodes }: Break): ReadonlyArray<Entry> => {
  const { entries } = recording
  const until = entries.findLastIndex((entry) => entry.atMs <= atMs) + 1
  const before = entries.slice(0, until)
  const own = (entry: Entry): boolean => entry.node !== null && (nodes.length === 0 || nodes.includes(entry.node))
  if (kind === "invariant") {
    const last = before.findLast((entry) => own(entry))
    return last === undefined ? [] : [last]
  }
  const about = (entry: Entry): boolean =>
    entry.changes.some(({ aspect }) => aspects.length === 0 || aspects.includes(aspect))
  const running = runningAt(recording, atMs)
  const found: Array<Entry> = []
  for (let i = before.length - 1; i >= 0 && found.length < TARGETS_MAX; i--) {
    const entry = before[i]!
    if (own(entry) && running.has(entry.node!) && about(entry) && !found.some(({ node }) => node === entry.node))
      found.push(entry)
  }
  // What befell somebody after the last of them: an expectation may break by what no longer comes.
  const struck = before.findLast(({ node }) => node === null)
  return struck === undefined || struck.id < (found.at(-1)?.id ?? 0)
    ? found.toReversed()
    : [...found.toReversed(), struck]
}

/**
 * The causal slice of a failure: of everything that happened before it, the few entries that it came from.
 *
 * Walks back from the targets. From an entry it goes to what caused it, and to whoever wrote the same aspect of that node before; from
 * a message to what its sender knew of that aspect when it sent. A peer that gets worse, and a leader that is lost, lead to the last
 * thing that befell either of the two. Steps that changed nothing of the aspect are passed by. When more is found than can be
 * shown, faults and what is near the failure stay.
 */
import { type Aspect } from "./Changes.ts"
import type { Cause, Entry, Recording } from "./Recording.ts"

/** What a person takes in at once, and an 80 by 25 terminal shows with what else there is to say. */
const SHOWN_MAX = 15
/** The walk ends when it has found so much; what is further back is told by what is nearer. */
const FOUND_MAX = 400
/** Faults are worth so many steps of distance; a session or a journal write costs some. */
const weights: { readonly [aspect: string]: number } = { world: -4, leadership: -2, peer: -1, session: 1, journal: 1 }

export interface Shown extends Entry {
  /** It is one of those that the walk began with. */
  readonly target: boolean
  /** Who sent what it took up, and when; `null`: it was no message. */
  readonly sender: { readonly node: string; readonly atMs: number } | null
}

export interface Slice {
  /** In order. */
  readonly shown: ReadonlyArray<Shown>
  /** How many more there were. */
  readonly more: number
}

/** Last writers of aspects, by node: a search from the back of a list of places. */
class Writers {
  readonly #places = new Map<string, Array<number>>()

  constructor(entries: ReadonlyArray<Entry>) {
    for (const { changes, id, kind, node } of entries) {
      if (node === null) continue
      if (kind === "Started") this.#add(`${node} Started`, id)
      for (const { aspect } of changes) this.#add(`${node} ${aspect}`, id)
    }
  }

  #add(key: string, id: number): void {
    const places = this.#places.get(key)
    if (places === undefined) this.#places.set(key, [id])
    else if (places.at(-1) !== id) places.push(id)
  }

  /** Before that entry; a boot has written everything. */
  last(node: string, aspect: Aspect, before: number): number | null {
    const of = (key: string): number => this.#places.get(`${node} ${key}`)?.findLast((id) => id < before) ?? -1
    const found = Math.max(of(aspect), of("Started"))
    return found === -1 ? null : found
  }
}

const isWorse = (text: string): boolean => /as (?:suspect|down)$|^has no session with/u.test(text)
/** It lost its leader, or stands because nobody is heard. */
const isAlone = (text: string): boolean => /^(?:has no leader|stands|asks whether|no longer)/u.test(text)

interface Step {
  readonly id: number
  readonly aspect: Aspect
  readonly depth: number
}

class Walk {
  readonly #entries: ReadonlyArray<Entry>
  readonly #writers: Writers
  readonly #struckLast: (names: ReadonlyArray<string>, before: number) => number | null
  /** How far each that matters is from the failure. */
  readonly kept = new Map<number, number>()
  readonly #seen = new Set<string>()
  readonly #queue: Array<Step> = []

  constructor(recording: Recording) {
    this.#entries = recording.entries
    this.#writers = new Writers(recording.entries)
    const struck = recording.entries.filter(({ node }) => node === null)
    this.#struckLast = (names, before) =>
      struck.findLast(({ id, what }) => {
        if (id >= before) return false
        const words = new Set(what.split(/[^A-Za-z0-9_-]+/u))
        return names.some((name) => words.has(name)) || !recording.nodes.some((name) => words.has(name))
      })?.id ?? null
  }

  from(target: Entry, aspects: ReadonlyArray<Aspect>): void {
    this.kept.set(target.id, 0)
    if (target.node === null) return
    for (const aspect of aspects) this.#to(target.id, aspect, 0)
    this.#causes(target, aspects[0] ?? "leadership", 0)
    // A step that changed nothing may be a failure by what it was given.
    const caused = target.cause === null ? undefined : this.#entries[target.cause.entry]
    if (caused !== undefined && target.changes.length === 0)
      this.kept.set(caused.id, Math.min(1, this.kept.get(caused.id) ?? 1))
  }

  go(): void {
    for (let i = 0; i < this.#queue.length && this.kept.size < FOUND_MAX; i++) this.#visit(this.#queue[i]!)
  }

  #to(id: number, aspect: Aspect, depth: number): void {
    const key = `${id} ${aspect}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.#queue.push({ id, aspect, depth })
  }

  #keep(id: number, depth: number): void {
    if (depth < (this.kept.get(id) ?? Number.POSITIVE_INFINITY)) this.kept.set(id, depth)
  }

  #visit({ aspect, depth, id }: Step): void {
    const entry = this.#entries[id]!
    if (entry.node === null) return this.#keep(id, depth)
    const wrote = entry.changes.filter((change) => change.aspect === aspect)
    const isBoot = entry.kind === "Started"
    if (wrote.length > 0 || isBoot) {
      this.#keep(id, depth)
      this.#causes(entry, aspect, depth)
      if (wrote.some(({ text }) => isWorse(text)))
        this.#befell([entry.node, aspect.slice(aspect.indexOf(":") + 1)], entry, depth)
      if (wrote.some(({ text }) => isAlone(text))) this.#befell(this.#leadersOf(entry), entry, depth)
    }
    if (isBoot) return
    const before = this.#writers.last(entry.node, aspect, id)
    if (before !== null) this.#to(before, aspect, depth + (wrote.length > 0 ? 1 : 0))
  }

  /** Whom it followed last, and itself. */
  #leadersOf({ id, node }: Entry): ReadonlyArray<string> {
    const before = this.#writers.last(node!, "leadership", id)
    const followed = before === null ? undefined : /follows (\S+),/u.exec(textOf(this.#entries[before]!))?.[1]
    return followed === undefined ? [node!] : [node!, followed]
  }

  #befell(names: ReadonlyArray<string>, { id }: Entry, depth: number): void {
    const struck = this.#struckLast(names, id)
    if (struck !== null) this.#keep(struck, depth + 1)
  }

  #causes(entry: Entry, aspect: Aspect, depth: number): void {
    const { cause } = entry
    if (cause === null) return
    const of = this.#entries[cause.entry]!
    if (of.node === null) return this.#keep(of.id, depth + 1)
    // What its alarm or its question was set for is known by who wrote the aspect before.
    if (cause.by === "alarm" && !of.changes.some((change) => change.aspect === aspect)) return
    this.#to(of.id, this.#aspectThere(entry, of, aspect), depth + 1)
  }

  /** What it is called at the other end. */
  #aspectThere({ node }: Entry, of: Entry, aspect: Aspect): Aspect {
    if (node === of.node) return aspect
    if (aspect.startsWith("session:")) return `session:${node}`
    return aspect === `peer:${of.node}` || aspect === "refusal" ? "phase" : aspect
  }
}

/** More make no sentence. */
const CHANGES_TOLD_MAX = 2

/** What came of it, the weightiest first; of what changed nothing, what it was. */
export const textOf = ({ changes, did, what }: Entry): string => {
  if (changes.length === 0) return did === "" ? what : `${what}: ${did}`
  const told = changes.toSorted((a, b) => weightOfAspect(a.aspect) - weightOfAspect(b.aspect))
  const rest = told.length - CHANGES_TOLD_MAX
  return [...told.slice(0, CHANGES_TOLD_MAX).map(({ text }) => text), ...(rest > 0 ? [`and ${rest} more`] : [])].join(
    ", "
  )
}

const senderOf = ({ cause }: { readonly cause: Cause | null }, entries: ReadonlyArray<Entry>): Shown["sender"] => {
  if (cause?.by !== "message") return null
  const { atMs, node } = entries[cause.entry]!
  return node === null ? null : { node, atMs }
}

const weightOfAspect = (aspect: Aspect): number => weights[aspect.split(":", 1)[0]!] ?? 0

const weightOf = ({ atMs, changes, node }: Entry): number => {
  if (node === null) return atMs === 0 ? 0 : weights["world"]!
  return Math.min(1, ...changes.map(({ aspect }) => weightOfAspect(aspect)))
}

/** `aspects`: what of the targets is in question; empty: whatever they changed. */
export const sliceOf = (
  recording: Recording,
  targets: ReadonlyArray<Entry>,
  aspects: ReadonlyArray<Aspect> = []
): Slice => {
  const { entries } = recording
  const walk = new Walk(recording)
  const ids = new Set(targets.map(({ id }) => id))
  for (const target of targets) {
    const own = [...new Set(target.changes.map(({ aspect }) => aspect))]
    walk.from(target, aspects.length > 0 ? aspects : own.length > 0 ? own : ["leadership", "phase"])
  }
  walk.go()
  const rank = ([id, depth]: readonly [number, number]): number =>
    ids.has(id) ? Number.NEGATIVE_INFINITY : depth + weightOf(entries[id]!)
  // That everybody boots when the run begins explains nothing.
  const found = [...walk.kept].filter(([id]) => ids.has(id) || entries[id]!.kind !== "Started" || entries[id]!.atMs > 0)
  const nearest = found.toSorted((a, b) => rank(a) - rank(b) || b[0] - a[0]).slice(0, SHOWN_MAX)
  const shown = nearest
    .map(([id]) => entries[id]!)
    .toSorted((a, b) => a.id - b.id)
    .map((entry): Shown => ({
      ...entry,
      target: entry.node !== null && ids.has(entry.id),
      sender: senderOf(entry, entries)
    }))
  return { shown, more: found.length - shown.length }
}

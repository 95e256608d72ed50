/**
 * Names of nodes, and the words that mean several of them.
 *
 * A pattern (`jetson-*`) is expanded here. `everyone`, `leader`, `any <role>` and the like stay words in a step: who they are is
 * known when the step strikes. In facts, `any <role>` is one of the nodes of that role, known now.
 */
import type { Role } from "../../kernel/wire/Frame.ts"
import type { FarmSpec } from "../hardware/Farm.ts"
import type { Mistakes, Span } from "./Mistakes.ts"
import type { Target } from "./Scenario.ts"
import type { Draft } from "./Shape.ts"
import type { Path, Tree } from "./Tree.ts"
import type { Read } from "./Units.ts"
import * as Result from "effect/Result"

/** What all passes over a draft share. */
/** Where a node is needed that moves this. */
export const nothingMoves = ({ mistakes, moving }: Reading, actuator: string): string =>
  `no node can actuator:${actuator}${mistakes.hint(actuator, [...moving])}; an owner has can: ["actuator:${actuator}"]`

export interface Reading {
  readonly tree: Tree
  readonly mistakes: Mistakes
  /** Every node that the file names, in its order; also those whose description is wrong. */
  readonly roles: ReadonlyMap<string, Role | null>
  /** The nodes of each site. */
  readonly sites: ReadonlyMap<string, ReadonlyArray<string>>
  /** Nodes find each other by multicast. */
  readonly discovers: boolean
  /** What moves, without the prefix: `pump-1`. */
  readonly moving: ReadonlySet<string>
  /** People with keys of their own. */
  readonly persons: ReadonlyArray<string>
  /** What lies under the mesh; `null`: nothing that could be measured. */
  readonly farm: FarmSpec | null
  /** Those of generation 1, which say nothing that could be asked for. */
  readonly mute: ReadonlySet<string>
  readonly lastsMs: number | null
  readonly expansion: Expansion
}

/** How many nodes the patterns of one file may stand for in all: what a `*` costs depends on where it stands. */
export class Expansion {
  #left = 200_000

  /** Whether `count` more are within the bound. */
  allows(count: number): boolean {
    this.#left -= count
    return this.#left >= 0
  }
}
export const tooMuchExpansion = "the patterns of this file stand for too many nodes"

/** The value of a text of the right form, or `null` and a mistake at its place. */
export const valueOf = <A>(
  reading: Reading,
  path: Path,
  text: string | undefined,
  read: (text: string) => Read<A>
): A | null => {
  if (text === undefined) return null
  const value = read(text)
  if (Result.isSuccess(value)) return value.success
  reading.mistakes.add(reading.tree.value(path), value.failure)
  return null
}

/** What is nothing without records of discovery. */
export const needsDiscovery = ({ discovers, mistakes }: Reading, span: Span, word: string): void => {
  if (!discovers)
    mistakes.add(span, `${word} is nothing without discovery: write discovery: mdns in the heading network:`)
}

/** Words of the language that no node can be called. */
export const reservedNames: ReadonlySet<string> = new Set([
  "everyone",
  "anyone",
  "everything",
  "leader",
  "none",
  "any",
  "half",
  "site",
  "start",
  "end"
])

const rolePhrases: { readonly [phrase: string]: Role } = {
  "any planner": "planner",
  "any standby-planner": "standby-planner",
  "any standby planner": "standby-planner",
  "any field node": "field",
  "any field": "field",
  "any sensor": "sensor",
  "any actuator": "actuator",
  "any viewer": "viewer"
}
const rolePhrasesShown = [
  "any planner",
  "any standby-planner",
  "any field node",
  "any sensor",
  "any actuator",
  "any viewer"
]

export type Who = string | ReadonlyArray<string | undefined>

/** The names of a `Who` one by one, each with its place. */
export const each = (
  who: Draft<Who> | undefined,
  path: Path
): ReadonlyArray<{ readonly name: string; readonly path: Path }> =>
  who === undefined
    ? []
    : typeof who === "string"
      ? [{ name: who, path }]
      : who.flatMap((name, i) => (name === undefined ? [] : [{ name, path: [...path, i] }]))

/**
 * The nodes that one written name means: itself, or all that fit its pattern. What is neither a node nor one of `words` is a
 * mistake at `span`, and means nobody.
 */
export const resolveNodes = (
  reading: Reading,
  written: string,
  span: Span,
  words: ReadonlyArray<string> = []
): ReadonlyArray<string> => {
  if (reading.roles.has(written)) return [written]
  if (/^[a-z0-9-]*\*$/u.test(written)) {
    const beginning = written.slice(0, -1)
    const found = [...reading.roles.keys()].filter((name) => name.startsWith(beginning))
    if (!reading.expansion.allows(found.length)) {
      reading.mistakes.add(span, tooMuchExpansion)
      return []
    }
    if (found.length === 0 && reading.roles.size > 0)
      reading.mistakes.add(span, `no node's name begins with "${beginning}"`)
    return found
  }
  if (written.startsWith(SITE)) return nodesOf(reading, written.slice(SITE.length), span)
  // Where the nodes themselves do not read, every name would be unknown.
  if (reading.roles.size === 0) return []
  const hint = reading.mistakes.hint(written, [...reading.roles.keys(), ...words])
  if (reservedNames.has(written) || /^(?:any|a|the|everyone) /u.test(written))
    reading.mistakes.add(
      span,
      `"${written}" cannot stand here; write the names of nodes${words.length === 0 ? "" : `, or ${words.join(", ")}`}`
    )
  else reading.mistakes.add(span, `unknown node "${written}"${hint}`)
  return []
}

const SITE = "site "

/** Whether it may mean several nodes that are known when the file is read. */
const isPattern = (written: string): boolean => written.endsWith("*") || written.startsWith(SITE)

const nodesOf = (reading: Reading, site: string, span: Span): ReadonlyArray<string> => {
  const found = reading.sites.get(site)
  if (found === undefined) {
    const none = reading.sites.size === 0 ? "; write the heading sites:" : ""
    reading.mistakes.add(
      span,
      `no site is called "${site}"${reading.mistakes.hint(site, reading.sites.keys()) || none}`
    )
    return []
  }
  if (reading.expansion.allows(found.length)) return found
  reading.mistakes.add(span, tooMuchExpansion)
  return []
}

/** The nodes of the role that `any planner` and its like name; `null`: it is no such phrase. */
const roleOf = (reading: Reading, written: string, span: Span): Role | null => {
  if (!written.startsWith("any ") || !Object.hasOwn(rolePhrases, written)) return null
  const role = rolePhrases[written]!
  if (reading.roles.size > 0 && ![...reading.roles.values()].includes(role))
    reading.mistakes.add(span, `no node here is a ${role}`)
  return role
}

const BUT = "everyone but "
const ANY_SITE = "any site"
const ANY_NODE = "any node"

/** Whom one written name means when a step strikes. */
const targetsOf = (
  reading: Reading,
  name: string,
  span: Span,
  words: ReadonlyArray<TargetWord>
): ReadonlyArray<Target> => {
  const word = words.find((w) => w === name)
  switch (word) {
    case undefined:
      break
    case "a majority without the leader":
      return [{ word: "majority without the leader" }]
    default:
      return [{ word }]
  }
  const role = roleOf(reading, name, span)
  if (role !== null) return [{ word: "any", role }]
  if (name.startsWith(BUT)) {
    const but = targetsOf(reading, name.slice(BUT.length), span, ["leader"])
    return but.length === 0 ? [] : [{ word: "everyone but", but }]
  }
  if (name === ANY_NODE) return [{ word: "one of", groups: [...reading.roles.keys()].map((node) => [node]) }]
  if (name === ANY_SITE) {
    if (reading.sites.size === 0) reading.mistakes.add(span, "there are no sites here; write the heading sites:")
    return [{ word: "one of", groups: [...reading.sites.values()] }]
  }
  return resolveNodes(reading, name, span, [...words, ...rolePhrasesShown])
}

export type TargetWord = "everyone" | "leader" | "half" | "a majority without the leader" | "the others"
const usualWords = ["everyone", "leader", "half", "a majority without the leader"] as const

/** Whom a step strikes. */
export const resolveTargets = (
  reading: Reading,
  who: Draft<Who> | undefined,
  path: Path,
  words: ReadonlyArray<TargetWord> = usualWords
): ReadonlyArray<Target> => {
  const targets: Array<Target> = []
  const seen = new Set<string>()
  const listed = each(who, path)
  if (who !== undefined && typeof who !== "string" && who.length === 0)
    reading.mistakes.add(reading.tree.value(path), "the list is empty; write the name of a node")
  for (const { name, path: at } of listed) {
    const span = reading.tree.value(at)
    const found = targetsOf(reading, name, span, words)
    for (const target of found) {
      const key = JSON.stringify(target)
      // What a pattern stands for may overlap with what else is listed.
      if (!seen.has(key)) targets.push(target)
      else if (!isPattern(name)) reading.mistakes.add(span, `${name} stands twice in this list`)
      seen.add(key)
    }
  }
  return targets
}

/** The nodes that a fact means; `any <role>` is each node of the role. */
export const resolveFactNodes = (reading: Reading, who: Draft<Who> | undefined, path: Path): ReadonlyArray<string> => {
  const found = new Set<string>()
  for (const one of each(who, path)) {
    const span = reading.tree.value(one.path)
    const role = roleOf(reading, one.name, span)
    if (role !== null) for (const [name, itsRole] of reading.roles) if (itsRole === role) found.add(name)
    if (role !== null) continue
    if (found.has(one.name)) reading.mistakes.add(span, `${one.name} stands twice in this list`)
    for (const name of resolveNodes(reading, one.name, span, rolePhrasesShown)) found.add(name)
  }
  return [...found]
}

/** The one node that a name is; empty: it is none, which has been told. */
export const oneNode = (reading: Reading, name: string | undefined, path: Path): string =>
  name === undefined ? "" : (resolveNodes(reading, name, reading.tree.value(path))[0] ?? "")

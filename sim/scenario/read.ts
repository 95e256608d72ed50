/**
 * A scenario file, read: either the scenario as the simulator runs it, or every mistake of the file at its place.
 *
 * Four passes: bytes to text, text to a tree (YAML), the tree against the schema of the language, and what only the whole can
 * tell (names, moments, order). A pass works on what the one before could take over, so that one reading finds all mistakes and
 * tells each of them once. Never throws, on any bytes; bounded by `BYTES_MAX` and by the bounds of the passes.
 */
import * as Schema from "effect/Schema"
import { ACTUATOR } from "../../kernel/actuation/Actuator.ts"
import { Role } from "../../kernel/wire/Frame.ts"
import { readFarm } from "./Farm.ts"
import { readExpectations } from "./Expectations.ts"
import { readFuzz } from "./Fuzz.ts"
import { type Mistake, Mistakes } from "./Mistakes.ts"
import { Moments } from "./Moments.ts"
import { NODES_MAX } from "./Language.ts"
import { Expansion, type Reading, valueOf } from "./Names.ts"
import { checkKeys, readElectors, readNetwork, readNodes, readSites } from "./Nodes.ts"
import type { Scenario } from "./Scenario.ts"
import { readShape } from "./Shape.ts"
import { readRules } from "./Rules.ts"
import { readTimeline } from "./Timeline.ts"
import { readTiming } from "./Timing.ts"
import { type Tree, readTree } from "./Tree.ts"
import { readTime } from "./Units.ts"

export { type Mistake, renderMistakes } from "./Mistakes.ts"

export const BYTES_MAX = 1_048_576

type ReadScenario = { readonly scenario: Scenario } | { readonly mistakes: ReadonlyArray<Mistake> }

/** `file` is only for the report; nothing is opened. */
export const readScenario = (file: string, source: string | Uint8Array): ReadScenario => {
  const decoded = decodeText(source)
  if ("mistakes" in decoded) return decoded
  const { text } = decoded
  const mistakes = new Mistakes(text)
  const control = notText.exec(text)
  if (control !== null) {
    mistakes.add({ offset: control.index, length: 1 }, notTextMessage)
    return { mistakes: mistakes.sorted() }
  }
  const tree = readTree(text, mistakes)
  const scenario = tree === null ? null : assemble(file, text, tree, mistakes)
  return scenario === null || mistakes.size > 0 ? { mistakes: mistakes.sorted() } : { scenario }
}

const notTextMessage = "this is not a text file: a scenario is YAML in UTF-8"
/** Control characters that no text holds; tab, line feed and carriage return are text. */
// oxlint-disable-next-line no-control-regex
const notText = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/u

const decodeText = (
  source: string | Uint8Array
): { readonly text: string } | { readonly mistakes: ReadonlyArray<Mistake> } => {
  if (source.length > BYTES_MAX) {
    const mistakes = new Mistakes("")
    mistakes.add({ offset: 0, length: 1 }, `the file is larger than 1 MiB; no scenario is`)
    return { mistakes: mistakes.sorted() }
  }
  if (typeof source === "string") return { text: source.startsWith("\ufeff") ? source.slice(1) : source }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(source) }
  } catch {
    const text = new TextDecoder("utf-8").decode(source)
    const mistakes = new Mistakes(text)
    mistakes.add({ offset: firstInvalid(source), length: 1 }, notTextMessage)
    return { mistakes: mistakes.sorted() }
  }
}

/** Where decoding first fails, as an offset into the leniently decoded text. */
const firstInvalid = (bytes: Uint8Array): number => {
  let low = 0
  let high = bytes.length
  // The longest beginning that decodes, the last character of it perhaps still incomplete (`stream`).
  while (low < high) {
    const middle = (low + high + 1) >> 1
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true })
      low = middle
    } catch {
      high = middle - 1
    }
  }
  return new TextDecoder("utf-8").decode(bytes.subarray(0, low), { stream: true }).length
}

const isRole = Schema.is(Role)

/** The nodes as they are named in the file, whether or not the rest of them reads; none when they are too many. */
const rolesOf = (tree: Tree): ReadonlyMap<string, Role | null> => {
  const nodes = (tree.data as { readonly nodes?: { readonly [name: string]: { readonly role?: unknown } | undefined } })
    .nodes
  const names = tree.keys(["nodes"])
  if (names.length > NODES_MAX) return new Map()
  return new Map(
    names.map((name) => {
      const role = nodes?.[name]?.role
      return [name, isRole(role) ? role : null]
    })
  )
}

/** What moves, by the names in its draft. */
const movingIn = ({ nodes }: ReturnType<typeof readShape>): ReadonlyArray<string> =>
  Object.values(nodes ?? {}).flatMap((node) =>
    (node?.can ?? []).filter((capability) => capability?.startsWith(ACTUATOR) === true)
  ) as ReadonlyArray<string>

/** Each once; and whoever may approve something is one of them. */
const readPersons = ({ mistakes, tree }: Reading, draft: ReadonlyArray<string | undefined>): ReadonlyArray<string> => {
  const persons = draft.filter((name) => name !== undefined)
  if (persons.length === 0) mistakes.add(tree.value(["persons"]), "nobody; write who, such as [asha], or leave it out")
  for (const [place, name] of persons.entries())
    if (persons.indexOf(name) < place) mistakes.add(tree.value(["persons", place]), `${name} stands twice in this list`)
  return persons
}

/** A scenario that holds as soon as `mistakes` stays empty. */
const assemble = (file: string, text: string, tree: Tree, mistakes: Mistakes): Scenario => {
  const draft = readShape(tree, mistakes)
  const bare: Reading = {
    tree,
    mistakes,
    roles: rolesOf(tree),
    moving: new Set(movingIn(draft).map((ref) => ref.slice(ACTUATOR.length))),
    persons: (draft.persons ?? []).filter((name) => name !== undefined),
    farm: null,
    sites: new Map(),
    mute: new Set(),
    discovers: draft.network?.discovery !== undefined && draft.network.discovery !== "none",
    lastsMs: null,
    expansion: new Expansion()
  }
  const lastsMs = valueOf(bare, ["lasts"], draft.lasts, readTime)
  if (lastsMs === 0) mistakes.add(tree.value(["lasts"]), "a run lasts longer than nothing")
  const sites = readSites(bare, draft.sites)
  const placed: Reading = { ...bare, sites: new Map(sites.map(({ name, nodes }) => [name, nodes])) }
  const nodes = readNodes(placed, draft.nodes)
  const mute = new Set(nodes.filter(({ generation }) => generation === 1).map(({ name }) => name))
  const { farm } = readFarm(placed, draft.farm)
  const reading: Reading = { ...placed, mute, lastsMs, farm: farm ?? null }
  const moments = new Moments(reading, draft.timeline !== undefined)
  const electors = readElectors(reading, draft.electors)
  checkKeys(reading, nodes, electors)
  const network = readNetwork(reading, draft.network)
  const timeline = readTimeline(reading, draft.timeline ?? [], moments)
  const expect = readExpectations(reading, draft.expect ?? [], moments)
  const fuzz = draft.fuzz === undefined ? null : readFuzz(reading, draft.fuzz, moments)
  return {
    file,
    text,
    title: draft.scenario ?? "",
    seed: draft.seed ?? 0,
    lastsMs: lastsMs ?? 0,
    profile: draft.profile ?? "lan",
    ...(draft.ties === "drawn" ? { ties: "drawn" } : {}),
    ...(draft.afterwards === "a part gets well" ? { liveness: true } : {}),
    ...(draft.timing === undefined ? {} : { timing: readTiming(reading, draft.timing, draft.profile ?? "lan") }),
    electors,
    ...(draft.persons === undefined ? {} : { persons: readPersons(reading, draft.persons) }),
    ...readRules(reading, draft.rules),
    ...(farm === undefined ? {} : { farm }),
    nodes,
    network: sites.length === 0 ? network : { ...network, sites },
    timeline,
    expect,
    ...(fuzz === null ? {} : { fuzz })
  }
}

/** Nodes, where they are, electors and the network between them. */
import { ACTUATOR } from "../../kernel/actuation/Actuator.ts"
import type { Role } from "../../kernel/wire/Frame.ts"
import { capabilitiesOf, readServes } from "./InferenceWords.ts"
import type { Language } from "./Language.ts"
import {
  type Reading,
  type Who,
  each,
  needsDiscovery,
  nothingMoves,
  reservedNames,
  resolveNodes,
  valueOf
} from "./Names.ts"
import type { NetworkSpec, NodeSpec, Quality, Range, Site, Terms } from "./Scenario.ts"
import type { Draft } from "./Shape.ts"
import type { Path } from "./Tree.ts"
import { LASTING_MS, readClockRate, readCount, readRange, readShare, readTime } from "./Units.ts"

/** A good Wi-Fi network on one site. */
export const defaultDelayMs = { min: 2, max: 20 }

export const readNodes = (reading: Reading, draft: Draft<Language["nodes"]> | undefined): ReadonlyArray<NodeSpec> => {
  const { mistakes, tree } = reading
  if (tree.keys(["nodes"]).length === 0 && draft !== undefined)
    mistakes.add(tree.value(["nodes"]), "no nodes; write at least one, such as { laptop: { role: planner } }")
  for (const name of tree.keys(["nodes"]))
    if (reservedNames.has(name))
      mistakes.add(tree.key(["nodes", name]), `"${name}" is a word of the language; call the node something else`)
  return Object.entries(draft ?? {}).map(([name, node]) => {
    const path = ["nodes", name]
    const capabilities = (node?.can ?? []).filter((capability) => capability !== undefined)
    capabilities.forEach((capability, i) => {
      if (capabilities.indexOf(capability) < i)
        mistakes.add(tree.value([...path, "can", i]), `${capability} stands twice in this list`)
    })
    const served = readServes(reading, node?.serves, [...path, "serves"])
    return {
      name,
      role: node?.role ?? "node",
      capabilities: [...new Set([...capabilities, ...capabilitiesOf(served)])],
      ...served,
      clockSkewMs: valueOf(reading, [...path, "clock-skew"], node?.["clock-skew"], readTime) ?? 0,
      clockRatePpm: valueOf(reading, [...path, "clock-rate"], node?.["clock-rate"], readClockRate) ?? 0,
      ...readModel(reading, node?.model, [...path, "model"]),
      ...readPolicy(reading, node?.policy, capabilities, [...path, "policy"]),
      ...(node?.["boots-in"] === undefined ? {} : { bootsIn1970: true }),
      ...readTrustedBy(reading, node?.["trusted-by"], [...path, "trusted-by"]),
      ...readSameKey(reading, name, draft ?? {}, [...path, "same-key-as"]),
      ...readWrongAddresses(reading, node?.["wrong-addresses"], [...path, "wrong-addresses"]),
      ...(node?.generation === undefined ? {} : { generation: node.generation }),
      ...(node?.placed === "beside" ? { beside: true } : {})
    }
  })
}

/** What is said of no other. */
const MODEL = "a-model"
const TAKES_MS: Range = { min: 2_000, max: 20_000 }

const readModel = (
  reading: Reading,
  draft: NonNullable<Draft<Language["nodes"]>[string]>["model"],
  path: Path
): Pick<NodeSpec, "model"> => {
  if (draft === undefined) return {}
  const drafts = (draft.drafts ?? []).map((one, i) => {
    const at = [...path, "drafts", i]
    const run = one?.run ?? ""
    if (!reading.moving.has(run)) reading.mistakes.add(reading.tree.value([...at, "run"]), nothingMoves(reading, run))
    const forMs = valueOf(reading, [...at, "for"], one?.for, readTime) ?? LASTING_MS
    return { actuator: run, state: one?.action ?? ("open" as const), forMs }
  })
  return {
    model: {
      name: draft.name ?? MODEL,
      takesMs: valueOf(reading, [...path, "takes"], draft.takes, readRange(readTime)) ?? TAKES_MS,
      drafts,
      answers: (draft.answers ?? []).flatMap((answer) => answer ?? [])
    }
  }
}

/** A sensor that says nothing for so long has not seen it. */
const WITHIN_MS = 10_000

const readPolicy = (
  reading: Reading,
  draft: NonNullable<NonNullable<Draft<Language["nodes"]>>[string]>["policy"],
  capabilities: ReadonlyArray<string>,
  path: Path
): Pick<NodeSpec, "policy"> => {
  if (draft === undefined) return {}
  const { mistakes, tree } = reading
  const policy: { [actuator: string]: Terms } = {}
  for (const [actuator, terms] of Object.entries(draft)) {
    const at = [...path, actuator]
    if (!capabilities.includes(`${ACTUATOR}${actuator}`))
      mistakes.add(tree.key(at), `it does not move that; write can: ["${ACTUATOR}${actuator}"] as well`)
    const { level, verification } = terms ?? {}
    const approvers = terms?.approvers?.filter((name) => name !== undefined)
    for (const [place, person] of (approvers ?? []).entries())
      if (!reading.persons.includes(person))
        mistakes.add(
          tree.value([...at, "approvers", place]),
          `${person} has no key${mistakes.hint(person, reading.persons)}; write persons: [${person}]`
        )
    const metric = terms?.["verified-by"]
    const withinMs = valueOf(reading, [...at, "within"], terms?.within, readTime) ?? WITHIN_MS
    const seesNothing = metric === undefined
    if (seesNothing && level === "L3") mistakes.add(tree.value([...at, "level"]), "L3 needs verified-by:, such as flow")
    if (seesNothing && verification === "device")
      mistakes.add(tree.value([...at, "verification"]), "a device needs verified-by:, such as flow")
    if (level === "L3" && verification !== undefined && verification !== "human")
      mistakes.add(tree.value([...at, "verification"]), "at L3 that is a person's; leave it out")
    policy[actuator] = {
      withinMs,
      ...(level === undefined ? {} : { level }),
      ...(verification === undefined ? {} : { verification }),
      ...(approvers === undefined ? {} : { approvers }),
      ...(metric === undefined ? {} : { metric }),
      ...readNeeds(reading, terms?.needs, [...at, "needs"])
    }
  }
  return { policy }
}

type NeedsDraft = Draft<NonNullable<NonNullable<Language["nodes"][string]["policy"]>[string]["needs"]>>

const readNeeds = (reading: Reading, draft: NeedsDraft | undefined, path: Path): Pick<Terms, "needs"> => {
  if (draft === undefined) return {}
  const { mistakes, tree } = reading
  if (draft.length === 0) mistakes.add(tree.value(path), "the list is empty; leave it out")
  const needs = draft.map((need, place) => {
    const at = [...path, place]
    const { "at-least": atLeast, "at-most": atMost, metric = "", zone } = need ?? {}
    if (need !== undefined && atLeast === undefined && atMost === undefined)
      mistakes.add(tree.value(at), "any value would do; write at-least:, or at-most:")
    if (atLeast !== undefined && atMost !== undefined && atLeast > atMost)
      mistakes.add(tree.value([...at, "at-most"]), "no value is at least that, and at most this")
    return {
      metric,
      zone: zone ?? null,
      withinMs: valueOf(reading, [...at, "within"], need?.within, readTime) ?? WITHIN_MS,
      ...(atLeast === undefined ? {} : { atLeast }),
      ...(atMost === undefined ? {} : { atMost })
    }
  })
  return { needs }
}

const readTrustedBy = (reading: Reading, draft: Who | undefined, path: Path) =>
  draft === undefined || draft === "everyone"
    ? {}
    : {
        trustedBy:
          draft === "none"
            ? []
            : each(draft, path).flatMap((one) =>
                resolveNodes(reading, one.name, reading.tree.value(one.path), ["none"])
              )
      }

const readSameKey = (reading: Reading, name: string, nodes: NonNullable<Draft<Language["nodes"]>>, path: Path) => {
  const written = nodes[name]?.["same-key-as"]
  if (written === undefined) return {}
  const span = reading.tree.value(path)
  const [other] = resolveNodes(reading, written, span)
  if (other === name) reading.mistakes.add(span, "a node has its own key anyway; write another node")
  else if (other !== undefined && nodes[other]?.["same-key-as"] !== undefined)
    reading.mistakes.add(span, `${other} has its key from another node; write that one`)
  return other === undefined ? {} : { sameKeyAs: other }
}

/** More than any device names; the kernel tries eight addresses. */
const WRONG_ADDRESSES_MAX = 7

const readWrongAddresses = (reading: Reading, draft: string | undefined, path: Path) => {
  const count = valueOf(reading, path, draft, readCount)
  if (count === null) return {}
  if (count.how !== "exactly" || count.n > WRONG_ADDRESSES_MAX)
    reading.mistakes.add(reading.tree.value(path), `write exactly how many, ${WRONG_ADDRESSES_MAX} at most`)
  needsDiscovery(reading, reading.tree.key(path), "wrong-addresses")
  return { wrongAddresses: count.n }
}

interface Candidate {
  readonly name: string
  readonly role: Role | null
}

/** Planners and standby-planners in the order of the file, then the first field node as a witness. */
const electorsAmong = (nodes: ReadonlyArray<Candidate>): ReadonlyArray<string> => {
  const planners = nodes.filter(({ role }) => role === "planner" || role === "standby-planner")
  const witness = nodes.find(({ role }) => role === "field")
  return [...planners, ...(witness === undefined ? [] : [witness])].map(({ name }) => name)
}

const defaultElectors = ({ mute, roles, tree }: Reading): ReadonlyArray<string> =>
  electorsAmong(
    [...roles]
      .map(([name, role]) => ({ name, role }))
      .filter(({ name }) => !mute.has(name) && !tree.keys(["nodes", name]).includes("same-key-as"))
  )

/** Who votes in a file that does not say. */
export const usualElectors = (nodes: ReadonlyArray<NodeSpec>): ReadonlyArray<string> =>
  electorsAmong(nodes.filter(({ generation, sameKeyAs }) => generation !== 1 && sameKeyAs === undefined))

/** Of the file, or at another place in it. */
export const readElectors = (
  reading: Reading,
  draft: Draft<Language["electors"]> | undefined,
  at: Path = ["electors"]
): ReadonlyArray<string> => {
  const { mistakes, mute, tree } = reading
  if (draft === undefined) return defaultElectors(reading)
  if (draft.length === 0) mistakes.add(tree.value(at), "the list is empty; write who may vote, or leave electors: out")
  const electors = new Set<string>()
  for (const { name, path } of each(draft, at)) {
    const span = tree.value(path)
    const found = resolveNodes(reading, name, span)
    for (const elector of found) {
      const role = reading.roles.get(elector)
      if (role === "viewer") mistakes.add(span, `${elector} is a viewer, and a viewer never votes`)
      else if (mute.has(elector)) mistakes.add(span, `${elector} is of generation 1, and knows of no elections`)
      else if (electors.has(elector)) mistakes.add(span, `${elector} stands twice in this list`)
      electors.add(elector)
    }
  }
  return [...electors]
}

/** Two processes with one key have a vote each, and no kernel can keep them from giving both. */
export const checkKeys = (
  { mistakes, tree }: Reading,
  nodes: ReadonlyArray<NodeSpec>,
  electors: ReadonlyArray<string>
): void => {
  for (const { name, sameKeyAs } of nodes)
    for (const one of [name, sameKeyAs])
      if (sameKeyAs !== undefined && one !== undefined && electors.includes(one))
        mistakes.add(
          tree.value(["nodes", name, "same-key-as"]),
          `${one} is an elector, and two with one key could vote twice; write electors: without it`
        )
}

/** Who is where; a site without nodes, or a node in two of them, is a mistake. */
export const readSites = (reading: Reading, draft: Draft<Language["sites"]> | undefined): ReadonlyArray<Site> => {
  const { mistakes, tree } = reading
  const siteOf = new Map<string, string>()
  return Object.entries(draft ?? {}).map(([name, listed]) => {
    const path = ["sites", name]
    if (listed?.length === 0) mistakes.add(tree.value(path), "nobody is there; write who is, such as [jetson-1]")
    const nodes = each(listed, path).flatMap((one) => {
      const span = tree.value(one.path)
      return resolveNodes(reading, one.name, span).filter((node) => {
        const other = siteOf.get(node)
        if (other === name) mistakes.add(span, `${node} stands twice in this list`)
        else if (other !== undefined) mistakes.add(span, `${node} is in ${other} already; a node is in one site`)
        else siteOf.set(node, name)
        return other === undefined
      })
    })
    return { name, nodes }
  })
}

const readQuality = (reading: Reading, draft: QualityDraft | undefined, path: Path, otherwise: Quality): Quality => ({
  delayMs: valueOf(reading, [...path, "delay"], draft?.delay, readRange(readTime)) ?? otherwise.delayMs,
  lossPpm: valueOf(reading, [...path, "loss"], draft?.loss, readShare) ?? otherwise.lossPpm
})

type PathsDraft = Pick<NonNullable<Draft<Language["network"]>>, "delay" | "loss" | "within-sites" | "between-sites">
type QualityDraft = NonNullable<PathsDraft["within-sites"]>

/** What paths are usually like, by what stands under `at`. */
export const readPaths = (
  reading: Reading,
  draft: PathsDraft | undefined,
  at: Path
): Quality & Pick<NetworkSpec, "withinSites" | "betweenSites"> => {
  const usual = readQuality(reading, draft, at, { delayMs: defaultDelayMs, lossPpm: 0 })
  const onSites = (key: "within-sites" | "between-sites"): Quality | null => {
    if (draft?.[key] === undefined) return null
    const path = [...at, key]
    if (reading.sites.size === 0 && reading.tree.keys(["sites"]).length === 0)
      reading.mistakes.add(
        reading.tree.key(path),
        "there are no sites; write the heading sites:, such as sites: { barn: [jetson-1], office: [laptop] }"
      )
    return readQuality(reading, draft[key], path, usual)
  }
  const within = onSites("within-sites")
  const between = onSites("between-sites")
  return {
    ...usual,
    ...(within === null ? {} : { withinSites: within }),
    ...(between === null ? {} : { betweenSites: between })
  }
}

export const readNetwork = (reading: Reading, draft: Draft<Language["network"]> | undefined): NetworkSpec => ({
  ...readPaths(reading, draft, ["network"]),
  links: draft?.links ?? "everyone",
  ...(draft?.discovery === "mdns" ? { discovery: "only" } : {}),
  ...(draft?.discovery === "mdns and addresses" ? { discovery: "beside" } : {})
})

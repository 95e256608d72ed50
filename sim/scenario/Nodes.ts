/** Nodes, electors and the network between them. */
import type { Role } from "../../kernel/wire/Frame.ts"
import type { Language } from "./Language.ts"
import { type Reading, each, reservedNames, resolveNodes, valueOf } from "./Names.ts"
import type { NetworkSpec, NodeSpec } from "./Scenario.ts"
import type { Draft } from "./Shape.ts"
import { readClockRate, readRange, readShare, readTime } from "./Units.ts"

/** A good Wi-Fi network on one site. */
const defaultDelayMs = { min: 2, max: 20 }

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
    return {
      name,
      role: node?.role ?? "node",
      capabilities,
      clockSkewMs: valueOf(reading, [...path, "clock-skew"], node?.["clock-skew"], readTime) ?? 0,
      clockRatePpm: valueOf(reading, [...path, "clock-rate"], node?.["clock-rate"], readClockRate) ?? 0,
      ...(node?.["boots-in"] === undefined ? {} : { bootsIn1970: true }),
      ...(node?.generation === undefined ? {} : { generation: node.generation })
    }
  })
}

/** Planners and standby-planners in the order of the file, then the first field node as a witness. */
const defaultElectors = (roles: ReadonlyMap<string, Role | null>, mute: ReadonlySet<string>): ReadonlyArray<string> => {
  const names = [...roles.keys()].filter((name) => !mute.has(name))
  const planners = names.filter((name) => roles.get(name) === "planner" || roles.get(name) === "standby-planner")
  const witness = names.find((name) => roles.get(name) === "field")
  return witness === undefined ? planners : [...planners, witness]
}

export const readElectors = (
  reading: Reading,
  draft: Draft<Language["electors"]> | undefined
): ReadonlyArray<string> => {
  const { mistakes, mute, tree } = reading
  if (draft === undefined) return defaultElectors(reading.roles, mute)
  if (draft.length === 0)
    mistakes.add(tree.value(["electors"]), "the list is empty; write who may vote, or leave electors: out")
  const electors = new Set<string>()
  for (const { name, path } of each(draft, ["electors"])) {
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

export const readNetwork = (reading: Reading, draft: Draft<Language["network"]> | undefined): NetworkSpec => ({
  delayMs: valueOf(reading, ["network", "delay"], draft?.delay, readRange(readTime)) ?? defaultDelayMs,
  lossPpm: valueOf(reading, ["network", "loss"], draft?.loss, readShare) ?? 0,
  links: draft?.links ?? "everyone"
})

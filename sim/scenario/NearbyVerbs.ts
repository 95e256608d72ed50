/** What the verbs that strike discovery mean, beyond their form. */
import { type Reading, needsDiscovery, resolveNodes, resolveTargets, valueOf } from "./Names.ts"
import type { Verb } from "./Scenario.ts"
import type { StepDraft } from "./Timeline.ts"
import type { Path } from "./Tree.ts"
import { readCount } from "./Units.ts"

/** Each is a datagram at the same instant. */
const COPIES_MAX = 100

export const readAdvertise = (reading: Reading, advert: StepDraft["advertise"], at: Path): Verb | null => {
  if (advert === undefined) return null
  const { mistakes, tree } = reading
  const one = (name: string | undefined, key: string, words: ReadonlyArray<string> = []): string | undefined =>
    name === undefined ? undefined : resolveNodes(reading, name, tree.value([...at, key]), words)[0]
  needsDiscovery(reading, tree.key(at), "advertise")
  const node = one(advert.node, "node")
  const address = advert.address === "nowhere" ? null : one(advert.address, "address", ["nowhere"])
  if (address !== undefined && address === node)
    mistakes.add(
      tree.value([...at, "address"]),
      "there it is anyway: write another node, nowhere, or leave address: out"
    )
  const copies = valueOf(reading, [...at, "copies"], advert.copies, readCount)
  if (copies !== null && (copies.how !== "exactly" || copies.n === 0 || copies.n > COPIES_MAX))
    mistakes.add(tree.value([...at, "copies"]), `write exactly how many, from 1 to ${COPIES_MAX}`)
  const heard = advert["heard-by"]
  return {
    _tag: "advertise",
    node: node ?? "",
    incarnation: advert.incarnation ?? "current",
    ...(address === undefined ? {} : { address }),
    anotherMesh: advert.mesh === "another",
    copies: copies?.n ?? 1,
    heardBy: heard === undefined ? [{ word: "everyone" }] : resolveTargets(reading, heard, [...at, "heard-by"])
  }
}

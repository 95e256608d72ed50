/**
 * Who lives in a scenario's world: keys, the mesh they share, whom each trusts and where it may be dialled.
 *
 * The scenario makes the mesh key and the manifest; every node trusts every other in its role unless the scenario says by whom
 * it is trusted, and knows no keys but the device ids: keys are pinned at first use.
 */
import type { Config, StaticAddress, Trusted } from "../../kernel/Config.ts"
import { base64url } from "../../kernel/Draw.ts"
import { meshIdPreimage } from "../../kernel/identity/MeshId.ts"
import { u32 } from "../../kernel/Draw.ts"
import { compareText } from "../../kernel/Order.ts"
import { profiles } from "../../kernel/Profile.ts"
import type { FakeKeys, KeyPair } from "../keys/FakeKeys.ts"
import type { NodeSpec, Scenario } from "../scenario/Scenario.ts"

const MESH_NAME = "simulated"
const MANIFEST_VERSION = 1

/** Whether two nodes, by their places in the scenario, are neighbours. */
const neighbours = (links: Scenario["network"]["links"], a: number, b: number, count: number): boolean => {
  const apart = Math.abs(a - b)
  switch (links) {
    case "everyone":
      return true
    case "star":
      return a === 0 || b === 0
    case "line":
      return apart === 1
    case "ring":
      return apart === 1 || apart === count - 1
    case "none":
      return false
  }
}

export const populate = (scenario: Scenario, seed: number, keys: FakeKeys) => {
  const { network, nodes } = scenario
  const pairs = nodes.map((spec) => keys.make(seed, spec.sameKeyAs ?? spec.name))
  const places = new Map(nodes.map((spec, index) => [spec.name, index]))
  const reachable = (from: string, to: string): boolean => {
    const a = places.get(from)
    const b = places.get(to)
    // Whoever is not in the scenario was put there by a test, next to everybody.
    return a === undefined || b === undefined || neighbours(network.links, a, b, nodes.length)
  }
  const electors = scenario.electors.map((name) => pairs[places.get(name) ?? 0]!.deviceId).sort(compareText)
  const meshKey = base64url(seed, "mesh-key", MESH_NAME, 0, 32)
  // The world has no SHA-256; a mesh id only has to be the same for all.
  const meshId = u32(seed, "mesh-id", meshIdPreimage(MESH_NAME), 0).toString(16).padStart(64, "0")
  const addressFor = (self: NodeSpec, { name }: NodeSpec): string | null =>
    network.discovery !== "only" && reachable(self.name, name) ? name : null
  /** All devices but its own; two nodes with one key are one device, which is where the first of them is. */
  const othersOf = (self: NodeSpec) =>
    nodes
      .map((spec, index) => ({ spec, deviceId: pairs[index]!.deviceId, address: addressFor(self, spec) }))
      .filter(({ spec }) => spec.sameKeyAs === undefined && spec.name !== (self.sameKeyAs ?? self.name))
      .sort((a, b) => compareText(a.deviceId, b.deviceId))
  const trustedBy = (self: NodeSpec): ReadonlyArray<Trusted> =>
    othersOf(self)
      .filter(({ spec }) => spec.trustedBy?.includes(self.name) !== false)
      .map(({ address, deviceId, spec }) => ({ deviceId, role: spec.role, gen1: false, publicKey: null, address }))
  const peersOf = (self: NodeSpec): ReadonlyArray<StaticAddress> =>
    othersOf(self).flatMap(({ address, deviceId }) =>
      address === null ? [] : [{ deviceId, address, fingerprint: null, label: null }]
    )
  const configs = nodes.map((spec, index): { spec: NodeSpec; keys: KeyPair; config: Config } => {
    const pair = pairs[index]!
    return {
      spec,
      keys: pair,
      config: {
        seed: u32(seed, "node-seed", spec.name, 0),
        deviceId: pair.deviceId,
        publicKey: pair.publicKey,
        displayName: spec.name,
        role: spec.role,
        capabilities: spec.capabilities,
        meshId,
        meshKey,
        profile: { ...profiles[scenario.profile], ...scenario.timing },
        peers: peersOf(spec),
        trusted: trustedBy(spec),
        manifest: { version: MANIFEST_VERSION, electors }
      }
    }
  })
  return { configs, reachable }
}

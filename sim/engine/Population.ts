/**
 * Who lives in a scenario's world: keys, the mesh they share, whom each trusts and where it may be dialled.
 *
 * The scenario makes the mesh key and the manifest; every node trusts every other in its role, and knows no keys but the
 * device ids: keys are pinned at first use.
 */
import type { Config, Trusted } from "../../kernel/Config.ts"
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
  const pairs = nodes.map((spec) => keys.make(seed, spec.name))
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
  const trustedBy = (self: NodeSpec): ReadonlyArray<Trusted> =>
    nodes
      .map((spec, index) => ({
        deviceId: pairs[index]!.deviceId,
        role: spec.role,
        gen1: false,
        publicKey: null,
        address: network.discovery !== "only" && reachable(self.name, spec.name) ? spec.name : null
      }))
      .filter((_, index) => nodes[index] !== self)
      .sort((a, b) => compareText(a.deviceId, b.deviceId))
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
        profile: profiles[scenario.profile],
        trusted: trustedBy(spec),
        manifest: { version: MANIFEST_VERSION, electors }
      }
    }
  })
  return { configs, reachable }
}

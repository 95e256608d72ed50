/**
 * Who lives in a scenario's world: keys, the mesh they share, whom each trusts and where it may be dialled.
 *
 * The scenario makes the mesh key and the manifest; every node trusts every other in its role unless the scenario says by whom
 * it is trusted, and knows no keys but the device ids: keys are pinned at first use. Devices of generation 1 are trusted as such;
 * each of them dials some of the others, is dialled by some, and with some it is both.
 */
import { actuatorsOf } from "./Hardware.ts"
import { leadRank, type Config, type StaticAddress, type Trusted } from "../../kernel/Config.ts"
import { base64url, u32 } from "../../kernel/Draw.ts"
import { meshIdPreimage } from "../../kernel/identity/MeshId.ts"
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

/** A person has the same key everywhere. */
const PERSON = "person "

export const populate = (scenario: Scenario, seed: number, keys: FakeKeys) => {
  const { network, nodes } = scenario
  const pairs = nodes.map((spec) => keys.make(seed, spec.sameKeyAs ?? spec.name))
  const inside = nodes.filter(({ beside }) => beside !== true)
  const places = new Map(inside.map((spec, index) => [spec.name, index]))
  const kernels = nodes.filter(({ generation }) => generation !== 1)
  const reachable = (from: string, to: string): boolean => {
    const a = places.get(from)
    const b = places.get(to)
    // Whoever is not in the scenario was put beside it, next to everybody.
    return a === undefined || b === undefined || neighbours(network.links, a, b, inside.length)
  }
  const persons = (scenario.persons ?? []).map((name) => ({ name, keys: keys.make(seed, `${PERSON}${name}`) }))
  const electors = scenario.electors
    .map((name) => pairs[nodes.findIndex((spec) => spec.name === name)]!.deviceId)
    .sort(compareText)
  const meshKey = base64url(seed, "mesh-key", MESH_NAME, 0, 32)
  // The world has no SHA-256; a mesh id only has to be the same for all.
  const meshId = u32(seed, "mesh-id", meshIdPreimage(MESH_NAME), 0).toString(16).padStart(64, "0")
  /** Whether `from` is told where `to` is. Of a device of generation 1 and the others, each third is told so differently. */
  const dials = (from: NodeSpec, to: NodeSpec): boolean => {
    if (!reachable(from.name, to.name)) return false
    if (from.generation !== 1 && to.generation !== 1) return true
    if (from.generation === to.generation) return false
    const [device, kernel] = from.generation === 1 ? [from, to] : [to, from]
    const lot = (u32(seed, "gen1-ways", device.name, 0) + kernels.indexOf(kernel)) % 3
    return lot === 0 || (lot === 1) === (from === device)
  }
  const addressFor = (self: NodeSpec, other: NodeSpec): string | null =>
    network.discovery !== "only" && dials(self, other) ? other.name : null
  /** All devices but its own; two nodes with one key are one device, which is where the first of them is. */
  const othersOf = (self: NodeSpec) =>
    nodes
      .map((spec, index) => ({ spec, deviceId: pairs[index]!.deviceId, address: addressFor(self, spec) }))
      .filter(({ spec }) => spec.sameKeyAs === undefined && spec.name !== (self.sameKeyAs ?? self.name))
      .sort((a, b) => compareText(a.deviceId, b.deviceId))
  const trustedBy = (self: NodeSpec): ReadonlyArray<Trusted> =>
    othersOf(self)
      .filter(({ spec }) => spec.trustedBy?.includes(self.name) !== false)
      .map(({ address, deviceId, spec }) => ({
        deviceId,
        role: spec.role,
        gen1: spec.generation === 1,
        publicKey: null,
        address
      }))
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
        actuators: actuatorsOf(spec),
        ...(persons.length === 0
          ? {}
          : { persons: persons.map(({ keys: { publicKey }, name }) => ({ name, publicKey })) }),
        ...(spec.model === undefined ? {} : { model: spec.model.name }),
        ...(scenario.rules === undefined || leadRank(spec.role) === null ? {} : { rules: scenario.rules }),
        meshId,
        meshKey,
        profile: { ...profiles[scenario.profile], ...scenario.timing },
        peers: peersOf(spec),
        trusted: trustedBy(spec),
        manifest: { version: MANIFEST_VERSION, electors }
      }
    }
  })
  return {
    configs,
    operator: keys.of(meshKey, seed),
    reachable,
    persons: new Map(persons.map((person) => [person.name, person.keys]))
  }
}

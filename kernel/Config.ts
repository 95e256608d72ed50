/**
 * What a node is told: who it is, whom it trusts, where they may be reached, and who elects. The seed makes its draws its own.
 * While a node runs whom it trusts changes, at its operator's word (identity/Trust.ts), and who elects, at the word of the operator key
 * (leadership/Manifest.ts).
 */
import type { Actuator } from "./actuation/Actuator.ts"
import type { Rule } from "./planning/Rule.ts"
import type { Profile } from "./Profile.ts"
import type { DeviceId, Role, ShownManifest } from "./wire/Frame.ts"

/** A device that the operator trusts, with the role that it may have (B10, B13). */
export interface Trusted {
  readonly deviceId: DeviceId
  readonly role: Role
  /**
   * It is a device of generation 1, and may log in without the kernel extension. Any other may not, met before or not: without
   * the extension its words could be those that it once said to somebody else.
   */
  readonly gen1: boolean
  /** Raw key as base64url, where the operator gave it; `null`: pinned at first use. */
  readonly publicKey: string | null
  /** What it may move, where whoever invited it said so: `actuator:pump-3`; absent: whatever it says (P19.9). */
  readonly may?: ReadonlyArray<string>
  /** Where it may be dialled; `null`: we only wait for it. */
  readonly address: string | null
  /** SHA-256 of the certificate that it shows there, where that is not its identity key's (B16). */
  readonly fingerprint?: string | null
  /** What the operator calls the transport there (B16); without one it is judged by its address. */
  readonly label?: string | null
}

/** A person, by the key that is that person's own (B33). */
export interface Person {
  readonly name: string
  /** Raw Ed25519 key, base64url without padding. */
  readonly publicKey: string
}

/** Who elects (mesh protocol, leadership). The list is sorted by device id. */
export interface Manifest {
  readonly version: number
  readonly electors: ReadonlyArray<DeviceId>
  /** The word of the operator that it is, to be shown to others; absent: it is as each node was configured. */
  readonly shown?: ShownManifest
}

/** Where a device may be dialled, as the operator configured it (B16). */
export interface StaticAddress {
  readonly deviceId: DeviceId
  readonly address: string
  readonly fingerprint: string | null
  readonly label: string | null
}

export interface Config {
  readonly seed: number
  readonly deviceId: DeviceId
  /** Raw Ed25519 key, base64url without padding. */
  readonly publicKey: string
  readonly displayName: string
  readonly role: Role
  readonly capabilities: ReadonlyArray<string>
  readonly meshId: string
  /** The operator key that made the mesh: two farms of one name do not match. */
  readonly meshKey: string
  readonly profile: Profile
  /** Configured addresses of devices, trusted or not yet. */
  readonly peers?: ReadonlyArray<StaticAddress>
  /** Sorted by device id; without ourselves. What the journal says of a device comes before what is configured here. */
  readonly trusted: ReadonlyArray<Trusted>
  readonly manifest: Manifest
  /** What it owns that moves; absent: nothing. */
  readonly actuators?: ReadonlyArray<Actuator>
  /** What it proposes by itself while it leads, of a planner; absent: nothing. */
  readonly rules?: ReadonlyArray<Rule>
  /** The language model that rules may ask, by its name; absent: there is none, and what asks is passed over. */
  readonly model?: string
  /** Whose decisions count here, each signed with a key of these; absent or empty: anybody's at a device that is trusted. */
  readonly persons?: ReadonlyArray<Person>
  /** How much of the logs of all devices it holds; absent: as much as `world/Holding.ts` says. */
  readonly world?: { readonly frames: number; readonly bytes: number }
}

/** Generations of the protocol that this kernel speaks (B9). */
export const GENERATIONS: readonly [number, number] = [1, 1]
/** Extensions that this kernel offers to others. */
export const FEATURES: ReadonlyArray<string> = ["membership/1", "leadership/1", "world/1"]

export const trustedDevice = (config: Config, deviceId: DeviceId): Trusted | undefined =>
  config.trusted.find((device) => device.deviceId === deviceId)

/** Whether we believe a device that it has this capability: what moves something it has to be granted, where anything was (P19.9). */
export const mayHave = (config: Config, deviceId: DeviceId, capability: string): boolean => {
  const may = capability.startsWith("actuator:") ? trustedDevice(config, deviceId)?.may : undefined
  return may === undefined || may.includes(capability)
}

/** What has to be shown where this device is dialled: its identity key, unless it is of generation 1 (B19). */
export const pinOf = (device: Trusted): "device" | "fingerprint" | "none" =>
  !device.gen1 ? "device" : device.fingerprint == null ? "none" : "fingerprint"

/** Observers accuse and clear others; viewers only look (B14). */
export const observes = (role: Role): boolean => role !== "viewer"

/** Rank among those who may lead: planners before standby planners (B22); `null`: may not lead. */
export const leadRank = (role: Role): number | null => (role === "planner" ? 0 : role === "standby-planner" ? 1 : null)

/** Those that carry for others: they hand frames on, give what others missed, and forward (B14). */
export const carries = (role: Role): boolean =>
  role === "node" || role === "field" || role === "planner" || role === "standby-planner"

export const roleOf = (config: Config, deviceId: DeviceId): Role | undefined =>
  deviceId === config.deviceId ? config.role : trustedDevice(config, deviceId)?.role

/**
 * Context frames: what a device saw, was told or concluded, as it travels (PROTOCOL.md part 14; B38).
 *
 * A frame is judged whole, here, before anything looks at it. What we do not know in it is kept and goes on as it came, so that
 * a later generation's members survive us; so a frame is the object that was parsed, never a copy of what we know of it.
 *
 * Promises: total and pure. A frame that passes names its origin, its kind and its trust, and these fit each other: the tier is
 * no higher than its kind can be, and what rests on a language model alone is T0.
 *
 * Source of the canonical form: RFC 8785 (JSON Canonicalization Scheme), whose numbers and strings are those of ECMAScript.
 */
import { isDeviceId } from "../identity/MeshId.ts"
import type { Code } from "./Codes.ts"
import { COUNTER_MAX, CONTEXT_DATA_BYTES_MAX, FIELD_CHARS_MAX, ID_UNITS_MAX } from "./Limits.ts"
import { utf8Bytes } from "./Utf8.ts"

export const kinds = [
  "observation",
  "event",
  "human_input",
  "inference",
  "capability_update",
  "agent_response"
] as const
export type Kind = (typeof kinds)[number]

export const sources = ["llm", "sensor", "device", "human", "mixed"] as const
export type EvidenceSource = (typeof sources)[number]

/** From the weakest to the strongest. */
export const tiers = [
  "T0_planning_inference",
  "T1_unverified_observation",
  "T2_operational_observation",
  "T3_verified_action_evidence"
] as const
export type Tier = (typeof tiers)[number]

export interface FrameTrust {
  readonly evidence_sources: ReadonlyArray<EvidenceSource>
  readonly evidence_trust_tier: Tier
}

/** What a kernel peer adds: its place in the log of its origin, and the origin's word for all of it. */
export interface FrameProof {
  readonly incarnation: number
  /** From 1, without holes, in each incarnation. */
  readonly seq: number
  /** Of the origin: raw, base64url. Its hash is the origin's id. */
  readonly publicKey: string
  /** Since it was seen at its origin, ms, by the clocks of those who held it. Not signed. */
  readonly ageMs: number
  readonly signature: string
  /** Frames that it follows from. */
  readonly causes?: ReadonlyArray<string>
}

/** A plain object as it was parsed. */
export type Plain = { readonly [key: string]: unknown }

export interface ContextFrame {
  readonly gen?: number
  readonly kind: Kind
  readonly frameId: string
  readonly sourceDeviceId: string
  readonly sourceDisplayName?: string
  /** Wall clock of the origin, ms: shown, and never compared between origins. */
  readonly timestamp: number
  readonly data: Plain
  readonly trust: FrameTrust
  readonly note?: string
  readonly hops: number
  readonly kernel?: FrameProof
}

/** Every member that we know; others are kept. */
export const contextMembers: ReadonlyArray<keyof ContextFrame> = [
  "gen",
  "kind",
  "frameId",
  "sourceDeviceId",
  "sourceDisplayName",
  "timestamp",
  "data",
  "trust",
  "note",
  "hops",
  "kernel"
]

/** The highest tier that a kind can have, and what our own frames of it rest on. */
const construction: { readonly [K in Kind]: { readonly tier: Tier; readonly source: EvidenceSource } } = {
  observation: { tier: "T2_operational_observation", source: "sensor" },
  event: { tier: "T2_operational_observation", source: "device" },
  human_input: { tier: "T3_verified_action_evidence", source: "human" },
  inference: { tier: "T0_planning_inference", source: "llm" },
  capability_update: { tier: "T1_unverified_observation", source: "device" },
  agent_response: { tier: "T0_planning_inference", source: "llm" }
}

/** The trust of a frame of ours: nobody chooses it. */
export const trustOf = (kind: Kind): FrameTrust => ({
  evidence_sources: [construction[kind].source],
  evidence_trust_tier: construction[kind].tier
})

/** Frames that one frame may name as its causes. */
export const CAUSES_MAX = 8
/** Hops after which a frame is handed on no more. */
export const HOPS_MAX = 3
/** What a person or a program says beside the data, in UTF-16 units. */
export const NOTE_UNITS_MAX = 4_096

export const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isText = (value: unknown, max: number): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= max
const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= COUNTER_MAX

const isDevice = (value: unknown): boolean => typeof value === "string" && isDeviceId(value)

const isProof = (proof: unknown): boolean =>
  isPlain(proof) &&
  isCount(proof["incarnation"]) &&
  isCount(proof["seq"]) &&
  proof["seq"] > 0 &&
  proof["incarnation"] > 0 &&
  isText(proof["publicKey"], FIELD_CHARS_MAX) &&
  isCount(proof["ageMs"]) &&
  isText(proof["signature"], FIELD_CHARS_MAX) &&
  (proof["causes"] === undefined || isCauses(proof["causes"]))

export const isCauses = (causes: unknown): causes is ReadonlyArray<string> =>
  Array.isArray(causes) && causes.length <= CAUSES_MAX && causes.every((id) => isText(id, ID_UNITS_MAX))

/** Why a trust label cannot stand on a frame of this kind; `null`: it can. */
const judgeTrust = (kind: Kind, trust: unknown): Code | null => {
  if (!isPlain(trust)) return "TRUST_METADATA_REQUIRED"
  const evidence = trust["evidence_sources"]
  const tier = tiers.indexOf(trust["evidence_trust_tier"] as Tier)
  if (evidence === undefined || trust["evidence_trust_tier"] === undefined) return "TRUST_METADATA_REQUIRED"
  if (tier < 0 || !Array.isArray(evidence) || evidence.length === 0 || evidence.length > sources.length)
    return "INVALID_TRUST_POLICY"
  if (!evidence.every((source) => sources.includes(source as EvidenceSource))) return "INVALID_TRUST_POLICY"
  if (tier > tiers.indexOf(construction[kind].tier)) return "INVALID_TRUST_POLICY"
  if (tier > 0 && evidence.every((source) => source === "llm")) return "INVALID_TRUST_POLICY"
  return kind === "human_input" && tier === 3 && !evidence.includes("human") ? "INVALID_TRUST_POLICY" : null
}

const isShaped = (frame: Plain): boolean =>
  kinds.includes(frame["kind"] as Kind) &&
  isText(frame["frameId"], ID_UNITS_MAX) &&
  isDevice(frame["sourceDeviceId"]) &&
  Number.isSafeInteger(frame["timestamp"]) &&
  isPlain(frame["data"]) &&
  isCount(frame["hops"]) &&
  (frame["gen"] === undefined || isCount(frame["gen"])) &&
  (frame["sourceDisplayName"] === undefined || typeof frame["sourceDisplayName"] === "string") &&
  (frame["note"] === undefined || (typeof frame["note"] === "string" && frame["note"].length <= NOTE_UNITS_MAX)) &&
  (frame["kernel"] === undefined || isProof(frame["kernel"]))

export type FrameCode = "INVALID_PARAMS" | "TRUST_METADATA_REQUIRED" | "INVALID_TRUST_POLICY" | "DATA_TOO_LARGE"

/** Which code refuses this as a context frame; `null`: it is one. `units`: of the text that it came in, if that is known. */
export const judge = (frame: unknown, units = Number.MAX_SAFE_INTEGER): FrameCode | null => {
  if (!isPlain(frame) || !isShaped(frame)) return "INVALID_PARAMS"
  const trust = judgeTrust(frame["kind"] as Kind, frame["trust"]) as FrameCode | null
  if (trust !== null) return trust
  // Three bytes a unit at most.
  return units * 3 > CONTEXT_DATA_BYTES_MAX && dataBytes(frame["data"] as Plain) > CONTEXT_DATA_BYTES_MAX
    ? "DATA_TOO_LARGE"
    : null
}

export const isContextFrame = (frame: unknown): frame is ContextFrame => judge(frame) === null

/** Serialised, in UTF-8 bytes. */
const dataBytes = (data: Plain): number => utf8Bytes(JSON.stringify(data))

/** RFC 8785: members in the order of their names' code units, and nothing besides. */
export const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`
  if (!isPlain(value)) return JSON.stringify(value)
  let text = "{"
  for (const key of Object.keys(value).sort()) {
    const member = value[key]
    if (member === undefined) continue
    if (text.length > 1) text += ","
    text += `${JSON.stringify(key)}:${canonical(member)}`
  }
  return `${text}}`
}

const DOMAIN = "clawmesh|frame|1"

/** What the origin signs: everything but what changes on the way. */
export const signedText = (frame: ContextFrame, meshId: string, meshKey: string): string => {
  const { hops: _, kernel, ...said } = frame
  const { ageMs: __, signature: ___, ...proof } = kernel!
  return `${DOMAIN}|${encodeURIComponent(meshId)}|${encodeURIComponent(meshKey)}|${canonical({ ...said, kernel: proof })}`
}

/** As it goes on: one hop further, and older by what it stayed with us. Everything else as it came. */
export const relayed = (frame: ContextFrame, hops: number, ageMs: number): ContextFrame =>
  frame.kernel === undefined ? { ...frame, hops } : { ...frame, hops, kernel: { ...frame.kernel, ageMs } }

/** Where it belongs in the world: one entry a source, kind, zone and metric (B38). */
export const keyOf = ({ data, kind }: Pick<ContextFrame, "data" | "kind">): string => {
  const zone = part(data["zone"])
  return `${kind}|${zone.length}|${zone}|${part(data["metric"])}`
}

/** Of a zone or a metric, in UTF-16 units. */
const PART_UNITS_MAX = 128
const part = (value: unknown): string => (typeof value === "string" ? value.slice(0, PART_UNITS_MAX) : "")

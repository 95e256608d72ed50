/**
 * What this device says itself: it gets the next number, is signed, and only then held and told. Numbers are given where the
 * signature is asked for, one batch at a time; a key that refuses uses none up, so that no log has a hole at its origin.
 */
import type { Input } from "../Input.ts"
import type { Links } from "../links/Link.ts"
import { note, type Turn } from "../Turn.ts"
import { isCauses, NOTE_UNITS_MAX, signedText, trustOf, type ContextFrame } from "../wire/ContextFrame.ts"
import { GENERATIONS } from "../Config.ts"
import { isReserved } from "../proposals/Proposal.ts"
import { ID_UNITS_MAX } from "../wire/Limits.ts"
import { utf8Bytes } from "../wire/Utf8.ts"
import { hold } from "./Holding.ts"
import { ownRefusal, SIGNED_BYTES_MAX } from "./Receiving.ts"
import { publish } from "./Spreading.ts"
import { TICKETS_FROM, type Draft, type World } from "./World.ts"

/** Signatures asked for at once. */
export const SIGNING_MAX = 64
/** Frames that wait to be signed. */
export const DRAFTS_MAX = 1_024
/** Names, a signature and a key. */
const ENVELOPE_BYTES = 1_024

type Sensed = Extract<Input, { readonly _tag: "Sensed" }>

/** Something to say. It waits for the key, and before a boot is over for that. `own`: it is the node itself that says it. */
export const onSensed = (world: World, sensed: Sensed, turn: Turn, own = false): World => {
  const code = refusalOf(world, sensed, own, turn)
  if (code !== null) {
    turn.facts.push({ _tag: "Refused", code: code.code })
    note(turn, { event: "frame.refused", about: turn.config.deviceId, code: code.code, reason: code.reason })
    return world
  }
  const { causes, data, frameId, kind, note: said } = sensed
  const draft: Draft = {
    frameId,
    kind,
    data,
    ...(said === undefined ? {} : { note: said }),
    ...(causes === undefined || causes.length === 0 ? {} : { causes }),
    timestamp: turn.at.wall,
    bornAt: turn.at.mono
  }
  return { ...world, drafts: [...world.drafts, draft] }
}

/** First of all it says what it can do: others may have no link with it (B41). */
export const announced = (world: World, turn: Turn): World => {
  const { capabilities, role } = turn.config
  if (capabilities.length === 0 || ownRefusal(role, "capability_update") !== null) return world
  const draft: Draft = {
    // Random for each boot.
    frameId: `capabilities-${turn.bootId}-${turn.incarnation}`,
    kind: "capability_update",
    data: { capabilities: capabilities.map((id) => ({ id, health: "healthy" })) },
    timestamp: turn.at.wall,
    bornAt: turn.at.mono
  }
  return { ...world, drafts: [draft, ...world.drafts].slice(0, DRAFTS_MAX) }
}

const refusalOf = (world: World, { causes, data, frameId, kind, note: said }: Sensed, own: boolean, turn: Turn) => {
  const code = ownRefusal(turn.config.role, kind)
  if (code !== null) return { code, reason: `a ${turn.config.role} says no ${kind}` }
  if (!own && isReserved(data))
    return { code: "NOT_AUTHORIZED" as const, reason: "what is said of proposals is said by proposing and deciding" }
  if (frameId.length > ID_UNITS_MAX || (said ?? "").length > NOTE_UNITS_MAX || !isCauses(causes ?? []))
    return { code: "INVALID_PARAMS" as const, reason: "its id, its note or its causes are too long" }
  if (utf8Bytes(JSON.stringify(data)) + utf8Bytes(said ?? "") > SIGNED_BYTES_MAX - ENVELOPE_BYTES)
    return { code: "DATA_TOO_LARGE" as const, reason: "its data is larger than what a lane carries" }
  return world.drafts.length >= DRAFTS_MAX
    ? { code: "RATE_LIMITED" as const, reason: "too much waits to be signed" }
    : null
}

/** Asks for the next signatures, if none are asked for. */
export const sign = (world: World, turn: Turn): World => {
  if (world.signing !== null || world.drafts.length === 0) return world
  const { deviceId, displayName, meshId, meshKey, publicKey } = turn.config
  const frames = world.drafts.slice(0, SIGNING_MAX).map((draft, i): ContextFrame => ({
    gen: GENERATIONS[1],
    kind: draft.kind,
    frameId: draft.frameId,
    sourceDeviceId: deviceId,
    ...(displayName === "" ? {} : { sourceDisplayName: displayName }),
    timestamp: draft.timestamp,
    data: draft.data,
    trust: trustOf(draft.kind),
    ...(draft.note === undefined ? {} : { note: draft.note }),
    hops: 0,
    kernel: {
      incarnation: turn.incarnation,
      seq: world.seq + i + 1,
      publicKey,
      ageMs: 0,
      signature: "",
      ...(draft.causes === undefined ? {} : { causes: draft.causes })
    }
  }))
  const ticket = TICKETS_FROM + world.tickets
  turn.out.push({ _tag: "Sign", ticket, payloads: frames.map((frame) => signedText(frame, meshId, meshKey)) })
  return { ...world, tickets: world.tickets + 1, signing: { ticket, frames } }
}

export const onSigned = (world: World, signatures: ReadonlyArray<string> | null, links: Links, turn: Turn): World => {
  const { frames } = world.signing!
  const rest: World = { ...world, signing: null, drafts: world.drafts.slice(frames.length) }
  if (signatures === null || signatures.length < frames.length) {
    turn.facts.push({ _tag: "Refused", code: "INTERNAL_ERROR" })
    note(turn, {
      event: "frame.refused",
      about: turn.config.deviceId,
      code: "INTERNAL_ERROR",
      reason: `the key does not sign: ${frames.length} of our own frames are lost`
    })
    return rest
  }
  let next: World = { ...rest, seq: world.seq + frames.length }
  frames.forEach((frame, i) => {
    const ageMs = Math.max(0, turn.at.mono - world.drafts[i]!.bornAt)
    const signed = { ...frame, kernel: { ...frame.kernel!, ageMs, signature: signatures[i]! } }
    next = hold(next, signed, utf8Bytes(JSON.stringify(signed)), turn.config, turn.at.mono)
    publish(signed, links, turn)
  })
  return next
}

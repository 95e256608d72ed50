/**
 * Frames that come from peers, until they are found good (P14.3): nothing of them is held or handed on before that.
 *
 * A frame of a kernel peer has its origin's signature, which is checked by a command; whoever carried it can neither make nor
 * change it. One of generation 1 is nobody's word but that of the link that it came over: it is evidence only where that is its
 * source's own, and nobody may speak so in the name of a device that can sign.
 */
import { carries, GENERATIONS, roleOf, trustedDevice } from "../Config.ts"
import { calendarOf, speaksGen1 } from "../links/Gen1.ts"
import { indexOfContact, type Links } from "../links/Link.ts"
import { GEN1_CLOCK_WINDOW_MS } from "../Profile.ts"
import { note, type Turn } from "../Turn.ts"
import type { Code } from "../wire/Codes.ts"
import { signedText, type ContextFrame, type Kind } from "../wire/ContextFrame.ts"
import type { DeviceId, Role } from "../wire/Frame.ts"
import { LANE_FRAME_BYTES_MAX } from "../wire/Limits.ts"
import { utf8Bytes } from "../wire/Utf8.ts"
import { hold, holdUnsigned, isKnown } from "./Holding.ts"
import * as Origin from "./Origin.ts"
import { originOf, TICKETS_FROM, type Checking, type Page, type World } from "./World.ts"

/** Frames of one link that wait for the key store. */
export const CHECKING_MAX = 256

/** A signed frame, serialised, with room for what one message adds: it has to pass the lanes of live and bulk data. */
export const SIGNED_BYTES_MAX = LANE_FRAME_BYTES_MAX - 1_024

/** What a device in this role may say of its own (B14). */
const mayOriginate = (role: Role, kind: Kind): boolean => {
  if (role === "viewer") return false
  if (role !== "sensor" && role !== "actuator") return true
  return kind === "observation" || kind === "event" || kind === "capability_update"
}

/** Why the owner of this node may not say this; `null`: it may. */
export const ownRefusal = (role: Role, kind: Kind): Code | null => (mayOriginate(role, kind) ? null : "NOT_AUTHORIZED")

export const refuse = (turn: Turn, code: Code, peer: DeviceId, link: number, reason: string): void => {
  turn.facts.push({ _tag: "Refused", code })
  note(turn, { event: "frame.refused", code, about: peer, link, reason })
}

/** Why a frame that this peer brings is not looked at; `null`: it is. */
const refusal = (
  frame: ContextFrame,
  peer: DeviceId,
  turn: Turn
): { readonly code: Code; readonly reason: string } | null => {
  const { config } = turn
  const gen = frame.gen ?? 1
  if (gen < GENERATIONS[0] || gen > GENERATIONS[1])
    return { code: "UNSUPPORTED_GENERATION", reason: `a frame of generation ${gen}` }
  const source = frame.sourceDeviceId
  const by = roleOf(config, peer)
  if (by === undefined || (source !== peer && !carries(by)))
    return { code: "NOT_AUTHORIZED", reason: "this device hands on no frames of others" }
  const role = roleOf(config, source)
  if (role === undefined) return { code: "UNTRUSTED_PEER", reason: `a frame of ${source.slice(0, 12)}` }
  return mayOriginate(role, frame.kind)
    ? null
    : { code: "NOT_AUTHORIZED", reason: `no ${frame.kind} may come of ${source.slice(0, 12)}` }
}

/** A frame came live. What is good is handed to `spread`. */
export const onFrame = (
  world: World,
  frame: ContextFrame,
  peer: DeviceId,
  link: number,
  links: Links,
  turn: Turn,
  spread: (frame: ContextFrame, link: number) => void
): World => {
  const refused = refusal(frame, peer, turn)
  if (refused !== null) {
    refuse(turn, refused.code, peer, link, refused.reason)
    return world
  }
  // Our own come back to us; nobody else can say anything in our name, and a life before this one is asked for.
  if (frame.sourceDeviceId === turn.config.deviceId) return world
  return frame.kernel === undefined
    ? onUnsigned(world, frame, peer, link, links, turn, spread)
    : onSigned(world, frame, peer, link, turn)
}

const onSigned = (world: World, frame: ContextFrame, peer: DeviceId, link: number, turn: Turn): World => {
  if (isKnown(world, frame)) return world
  const { signature } = frame.kernel!
  let waiting = 0
  for (const other of world.checking) {
    // The same from another side. A false one of that signature costs us the true one, until the logs are compared.
    if (other.page === null && other.frames[0]!.kernel!.signature === signature) return world
    if (other.link === link) waiting++
  }
  if (waiting < CHECKING_MAX) return check(world, [frame], peer, link, null, turn) ?? world
  turn.facts.push({ _tag: "Refused", code: "RATE_LIMITED" })
  return world
}

/** Has them checked; `null`: one of them is too large, and none is taken. */
export const check = (
  world: World,
  frames: ReadonlyArray<ContextFrame>,
  peer: DeviceId,
  link: number,
  page: Page | null,
  turn: Turn
): World | null => {
  const { meshId, meshKey } = turn.config
  const proofs = frames.map((frame) => ({
    payload: signedText(frame, meshId, meshKey),
    signature: frame.kernel!.signature
  }))
  const bytes = proofs.map(({ payload }) => utf8Bytes(payload))
  if (bytes.some((size) => size > SIGNED_BYTES_MAX)) {
    refuse(turn, "DATA_TOO_LARGE", peer, link, "a signed frame beyond what a lane carries")
    return null
  }
  const ticket = TICKETS_FROM + world.tickets
  turn.out.push({ _tag: "Check", ticket, publicKey: frames[0]!.kernel!.publicKey, proofs })
  const checking: Checking = { ticket, frames, bytes, link, peer, at: turn.at.mono, page }
  return { ...world, tickets: world.tickets + 1, checking: [...world.checking, checking] }
}

/** Which of them their origin signed. */
export const good = (
  { frames }: Checking,
  deviceId: DeviceId | null,
  valid: ReadonlyArray<boolean>
): ReadonlyArray<boolean> => frames.map((frame, i) => frame.sourceDeviceId === deviceId && valid[i] === true)

/** A live frame was checked. */
export const onChecked = (
  world: World,
  checking: Checking,
  isGood: boolean,
  turn: Turn,
  spread: (frame: ContextFrame, link: number) => void
): World => {
  const [frame] = checking.frames
  if (!isGood) {
    refuse(turn, "AUTH_FAILED", checking.peer, checking.link, "its origin did not sign this frame")
    return world
  }
  // Between the question and the answer the operator may have changed its mind, or it came in another way.
  if (roleOf(turn.config, frame!.sourceDeviceId) === undefined || isKnown(world, frame!)) return world
  const next = hold(world, frame!, checking.bytes[0]!, turn.config, checking.at)
  spread(frame!, checking.link)
  return next
}

const onUnsigned = (
  world: World,
  frame: ContextFrame,
  peer: DeviceId,
  link: number,
  links: Links,
  turn: Turn,
  spread: (frame: ContextFrame, link: number) => void
): World => {
  const source = frame.sourceDeviceId
  const device = trustedDevice(turn.config, source)
  if (device === undefined || !speaksGen1(turn.pins, device)) {
    refuse(turn, "AUTH_FAILED", peer, link, `unsigned, and ${source.slice(0, 12)} can sign`)
    return world
  }
  const direct = source === peer
  const origin = originOf(world, source) ?? Origin.begun(source)
  const known = Origin.isSeen(origin, frame, direct)
  // What others brought first they can have changed, and it is no evidence.
  if (known && !(direct && Origin.isByHearsay(origin, frame.frameId))) return world
  if (isOfTheFuture(frame, links, turn)) {
    refuse(turn, "INVALID_PARAMS", peer, link, "its timestamp is in the future")
    return world
  }
  const next = holdUnsigned(world, frame, direct, turn.at.mono)
  if (!known) spread(frame, link)
  return next
}

/** Beyond what the clock of its source says, as far as that was ever met. */
const isOfTheFuture = ({ sourceDeviceId, timestamp }: ContextFrame, { contacts }: Links, turn: Turn): boolean => {
  const aheadMs = contacts[indexOfContact(contacts, sourceDeviceId)]?.aheadMs ?? null
  return aheadMs !== null && timestamp > calendarOf(turn, sourceDeviceId, aheadMs) + GEN1_CLOCK_WINDOW_MS
}

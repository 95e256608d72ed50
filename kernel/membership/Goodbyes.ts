/**
 * Signed goodbyes (mesh protocol, membership 9 and 10; B1): a device that leaves signs that it leaves in this incarnation, and
 * anybody may hand that on, now or later, to those who could not hear it. For that incarnation it is final: nothing that is
 * said of the device, and no session in it, brings it back; a higher incarnation does.
 *
 * Promises: of each device that is trusted the goodbye of the highest incarnation is kept, for as long as the device is
 * trusted, and no other. So the table is bounded by the trust store, never has to agree on a time at which to forget, and nodes
 * that exchange heartbeats come to hold the same (their fingerprint is part of that of the rows, Rows.ts). A signature is
 * checked once, by a command: until its answer nothing is changed, and a false one is counted and forgotten.
 *
 * Does not outlive the process: a node that restarts hears from the others who has left, or does not know it any more.
 */
import { trustedDevice } from "../Config.ts"
import { u32 } from "../Draw.ts"
import { goodbyeString } from "../identity/Handshake.ts"
import type { Checked } from "../Input.ts"
import { compareText } from "../Order.ts"
import { send, type Turn } from "../Turn.ts"
import { GOODBYES_A_FRAME, type DeviceId, type Goodbye } from "../wire/Frame.ts"

/** Signatures that may be out for checking; what comes meanwhile comes again, as long as fingerprints differ. */
export const CHECKING_MAX = 16
/** Above every number of a link, which is the ticket of its handshake. The first is for our own goodbye. */
export const LEAVE_TICKET = 2 ** 40

interface Checking {
  readonly ticket: number
  readonly goodbye: Goodbye
  /** The link that it came over. */
  readonly from: number
}

export interface Goodbyes {
  /** Checked, sorted by device, each device once. */
  readonly goodbyes: ReadonlyArray<Goodbye>
  readonly checking: ReadonlyArray<Checking>
  /** Checks asked for so far. */
  readonly checks: number
}

export const none: Goodbyes = { goodbyes: [], checking: [], checks: 0 }

type Said = Pick<Goodbye, "deviceId" | "incarnation" | "reason">

/** What is signed. */
export const payloadOf = ({ config }: Turn, said: Said): string => {
  const { meshId, meshKey } = config
  return goodbyeString({ meshId, meshKey, ...said })
}

const printOf = ({ deviceId, incarnation }: Goodbye): number => u32(incarnation, "goodbye", deviceId, 0)

/** Of all, or of those that are chosen: the sum in which order does not matter. */
export const fingerprintOf = (
  goodbyes: ReadonlyArray<Goodbye>,
  chosen: (deviceId: DeviceId) => boolean = () => true
): number => goodbyes.reduce((sum, goodbye) => (chosen(goodbye.deviceId) ? (sum + printOf(goodbye)) >>> 0 : sum), 0)

/** Somebody hands on goodbyes: those that are news to us are checked. */
export const onGoodbyes = <G extends Goodbyes>(all: G, said: ReadonlyArray<Goodbye>, from: number, turn: Turn): G => {
  let { checking, checks } = all
  for (const goodbye of said) {
    if (checking.length >= CHECKING_MAX) break
    if (!concernsUs(goodbye, turn) || isKnown(all.goodbyes, checking, goodbye)) continue
    checks++
    const ticket = LEAVE_TICKET + checks
    const { publicKey, signature } = goodbye
    turn.out.push({ _tag: "Check", ticket, publicKey, proofs: [{ payload: payloadOf(turn, goodbye), signature }] })
    checking = [...checking, { ticket, goodbye, from }]
  }
  return checks === all.checks ? all : { ...all, checking, checks }
}

/** Of somebody whom we trust, or of an earlier life of our own. */
const concernsUs = ({ deviceId, incarnation }: Goodbye, { config, incarnation: own }: Turn): boolean =>
  deviceId === config.deviceId ? incarnation < own : trustedDevice(config, deviceId) !== undefined

const isKnown = (
  goodbyes: ReadonlyArray<Goodbye>,
  checking: ReadonlyArray<Checking>,
  { deviceId, incarnation, signature }: Goodbye
): boolean =>
  goodbyes.some((known) => known.deviceId === deviceId && known.incarnation >= incarnation) ||
  // Another signature under the same incarnation may be the true one.
  checking.some(({ goodbye }) => goodbye.deviceId === deviceId && goodbye.signature === signature)

/** The key store has answered: the goodbye that was true, and news, and whoever it came from. */
export const onChecked = <G extends Goodbyes>(
  all: G,
  { deviceId, ticket, valid }: typeof Checked.Type,
  turn: Turn
): readonly [all: G, told: Checking | null] => {
  const told = all.checking.find((checking) => checking.ticket === ticket)
  if (told === undefined) return [all, null]
  const { goodbye } = told
  const rest = { ...all, checking: all.checking.filter((checking) => checking !== told) }
  if (deviceId !== goodbye.deviceId || valid[0] !== true) {
    turn.facts.push({ _tag: "Refused", code: "AUTH_FAILED" })
    return [rest, null]
  }
  // Trust may have changed, or a later one come, while it was checked.
  if (!concernsUs(goodbye, turn) || isKnown(rest.goodbyes, [], goodbye)) return [rest, null]
  const others = rest.goodbyes.filter((known) => known.deviceId !== goodbye.deviceId)
  const goodbyes = [...others, goodbye].sort((a, b) => compareText(a.deviceId, b.deviceId))
  return [{ ...rest, goodbyes }, told]
}

/** To whoever holds others than we do. */
export const tell = (goodbyes: ReadonlyArray<Goodbye>, link: number, turn: Turn): void => {
  for (let i = 0; i < goodbyes.length; i += GOODBYES_A_FRAME)
    send(turn, link, "mesh.goodbyes", { goodbyes: goodbyes.slice(i, i + GOODBYES_A_FRAME) })
}

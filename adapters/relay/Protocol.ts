/**
 * What a relay and its clients say to each other (PROTOCOL.md part 21): paths, headers, codes, bounds, and the grant by which the
 * operator of a mesh lets a device in.
 *
 * Promises: pure and total. What comes from the other side is looked up in our own tables: no text of a stranger is shown.
 */
import { check, deviceIdOf, type Keys } from "../keys/Keys.ts"

export const CONTROL = "/v1/control"
export const TO = "/v1/to/"
export const ACCEPT = "/v1/accept/"
export const CODE_HEADER = "clawmesh-relay-code"
export const GRANT_HEADER = "clawmesh-grant"
/** Between pings on control and tunnel sockets, ms: below the half minute after which the hastiest of NATs forget. */
export const KEEP_ALIVE_MS = 20_000
/** A ping that is not answered for so long, ms: the other side is gone. */
export const PONG_MS = 7_000
/** Of one message in a tunnel: some TLS records. */
export const PIECE_BYTES_MAX = 262_144

/** Why a relay refuses, in words for the device that it refuses: what is so, and the way out. */
export const refusals = {
  NO_CERTIFICATE: "it saw no Ed25519 certificate of this device: nothing between here and the relay may end TLS",
  CREDENTIAL_MISSING: "it wants a token or a grant: set relay-token-file, or relay-grants",
  TOKEN_WRONG: "it does not know the token: ask whoever runs the relay for one, and put it into relay-token-file",
  GRANT_WRONG: "the grant is not for this device at this relay, or of a mesh that it does not serve: make a new one",
  GRANT_EXPIRED: "the grant has run out: make a new one with clawmesh-node relay grant",
  RELAY_FULL: "it has no room for another device: try another relay, or ask whoever runs it",
  NOT_REGISTERED: "this device is not registered there: its control connection has to be open first",
  TUNNEL_TO_ITSELF: "a device needs no tunnel to itself: take its own id out of what it dials",
  PEER_UNKNOWN: "the other device is not registered there: give it the same relay, and see that it runs",
  PEER_SILENT: "the other device did not take the tunnel: it may have just left",
  TUNNEL_UNKNOWN: "there is no such tunnel for this device: it was given up",
  TOO_MANY_TUNNELS: "this device, or the other, has as many tunnels there as one may have: wait until one ends",
  TOO_OFTEN: "this device opened too many tunnels within a minute: wait for one",
  NO_SUCH_PATH: "it does not know what was asked: use the same version on both sides",
  /** Ours: it answered, and not as a relay does. */
  NOT_A_RELAY: "something else answers there: check address and port",
  PIN_MISMATCH: "another key answers there: check the relay id; if the relay was given a new key, write the new id",
  UNREACHABLE: "nothing answers there: check the address, and that the relay runs",
  SILENT: "it does not answer pings any more: it is taken for dead",
  REPLACED: "this identity registered anew from elsewhere: two devices must not share one",
  CLOSED: "it ended the connection"
} as const
export type Code = keyof typeof refusals

export const codeOf = (text: unknown): Code | null =>
  typeof text === "string" && Object.hasOwn(refusals, text) ? (text as Code) : null

const payloadOf = (relay: string, device: string, untilMs: number): string =>
  `clawmesh|relay|1|${relay}|${device}|${untilMs}`

/** `<relay id>.<until, ms since 1970>.<mesh key>.<signature>`: the mesh that has this key lets the device use the relay. */
export const grant = (mesh: Keys, relay: string, device: string, untilMs: number): string =>
  `${relay}.${untilMs}.${mesh.publicKey}.${mesh.sign(payloadOf(relay, device, untilMs))}`

interface Grant {
  readonly relay: string
  readonly untilMs: number
  readonly meshKey: string
  readonly signature: string
}

/** `null`: it is none. */
export const readGrant = (text: string): Grant | null => {
  const [, relay, until, meshKey, signature] =
    /^([0-9a-f]{64})\.(\d{1,15})\.([\w-]{43})\.([\w-]{86})$/u.exec(text) ?? []
  return relay === undefined || deviceIdOf(meshKey!) === null
    ? null
    : { relay, untilMs: Number(until), meshKey: meshKey!, signature: signature! }
}

/** @returns `null`: the grant lets this device in */
export const refusesGrant = (
  text: string,
  relay: string,
  device: string,
  meshKeys: ReadonlyArray<string>,
  nowMs: number
): "GRANT_WRONG" | "GRANT_EXPIRED" | null => {
  const read = readGrant(text)
  if (read === null || read.relay !== relay || !meshKeys.includes(read.meshKey)) return "GRANT_WRONG"
  const proof = { payload: payloadOf(relay, device, read.untilMs), signature: read.signature }
  if (check(read.meshKey, [proof]).valid[0] !== true) return "GRANT_WRONG"
  return nowMs > read.untilMs ? "GRANT_EXPIRED" : null
}

/**
 * What both ends of a handshake sign, and how each judges the other (PROTOCOL.md parts 5 and 9). Pure functions over what
 * was said and what the key store answered; the order of the checks is part of the protocol, since each has its own code.
 *
 * Signing the same login string in both roles would make a device a signing oracle: whoever it dials could pass its login on.
 * The kernel extension names direction and audience, so a kernel peer's words are good for one listener only; and nobody
 * is admitted without it but a device that the trust store knows as generation 1 and that never showed it.
 */
import type { Checked, LinkPath } from "../Input.ts"
import { FEATURES, GENERATIONS, trustedDevice, type Config, type Trusted } from "../Config.ts"
import type { Pin } from "../Durable.ts"
import { connectString, kernelString } from "../identity/Handshake.ts"
import { GEN1_CLOCK_WINDOW_MS } from "../Profile.ts"
import type { Turn } from "../Turn.ts"
import type { Code } from "../wire/Codes.ts"
import { Role, type ConnectAnswer, type ConnectParams, type DeviceId, type KernelHello } from "../wire/Frame.ts"
import type { Proven } from "./Link.ts"
import { decide } from "./Policy.ts"
import { found } from "./Way.ts"

export interface Refusal {
  readonly code: Code
  readonly message: string
}

/** The parts of a handshake that only one connection knows. */
export interface Exchange {
  readonly clientNonce: string
  readonly serverNonce: string
  readonly exporter: string | null
  readonly counter: number
}

type Hello = Omit<KernelHello, "signature">

/** What an answer tells besides to somebody who asks which incarnation it had. */
type Told = Pick<KernelHello, "remembers">

const ourHello = (turn: Turn, counter: number, told: Told = {}): Hello => ({
  features: FEATURES,
  gen: GENERATIONS,
  incarnation: turn.incarnation,
  bootId: turn.bootId,
  linkCounter: counter,
  meshKey: turn.config.meshKey,
  ...told
})

interface Said {
  readonly deviceId: DeviceId
  readonly meshId?: string
  readonly displayName?: string
  readonly capabilities?: ReadonlyArray<string>
}

const helloString = (
  direction: "client" | "server",
  said: Said,
  hello: Hello,
  audience: DeviceId,
  exchange: Exchange
): string =>
  kernelString({
    direction,
    clientDeviceId: direction === "client" ? said.deviceId : audience,
    serverDeviceId: direction === "client" ? audience : said.deviceId,
    clientNonce: exchange.clientNonce,
    serverNonce: exchange.serverNonce,
    meshId: said.meshId ?? "",
    meshKey: hello.meshKey,
    incarnation: hello.incarnation,
    bootId: hello.bootId,
    linkCounter: hello.linkCounter,
    gen: hello.gen,
    features: hello.features,
    capabilities: said.capabilities ?? [],
    displayName: said.displayName ?? "",
    exporter: exchange.exporter ?? "",
    ...(hello.remembers === undefined ? {} : { remembers: hello.remembers })
  })

const ourselves = (config: Config) => ({
  deviceId: config.deviceId,
  publicKey: config.publicKey,
  displayName: config.displayName,
  capabilities: config.capabilities,
  meshId: config.meshId,
  role: config.role as string
})

/** The two strings that we sign as the dialler of `audience`. */
export const loginPayloads = (turn: Turn, audience: DeviceId, exchange: Exchange, signedAtMs: number) => [
  connectString({ ...ourselves(turn.config), signedAtMs, nonce: exchange.serverNonce }),
  helloString("client", ourselves(turn.config), ourHello(turn, exchange.counter), audience, exchange)
]

export const loginParams = (
  turn: Turn,
  exchange: Exchange,
  signedAtMs: number,
  signatures: ReadonlyArray<string>
): ConnectParams => ({
  version: 2,
  ...ourselves(turn.config),
  signature: signatures[0] ?? "",
  signedAtMs,
  nonce: exchange.serverNonce,
  clientNonce: exchange.clientNonce,
  kernel: { ...ourHello(turn, exchange.counter), signature: signatures[1] ?? "" }
})

/** The two strings that we sign as the acceptor of `audience`. */
export const answerPayloads = (turn: Turn, audience: DeviceId, exchange: Exchange, signedAtMs: number, told: Told) => [
  connectString({ ...ourselves(turn.config), signedAtMs, nonce: exchange.clientNonce }),
  helloString("server", ourselves(turn.config), ourHello(turn, exchange.counter, told), audience, exchange)
]

export const answerPayload = (
  turn: Turn,
  exchange: Exchange,
  signedAtMs: number,
  signatures: ReadonlyArray<string>,
  told: Told
): ConnectAnswer => ({
  ...ourselves(turn.config),
  signature: signatures[0] ?? "",
  signedAtMs,
  nonce: exchange.clientNonce,
  kernel: { ...ourHello(turn, exchange.counter, told), signature: signatures[1] ?? "" }
})

const proofs = (
  direction: "client" | "server",
  said: ConnectParams | ConnectAnswer,
  nonce: string,
  audience: DeviceId,
  exchange: Exchange
) => [
  {
    payload: connectString({
      deviceId: said.deviceId,
      signedAtMs: said.signedAtMs,
      nonce,
      ...(said.meshId === undefined ? {} : { meshId: said.meshId }),
      ...(said.role === undefined ? {} : { role: said.role })
    }),
    signature: said.signature
  },
  ...(said.kernel === undefined
    ? []
    : [
        {
          payload: helloString(direction, said, said.kernel, audience, exchange),
          signature: said.kernel.signature
        }
      ])
]

/** What a client must have signed; the key store is asked about these. */
export const clientProofs = (params: ConnectParams, us: DeviceId, exchange: Exchange) =>
  proofs("client", params, exchange.serverNonce, us, exchange)

export const serverProofs = (answer: ConnectAnswer, us: DeviceId, exchange: Exchange) =>
  proofs("server", answer, exchange.clientNonce, us, exchange)

const refusal = (code: Code, message: string): Refusal => ({ code, message })

export const isRefusal = (value: Proven | Refusal): value is Refusal => "code" in value

const checkKey = (said: ConnectParams | ConnectAnswer, trusted: Trusted, pin: Pin | undefined): Refusal | null => {
  const known = trusted.publicKey ?? pin?.publicKey ?? null
  return known !== null && known !== said.publicKey
    ? refusal("PUBLIC_KEY_MISMATCH", "this device is known by another key")
    : null
}

/** Whether this device may come over this path (B18, B19). */
const checkPath = (path: LinkPath | null, trusted: Trusted, direction: "in" | "out"): Refusal | null => {
  if (path === null) return null
  const verdict = decide(found(trusted, direction, path))
  return verdict.allowed ? null : refusal(verdict.code, verdict.why)
}

/** The checks that client and server make alike, from the trust store on, in the protocol's order. */
const judge = (
  turn: Turn,
  path: LinkPath | null,
  direction: "in" | "out",
  said: ConnectParams | ConnectAnswer,
  checked: typeof Checked.Type
): Proven | Refusal => {
  const { config } = turn
  if (checked.deviceId !== said.deviceId) return refusal("AUTH_FAILED", "deviceId is not the hash of the key")
  const trusted = trustedDevice(config, said.deviceId)
  if (trusted === undefined) return refusal("UNTRUSTED_PEER", "this device is not in the trust store")
  const pin = turn.pins.find((pinned) => pinned.deviceId === said.deviceId)
  const wrongKey = checkKey(said, trusted, pin)
  if (wrongKey !== null) return wrongKey
  const wrongPath = checkPath(path, trusted, direction)
  if (wrongPath !== null) return wrongPath
  const hello = said.kernel
  // Between kernel peers the fresh nonce proves freshness; the date of a device without a battery clock does not matter.
  const driftMs = Math.abs(turn.at.wall - said.signedAtMs)
  if (hello === undefined && driftMs > GEN1_CLOCK_WINDOW_MS)
    return refusal("AUTH_FAILED", `the clocks are ${driftMs} ms apart; at most ${GEN1_CLOCK_WINDOW_MS} are allowed`)
  if (checked.valid[0] !== true) return refusal("AUTH_FAILED", "the signature does not fit")
  if (hello === undefined && (pin?.kernel === true || !trusted.gen1))
    return refusal("AUTH_FAILED", "this device has to speak the kernel extension, and does not")
  if (hello !== undefined && checked.valid[1] !== true)
    return refusal("AUTH_FAILED", "the signature of the kernel extension does not fit")
  if (hello !== undefined && (hello.gen[0] > GENERATIONS[1] || hello.gen[1] < GENERATIONS[0]))
    return refusal("UNSUPPORTED_GENERATION", `it speaks generations ${hello.gen[0]} to ${hello.gen[1]}`)
  if (said.meshId !== config.meshId) return refusal("MESH_ID_MISMATCH", "it belongs to another mesh")
  if (hello !== undefined && hello.meshKey !== config.meshKey)
    return refusal("MESH_ID_MISMATCH", "its mesh has the same name and another operator key")
  const role = said.role ?? "node"
  if (!Role.literals.includes(role as Role)) return refusal("INVALID_PARAMS", `there is no role "${role}"`)
  if (role !== trusted.role) return refusal("INVALID_PARAMS", `it says ${role}; the trust store says ${trusted.role}`)
  return {
    peer: said.deviceId,
    kernel: hello !== undefined,
    incarnation: hello?.incarnation ?? 0,
    bootId: hello?.bootId ?? "",
    linkCounter: hello?.linkCounter ?? 0,
    capabilities: said.capabilities ?? [],
    aheadMs: said.signedAtMs - turn.at.mono
  }
}

/** The server's judgement on a login, once the key store has answered. */
export const judgeClient = (
  turn: Turn,
  path: LinkPath | null,
  params: ConnectParams,
  checked: typeof Checked.Type
): Proven | Refusal => judge(turn, path, "in", params, checked)

/** The client's judgement on the answer: the device that it dialled, over its own nonce, and then as above. */
export const judgeServer = (
  turn: Turn,
  link: { readonly peer: DeviceId; readonly path: LinkPath | null },
  exchange: Exchange,
  answer: ConnectAnswer,
  checked: typeof Checked.Type
): Proven | Refusal => {
  if (answer.deviceId !== link.peer) return refusal("AUTH_FAILED", "another device answered")
  if (answer.nonce !== exchange.clientNonce) return refusal("AUTH_FAILED", "the answer is over another nonce")
  return judge(turn, link.path, "out", answer, checked)
}

/**
 * What somebody says of itself in a handshake, and signs, without a kernel: honest words of a node's configuration, or any lie.
 * Whatever is claimed is well signed by whoever signs.
 */
import type { Config } from "../../kernel/Config.ts"
import { FEATURES, GENERATIONS } from "../../kernel/Config.ts"
import { connectString, kernelString } from "../../kernel/identity/Handshake.ts"
import type { ConnectAnswer, ConnectParams, KernelHello } from "../../kernel/wire/Frame.ts"
import type { KeyPair } from "../keys/FakeKeys.ts"

/** Everything that a handshake says and signs; a lie is one member changed. */
export type Claim = Pick<ConnectParams, "deviceId" | "publicKey" | "displayName" | "capabilities" | "meshId" | "role"> &
  Omit<KernelHello, "signature">

type Sign = (payload: string) => string

/** The two ends and the nonces of one handshake. */
interface Exchange {
  readonly audience: string
  readonly clientNonce: string
  readonly serverNonce: string
  readonly signedAtMs: number
}

/** The words of a node with this configuration, by these keys. */
export const claimOf = (config: Config, { deviceId, publicKey }: KeyPair): Claim => {
  const { capabilities, displayName, meshId, meshKey, role } = config
  return {
    deviceId,
    publicKey,
    displayName,
    capabilities,
    meshId,
    role,
    features: FEATURES,
    gen: GENERATIONS,
    incarnation: 1,
    bootId: `boot-of-${displayName}`,
    linkCounter: 1,
    meshKey
  }
}

const helloOf = (
  sign: Sign,
  claim: Claim,
  direction: "client" | "server",
  { audience, clientNonce, serverNonce }: Exchange
): KernelHello => {
  const { bootId, capabilities, deviceId, displayName, features, gen, incarnation, linkCounter, meshId, meshKey } =
    claim
  const told = claim.remembers === undefined ? {} : { remembers: claim.remembers }
  const signature = sign(
    kernelString({
      direction,
      clientDeviceId: direction === "client" ? deviceId : audience,
      serverDeviceId: direction === "client" ? audience : deviceId,
      clientNonce,
      serverNonce,
      meshId: meshId ?? "",
      meshKey,
      incarnation,
      bootId,
      linkCounter,
      gen,
      features,
      capabilities: capabilities ?? [],
      displayName: displayName ?? "",
      exporter: "",
      ...told
    })
  )
  return { features, gen, incarnation, bootId, linkCounter, meshKey, ...told, signature }
}

const bothOf = (sign: Sign, claim: Claim, nonce: string, signedAtMs: number) => {
  const { capabilities, deviceId, displayName, meshId, publicKey, role } = claim
  const ofMesh = meshId === undefined ? {} : { meshId }
  const ofRole = role === undefined ? {} : { role }
  return {
    deviceId,
    publicKey,
    signature: sign(connectString({ deviceId, signedAtMs, nonce, ...ofMesh, ...ofRole })),
    signedAtMs,
    ...(displayName === undefined ? {} : { displayName }),
    ...(capabilities === undefined ? {} : { capabilities }),
    ...ofMesh,
    ...ofRole
  }
}

export const loginOf = (sign: Sign, claim: Claim, exchange: Exchange): ConnectParams => ({
  version: 2,
  ...bothOf(sign, claim, exchange.serverNonce, exchange.signedAtMs),
  nonce: exchange.serverNonce,
  clientNonce: exchange.clientNonce,
  kernel: helloOf(sign, claim, "client", exchange)
})

export const answerOf = (sign: Sign, claim: Claim, exchange: Exchange): ConnectAnswer => ({
  ...bothOf(sign, claim, exchange.clientNonce, exchange.signedAtMs),
  nonce: exchange.clientNonce,
  kernel: helloOf(sign, claim, "server", exchange)
})

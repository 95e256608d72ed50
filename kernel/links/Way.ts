/**
 * By what way a trusted device is met: its transport label and posture, once as configured and once as negotiated (B16, B17),
 * and the facts by which the policy judges either.
 *
 * Promises: pure; what status, logs and refusals call a link is what the policy judged. A label that the operator gave to a
 * device holds in both directions: what it names is where the link leads to, whoever dialled.
 *
 * Addresses without a scheme are the simulator's: names, with nothing between the two ends, and so without a posture.
 */
import { pinOf, type Trusted } from "../Config.ts"
import type { LinkPath } from "../Input.ts"
import * as Address from "./Address.ts"
import type { Session } from "./Link.ts"
import { postureOf, type LinkFacts, type Posture } from "./Policy.ts"
import { isTunnel, RELAY } from "./Tunnel.ts"

/** Where discovery found it. */
export const DISCOVERED = "mdns"

export interface Way {
  /** `null`: it has none. */
  readonly label: string | null
  readonly posture: Posture
}

const kindOf = (device: Trusted): LinkFacts["kind"] => (device.gen1 ? "gen1" : "kernel")

const inbound = (device: Trusted, negotiated: LinkPath): LinkFacts => ({
  deviceId: device.deviceId,
  kind: kindOf(device),
  direction: "in",
  label: isTunnel(negotiated.address) ? RELAY : (device.label ?? null),
  scheme: negotiated.security === "tls" ? "wss" : "ws",
  addressClass: negotiated.remote,
  pin: pinOf(device),
  negotiated
})

/** A dial of `url`, which reads: as configured. */
export const dialled = (device: Trusted, address: Address.Address, label: string | null): LinkFacts => ({
  deviceId: device.deviceId,
  kind: kindOf(device),
  direction: "out",
  label,
  scheme: address.scheme,
  addressClass: address.class,
  pin: pinOf(device)
})

/** A dial through a relay: TLS from end to end, over networks of which nothing is known. */
const tunnelled = (device: Trusted): LinkFacts => ({
  deviceId: device.deviceId,
  kind: kindOf(device),
  direction: "out",
  label: RELAY,
  scheme: "wss",
  addressClass: "public",
  pin: pinOf(device)
})

/** A dial of what was configured or found, as it is judged before it is made. */
export const planned = (device: Trusted, url: string, label: string | null): LinkFacts | Address.Mistake => {
  if (isTunnel(url)) return tunnelled(device)
  const address = Address.parse(url)
  return address._tag === "Mistake" ? address : dialled(device, address, label)
}

/** What a device that was found is dialled by: nearby a kernel peer shows its identity in TLS, generation 1 has none. */
export const advertised = (device: Trusted | undefined, found: string): string =>
  isTunnel(found) ? found : `${device?.gen1 === true ? "ws" : "wss"}://${found}`

const outbound = (device: Trusted, negotiated: LinkPath): LinkFacts => {
  if (isTunnel(negotiated.address)) return { ...tunnelled(device), negotiated }
  const url = device.address ?? advertised(device, negotiated.address)
  const address = Address.parse(url)
  const label = device.address === null ? DISCOVERED : (device.label ?? null)
  return address._tag === "Mistake"
    ? { ...inbound(device, negotiated), direction: "out", label }
    : { ...dialled(device, address, label), negotiated }
}

/** A link with `device` as it was found to be. */
export const found = (device: Trusted, direction: LinkFacts["direction"], path: LinkPath): LinkFacts =>
  direction === "out" ? outbound(device, path) : inbound(device, path)

/** As configured; `null`: nothing is. */
export const configured = (device: Trusted): (Way & { readonly url: string }) | null => {
  if (device.address === null) return null
  const address = Address.parse(device.address)
  if (address._tag === "Mistake") return null
  const label = device.label ?? null
  return { url: device.address, label, posture: postureOf(dialled(device, address, label)) }
}

/**
 * As negotiated; `null`: nothing lies between the two ends.
 *
 * @param sighted discovery knows it, so that a link that it dialled is one of the neighbourhood, unless the operator says other
 */
export const negotiated = (
  device: Trusted,
  { dialledByUs, path }: Pick<Session, "dialledByUs" | "path">,
  sighted: boolean
): Way | null => {
  if (path === null) return null
  const facts = found(device, dialledByUs ? "out" : "in", path)
  const label = facts.label ?? (sighted && device.address === null ? DISCOVERED : null)
  return { label, posture: postureOf(facts) }
}

/** As events carry it: what is not known is left out. */
export const shown = (way: Way | null): { readonly label?: string; readonly posture?: Posture } =>
  way === null ? {} : { posture: way.posture, ...(way.label === null ? {} : { label: way.label }) }

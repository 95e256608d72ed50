/**
 * An address that is a way through a relay (PROTOCOL.md part 21): `relay:<relay id>`, where the relay id is the device id that
 * the relay proves in TLS. It says nothing of the device that is met there: its own TLS and handshake run inside.
 *
 * Promises: pure and total. Such an address is the last that is tried, and a link over it is called `relay` and counts as WAN.
 */
import { isDeviceId } from "../identity/MeshId.ts"
import type { DeviceId } from "../wire/Frame.ts"

/** What a link through a relay is called, whatever the operator calls other ways to the device. */
export const RELAY = "relay"

const PREFIX = "relay:"

export const tunnelOf = (relay: DeviceId): string => `${PREFIX}${relay}`

/** The relay that an address names; `null`: it is no tunnel. */
export const relayOf = (address: string): DeviceId | null => {
  const relay = address.startsWith(PREFIX) ? address.slice(PREFIX.length) : ""
  return isDeviceId(relay) ? relay : null
}

export const isTunnel = (address: string): boolean => relayOf(address) !== null

const isDirect = (address: string): boolean => !isTunnel(address)

/** Each kind in its order. */
export const lastly = (addresses: ReadonlyArray<string>): ReadonlyArray<string> =>
  addresses.some(isTunnel) ? [...addresses.filter(isDirect), ...addresses.filter(isTunnel)] : addresses

/** Whether discovery itself found it somewhere: a tunnel is no neighbourhood. */
export const isNearby = (found: ReadonlyArray<string> | undefined): boolean => found?.some(isDirect) ?? false

/**
 * Which addresses of a device are worth a dial, in which order, and which of our own interfaces take part.
 *
 * Addresses in records are claims. The one that a record came from is the best of them: it is where the device was a moment
 * ago, seen from here.
 */
import { isIPv4, isIPv6 } from "node:net"
import os from "node:os"

/** One multicast join each; Linux allows 20 a socket. */
const INTERFACES_MAX = 16

const number = (ipv4: string): number => ipv4.split(".").reduce((sum, part) => sum * 256 + Number(part), 0)

const inBlock = (ipv4: string, network: string, bits: number): boolean => {
  const size = 2 ** (32 - bits)
  return Math.floor(number(ipv4) / size) === Math.floor(number(network) / size)
}

const isLoopback = (address: string): boolean => isIPv4(address) && inBlock(address, "127.0.0.0", 8)

const isPrivate = (address: string): boolean =>
  isIPv4(address) &&
  (inBlock(address, "10.0.0.0", 8) || inBlock(address, "172.16.0.0", 12) || inBlock(address, "192.168.0.0", 16))

/** Shared with a provider's other customers, or between the ends of an overlay network (RFC 6598). */
const isShared = (address: string): boolean => isIPv4(address) && inBlock(address, "100.64.0.0", 10)

const isLinkLocal4 = (address: string): boolean => isIPv4(address) && inBlock(address, "169.254.0.0", 16)

/**
 * How good an address is to dial, 0 the best; `null`: never. Loopback and unspecified would be ourselves, multicast nobody, and
 * a link-local IPv6 address means nothing without the zone that a record cannot carry.
 */
export const rank = (address: string): number | null => {
  if (isPrivate(address)) return 0
  if (isLinkLocal4(address)) return 1
  if (isIPv4(address))
    return inBlock(address, "0.0.0.0", 8) || isLoopback(address) || number(address) >= number("224.0.0.0") ? null : 2
  if (!isIPv6(address)) return null
  if (/^f[cd]/iu.test(address)) return 3
  return /^[23]/u.test(address) ? 4 : null
}

export interface Known {
  readonly address: string
  /** When it was first heard of, in its present life. */
  readonly since: number
}

/** Addresses to dial, best first: private IPv4 before others, where the record came from, then the newest. */
export const ordered = (known: ReadonlyArray<Known>, source: string): ReadonlyArray<string> => {
  // A device on this machine, heard over loopback, may be reached there; nobody else may send us to ourselves.
  const rankHere = (address: string) => (address === source && isLoopback(source) ? 0 : rank(address))
  const all = [...known.filter(({ address }) => address !== source), { address: source, since: Infinity }]
  return all
    .flatMap(({ address, since }) => {
      const rank = rankHere(address)
      return rank === null ? [] : [{ address, since, rank }]
    })
    .sort(
      (a, b) => a.rank - b.rank || (a.since === b.since ? 0 : b.since - a.since) || (a.address < b.address ? -1 : 1)
    )
    .map(({ address }) => address)
}

/** `host:port`, an IPv6 host in brackets. */
export const endpoint = (address: string, port: number): string =>
  isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`

export interface Interface {
  readonly name: string
  readonly address: string
  readonly netmask: string
  readonly mac: string
}

/** Our interfaces that are up and have an IPv4 address, or only the one with the address `only`. Never throws. */
export const interfacesUp = (only?: string): ReadonlyArray<Interface> => {
  try {
    return Object.entries(os.networkInterfaces())
      .flatMap(([name, addresses]) => (addresses ?? []).map((each) => ({ ...each, name })))
      .filter(
        ({ address, family, internal }) => family === "IPv4" && (only === undefined ? !internal : address === only)
      )
      .slice(0, INTERFACES_MAX)
      .map(({ address, mac, name, netmask }) => ({ name, address, netmask, mac }))
  } catch {
    return []
  }
}

/** Whether a packet can come from a neighbour: mDNS ends at the link (RFC 6762 11), but a socket also hears the Internet. */
export const isNeighbour = (source: string, interfaces: ReadonlyArray<Interface>): boolean =>
  isIPv4(source) &&
  (isLoopback(source) ||
    isPrivate(source) ||
    isLinkLocal4(source) ||
    isShared(source) ||
    interfaces.some(({ address, netmask }) => {
      const bits = number(netmask).toString(2).replaceAll("0", "").length
      return inBlock(source, address, bits)
    }))

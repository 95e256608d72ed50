/** Packets of devices nearby, as `multicast-dns` hands them over. */
import { SERVICE } from "../../../adapters/mdns/Records.ts"

export const id = (digit: string): string => digit.repeat(64)

export const ptr = (label: string, ttl = 4500) => ({ name: SERVICE, type: "PTR", ttl, data: `${label}.${SERVICE}` })

export const srv = (label: string, port = 18_789, { ttl = 120, host = `${label}.local` } = {}) => ({
  name: `${label}.${SERVICE}`,
  type: "SRV",
  ttl,
  data: { port, target: host, priority: 0, weight: 0 }
})

export const txt = (label: string, entries: { readonly [key: string]: string }, ttl = 4500) => ({
  name: `${label}.${SERVICE}`,
  type: "TXT",
  ttl,
  data: Object.entries(entries).map(([key, value]) => Buffer.from(`${key}=${value}`))
})

export const a = (label: string, address: string, { ttl = 120, flush = false } = {}) => ({
  name: `${label}.local`,
  type: address.includes(":") ? "AAAA" : "A",
  ttl,
  flush,
  data: address
})

/** A whole announcement in one packet, as bonjour-service sends it. */
export const announcement = (label: string, deviceId: string, addresses: ReadonlyArray<string> = []) => ({
  answers: [ptr(label, 28_800), srv(label), txt(label, { deviceId }), ...addresses.map((address) => a(label, address))]
})

export const goodbye = (label: string, deviceId: string) => ({
  answers: [ptr(label, 0), srv(label, 18_789, { ttl: 0 }), txt(label, { deviceId }, 0)]
})

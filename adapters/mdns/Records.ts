/**
 * What a device says of itself in DNS-SD, written and read (wire.md part 3, RFC 6763): names, TXT entries, and the few kinds of
 * records that we take out of a packet.
 *
 * Promises: reading is total. Whatever a stranger sends becomes records of the shapes below or nothing. What is written is
 * always a legal packet: no label over 63 bytes, no TXT entry over 255.
 *
 * Not modelled: names with a dot inside a label. They are read, but their codec cannot ask for them.
 */
import type { Advert } from "../../kernel/Ports.ts"

export const SERVICE = "_clawmesh._tcp.local"
const LABEL_BYTES_MAX = 63
const NAME_BYTES_MAX = 253
const TXT_ENTRY_BYTES_MAX = 255
const SHOWN_NAME_MAX = 64
const MESH_ID_MAX = 128
/** A packet holds at most 9,000 bytes (RFC 6762 17); one with more records than this is not about devices. */
const RECORDS_PER_PACKET_MAX = 512
/** An id of 64 digits is no label; 16 of them are 64 bits, and whoever forges them gains a name, not trust. */
const ID_DIGITS = 16

export type Announced = Omit<Advert, "addresses"> & { readonly port: number }

/** What a TXT record tells. */
export type Facts = Omit<Advert, "addresses" | "name"> & { readonly name: string | null }

export type ServiceRec =
  | { readonly type: "PTR"; readonly service: string; readonly ttlMs: number }
  | {
      readonly type: "SRV"
      readonly service: string
      readonly target: string
      readonly port: number
      readonly ttlMs: number
    }
  | { readonly type: "TXT"; readonly service: string; readonly facts: Facts | null; readonly ttlMs: number }

export interface AddressRec {
  readonly type: "A" | "AAAA"
  readonly host: string
  readonly address: string
  /** The packet has all there are of this type. */
  readonly flush: boolean
  readonly ttlMs: number
}

/** A packet as `multicast-dns` hands it over; nothing is believed of it. */
export interface Packet {
  readonly answers?: ReadonlyArray<unknown> | undefined
  readonly additionals?: ReadonlyArray<unknown> | undefined
}

const bytesOf = (text: string): number => Buffer.byteLength(text)

/** The longest beginning of `text` that fits, never half a character. */
const cut = (text: string, bytes: number): string => {
  let kept = ""
  for (const character of text) {
    if (bytesOf(kept + character) > bytes) break
    kept += character
  }
  return kept
}

/** Without what moves cursors, breaks lines or hides text. */
const printable = (text: string): string => text.replace(/\p{C}|\p{Zl}|\p{Zp}/gu, "").trim()

export const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

/** The instance label: nobody else has it, so there is nothing to probe for. The publisher turns dots into dashes itself. */
export const instanceOf = ({ deviceId, name }: Pick<Announced, "deviceId" | "name">): string =>
  cut(`${deviceId.slice(0, ID_DIGITS)}-${printable(name).replaceAll(".", "-")}`, LABEL_BYTES_MAX)

export const serviceOf = (record: Pick<Announced, "deviceId" | "name">): string => `${instanceOf(record)}.${SERVICE}`

export const hostOf = (deviceId: string): string => `${deviceId.slice(0, ID_DIGITS)}.local`

/** TXT entries by key. What does not fit into one entry is left out; a name is cut. */
export const txtOf = (record: Announced, version: string): { readonly [key: string]: string } => {
  const entries: ReadonlyArray<readonly [string, string | number | undefined]> = [
    ["deviceId", record.deviceId],
    ["version", version],
    ["meshId", record.meshId],
    ["gen", record.gen],
    ["role", record.role],
    ["incarnation", record.incarnation],
    ["name", cut(printable(record.name), TXT_ENTRY_BYTES_MAX - "name=".length)]
  ]
  return Object.fromEntries(
    entries
      .map(([key, value]) => [key, value === undefined ? "" : String(value)] as const)
      .filter(([key, value]) => value !== "" && bytesOf(`${key}=${value}`) <= TXT_ENTRY_BYTES_MAX)
  )
}

/** Whether a question for this name can be written: every label of 1 to 63 bytes. */
export const askable = (name: string): boolean =>
  bytesOf(name) <= NAME_BYTES_MAX &&
  printable(name) === name &&
  name.split(".").every((label) => label !== "" && bytesOf(label) <= LABEL_BYTES_MAX)

/** The instance label of one of our services, dots and all; `null` for any other name. */
export const labelOf = (service: string): string | null => {
  const suffix = `.${SERVICE}`
  return service.length > suffix.length && sameName(service.slice(-suffix.length), suffix)
    ? service.slice(0, -suffix.length)
    : null
}

export const shownName = (name: string): string => [...printable(name)].slice(0, SHOWN_NAME_MAX).join("")

const natural = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/u.test(text) ? Number(text) : undefined

/**
 * What TXT entries tell; `null` when they name no device, or make a claim that decides something (mesh, generation) in a way
 * that cannot be read. Of an entry that comes twice the first counts (RFC 6763 6.4).
 */
export const factsOf = (entries: ReadonlyArray<string>): Facts | null => {
  const values = new Map<string, string>()
  for (const entry of entries) {
    const at = entry.indexOf("=")
    const key = entry.slice(0, at).toLowerCase()
    if (at > 0 && !values.has(key)) values.set(key, entry.slice(at + 1))
  }
  const deviceId = values.get("deviceid")
  if (deviceId === undefined || !/^[0-9a-f]{64}$/u.test(deviceId)) return null
  const gen = values.has("gen") ? natural(values.get("gen")) : 1
  if (gen === undefined || gen < 1) return null
  const meshId = values.get("meshid")
  if (meshId !== undefined && (meshId === "" || meshId.length > MESH_ID_MAX || printable(meshId) !== meshId))
    return null
  const role = values.get("role")
  const incarnation = natural(values.get("incarnation"))
  const name = shownName(values.get("name") ?? "")
  return {
    deviceId,
    gen,
    name: name === "" ? null : name,
    ...(meshId === undefined ? {} : { meshId }),
    ...(role !== undefined && /^[a-z-]{1,32}$/u.test(role) ? { role } : {}),
    ...(incarnation === undefined ? {} : { incarnation })
  }
}

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null

const textsOf = (data: unknown): ReadonlyArray<string> =>
  (Array.isArray(data) ? data : [data]).flatMap((part) =>
    typeof part === "string" ? [part] : part instanceof Uint8Array ? [Buffer.from(part).toString("utf8")] : []
  )

const recordOf = (raw: unknown): ServiceRec | AddressRec | null => {
  if (!isObject(raw)) return null
  const { data, name, ttl, type } = raw
  if (typeof name !== "string" || typeof ttl !== "number" || !(ttl >= 0) || bytesOf(name) > NAME_BYTES_MAX) return null
  const ttlMs = ttl * 1000
  switch (type) {
    case "PTR":
      return sameName(name, SERVICE) && typeof data === "string" && labelOf(data) !== null
        ? { type, service: data, ttlMs }
        : null
    case "TXT":
      return labelOf(name) === null ? null : { type, service: name, facts: factsOf(textsOf(data)), ttlMs }
    case "SRV": {
      if (labelOf(name) === null || !isObject(data)) return null
      const { port, target } = data
      if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) return null
      return typeof target === "string" && target !== "" && bytesOf(target) <= NAME_BYTES_MAX
        ? { type, service: name, target, port, ttlMs }
        : null
    }
    case "A":
    case "AAAA":
      return typeof data === "string" ? { type, host: name, address: data, flush: raw["flush"] === true, ttlMs } : null
    default:
      return null
  }
}

export interface Records {
  readonly services: ReadonlyArray<ServiceRec>
  readonly addresses: ReadonlyArray<AddressRec>
}

/** Everything in a packet that concerns us. */
export const recordsOf = (packet: Packet): Records => {
  const services: Array<ServiceRec> = []
  const addresses: Array<AddressRec> = []
  for (const part of [packet.answers, packet.additionals])
    if (Array.isArray(part))
      for (const raw of part.slice(0, RECORDS_PER_PACKET_MAX)) {
        const record = recordOf(raw)
        if (record === null) continue
        if ("host" in record) addresses.push(record)
        else services.push(record)
      }
  return { services, addresses }
}

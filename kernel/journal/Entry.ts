/**
 * One JSON value as sealed bytes, the unit in which journal and snapshots are written:
 *
 *     length u32 LE | CRC-32C of the length | CRC-32C of the payload | payload
 *
 * The payload is JSON in printable ASCII, everything else escaped. So text needs no codec of the host, and a zero byte in a
 * payload can only be a sector that was never written.
 *
 * Promises: `read` never throws, and tells a write that power cut short (`Torn`) from bytes that changed after they were
 * written (`Damaged`). A torn entry is a prefix of one, with nothing or only zeros behind it; that is what file systems leave
 * which grow a file no later than they fill it. Anything else, stale sectors included, counts as damage: refusing to start is
 * dear, forgetting in silence is worse.
 */
import * as Result from "effect/Result"
import { crc32c } from "./Crc32c.ts"

const HEADER_BYTES = 12
/** Characters that one call of `String.fromCharCode` takes: arguments live on the stack. */
const CHUNK_CHARS = 4_096

export type Read =
  | { readonly _tag: "Sealed"; readonly value: unknown; readonly end: number }
  | { readonly _tag: "Torn" }
  | { readonly _tag: "Damaged"; readonly why: string }

const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`

/** `null`: larger than `payloadBytesMax`. `value` is JSON data. */
export const seal = (value: unknown, payloadBytesMax: number): Uint8Array | null => {
  const payload = JSON.stringify(value).replaceAll(/[^\x20-\x7e]/g, escaped)
  if (payload.length > payloadBytesMax) return null
  const bytes = new Uint8Array(HEADER_BYTES + payload.length)
  for (let i = 0; i < payload.length; i++) bytes[HEADER_BYTES + i] = payload.charCodeAt(i)
  const header = new DataView(bytes.buffer)
  header.setUint32(0, payload.length, true)
  header.setUint32(4, crc32c(bytes, 0, 4), true)
  header.setUint32(8, crc32c(bytes, HEADER_BYTES), true)
  return bytes
}

const textOf = (bytes: Uint8Array, start: number, end: number): string => {
  let text = ""
  for (let at = start; at < end; at += CHUNK_CHARS)
    text += String.fromCharCode(...bytes.subarray(at, Math.min(end, at + CHUNK_CHARS)))
  return text
}

/** Where the zeros begin that the bytes end with, `from` at the earliest. */
const zerosFrom = (bytes: Uint8Array, from: number): number => {
  let end = bytes.length
  while (end > from && bytes[end - 1] === 0) end--
  return end
}

/** The entry that begins at byte `at`, which is before the end of `bytes`. */
export const read = (bytes: Uint8Array, at: number, payloadBytesMax: number): Read => {
  const damaged = (why: string): Read => ({ _tag: "Damaged", why: `${why} at byte ${at}` })
  const written = zerosFrom(bytes, at)
  const body = at + HEADER_BYTES
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const whole = body <= bytes.length
  if (!whole || header.getUint32(at + 4, true) !== crc32c(bytes, at, at + 4))
    return written < body ? { _tag: "Torn" } : damaged("an entry's length does not match its checksum")
  const length = header.getUint32(at, true)
  if (length === 0 || length > payloadBytesMax) return damaged(`an entry of ${length} bytes, which nobody writes,`)
  const end = body + length
  if (end > bytes.length || header.getUint32(at + 8, true) !== crc32c(bytes, body, end))
    return written < end ? { _tag: "Torn" } : damaged("an entry does not match its checksum")
  const value = Result.try(() => JSON.parse(textOf(bytes, body, end)) as unknown)
  return Result.isSuccess(value) ? { _tag: "Sealed", value: value.success, end } : damaged("an entry is not JSON")
}

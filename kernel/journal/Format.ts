/**
 * What stands in the files of the journal. `journal`: a head, then entries, each an array of the records that were synced
 * together. `snapshot-a`, `snapshot-b`: one entry, the state that all records up to some number add up to.
 *
 * Records are numbered from 1 over the node's whole life. The number is not written: the head says how many came before the
 * file's first, a snapshot how many it holds. So a snapshot and a journal that do not belong together are found out.
 *
 * What is sealed rightly but says something that we do not know (`Unknown`) was written by another version: it is sound, and
 * must be left where it is.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Durable, Record } from "../Durable.ts"
import * as Entry from "./Entry.ts"

const VERSION = 1

/** One record: the longest holds a device's name; nobody's name needs four thousand characters. */
export const RECORD_BYTES_MAX = 4_096
/** Records that are synced together. */
export const RECORDS_MAX = 15
/** Fits `RECORDS_MAX` of the longest, with their brackets and commas. */
const ENTRY_BYTES_MAX = 65_536
/** About ten thousand trusted devices. */
const SNAPSHOT_BYTES_MAX = 4_194_304

export const Head = Schema.Struct({
  version: Schema.Literal(VERSION),
  /** Records that came before this file's first. */
  base: Schema.Natural,
  /** The file was begun anew by a node that had an identity: what it had promised before is forgotten. */
  amnesia: Schema.Boolean
})
export type Head = typeof Head.Type

export const Snapshot = Schema.Struct({
  version: Schema.Literal(VERSION),
  /** Of two snapshots the one with the higher generation is newer. */
  generation: Schema.Natural,
  /** It holds the records up to this number. */
  upTo: Schema.Natural,
  durable: Durable
})
export type Snapshot = typeof Snapshot.Type

const encodeRecord = Schema.encodeUnknownResult(Record)
const decodeRecords = Schema.decodeUnknownResult(Schema.Array(Record))
const decodeHead = Schema.decodeUnknownResult(Head)
const encodeSnapshot = Schema.encodeUnknownResult(Snapshot)
const decodeSnapshot = Schema.decodeUnknownResult(Snapshot)

/** Of up to `RECORDS_MAX` records. */
export type Encoded =
  | { readonly _tag: "Encoded"; readonly bytes: Uint8Array }
  | { readonly _tag: "Refused"; readonly why: string }

const sealed = (value: unknown, bytesMax: number): Encoded => {
  const bytes = Entry.seal(value, bytesMax)
  return bytes === null ? { _tag: "Refused", why: `more than ${bytesMax} bytes` } : { _tag: "Encoded", bytes }
}

/** Refuses what could not be read back. */
export const encodeEntry = (records: ReadonlyArray<Record>): Encoded => {
  const list: Array<unknown> = []
  for (const record of records) {
    const encoded = encodeRecord(record)
    if (Result.isFailure(encoded)) return { _tag: "Refused", why: encoded.failure.message }
    if (Entry.seal(encoded.success, RECORD_BYTES_MAX) === null)
      return { _tag: "Refused", why: `more than ${RECORD_BYTES_MAX} bytes` }
    list.push(encoded.success)
  }
  return sealed(list, ENTRY_BYTES_MAX)
}

export const encodeHead = (head: Omit<Head, "version">): Uint8Array =>
  Entry.seal({ version: VERSION, ...head }, ENTRY_BYTES_MAX)!

export const encodeSnapshotFile = (snapshot: Omit<Snapshot, "version">): Encoded => {
  const encoded = encodeSnapshot({ version: VERSION, ...snapshot })
  if (Result.isFailure(encoded)) return { _tag: "Refused", why: encoded.failure.message }
  return sealed(encoded.success, SNAPSHOT_BYTES_MAX)
}

export type Fault =
  | { readonly _tag: "Damaged"; readonly why: string }
  | { readonly _tag: "Unknown"; readonly why: string }

const unknown = (at: number): Fault => ({
  _tag: "Unknown",
  why: `what stands at byte ${at} is whole, but not of version ${VERSION} of this format`
})

export interface EntryOf {
  readonly records: ReadonlyArray<Record>
  /** As it stands in the file. */
  readonly bytes: Uint8Array
}

export interface JournalFile {
  readonly _tag: "Journal"
  readonly head: Head
  readonly entries: ReadonlyArray<EntryOf>
  /** Up to here it is good; what follows is a write that was cut short. */
  readonly goodBytes: number
}

/** A journal takes its name only once it is synced with its head: a head that is torn is damage. */
export const decodeJournal = (image: Uint8Array): JournalFile | Fault => {
  const first = image.length === 0 ? null : Entry.read(image, 0, ENTRY_BYTES_MAX)
  if (first === null) return { _tag: "Damaged", why: "it is empty" }
  if (first._tag === "Damaged") return first
  if (first._tag === "Torn") return { _tag: "Damaged", why: "it ends within its head" }
  const head = decodeHead(first.value)
  if (Result.isFailure(head)) return unknown(0)
  const entries: Array<EntryOf> = []
  let at = first.end
  while (at < image.length) {
    const next = Entry.read(image, at, ENTRY_BYTES_MAX)
    if (next._tag === "Damaged") return next
    if (next._tag === "Torn") break
    const records = decodeRecords(next.value)
    if (Result.isFailure(records)) return unknown(at)
    entries.push({ records: records.success, bytes: image.slice(at, next.end) })
    at = next.end
  }
  return { _tag: "Journal", head: head.success, entries, goodBytes: at }
}

export const decodeSnapshotFile = (
  image: Uint8Array
): { readonly _tag: "Snapshot"; readonly snapshot: Snapshot } | Fault => {
  const read = image.length === 0 ? null : Entry.read(image, 0, SNAPSHOT_BYTES_MAX)
  if (read === null) return { _tag: "Damaged", why: "it is empty" }
  if (read._tag === "Damaged") return read
  if (read._tag === "Torn") return { _tag: "Damaged", why: "it is not whole" }
  if (read.end !== image.length) return { _tag: "Damaged", why: `something follows its end at byte ${read.end}` }
  const snapshot = decodeSnapshot(read.value)
  return Result.isSuccess(snapshot) ? { _tag: "Snapshot", snapshot: snapshot.success } : unknown(0)
}

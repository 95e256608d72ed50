/**
 * The node's durable journal (S9, B11): records are appended and synced before they are acknowledged; from time to time the
 * state that they add up to is written as a snapshot, and the journal begins anew behind the older one of the two.
 *
 * Pure: what to do comes out as operations of `Disk`, to be performed in order. A caller that cannot perform one stops using
 * the journal, for good.
 *
 * Promises: whatever operation or byte a power cut stops at, `recover` finds every acknowledged record, and no other order
 * than the one they were appended in. The journal always reaches back to the older snapshot, so that a snapshot that went bad
 * costs nothing. Damage is never mistaken for a torn write where the two can be told apart (see Entry), and never repaired.
 *
 * Does not model: who else writes to the directory. Damage that looks like a torn write: the last entry cut short, or ending
 * in zeros.
 */
import * as Durable from "../Durable.ts"
import { JOURNAL, replace, SNAPSHOTS, type File, type Image, type Operation } from "./Disk.ts"
import * as Format from "./Format.ts"

/**
 * Bytes of entries since the newest snapshot from which on another is worth its writes. The file holds up to twice as much,
 * a few hundred thousand bytes to read at a start.
 */
export const COMPACT_AFTER_BYTES = 131_072

/** Records synced together, as they stand in the file. */
interface Kept {
  readonly upTo: number
  readonly bytes: Uint8Array
}

/** Where the newest snapshot is, and what it holds. */
interface Newest {
  readonly slot: 0 | 1
  readonly generation: number
  readonly upTo: number
}

export interface Journal {
  /** What all records add up to. */
  readonly durable: Durable.Durable
  /** Records over the node's whole life. */
  readonly upTo: number
  /** The node had an identity but no journal, and has not yet stored an incarnation since. */
  readonly amnesia: boolean
  /** What the file holds behind its head. */
  readonly entries: ReadonlyArray<Kept>
  readonly newest: Newest | null
  /** Bytes of entries that no snapshot holds. */
  readonly freshBytes: number
}

/** What a journal that is not there means: the first boot, or that a node with an identity has lost what it knew. */
export type Birth = "first" | "lost"

export type Recovered =
  | {
      readonly _tag: "Recovered"
      readonly journal: Journal
      /** To be performed before anything that was recovered is acted upon: it may not have been synced yet. */
      readonly operations: ReadonlyArray<Operation>
      /** For people: what was found and mended. */
      readonly notes: ReadonlyArray<string>
    }
  | {
      readonly _tag: "Refused"
      /** Missing: the others do not make sense without these. Unknown: of another version; leave them where they are. */
      readonly reason: "Damaged" | "Missing" | "Unknown"
      readonly files: ReadonlyArray<File>
      readonly why: string
    }

type Refused = Extract<Recovered, { readonly _tag: "Refused" }>

const refused = (reason: Refused["reason"], files: ReadonlyArray<File>, why: string): Refused => ({
  _tag: "Refused",
  reason,
  files,
  why
})

interface Slot {
  readonly slot: 0 | 1
  readonly snapshot: Format.Snapshot
}

interface Slots {
  readonly newest: Slot | null
  readonly bad: ReadonlyArray<{ readonly file: File; readonly why: string }>
}

const readSlots = ({ snapshots }: Image): Slots | Refused => {
  let newest: Slot | null = null
  const bad: Array<{ readonly file: File; readonly why: string }> = []
  for (const slot of [0, 1] as const) {
    const bytes = snapshots[slot]
    if (bytes === null) continue
    const file = SNAPSHOTS[slot]
    const decoded = Format.decodeSnapshotFile(bytes)
    if (decoded._tag === "Unknown") return refused("Unknown", [file], decoded.why)
    if (decoded._tag === "Damaged") bad.push({ file, why: decoded.why })
    else if (newest === null || decoded.snapshot.generation > newest.snapshot.generation)
      newest = { slot, snapshot: decoded.snapshot }
  }
  return { newest, bad }
}

const startingAt = (newest: Slot | null, amnesia: boolean): Journal => ({
  durable: newest?.snapshot.durable ?? Durable.empty,
  upTo: newest?.snapshot.upTo ?? 0,
  amnesia,
  entries: [],
  newest: newest && { slot: newest.slot, generation: newest.snapshot.generation, upTo: newest.snapshot.upTo },
  freshBytes: 0
})

const remembers = (amnesia: boolean, records: ReadonlyArray<Durable.Record>): boolean =>
  amnesia && !records.some(({ _tag }) => _tag === "Incarnation")

const begin = (slots: Slots, birth: Birth): Recovered => {
  const found = [...slots.bad.map(({ file }) => file), ...(slots.newest === null ? [] : [SNAPSHOTS[slots.newest.slot]])]
  if (birth === "first" && found.length > 0)
    return refused("Missing", [JOURNAL], `there is ${found.join(" and ")}, but no journal`)
  if (slots.newest === null && slots.bad.length > 0)
    return refused("Damaged", found, slots.bad.map(({ file, why }) => `${file}: ${why}`).join("; "))
  const journal = startingAt(slots.newest, birth === "lost")
  const head = Format.encodeHead({ base: journal.upTo, amnesia: journal.amnesia })
  return { _tag: "Recovered", journal, operations: replace(JOURNAL, head), notes: notesOf(slots) }
}

const notesOf = ({ bad, newest }: Slots): ReadonlyArray<string> =>
  bad.map(
    ({ file, why }) =>
      `${file} is damaged (${why}): nothing is lost, ${newest === null ? "the journal holds it all" : "the other one is good"}`
  )

const resume = (slots: Slots, file: Format.JournalFile, fileBytes: number): Recovered => {
  const { newest } = slots
  const { base } = file.head
  const from = newest?.snapshot.upTo ?? 0
  if (base > from) {
    const which = slots.bad.map(({ file: name, why }) => `${name}: ${why}`).join("; ")
    return slots.bad.length > 0
      ? refused(
          "Damaged",
          slots.bad.map((slot) => slot.file),
          `${which}; the journal does not reach back far enough`
        )
      : refused(
          "Missing",
          SNAPSHOTS,
          `the journal begins behind record ${base}, and no snapshot holds what came before`
        )
  }
  let { amnesia } = file.head
  let { durable } = startingAt(newest, amnesia)
  let upTo = base
  let freshBytes = 0
  const entries: Array<Kept> = []
  for (const { bytes, records } of file.entries) {
    const before = upTo
    upTo += records.length
    entries.push({ upTo, bytes })
    amnesia = remembers(amnesia, records)
    if (upTo <= from) continue
    if (before < from) return refused("Damaged", [JOURNAL], `the snapshot ends at record ${from}, within an entry`)
    durable = records.reduce(Durable.apply, durable)
    freshBytes += bytes.length
  }
  if (upTo < from)
    return refused("Damaged", [JOURNAL], `it ends at record ${upTo}, and a snapshot was taken at record ${from}`)
  const torn = fileBytes - file.goodBytes
  const notes = [...notesOf(slots)]
  if (torn > 0)
    notes.push(`journal: a write was cut short; its ${torn} bytes were cut off, nothing acknowledged is lost`)
  return {
    _tag: "Recovered",
    journal: { ...startingAt(newest, amnesia), durable, upTo, entries, freshBytes },
    operations: [
      ...(torn > 0 ? [{ _tag: "Truncate", file: JOURNAL, bytes: file.goodBytes } as const] : []),
      { _tag: "Sync", file: JOURNAL },
      { _tag: "SyncDirectory" }
    ],
    notes
  }
}

/** The journal from what is on the disk. */
export const recover = (image: Image, birth: Birth): Recovered => {
  const slots = readSlots(image)
  if ("_tag" in slots) return slots
  if (image.journal === null) return begin(slots, birth)
  const file = Format.decodeJournal(image.journal)
  if (file._tag !== "Journal") return refused(file._tag, [JOURNAL], file.why)
  return resume(slots, file, image.journal.length)
}

export type Appended =
  | {
      readonly _tag: "Appended"
      readonly journal: Journal
      /** Once they are performed, the records may be acknowledged. */
      readonly operations: ReadonlyArray<Operation>
    }
  | { readonly _tag: "Refused"; readonly why: string }

/** Up to `Format.RECORDS_MAX` records, that become durable all or none. */
export const append = (journal: Journal, records: ReadonlyArray<Durable.Record>): Appended => {
  const encoded = Format.encodeEntry(records)
  if (encoded._tag === "Refused") return encoded
  const { bytes } = encoded
  const upTo = journal.upTo + records.length
  return {
    _tag: "Appended",
    journal: {
      ...journal,
      durable: records.reduce(Durable.apply, journal.durable),
      upTo,
      amnesia: remembers(journal.amnesia, records),
      entries: [...journal.entries, { upTo, bytes }],
      freshBytes: journal.freshBytes + bytes.length
    },
    operations: [
      { _tag: "Append", file: JOURNAL, bytes },
      { _tag: "Sync", file: JOURNAL }
    ]
  }
}

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

export const isDue = (journal: Journal, compactAfterBytes = COMPACT_AFTER_BYTES): boolean =>
  journal.freshBytes >= compactAfterBytes

/**
 * Writes a snapshot over the older one, then the journal anew from where the other one ends. To be performed after what was
 * appended before.
 */
export const compact = (journal: Journal): Appended => {
  const { newest, upTo } = journal
  const slot = newest?.slot === 0 ? 1 : 0
  const generation = (newest?.generation ?? 0) + 1
  const snapshot = Format.encodeSnapshotFile({ generation, upTo, durable: journal.durable })
  if (snapshot._tag === "Refused") return snapshot
  const base = newest?.upTo ?? 0
  const entries = journal.entries.filter((entry) => entry.upTo > base)
  const head = Format.encodeHead({ base, amnesia: journal.amnesia })
  return {
    _tag: "Appended",
    journal: { ...journal, entries, newest: { slot, generation, upTo }, freshBytes: 0 },
    operations: [
      ...replace(SNAPSHOTS[slot], snapshot.bytes),
      ...replace(JOURNAL, joined([head, ...entries.map(({ bytes }) => bytes)]))
    ]
  }
}

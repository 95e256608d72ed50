/**
 * What the journal needs of a disk, as data: five things to do to files of one directory, and the bytes that were found there.
 * The real directory and the simulated disk perform the same operations, in order, each when the one before it has succeeded.
 * An operation that fails is not tried again: nobody knows what a failed sync has kept.
 *
 * Until `Sync`, a file's bytes may be lost or kept in part by a power cut; until `SyncDirectory`, its name may be.
 */

/** The two snapshots are written in turn, so that one is whole at every moment. */
export const SNAPSHOTS = ["snapshot-a", "snapshot-b"] as const
export const JOURNAL = "journal"
export type File = typeof JOURNAL | (typeof SNAPSHOTS)[number]
/** Where a file is written before it takes its name. One that is found was never finished, and is written over. */
export type Draft = `${File}.new`

export type Operation =
  /** The whole file, made or emptied first. */
  | { readonly _tag: "Write"; readonly file: Draft; readonly bytes: Uint8Array }
  | { readonly _tag: "Append"; readonly file: File; readonly bytes: Uint8Array }
  /** Keeps the first `bytes` bytes. */
  | { readonly _tag: "Truncate"; readonly file: File; readonly bytes: number }
  | { readonly _tag: "Sync"; readonly file: File | Draft }
  | { readonly _tag: "Rename"; readonly from: Draft; readonly to: File }
  | { readonly _tag: "SyncDirectory" }

/** What is there; `null`: no such file. */
export interface Image {
  readonly journal: Uint8Array | null
  /** In the order of `SNAPSHOTS`. */
  readonly snapshots: readonly [Uint8Array | null, Uint8Array | null]
}

export const isEmpty = ({ journal, snapshots }: Image): boolean =>
  journal === null && snapshots[0] === null && snapshots[1] === null

/** The file as a whole or not at all, whenever power is cut; durable at the end. */
export const replace = (file: File, bytes: Uint8Array): ReadonlyArray<Operation> => [
  { _tag: "Write", file: `${file}.new`, bytes },
  { _tag: "Sync", file: `${file}.new` },
  { _tag: "Rename", from: `${file}.new`, to: file },
  { _tag: "SyncDirectory" }
]

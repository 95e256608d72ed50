/**
 * One directory on a simulated disk: bytes and names that a program sees at once and that survive a power cut only when they
 * were synced.
 *
 * What was not synced may survive anyway, or be lost, or leave zeros where it would have been; its names may outlive its bytes
 * and the other way about. A power cut says which (`Fate`), for all that is not synced alike; how far the operation in its
 * middle had come, whoever drives the disk says by `bytesMax`. A disk that fails or is full refuses operations (`trouble`)
 * until it is mended; what it holds stays.
 *
 * Does not model: bytes that rot, a disk that fails in parts or whose failed sync loses what it was to keep, stale sectors,
 * several unsynced writes of one file that reach the disk in another order, metadata of its own for each file.
 */
import { JOURNAL, SNAPSHOTS, type Image, type Operation } from "../../kernel/journal/Disk.ts"

/** What becomes of bytes and of names that were not synced. */
export interface Fate {
  /** `zeros`: the file has its size, and zeros where its bytes would be. */
  readonly bytes: "kept" | "lost" | "zeros"
  readonly names: "kept" | "lost"
}

export const FATES: ReadonlyArray<Fate> = (["kept", "lost", "zeros"] as const).flatMap((bytes) =>
  (["kept", "lost"] as const).map((names) => ({ bytes, names }))
)

/** `error`: nothing can be written or synced. `full`: not one byte more; what is there can be cut and synced. */
export type DiskFault = "error" | "full"

const WORDS: { readonly [fault in DiskFault]: string } = {
  error: "the disk reports an error",
  full: "the disk is full"
}

interface Stored {
  /** What a program reads. */
  readonly cached: Uint8Array
  /** What is on the disk. */
  readonly synced: Uint8Array
}

const NOTHING = new Uint8Array(0)

const commonBytes = (a: Uint8Array, b: Uint8Array): number => {
  let same = 0
  while (same < a.length && same < b.length && a[same] === b[same]) same++
  return same
}

const survivor = ({ cached, synced }: Stored, fate: Fate["bytes"]): Uint8Array => {
  if (fate === "lost") return synced
  if (fate === "kept") return cached
  const bytes = new Uint8Array(cached.length)
  bytes.set(cached.subarray(0, commonBytes(cached, synced)))
  return bytes
}

/** How many bytes an operation writes; it can be interrupted after each. */
export const bytesOf = (operation: Operation): number =>
  operation._tag === "Write" || operation._tag === "Append" ? operation.bytes.length : 0

export class SimDisk {
  fault: DiskFault | null = null
  /** Files by number; names point to them, as directory entries to inodes. */
  private files = new Map<number, Stored>()
  private names = new Map<string, number>()
  private syncedNames = new Map<string, number>()
  private made = 0

  clone(): SimDisk {
    const copy = new SimDisk()
    copy.files = new Map(this.files)
    copy.names = new Map(this.names)
    copy.syncedNames = new Map(this.syncedNames)
    copy.made = this.made
    copy.fault = this.fault
    return copy
  }

  /** Why it cannot do this now, in words; `null`: it can. */
  trouble(operation: Operation): string | null {
    const { fault } = this
    if (fault === null || (fault === "full" && bytesOf(operation) === 0)) return null
    return WORDS[fault]
  }

  /** A new one in its place, as good or bad as it was. */
  wipe(): void {
    this.files.clear()
    this.names.clear()
    this.syncedNames.clear()
  }

  /** What is there to be read; `null`: no such file. */
  read(name: string): Uint8Array | null {
    const file = this.names.get(name)
    return file === undefined ? null : this.files.get(file)!.cached
  }

  image(): Image {
    const [a, b] = SNAPSHOTS
    return { journal: this.read(JOURNAL), snapshots: [this.read(a), this.read(b)] }
  }

  /** Does one operation; of one that writes, only the first `bytesMax` bytes. A file that is not there is a bug of the caller. */
  perform(operation: Operation, bytesMax = Number.MAX_SAFE_INTEGER): void {
    switch (operation._tag) {
      case "Write": {
        const found = this.names.get(operation.file)
        const file = found ?? ++this.made
        this.names.set(operation.file, file)
        const { synced } = this.files.get(file) ?? { synced: NOTHING }
        this.files.set(file, { synced, cached: operation.bytes.slice(0, bytesMax) })
        return
      }
      case "Append": {
        const old = this.stored(operation.file)
        const added = operation.bytes.subarray(0, bytesMax)
        const cached = new Uint8Array(old.cached.length + added.length)
        cached.set(old.cached)
        cached.set(added, old.cached.length)
        return this.store(operation.file, { ...old, cached })
      }
      case "Truncate": {
        const old = this.stored(operation.file)
        return this.store(operation.file, { ...old, cached: old.cached.slice(0, operation.bytes) })
      }
      case "Sync": {
        const { cached } = this.stored(operation.file)
        return this.store(operation.file, { cached, synced: cached })
      }
      case "Rename": {
        this.names.set(operation.to, this.number(operation.from))
        this.names.delete(operation.from)
        return
      }
      case "SyncDirectory":
        this.syncedNames = new Map(this.names)
    }
  }

  /** Nothing runs any more; what comes up again finds what `fate` left. */
  powerCut(fate: Fate): void {
    const names = fate.names === "kept" ? this.names : this.syncedNames
    const files = new Map<number, Stored>()
    for (const file of names.values()) {
      const bytes = survivor(this.files.get(file)!, fate.bytes)
      files.set(file, { cached: bytes, synced: bytes })
    }
    this.files = files
    this.names = new Map(names)
    this.syncedNames = new Map(names)
  }

  private number(name: string): number {
    const file = this.names.get(name)
    if (file === undefined) throw new Error(`SimDisk: there is no ${name}`)
    return file
  }

  private stored(name: string): Stored {
    return this.files.get(this.number(name))!
  }

  private store(name: string, stored: Stored): void {
    this.files.set(this.number(name), stored)
  }
}

/**
 * The files of one directory, over node:fs: the operations of the journal's disk, and reading, keeping aside, and putting a
 * file there as a whole. Files are readable by their owner only (0600).
 *
 * Promises: an operation that has succeeded has been accepted by the operating system as a whole; syncs reach as far as the
 * disk tells the truth about them. A file that somebody removed while it was open is an error, not a sink. Nothing is retried.
 */
import { constants } from "node:fs"
import type { FileHandle } from "node:fs/promises"
import { open, readdir, readFile, rename } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Operation } from "../../kernel/journal/Disk.ts"

const FILE_MODE = 0o600

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "the disk is full: make room"],
  ["EDQUOT", "the owner's disk quota is used up: make room"],
  ["EROFS", "the disk is mounted read-only, which is often what a failing card looks like"],
  ["EACCES", "permission denied: it must belong to the user that the node runs as"],
  ["EPERM", "operation not permitted: it must belong to the user that the node runs as"],
  ["EIO", "the disk reports an error: it may be failing"],
  ["EISDIR", "it is a directory"],
  ["EEXIST", "it is there, and is no directory"],
  ["ENOTDIR", "a part of this path is not a directory"],
  ["ENOENT", "it is not there"],
  ["EMFILE", "too many files are open"]
])

const codeOf = (cause: unknown): string => (cause as { readonly code?: string } | null)?.code ?? ""

export class DiskFailed extends Schema.TaggedError<DiskFailed>()("DiskFailed", {
  path: Schema.String,
  /** A verb: "write", "sync". */
  doing: Schema.String,
  cause: Schema.Defect()
}) {
  /** What went wrong and what to do about it. */
  get why(): string {
    const code = codeOf(this.cause)
    const reason = REASONS.get(code)
    if (reason !== undefined) return `${reason} (${code})`
    return this.cause instanceof Error ? this.cause.message : "for a reason that it does not tell"
  }
  override get message() {
    return `cannot ${this.doing} ${this.path}: ${this.why}`
  }
}

/** It takes nothing more, or nothing at all, and may again: somebody makes room, or mounts it anew. */
export const hasNoRoom = ({ cause }: DiskFailed): boolean => ["ENOSPC", "EDQUOT", "EROFS"].includes(codeOf(cause))

/** An operation of the file system at `path`. */
export const attempt = <A>(doing: string, path: string, run: () => Promise<A>): Effect.Effect<A, DiskFailed> =>
  Effect.tryPromise({ try: run, catch: (cause) => new DiskFailed({ path, doing, cause }) })

const missingAsNull = (error: unknown): null => {
  if (codeOf(error) === "ENOENT") return null
  throw error
}

/** Names of files that were kept aside: `journal.corrupt-2`. */
const aside = (name: string): string => `${name}.corrupt-`

const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export const makeDurable = (directory: string): Effect.Effect<void, DiskFailed> =>
  attempt("sync", directory, () => syncDirectory(directory))

export class Files {
  readonly directory: string
  /** Open for writing, by name. What is synced is the file that was written, by the handle that wrote it. */
  private readonly handles = new Map<string, FileHandle>()

  private constructor(directory: string) {
    this.directory = directory
  }

  /** For one writer at a time. Closed with the scope. */
  static readonly open = (directory: string) =>
    Effect.acquireRelease(
      Effect.sync(() => new Files(directory)),
      (files) => Effect.promise(() => files.close())
    )

  path(name: string): string {
    return join(this.directory, name)
  }

  /** `null`: no such file. */
  read(name: string): Effect.Effect<Uint8Array | null, DiskFailed> {
    const path = this.path(name)
    return attempt("read", path, () => readFile(path).catch(missingAsNull))
  }

  readonly perform = (operation: Operation): Effect.Effect<void, DiskFailed> => {
    switch (operation._tag) {
      case "Write":
        return this.write(operation.file, operation.bytes)
      case "Append":
        return this.on("append to", operation.file, "a", (handle) => handle.appendFile(operation.bytes))
      case "Truncate":
        return this.on("shorten", operation.file, "a", (handle) => handle.truncate(operation.bytes))
      case "Sync":
        return this.sync(operation.file)
      case "Rename":
        return this.rename(operation.from, operation.to)
      case "SyncDirectory":
        return makeDurable(this.directory)
    }
  }

  /** The file as a whole or not at all, whenever power is cut; durable at the end. */
  put(name: string, bytes: Uint8Array): Effect.Effect<void, DiskFailed> {
    const draft = `${name}.new`
    return this.write(draft, bytes).pipe(
      Effect.andThen(this.sync(draft)),
      Effect.andThen(this.rename(draft, name)),
      Effect.andThen(makeDurable(this.directory))
    )
  }

  /** Gives a file another name, that it may be looked at but is no longer used; the new name. */
  keepAside(name: string): Effect.Effect<string, DiskFailed> {
    return Effect.gen({ self: this }, function* () {
      const numbers = (yield* this.keptAside(name)).map((kept) => Number(kept.slice(aside(name).length)))
      const kept = `${aside(name)}${Math.max(0, ...numbers) + 1}`
      yield* this.rename(name, kept)
      yield* makeDurable(this.directory)
      return kept
    })
  }

  /** Names under which this file was kept aside, oldest first. */
  keptAside(name: string): Effect.Effect<ReadonlyArray<string>, DiskFailed> {
    const prefix = aside(name)
    const isAside = (found: string): boolean => found.startsWith(prefix) && /^\d+$/u.test(found.slice(prefix.length))
    const number = (found: string): number => Number(found.slice(prefix.length))
    return attempt("list", this.directory, async () =>
      (await readdir(this.directory)).filter(isAside).sort((a, b) => number(a) - number(b))
    )
  }

  private write(name: string, bytes: Uint8Array): Effect.Effect<void, DiskFailed> {
    return Effect.andThen(
      attempt("close", this.path(name), () => this.forget(name)),
      this.on("write", name, "w", (handle) => handle.writeFile(bytes))
    )
  }

  private sync(name: string): Effect.Effect<void, DiskFailed> {
    return this.on("sync", name, "a", async (handle) => {
      await handle.datasync()
      if ((await handle.stat()).nlink === 0)
        throw new Error("somebody removed it while the node was running; what it held is gone")
    })
  }

  private rename(from: string, to: string): Effect.Effect<void, DiskFailed> {
    return attempt("rename", this.path(from), async () => {
      await this.forget(from)
      await this.forget(to)
      await rename(this.path(from), this.path(to))
    })
  }

  /** Only `Write` makes files: appending to one that is not there must fail. */
  private on(
    doing: string,
    name: string,
    flags: "a" | "w",
    use: (handle: FileHandle) => Promise<void>
  ): Effect.Effect<void, DiskFailed> {
    const path = this.path(name)
    return attempt(doing, path, async () => {
      let handle = this.handles.get(name)
      if (handle === undefined) {
        handle = await (flags === "w"
          ? open(path, "w", FILE_MODE)
          : open(path, constants.O_WRONLY | constants.O_APPEND))
        this.handles.set(name, handle)
        // A draft that was left behind keeps the mode that it had.
        if (flags === "w") await handle.chmod(FILE_MODE)
      }
      await use(handle)
    })
  }

  private async forget(name: string): Promise<void> {
    const handle = this.handles.get(name)
    this.handles.delete(name)
    await handle?.close()
  }

  private async close(): Promise<void> {
    // What is not synced was not promised: an error in closing loses nothing.
    await Promise.allSettled([...this.handles.values()].map((handle) => handle.close()))
    this.handles.clear()
  }
}

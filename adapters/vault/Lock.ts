/**
 * One process at a time on a state directory.
 *
 * The lock is an exclusive transaction of SQLite (node:sqlite, part of Node) on an empty file, that is, a record lock of the
 * operating system. It is given up by the system when its process ends, however it ends, so there is no stale lock to judge
 * and take over: no pid that another process may have by now, no race between two that both find it stale. It holds between
 * containers that share the directory but neither pids nor a network.
 *
 * Does not hold on network file systems that do not lock, nor against somebody who removes the file. Record locks are dropped
 * when their process closes *any* descriptor of the file: nothing else in this process may open it.
 */
import { open, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Effect from "effect/Effect"
import { attempt, hasNoRoom } from "./Files.ts"
import { StateRefused } from "./StateRefused.ts"

const LOCK = "lock"
/** The pid of who holds the lock; only for the message of who does not get it. */
const HOLDER = "holder"

/** https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5

/** Exclusively: a file that is there is not opened, see above. */
const makeFile = (path: string) =>
  attempt("make", path, async () => {
    const handle = await open(path, "wx", 0o600).catch((error: unknown) => {
      if ((error as { readonly code?: string }).code === "EEXIST") return null
      throw error
    })
    await handle?.close()
  })

const busy = (directory: string): Effect.Effect<never, StateRefused> =>
  Effect.flatMap(
    Effect.promise(() => readFile(join(directory, HOLDER), "utf8").catch(() => "")),
    (text) => {
      const pid = /^\d+$/u.test(text.trim()) ? text.trim() : null
      return new StateRefused({
        reason: "Busy",
        path: directory,
        problem: `another clawmesh-node${pid === null ? "" : ` (process ${pid})`} uses this directory.`,
        wayOut: "Stop that one first, or give this node a directory of its own with --state."
      })
    }
  )

const writeHolder = (directory: string) =>
  attempt("write", join(directory, HOLDER), () =>
    writeFile(join(directory, HOLDER), `${process.pid}\n`, { mode: 0o600 })
  )

/** Holds the directory until the scope closes. */
export const acquire = (directory: string) =>
  Effect.gen(function* () {
    const path = join(directory, LOCK)
    yield* makeFile(path)
    yield* Effect.acquireRelease(
      Effect.try({
        try: () => {
          const database = new DatabaseSync(path, { timeout: 0 })
          try {
            // In memory, so that no file appears beside it. A file that may only be read is opened all the same, and its
            // "exclusive" transaction excludes nobody: only writing tells. What is written is never committed.
            database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE; PRAGMA user_version = 1")
            return database
          } catch (error) {
            database.close()
            throw error
          }
        },
        catch: (error) => error as { readonly errcode?: number; readonly message: string }
      }).pipe(
        Effect.catch((error) =>
          error.errcode === SQLITE_BUSY
            ? busy(directory)
            : // SQLite says the same of a file that is another's and of a disk that is mounted read-only.
              Effect.andThen(
                Effect.catchIf(
                  writeHolder(directory),
                  (failed) => !hasNoRoom(failed),
                  () => Effect.void
                ),
                Effect.fail(
                  new StateRefused({
                    reason: "Unusable",
                    path,
                    problem: `cannot lock it: ${error.message}.`,
                    wayOut: "The directory must be on a local disk, writable by the user that the node runs as."
                  })
                )
              )
        )
      ),
      (database) => Effect.sync(() => database.close())
    )
    // Only for people: a full disk may leave it out.
    yield* Effect.ignore(writeHolder(directory))
  })

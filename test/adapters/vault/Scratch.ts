/** Directories of a test's own, and processes that end with it. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"

const child = fileURLToPath(new URL("child.ts", import.meta.url))

/** Gone with the scope. */
export const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "clawmesh-state-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

export class Child {
  readonly lines: Array<string> = []
  readonly process: ChildProcess
  private waiting: Array<() => void> = []

  constructor(command: string, args: ReadonlyArray<string>) {
    this.process = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] })
    createInterface({ input: this.process.stdout! }).on("line", (line) => {
      this.lines.push(line)
      for (const wake of this.waiting.splice(0)) wake()
    })
  }

  /** The first line that it says, or the `n`th. */
  line(n = 1): Effect.Effect<string> {
    return Effect.promise(async () => {
      while (this.lines.length < n) await new Promise<void>((wake) => this.waiting.push(wake))
      return this.lines[n - 1]!
    })
  }

  get ended(): Effect.Effect<unknown> {
    const { process: started } = this
    return Effect.promise(async () => {
      if (started.exitCode === null && started.signalCode === null) await once(started, "close")
    })
  }

  signal(signal: NodeJS.Signals): Effect.Effect<void> {
    return Effect.sync(() => void this.process.kill(signal))
  }
}

/** `child.ts` with these arguments, killed with the scope. */
export const run = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => new Child(process.execPath, [child, ...args])),
    (it) => Effect.andThen(it.signal("SIGKILL"), it.ended)
  )

/** The same, allowed to make files of so many blocks of 1,024 bytes only. */
export const runLimited = (blocks: number, ...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(
      () => new Child("bash", ["-c", `ulimit -f ${blocks}; exec "$@"`, "bash", process.execPath, child, ...args])
    ),
    (it) => Effect.andThen(it.signal("SIGKILL"), it.ended)
  )

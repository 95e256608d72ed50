/**
 * The daemons of the demo: real `clawmesh-node` processes, each told to stop when the scope closes, and waited for.
 *
 * Each is in a group of its own, so that the Ctrl-C of a terminal reaches the demo alone, which tells them in order. What keeps the
 * time of an open pump outlives its node by design (adapters/hardware/Drivers.ts); it is ended here, once the node has made safe.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import { StartFailure } from "../config/StartFailure.ts"
import { STOP_MS_MAX } from "../node/Launch.ts"

const PROGRAM = resolve(import.meta.dirname, "../clawmesh-node.ts")
const LOG_LINES_SHOWN = 5

/** Without the settings of whoever starts the demo. */
const environment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("CLAWMESH_")))

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

const ended = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const end = (): void => resume(Effect.void)
    if (hasEnded(child)) return end()
    child.once("exit", end)
    return Effect.sync(() => child.off("exit", end))
  })

const stop = (child: ChildProcess): Effect.Effect<void> =>
  Effect.suspend(() => {
    child.kill("SIGTERM")
    return ended(child).pipe(
      Effect.timeoutOrElse({
        // It gives up by itself then.
        duration: STOP_MS_MAX + 1_000,
        orElse: () =>
          Effect.suspend(() => {
            child.kill("SIGKILL")
            return ended(child)
          })
      })
    )
  })

const logOf = (folder: string, name: string): string => join(folder, `${name}.log`)

/** Why it is no more, in its own last words. */
const lastWords = (folder: string, name: string): string => {
  try {
    return readFileSync(logOf(folder, name), "utf8").trimEnd().split("\n").slice(-LOG_LINES_SHOWN).join("\n  ")
  } catch {
    return ""
  }
}

export interface Running {
  /** Fails once the process has ended. */
  readonly alive: Effect.Effect<void, StartFailure>
}

/** `clawmesh-node run --config FOLDER/NAME.yaml`; what it prints is in FOLDER/NAME.log. */
export const start = Effect.fnUntraced(function* (folder: string, name: string) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const log = openSync(logOf(folder, name), "w", 0o600)
      try {
        return spawn(process.execPath, [PROGRAM, "run", "--config", join(folder, `${name}.yaml`)], {
          cwd: folder,
          detached: true,
          env: environment(),
          stdio: ["ignore", log, log]
        })
      } finally {
        closeSync(log)
      }
    }),
    stop
  )
  let broken: Error | null = null
  child.on("error", (error) => {
    broken = error
  })
  const running: Running = {
    alive: Effect.suspend(() =>
      broken === null && !hasEnded(child)
        ? Effect.void
        : Effect.fail(
            new StartFailure({
              message: `${name} does not run any more`,
              hint: broken?.message ?? lastWords(folder, name),
              exit: 1
            })
          )
    )
  }
  return running
})

/** As `Drivers.ts` calls it. */
const DEAD_MAN = "clawmesh-dead-man"

/**
 * Ends what kept the time of the pumps of this folder, whole groups of processes. Where there is no /proc they end by themselves, and
 * do nothing then: the file that would have them act is gone.
 */
export const endDeadMen = (folder: string): void => {
  for (const pid of pids()) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
      if (words.includes(DEAD_MAN) && words.some((word) => word.startsWith(`${folder}/`)))
        process.kill(-Number(pid), "SIGKILL")
    } catch {
      // It has ended in the meantime.
    }
  }
}

const pids = (): ReadonlyArray<string> => {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/u.test(name))
  } catch {
    return []
  }
}

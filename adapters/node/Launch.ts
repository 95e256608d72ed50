/**
 * A program bound to this process: its exit code, its signals, and what it says when it breaks.
 *
 * A first SIGTERM or SIGINT interrupts the program, whose finalizers take leave of the mesh; it then exits 0. Whoever does not
 * want to wait for that sends a second one, and nobody waits for longer than `STOP_MS_MAX` (B46): both exit 1, because what
 * should have been said was not. An exception that nobody caught is a defect: one line, exit 70. A promise that nobody waited for
 * says nothing about the node, and does not end it.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { printable } from "../config/Printable.ts"

/** From the signal to the end, in ms. systemd would wait for 90 s; a person pulls the plug before. */
export const STOP_MS_MAX = 15_000

const DEFECT = 70
const FRAMES_SHOWN = 3

/** One line that says what broke and where. */
export const defectLine = (program: string, defect: unknown): string => {
  const error = defect instanceof Error ? defect : null
  const frames = (error?.stack ?? "").split("\n").filter((line) => /^\s+at /u.test(line))
  const where = frames.slice(0, FRAMES_SHOWN).map((frame) => frame.trim().replace(/^at /u, ""))
  const what = error === null ? String(defect) : `${error.name}: ${error.message}`
  const line = `${program} broke; this is a defect of clawmesh: ${what}${where.length === 0 ? "" : ` at ${where.join(" < ")}`}`
  return `${printable(line.replaceAll(/\s*\n\s*/gu, " "))}\n`
}

/** Runs `main` as the main program of this process. The process ends with the exit code that `main` gives. */
export const launch = (name: string, main: Effect.Effect<number>, stopMsMax = STOP_MS_MAX): void => {
  const err = (text: string): void => void process.stderr.write(text)
  // The reader of a pipe may leave early (`| head`): that is its right, and no failure of ours.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error
    })
  process.on("uncaughtException", (error) => {
    err(defectLine(name, error))
    process.exit(DEFECT)
  })
  process.on("unhandledRejection", (reason) => {
    err(defectLine(`${name} goes on, though a side task of it`, reason))
  })
  let asked = false
  const onSignal = (): void => {
    if (asked) {
      err(`${name}: told twice to stop: stopping without taking leave\n`)
      process.exit(1)
    }
    asked = true
    setTimeout(() => {
      err(`${name}: did not stop within ${stopMsMax / 1_000} s: stopping without taking leave\n`)
      process.exit(1)
    }, stopMsMax).unref()
  }
  process.on("SIGINT", onSignal)
  process.on("SIGTERM", onSignal)

  const exitOf = (exit: Exit.Exit<unknown, unknown>): number => {
    if (Exit.isSuccess(exit)) return typeof exit.value === "number" ? exit.value : 0
    if (Cause.hasInterruptsOnly(exit.cause)) return 0
    err(defectLine(name, Cause.squash(exit.cause)))
    return DEFECT
  }
  NodeRuntime.runMain(main, {
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      const code = exitOf(exit)
      // What was written to a pipe is still on its way: a plain end of the process flushes it, `process.exit` would not.
      process.exitCode = code
      Promise.all([flushed(process.stdout), flushed(process.stderr)]).then(
        () => {
          onExit(code)
          process.exit(code)
        },
        () => process.exit(code)
      )
    }
  })
}

const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve()
    else stream.write("", () => resolve())
  })

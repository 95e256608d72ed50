/**
 * A program of node.yaml, run once: with a deadline, in a group of its own so that it ends with whatever it started, and with nothing of
 * what this process was started with but the path.
 */
import { spawn, type ChildProcess } from "node:child_process"
import * as Effect from "effect/Effect"

/** What is kept of each of its streams, in characters. */
const OUTPUT_MAX = 256

export interface Program {
  readonly command: ReadonlyArray<string>
  /** Beside the path. */
  readonly environment: { readonly [name: string]: string }
  /** After so long it is ended. */
  readonly msMax: number
  /** What it prints is wanted. What it starts and leaves behind may keep that open, so that it does not end where it is. */
  readonly reads: boolean
}

/** What it printed, where that is wanted; or why it counts for nothing. */
export type Outcome = { readonly out: string } | { readonly why: string }

/** In which a program runs. */
export const surroundings = (
  environment: Program["environment"]
): { readonly detached: true; readonly cwd: string; readonly env: NodeJS.ProcessEnv } => ({
  detached: true,
  cwd: "/",
  env: { PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", ...environment }
})

/** With whatever it started. */
const end = ({ pid }: ChildProcess): void => {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL")
  } catch {
    // It is gone already.
  }
}

/** Whoever does not wait for the outcome any more ends the program. */
export const run = ({ command, environment, msMax, reads }: Program): Effect.Effect<Outcome> =>
  Effect.callback<Outcome>((resume) => {
    const [program, ...rest] = command
    const child = spawn(program!, rest, {
      ...surroundings(environment),
      stdio: ["ignore", reads ? "pipe" : "ignore", "pipe"]
    })
    let out = ""
    let complaint = ""
    const done = (outcome: Outcome): void => {
      clearTimeout(timer)
      resume(Effect.succeed(outcome))
    }
    const timer = setTimeout(() => {
      end(child)
      done({ why: `took longer than ${msMax} ms and was ended` })
    }, msMax)
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      out = `${out}${text}`.slice(0, OUTPUT_MAX)
    })
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      complaint = `${complaint}${text}`.slice(0, OUTPUT_MAX)
    })
    child.once("error", (error) => done({ why: `does not run: ${error.message}` }))
    child.once("close", (code, signal) => {
      const said = complaint.trim()
      done(code === 0 ? { out } : { why: `ended with ${code ?? signal}${said === "" ? "" : `: ${said}`}` })
    })
    return Effect.sync(() => {
      clearTimeout(timer)
      end(child)
    })
  })

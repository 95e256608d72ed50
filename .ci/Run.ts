/** Runs a command with the project's own Node and tools first on the path, and keeps what it prints. */
import { spawn } from "node:child_process"
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join, resolve } from "node:path"

export const root = resolve(import.meta.dirname, "..")

const binaries = join(root, "node_modules/.bin")

export interface Ran {
  /** `null`: ended by a signal. */
  readonly code: number | null
  /** Standard output and standard error, in the order in which they were written. */
  readonly output: string
  readonly tookMs: number
}

/**
 * From the project's top folder unless `directory` says another; with this process's environment unless `env` says another.
 * Colours off, standard input closed. A command that cannot be started ends with code 127 and says why.
 */
export const run = (
  command: string,
  args: ReadonlyArray<string>,
  { directory = root, env = process.env }: { readonly directory?: string; readonly env?: NodeJS.ProcessEnv } = {}
): Promise<Ran> => {
  const startedMs = performance.now()
  // One file for both streams: two pipes would lose which of the lines came first.
  const kept = mkdtempSync(join(tmpdir(), "clawmesh-run-"))
  const file = join(kept, "output")
  const output = openSync(file, "a")
  const child = spawn(command, args, {
    cwd: directory,
    stdio: ["ignore", output, output],
    env: { ...env, PATH: `${binaries}${delimiter}${process.env["PATH"]}`, NO_COLOR: "1" }
  })
  return new Promise((done) => {
    const end = (code: number | null, why = "") => {
      closeSync(output)
      const text = readFileSync(file, "utf8") + why
      rmSync(kept, { recursive: true, force: true })
      done({ code, output: text, tookMs: performance.now() - startedMs })
    }
    child.on("error", (error) => end(127, `${error.message}\n`))
    child.on("exit", (code) => end(code))
  })
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** Runs a command of the project from its top folder, with the project's own Node and tools first on the path. */
import { spawn } from "node:child_process"
import { delimiter, join, resolve } from "node:path"

export const root = resolve(import.meta.dirname, "..")

const binaries = join(root, "node_modules/.bin")

export interface Ran {
  /** `null`: ended by a signal. */
  readonly code: number | null
  /** Standard output and standard error, as they came. */
  readonly output: string
  readonly tookMs: number
}

/** Colours off, standard input closed. A command that cannot be started ends with code 127 and says why. */
export const run = (command: string, args: ReadonlyArray<string>): Promise<Ran> => {
  const startedMs = performance.now()
  const child = spawn(command, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH: `${binaries}${delimiter}${process.env["PATH"]}`, NO_COLOR: "1" }
  })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text))
  }
  return new Promise((done) => {
    const end = (code: number | null) => done({ code, output, tookMs: performance.now() - startedMs })
    child.on("error", (error) => {
      output += `${error.message}\n`
      end(127)
    })
    child.on("close", end)
  })
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

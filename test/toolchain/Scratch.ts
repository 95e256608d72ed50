/**
 * A folder of its own under the system's temporary one, with the project's node_modules and nothing else, and a way to run the
 * project's tools there. Gone when it is closed.
 */
import { spawn } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join, resolve } from "node:path"

export const root = resolve(import.meta.dirname, "../..")

export interface Ran {
  /** `null`: ended by a signal. */
  readonly code: number | null
  /** Standard output and standard error as they came. */
  readonly output: string
}

export class Scratch {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), "clawmesh-")))

  constructor() {
    symlinkSync(join(root, "node_modules"), join(this.directory, "node_modules"))
  }

  /** Files or folders of the project, to the same place here. */
  copy(...paths: ReadonlyArray<string>): void {
    for (const path of paths) cpSync(join(root, path), join(this.directory, path), { recursive: true })
  }

  write(path: string, text: string): void {
    const file = join(this.directory, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  /** Runs one of the project's own tools; colours off, standard input closed. */
  run(tool: string, ...args: ReadonlyArray<string>): Promise<Ran> {
    const binaries = join(root, "node_modules/.bin")
    const child = spawn(join(binaries, tool), args, {
      cwd: this.directory,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: `${binaries}${delimiter}${process.env["PATH"]}`, HOME: this.directory, NO_COLOR: "1" }
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output += text))
    }
    return new Promise((done, fail) => {
      child.on("error", fail)
      child.on("close", (code) => done({ code, output }))
    })
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

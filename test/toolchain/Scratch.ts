/**
 * A folder of its own under the system's temporary one, with the project's node_modules and nothing else, and a way to run the
 * project's tools there. Gone when it is closed.
 */
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { type Ran, root, run } from "../../.ci/Run.ts"

export class Scratch {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), "clawmesh-scratch-")))

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

  /** Runs one of the project's own tools, which must not learn that a test runs it. */
  run(tool: string, ...args: ReadonlyArray<string>): Promise<Ran> {
    return run(tool, args, { directory: this.directory, env: { HOME: this.directory } })
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

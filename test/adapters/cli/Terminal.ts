/** A terminal for `clawmesh`: what it printed and with which exit code it ended, for a state directory of the test. */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { command, type Surroundings } from "../../../adapters/cli/Command.ts"
import type { Exit } from "../../../adapters/cli/Exit.ts"

export interface Said {
  readonly out: string
  readonly err: string
  readonly exit: Exit
}

/** An empty directory, gone when the scope closes. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "clawmesh-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** @param line words parted by blanks, or the words themselves */
export const clawmesh = (
  state: string,
  line: string | ReadonlyArray<string>,
  around: Partial<Surroundings> = {}
): Effect.Effect<Said> =>
  Effect.promise(async () => {
    let out = ""
    let err = ""
    const words = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line
    const exit = await command(words, {
      env: { CLAWMESH_STATE: state },
      cwd: "/",
      home: "/nowhere",
      isRoot: false,
      version: "1.2.3",
      hostName: "jetson-3.farm.example",
      isTerminal: false,
      ask: null,
      run: () => Promise.resolve(null),
      nowMs: () => Date.now(),
      out: (text) => {
        out += text
      },
      err: (text) => {
        err += text
      },
      ...around
    })
    return { out, err, exit }
  })

/** The document that `--json` printed. */
export const documentOf = ({ out }: Said): unknown => JSON.parse(out)

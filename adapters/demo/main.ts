/** `pnpm demo [--in FOLDER]`: the demo bound to this process. */
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import { exits } from "../node/Program.ts"
import { launch } from "../node/Launch.ts"
import { demo } from "./Demo.ts"

const help = `Starts a small farm on this machine, for looking at: five nodes, a pump and sensors that are files.

  pnpm demo               in a folder of its own among the temporary files
  pnpm demo --in FOLDER   in this one, which is made; both are removed at the end

Ctrl-C ends it. Nothing of it leaves the machine.
`

const out = (text: string): void => void process.stdout.write(text)
const err = (text: string): void => void process.stderr.write(text)

/** The folder; `null`: none is named; else what is printed, and with which exit code it ends. */
const read = (
  args: ReadonlyArray<string>
): { readonly folder: string | null } | { readonly said: string; readonly exit: number } => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { in: { type: "string" }, help: { type: "boolean", short: "h" } }
    })
    if (values.help === true) return { said: help, exit: exits.stopped }
    return { folder: values.in === undefined || values.in === "" ? null : resolve(values.in) }
  } catch (error) {
    return { said: `demo: ${error instanceof Error ? error.message : String(error)}\n\n${help}`, exit: exits.wrongUse }
  }
}

// A terminal that is closed takes the nodes with it, too.
process.once("SIGHUP", () => process.kill(process.pid, "SIGTERM"))

const options = read(process.argv.slice(2))
if ("said" in options) {
  ;(options.exit === exits.stopped ? out : err)(options.said)
  process.exitCode = options.exit
} else
  launch(
    "demo",
    Effect.match(demo({ folder: options.folder, out }), {
      onSuccess: () => exits.stopped,
      onFailure: ({ exit, hint, message }) => {
        err(`demo: ${message}\n${hint === "" ? "" : `  ${hint}\n`}`)
        return exit
      }
    }),
    // Each node has as long as it takes for itself.
    25_000
  )

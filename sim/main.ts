/**
 * `pnpm sim`: binds the command to this process, nothing more. Kept lean, because starting is most of what a run takes: the
 * simulator is imported only when there is something to run, and what V8 compiled is kept for the next start.
 */
import { enableCompileCache } from "node:module"
import { fileURLToPath } from "node:url"
import { command } from "./cli/Command.ts"
import { exits } from "./cli/Exit.ts"
import type { Engine } from "./cli/Surroundings.ts"

// Beside the packages, not in a folder that everybody may write to. Where that cannot be, Node goes without.
enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/clawmesh-sim", import.meta.url)))

// The reader of a pipe may leave early (`| head`): that is its right, and no failure of ours. A full disk is none either, but
// what was to be written there is lost.
process.stderr.on("error", () => {})
process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
  if (code === "EPIPE") return
  process.stderr.write(`standard output cannot be written: ${code === "ENOSPC" ? "the disk is full" : message}\n`)
  process.exit(exits.wrongUse)
})

const engine = async (): Promise<Engine> => {
  const [{ readScenario, renderMistakes }, { runScenario }, { runBranch }] = await Promise.all([
    import("./scenario/read.ts"),
    import("./run.ts"),
    import("./search/OneSeed.ts")
  ])
  return {
    read: (file, bytes) => {
      const read = readScenario(file, bytes)
      return "scenario" in read ? read : { ...read, told: renderMistakes(file, read.mistakes) }
    },
    run: runScenario,
    runFuzzed: (scenario, seed, { points, swarm }, options) => runBranch(scenario, seed, swarm, points, options)
  }
}

try {
  process.exitCode = await command(process.argv.slice(2), {
    cwd: process.cwd(),
    env: process.env,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    terminal: process.stdout.isTTY ? { columns: process.stdout.columns } : null,
    nowMs: () => performance.now(),
    dateMs: () => Date.now(),
    engine,
    ...(process.stderr.isTTY
      ? { progress: (text: string | null) => void process.stderr.write(`\r\u001b[K${text ?? ""}`) }
      : {}),
    // Only the first is ours: whoever presses it twice does not want to wait.
    onInterrupt: (stop) => {
      process.once("SIGINT", stop)
      return () => void process.removeListener("SIGINT", stop)
    }
  })
} catch (error) {
  process.stderr.write(
    `the simulator broke. This is a defect of clawmesh.\n${error instanceof Error ? error.stack : error}\n`
  )
  process.exitCode = exits.defect
}

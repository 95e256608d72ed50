/** `pnpm mutants`: binds the command to this process, nothing more. */
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { command } from "./Command.ts"

const project = fileURLToPath(new URL("../../", import.meta.url))

const commit = (): string | null => {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: project, encoding: "utf8", stdio: "pipe" }).slice(0, 8)
  } catch {
    return null
  }
}

process.exitCode = await command(process.argv.slice(2), {
  project,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  commit
})

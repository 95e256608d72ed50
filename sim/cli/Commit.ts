/** Which commit of the kernel runs, as traces and reports say. */
import { execFileSync } from "node:child_process"

/** Its first digits; `null`: there is no repository here, or no git. */
export const commit = (): string | null => {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], {
      cwd: import.meta.dirname,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"]
    }).trim()
  } catch {
    return null
  }
}

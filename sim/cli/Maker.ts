/** What the files that we keep say of who made them. */
import { execFileSync } from "node:child_process"

/** The commit of the kernel; `null`: no repository, or no git. */
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

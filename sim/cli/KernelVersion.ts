/** Which kernel and simulator these are: by the commit that they are of, or by what they say where no commit holds it. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, globSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import type { Surroundings } from "./Surroundings.ts"

const ROOT = resolve(import.meta.dirname, "../..")
/** Where files were taken out of a repository, of which commit they are. */
export const COMMIT_FILE = ".commit"
const FOLDERS = ["kernel", "adapters/recorded", "sim"]
const DIRTY = "-dirty."
/** Short, as commits are written. */
const DIGITS = 8

const git = (...args: ReadonlyArray<string>): string =>
  execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()

const digest = (): string => {
  const hash = createHash("sha256")
  for (const file of FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: ROOT })).toSorted())
    hash.update(`${file}\n`).update(readFileSync(resolve(ROOT, file)))
  return hash.digest("hex").slice(0, DIGITS)
}

/** `4c1e77a`; `4c1e77a-dirty.51aa0c3e` where files of kernel or simulator differ from that commit; `null`: no repository, or no git. */
const kernelVersion = (): string | null => {
  try {
    const named = resolve(ROOT, COMMIT_FILE)
    if (existsSync(named)) return readFileSync(named, "utf8").trim()
    const commit = git("rev-parse", "--short", "HEAD")
    return git("status", "--porcelain", "--", ...FOLDERS) === "" ? commit : `${commit}${DIRTY}${digest()}`
  } catch {
    return null
  }
}

/** The same, or what a test says. */
export const versionOf = (around: Pick<Surroundings, "kernelVersion">): string | null =>
  (around.kernelVersion ?? kernelVersion)()

/** Whether no commit holds it. */
export const isDirty = (version: string): boolean => version.includes(DIRTY)

/** Whether both are known to be the same. Short names of a commit may be of different lengths. */
export const sameKernel = (a: string | null, b: string | null): boolean =>
  a !== null && b !== null && (a === b || (!isDirty(a) && !isDirty(b) && (a.startsWith(b) || b.startsWith(a))))

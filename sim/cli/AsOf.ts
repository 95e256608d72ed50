/**
 * A replay with the simulator and the kernel of another commit: its files are taken out of this repository into a folder of their
 * own, run, and gone afterwards. Neither the working tree nor the index is touched.
 *
 * Does not promise: that the packages are those of that commit; they are the ones that are installed.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { type Exit, exits } from "./Exit.ts"
import { COMMIT_FILE } from "./KernelVersion.ts"
import type { ReplayOrder } from "./Order.ts"
import { type Records, shellWord, type Surroundings } from "./Surroundings.ts"

const ROOT = resolve(import.meta.dirname, "../..")
/** What a replay needs. */
const FOLDERS = ["kernel", "adapters/recorded", "sim", "package.json"]
const OUTPUT_BYTES_MAX = 1_073_741_824

const git = (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = process.env): string =>
  execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], env }).trim()

const known = (commit: string): string | null => {
  try {
    return git(["rev-parse", "--verify", "--quiet", `${commit}^{commit}`])
  } catch {
    return null
  }
}

const checkOut = (commit: string, folder: string): void => {
  const env = { ...process.env, GIT_INDEX_FILE: join(folder, ".index") }
  git(["read-tree", commit], env)
  const files = git(["ls-files", "--", ...FOLDERS], env).split("\n")
  for (let at = 0; at < files.length; at += 500)
    git(["checkout-index", "--force", `--prefix=${folder}/`, "--", ...files.slice(at, at + 500)], env)
  writeFileSync(join(folder, COMMIT_FILE), `${git(["rev-parse", "--short", commit])}\n`)
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"))
}

const wordsOf = ({ file, fromMs, json, step, untilMs }: ReplayOrder, recordsFile: string): ReadonlyArray<string> => [
  ...(step ? ["--step"] : []),
  ...(fromMs === 0 ? [] : ["--from", `${fromMs}ms`]),
  ...(untilMs === null ? [] : ["--until", `${untilMs}ms`]),
  ...(json === null ? [] : [json === "stdout" ? "--json" : `--json=${recordsFile}`]),
  file
]

export const replayAsOf = (order: ReplayOrder, commit: string, around: Surroundings, records: Records): Exit => {
  const refuse = (message: string): Exit => {
    records.error("WRONG_USE", exits.wrongUse, message)
    return exits.wrongUse
  }
  const found = known(commit)
  if (found === null)
    return refuse(
      `--as-of ${commit}: this repository has no such commit; git fetch may bring it, where history was left out`
    )
  const folder = mkdtempSync(join(tmpdir(), "clawmesh-as-of-"))
  try {
    checkOut(found, folder)
    if (!existsSync(join(folder, "sim/cli/Replay.ts")))
      return refuse(
        `--as-of ${commit}: the simulator of that commit cannot replay yet; git worktree add ../${commit} ${commit} shows what it can`
      )
    const kept = join(folder, ".records")
    const { error, signal, status, stderr, stdout } = spawnSync(
      process.execPath,
      [join(folder, "sim/main.ts"), "replay", ...wordsOf(order, kept)],
      { cwd: around.cwd, encoding: "utf8", maxBuffer: OUTPUT_BYTES_MAX, env: { ...process.env, NO_COLOR: "1" } }
    )
    around.out(stdout)
    around.err(stderr)
    if (existsSync(kept)) records.write(readFileSync(kept, "utf8"))
    if (error !== undefined || status === null) {
      const why = error?.message ?? `it ended by ${signal}`
      records.error(
        "DEFECT",
        exits.defect,
        `the simulator of ${commit} did not come to an end on ${shellWord(order.file)}: ${why}`
      )
      return exits.defect
    }
    return status as Exit
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

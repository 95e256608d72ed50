/** A replay with the simulator of another commit: out of this repository, and nothing of it is left behind. */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { folder, sim, traceOf, write } from "./Stage.ts"

const LIMIT_MS = 60_000
const HEAD = execFileSync("git", ["rev-parse", "HEAD"], { cwd: import.meta.dirname, encoding: "utf8" }).trim()
/** Where it takes files out to. */
process.env["TMPDIR"] = folder
const leftBehind = () => readdirSync(folder).filter((name) => name.startsWith("clawmesh-as-of-"))
write("out/whole.jsonl", traceOf())

describe("pnpm sim replay --as-of", () => {
  it("runs what that commit holds, with its exit code, its words and its records", { timeout: LIMIT_MS }, async () => {
    const { err, exit, out } = await sim(`replay out/whole.jsonl --until 5500ms --as-of ${HEAD} --json=kept.json`)
    assert.deepInclude({ err, exit }, { err: "", exit: 0 })
    assert.match(out, new RegExp(`! this recording was made by kernel 4c1e77a; you run ${HEAD.slice(0, 7)}\\w*\n`, "u"))
    assert.match(out, /✓ replayed, step by step the same: \d+ inputs of out\/whole\.jsonl/u)
    assert.match(
      readFileSync(join(folder, "kept.json"), "utf8"),
      /"\$type":"clawmesh\.replay\/1","trace":"out\/whole\.jsonl"/u
    )
    assert.deepStrictEqual(leftBehind(), [])
  })

  it("of no commit of this repository, or of one that cannot replay: exit 2", async () => {
    const { err, exit } = await sim("replay out/whole.jsonl --as-of 0000000000")
    assert.strictEqual(exit, 2)
    assert.match(err, /^--as-of 0000000000: this repository has no such commit; git fetch may bring it/u)
  })
})

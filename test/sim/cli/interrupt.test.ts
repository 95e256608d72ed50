/** Ctrl-C at the real command: it ends, and tells what it has. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { FIELD } from "../search/Field.ts"

const LIMIT_MS = 120_000
const main = fileURLToPath(new URL("../../../sim/main.ts", import.meta.url))

describe("pnpm sim fuzz, interrupted", () => {
  it("ends by itself, with the record of what was done so far", { timeout: LIMIT_MS }, async () => {
    const cwd = mkdtempSync(join(tmpdir(), "clawmesh-interrupt-"))
    writeFileSync(join(cwd, "field.yaml"), FIELD)
    const words = ["fuzz", "field.yaml", "--events", "999999999999", "--jobs", "2", "--json", "--verbose"]
    const child = spawn(process.execPath, [main, ...words], { cwd, stdio: ["ignore", "pipe", "inherit"] })
    try {
      let out = ""
      const ended = new Promise<readonly [exit: number | null, signal: string | null]>((resolve) =>
        child.on("close", (exit, signal) => resolve([exit, signal]))
      )
      child.stdout.on("data", (chunk) => {
        const before = out.split("\n").length
        out += chunk
        // Twice would be impatience, and end it at once.
        if (before < 4 && out.split("\n").length >= 4) child.kill("SIGINT")
      })
      assert.deepStrictEqual(await ended, [0, null])
      const records = out
        .trimEnd()
        .split("\n")
        .map(
          (line) =>
            JSON.parse(line) as { readonly $type: string; readonly interrupted?: boolean; readonly runs?: number }
        )
      const end = records.at(-1)
      assert.deepInclude(end, { $type: "clawmesh.fuzz.end/1", interrupted: true, runs: records.length - 1 })
      assert.isAtLeast(records.length, 4)
    } finally {
      child.kill("SIGKILL")
      rmSync(cwd, { recursive: true })
    }
  })
})

/**
 * The real command where a file may not grow: what was there stays, and nothing lies about that is cut off. A limit on the size of
 * files stands for a full disk, which nobody but root could make.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeEach } from "vitest"
import { FIELD } from "../search/Field.ts"

const LIMIT_MS = 120_000
const main = fileURLToPath(new URL("../../../sim/main.ts", import.meta.url))
const from = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)

let folder = ""
const folders: Array<string> = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "clawmesh-cut-"))
  folders.push(folder)
  writeFileSync(join(folder, "field.yaml"), FIELD)
})
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true })
})

/** No file gets longer than so many KiB; beyond, a write fails as on a full disk. */
const within = (kib: number, ...words: ReadonlyArray<string>) => {
  const script = `trap "" XFSZ; ulimit -f ${kib}; exec "$0" "$@"`
  const { status, stderr, stdout } = spawnSync("bash", ["-c", script, process.execPath, ...words], {
    cwd: folder,
    encoding: "utf8"
  })
  return { exit: status, err: stderr, out: stdout }
}

/** `pnpm sim fuzz` with a kernel that breaks in each run. */
const fuzz = (kib: number) => {
  const script = `
    const { command } = await import(${from("../../../sim/cli/Command.ts")})
    const { readScenario: read } = await import(${from("../../../sim/scenario/read.ts")})
    process.exitCode = await command(["fuzz", "field.yaml", "--seeds", "3..4", "--jobs", "1", "--no-shrink"], {
      cwd: process.cwd(), env: {}, terminal: null, nowMs: () => performance.now(), dateMs: () => 0,
      out: (text) => void process.stdout.write(text), err: (text) => void process.stderr.write(text),
      engine: async () => ({ read }), kernelModule: ${from("../search/kernels/deaf.ts")}
    })`
  return within(kib, "--input-type=module", "--eval", script)
}

describe("pnpm sim where a file may not grow", () => {
  it("fuzz leaves no trace that is cut off", { timeout: LIMIT_MS }, () => {
    const ran = fuzz(1)
    assert.strictEqual(ran.exit, 2, ran.err)
    assert.match(
      ran.err,
      /^out\/[0-9a-f]{8}\.jsonl cannot be written: there is no room for it on the disk; the commands below /u
    )
    assert.match(ran.out, /✗ field · in the end there is one · 2 of 2 runs\n/u)
    assert.deepStrictEqual(readdirSync(join(folder, "out")), [])
  })

  it("fuzz does not spoil the trace that an earlier campaign kept", { timeout: LIMIT_MS }, () => {
    assert.strictEqual(fuzz(4_096).exit, 1)
    const traces = () => readdirSync(join(folder, "out")).map((name) => readFileSync(join(folder, "out", name), "utf8"))
    const kept = traces()
    for (const trace of kept) assert.match(trace, /(?:\{"end":.*\}|<\/html>)\n$/u)
    assert.strictEqual(fuzz(1).exit, 2)
    assert.isNotEmpty(kept)
    assert.deepStrictEqual(traces(), kept)
  })

  it("new leaves no empty scenario, and schema keeps the old one", { timeout: LIMIT_MS }, () => {
    const made = within(0, main, "new", "./pump-fails.yaml")
    assert.deepStrictEqual(made, {
      exit: 2,
      out: "",
      err: "./pump-fails.yaml cannot be written: there is no room for it on the disk\n"
    })
    assert.deepStrictEqual(readdirSync(folder), ["field.yaml"])
    writeFileSync(join(folder, "language.json"), "an older one")
    const written = within(4, main, "schema", "--out", "language.json")
    assert.deepStrictEqual(written, {
      exit: 2,
      out: "",
      err: "language.json cannot be written: there is no room for it on the disk\n"
    })
    assert.deepStrictEqual(readdirSync(folder), ["field.yaml", "language.json"])
    assert.strictEqual(readFileSync(join(folder, "language.json"), "utf8"), "an older one")
  })
})

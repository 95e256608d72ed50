/**
 * S12: the same scenario and seed give the same run, byte for byte, wherever and after whatever it runs.
 *
 * Node cannot strip types under `--jitless` (that needs WebAssembly), so that run gets a copy of the sources stripped before.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { runScenario } from "../../sim/run.ts"
import { readScenario } from "../../sim/scenario/read.ts"
import type { Scenario } from "../../sim/scenario/Scenario.ts"

const root = resolve(import.meta.dirname, "../..")

const scenarioAt = (name: string): Scenario => {
  const file = join(root, "scenarios", `${name}.yaml`)
  const read = readScenario(file, readFileSync(file))
  if ("mistakes" in read) throw new Error(`${file} does not read`)
  return read.scenario
}

/** The hash that another process computes, under other flags and another environment. */
const hashIn = (cwd: string, main: string, flags: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): string => {
  const args = [...flags, main, join(root, "scenarios/failover.yaml"), "--seed", "7", "--json"]
  const text = execFileSync(process.execPath, args, { cwd, encoding: "utf8", env: { ...process.env, ...env } })
  return (JSON.parse(text) as { hash: string }).hash
}

/** A copy of kernel and simulator as plain JavaScript. */
const stripped = (): string => {
  const copy = mkdtempSync(join(tmpdir(), "clawmesh-stripped-"))
  for (const file of globSync("{kernel,adapters/recorded,sim}/**/*.ts", { cwd: root })) {
    const target = join(copy, file.replace(/\.ts$/u, ".mjs"))
    mkdirSync(dirname(target), { recursive: true })
    const code = stripTypeScriptTypes(readFileSync(join(root, file), "utf8"))
    writeFileSync(target, code.replaceAll(/(from|import\() ?"(\.[^"]+)\.ts"/gu, '$1 "$2.mjs"'))
  }
  writeFileSync(join(copy, "package.json"), readFileSync(join(root, "package.json")))
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))
  return copy
}

describe("S12 the same run everywhere", () => {
  let here = ""
  beforeAll(() => {
    here = runScenario(scenarioAt("failover"), { seed: 7 }).hash
  })

  it("another seed, another hash", () => {
    assert.notStrictEqual(runScenario(scenarioAt("failover"), { seed: 8 }).hash, here)
  })

  it("after other scenarios and seeds in the same process", () => {
    for (const name of ["hard-disconnect", "ghost-reconnect", "failover"]) runScenario(scenarioAt(name), { seed: 99 })
    assert.strictEqual(runScenario(scenarioAt("failover"), { seed: 7 }).hash, here)
  })

  const variants: ReadonlyArray<readonly [name: string, flags: ReadonlyArray<string>, env: NodeJS.ProcessEnv]> = [
    ["in another process", [], {}],
    ["in another time zone and language", [], { TZ: "Asia/Kathmandu", LANG: "sv_SE.UTF-8", LC_ALL: "tr_TR.UTF-8" }],
    ["without the optimising compilers", ["--no-opt", "--no-maglev", "--no-sparkplug"], {}],
    ["under garbage collection stress", ["--gc-interval=1000"], {}],
    ["with another hash seed", ["--hash-seed=12345", "--random-seed=54321"], {}]
  ]
  for (const [name, flags, env] of variants) {
    it(name, () => {
      assert.strictEqual(hashIn(root, "sim/main.ts", flags, env), here)
    })
  }

  it("without any compiler (--jitless)", () => {
    const copy = stripped()
    try {
      assert.strictEqual(hashIn(copy, "sim/main.mjs", ["--jitless"]), here)
    } finally {
      rmSync(copy, { recursive: true })
    }
  })
})

/** The real command in a process of its own: what a shell, a pipe and a pull request see. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll } from "vitest"

const root = fileURLToPath(new URL("../../../", import.meta.url))

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "clawmesh-main-"))
})
afterAll(() => rmSync(folder, { recursive: true }))

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

interface Ended {
  readonly exit: number | null
  readonly out: string
  readonly err: string
}

const sim = (words: ReadonlyArray<string>, options: { readonly hangUp?: boolean } = {}): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["sim/main.ts", ...words], { cwd: root, stdio: ["ignore", "pipe", "pipe"] })
    let out = ""
    let err = ""
    child.stdout.on("data", (chunk) => (out += chunk))
    child.stderr.on("data", (chunk) => (err += chunk))
    // A reader that leaves before the first line, as `| head -0` does.
    if (options.hangUp === true) child.stdout.destroy()
    child.on("error", reject)
    child.on("close", (exit) => resolve({ exit, out, err }))
  })

const quiet = (expect: string): string => `scenario: Quiet
seed: 1
lasts: 5s
nodes:
  a: { role: planner }
  b: { role: field }
timeline:
  - { at: 0s, start: everyone }
expect:
${expect}`

const held = quiet(`  - { name: nobody left, never: { peers: { anyone: { b: left } } } }\n`)

describe("node sim/main.ts", () => {
  it("a scenario whose expectations hold: exit 0, nothing on stderr, the count last", async () => {
    const { err, exit, out } = await sim([file("held.yaml", held)])
    assert.deepStrictEqual({ exit, err }, { exit: 0, err: "" })
    assert.match(out, /\nexpectations: 1 passed, 0 failed\n$/u)
    assert.match(out, /^Quiet {2,}seed 1 · 5 s in \d+ ms · trace [0-9a-f]{8}\n\n {5}0\.000 {3}everyone starts\n/u)
  })
  it("--twice prints one hash, twice", async () => {
    const { exit, out } = await sim([file("twice.yaml", held), "--seed", "7", "--twice"])
    const hashes = out.match(/\b[0-9a-f]{16}\b/gu)
    assert.deepStrictEqual([exit, hashes?.length, new Set(hashes).size], [0, 2, 1])
  })
  it("--json is one line of JSON", async () => {
    const { exit, out } = await sim([file("json.yaml", held), "--json"])
    assert.strictEqual(exit, 0)
    assert.deepInclude(JSON.parse(out) as object, {
      $type: "clawmesh.run/1",
      seed: 1,
      verdict: "passed",
      endedMs: 5_000
    })
  })
  it("a broken expectation: exit 1, with its line", async () => {
    const path = file("broken.yaml", quiet(`  - at: 4s\n    that: { leader: b }\n`))
    const { exit, out } = await sim([path])
    assert.strictEqual(exit, 1)
    assert.include(out, `    ${path}:10\n    at 4 s: leader b\n`)
    assert.match(out, /\nexpectations: 0 passed, 1 failed\n$/u)
  })
  it("nothing to judge: exit 3", async () => {
    const { exit, out } = await sim([
      file("early.yaml", quiet(`  - at: 4s\n    that: { leader: a }\n`)),
      "--until",
      "1s"
    ])
    assert.strictEqual(exit, 3)
    assert.match(out, /\nexpectations: 0 passed, 0 failed, 1 skipped\n$/u)
  })
  it("mistakes of all files, each at its place: exit 2, nothing on stdout", async () => {
    const unit = file("unit.yaml", held.replace("lasts: 5s", "lasts: 5"))
    const typo = file("typo.yaml", held.replace("start: everyone", "strat: everyone"))
    const { err, exit, out } = await sim([unit, file("right.yaml", held), typo])
    assert.deepStrictEqual({ exit, out }, { exit: 2, out: "" })
    assert.include(err, `${unit} does not read: 1 thing\n\n   3:8`)
    assert.match(err, /\^+ {2}.*did you mean start\?/u)
  })
  const bad: ReadonlyArray<readonly [what: string, content: string | Uint8Array]> = [
    ["empty", ""],
    ["not YAML", "{{{{ : ]"],
    ["binary", new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 0xff, 0xfe])],
    ["too large", `# ${"x".repeat(2_000_000)}`]
  ]
  for (const [what, content] of bad) {
    it(`${what}: exit 2 and the file's name, no stack`, async () => {
      const path = file(`${what.replace(" ", "-")}.yaml`, content)
      const { err, exit, out } = await sim([path])
      assert.deepStrictEqual({ exit, out }, { exit: 2, out: "" })
      assert.include(err, `${path} does not read`)
      assert.notMatch(err, /\n +at /u)
    })
  }
  it("wrong use: exit 2 and a sentence on stderr", async () => {
    assert.deepStrictEqual(await sim(["failover"]), {
      exit: 2,
      out: "",
      err: 'no command "failover"; did you mean pnpm sim scenarios/failover.yaml?\n'
    })
    assert.deepInclude(await sim([]), { exit: 2, out: "" })
    assert.deepInclude(await sim(["x.yaml", "--sed", "3"]), { exit: 2, err: "no flag --sed; did you mean --seed?\n" })
  })
  it("a reader that hangs up is no failure", async () => {
    const { err, exit } = await sim([file("pipe.yaml", held)], { hangUp: true })
    assert.deepStrictEqual({ exit, err }, { exit: 0, err: "" })
  })
})

/** The real command in a process of its own: what a shell, a pipe and a pull request see. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll } from "vitest"
import { editorSchemaText } from "../../../sim/scenario/EditorSchema.ts"

/** For a machine that has much else to do. */
const LIMIT_MS = 120_000
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

interface Way {
  readonly hangUp?: boolean
  /** The working directory. */
  readonly from?: string
  /** A file in place of the pipe. */
  readonly outTo?: string
  /** For Node. */
  readonly flags?: ReadonlyArray<string>
}

const sim = (
  words: ReadonlyArray<string>,
  { flags = [], from = root, hangUp = false, outTo }: Way = {}
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const outFile = outTo === undefined ? null : openSync(outTo, "w")
    const child = spawn(process.execPath, [...flags, join(root, "sim/main.ts"), ...words], {
      cwd: from,
      stdio: ["ignore", outFile ?? "pipe", "pipe"]
    })
    if (outFile !== null) closeSync(outFile)
    let out = ""
    let err = ""
    child.stdout?.on("data", (chunk) => (out += chunk))
    child.stderr?.on("data", (chunk) => (err += chunk))
    // A reader that leaves before the first line, as `| head -0` does.
    if (hangUp) child.stdout?.destroy()
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

describe("node sim/main.ts", { timeout: LIMIT_MS }, () => {
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
  it("help and mistakes answer without loading a package: starting is most of what they take", async () => {
    const hook = `import { registerHooks } from "node:module"
      registerHooks({ load: (url, context, next) => (process.stderr.write("loads " + url + "\\n"), next(url, context)) })`
    const flags = ["--import", `data:text/javascript,${encodeURIComponent(hook)}`]
    for (const words of [["--help"], ["check", "--help"], ["failover"]]) {
      const { err } = await sim(words, { flags })
      assert.include(err, "sim/cli/Command.ts\n")
      assert.notInclude(err, "node_modules", words.join(" "))
    }
  })
  it("a reader that hangs up is no failure", async () => {
    const { err, exit } = await sim([file("pipe.yaml", held)], { hangUp: true })
    assert.deepStrictEqual({ exit, err }, { exit: 0, err: "" })
  })
  it("standard output on a full disk: a sentence and exit 2", async () => {
    assert.deepStrictEqual(await sim([file("full.yaml", held)], { outTo: "/dev/full" }), {
      exit: 2,
      out: "",
      err: "standard output cannot be written: the disk is full\n"
    })
  })
})

describe("node sim/main.ts from another working directory", { timeout: LIMIT_MS }, () => {
  const away = (name: string): string => {
    const from = join(folder, name)
    mkdirSync(join(from, "scenarios"), { recursive: true })
    writeFileSync(join(from, "scenarios/held.yaml"), held)
    return from
  }
  it("run, check and list know the scenarios there, and keep what they keep there", async () => {
    const from = away("farm")
    const ran = await sim(["scenarios/*.yaml", "--quiet"], { from })
    assert.deepStrictEqual(ran, { exit: 0, err: "", out: "expectations: 1 passed, 0 failed\n" })
    const checked = await sim(["check", "scenarios/*.yaml", "--twice", "--json"], { from })
    assert.deepStrictEqual([checked.exit, checked.err], [0, ""])
    const record = JSON.parse(checked.out) as { readonly [key: string]: unknown }
    assert.deepInclude(record, { $type: "clawmesh.check/1", file: "scenarios/held.yaml", exit: 0 })
    assert.match(String(record["hash"]), /^[0-9a-f]{16}$/u)
    assert.strictEqual(record["hash"], record["secondHash"])
    const listed = await sim(["list"], { from })
    assert.deepStrictEqual([listed.exit, listed.err], [0, ""])
    assert.match(listed.out, /^scenarios\/held\.yaml {3}Quiet {3}passed in \d+ ms, (?:just now|\d+ seconds? ago)\n$/u)
    assert.deepStrictEqual(readdirSync(join(from, "out")), ["last"])
  })
  it("new writes there, for an editor that finds this project's schema, and what it writes runs", async () => {
    const from = away("orchard")
    assert.deepInclude(await sim(["new", "late-frost"], { from }), { exit: 0, err: "" })
    const [first = ""] = readFileSync(join(from, "scenarios/late-frost.yaml"), "utf8").split("\n")
    const schema = join(from, "scenarios", first.slice(first.indexOf("=") + 1))
    assert.strictEqual(schema, join(root, "scenarios/scenario.schema.json"))
    const ran = await sim(["scenarios/late-frost.yaml", "--reporter", "failures"], { from })
    assert.deepStrictEqual(ran, { exit: 0, err: "", out: "expectations: 2 passed, 0 failed\n" })
    assert.deepInclude(await sim(["new", "late-frost"], { from }), {
      exit: 2,
      out: "",
      err: "scenarios/late-frost.yaml is there already, and stays as it is; choose another name\n"
    })
  })
  it("schema --out writes it there", async () => {
    const from = away("meadow")
    assert.deepInclude(await sim(["schema", "--out", "language.json"], { from }), { exit: 0, err: "" })
    assert.strictEqual(readFileSync(join(from, "language.json"), "utf8"), editorSchemaText())
  })
  it("a mistake is annotated for a pull request, and the exit code stays 2", async () => {
    const from = away("vineyard")
    writeFileSync(join(from, "scenarios/typo.yaml"), held.replace("lasts: 5s", "lasts: 5"))
    const { exit, out } = await sim(["check", "scenarios/*.yaml", "--reporter", "github"], { from })
    assert.strictEqual(exit, 2)
    assert.match(out, /^::error file=scenarios\/typo\.yaml,line=3,col=8::write a time with a unit/mu)
    assert.match(out, /\nscenarios: 1 passed, 1 failed\n$/u)
  })
  it("a campaign finds its scenarios, too", async () => {
    const from = away("forest")
    const { err, exit, out } = await sim(["fuzz", "scenarios/*.yaml", "--seeds", "1..3", "--jobs", "1"], { from })
    assert.deepStrictEqual([exit, err], [0, ""])
    assert.match(out, /\nscenarios: 1 passed, 0 failed\n$/u)
  })
})

/**
 * What `npm pack` writes, installed by `npm install` into an empty folder without a network, runs there: both programs, the
 * node over its state directory, the hand tool against it. Nothing else comes along.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { builtinModules } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Ran, root, run } from "../../.ci/Run.ts"
import { sleep } from "./harness.ts"
import { freePort } from "../../bench/node/Ports.ts"

const LIMIT_MS = 120_000
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string }
/** Faster or more colourful with them, whole without: ws, and the log inside of mqtt, ask for them and go on. */
const notThere = ["bufferutil", "utf-8-validate", "supports-color"]

describe("the package", () => {
  const directory = mkdtempSync(join(tmpdir(), "clawmesh-pack-"))
  const installed = join(directory, "empty")
  const state = join(directory, "state")
  let packed: ReadonlyArray<string> = []
  let node: ChildProcess | null = null

  const npm = async (where: string, ...args: ReadonlyArray<string>): Promise<string> => {
    const common = ["--cache", join(directory, "cache"), "--no-audit", "--no-fund", "--loglevel=error"]
    const { code, output } = await run("npm", [...args, ...common], { directory: where })
    if (code !== 0) throw new Error(`npm ${args.join(" ")} ended with ${code}:\n${output}`)
    return output
  }
  /** As `npx` runs it: by its name in the folder's own programs. */
  const program = (name: string): string => join(installed, "node_modules/.bin", name)
  const ran = (name: string, ...args: ReadonlyArray<string>): Promise<Ran> =>
    run(program(name), args, { directory: installed })

  beforeAll(async () => {
    mkdirSync(installed)
    await npm(root, "pack", "--pack-destination", directory)
    const tarball = join(directory, `clawmesh-${version}.tgz`)
    packed = (await run("tar", ["-tf", tarball])).output.trim().split("\n").sort()
    await npm(installed, "install", "--offline", tarball)
  }, LIMIT_MS)
  afterAll(() => {
    node?.kill("SIGKILL")
    rmSync(directory, { recursive: true, force: true })
  })

  /** Of a program, what it loads when it needs it. */
  const isPart = (file: string): boolean => /^package\/dist\/clawmesh(?:-node)?\/[\w.-]+\.cjs$/u.test(file)
  const isFolder = (file: string): boolean => /^package\/dist\/clawmesh(?:-node)?\/$/u.test(file)

  it("holds a file per program, the parts of both, the unit, its description, and nothing else", () => {
    assert.isNotEmpty(packed.filter(isPart))
    assert.deepStrictEqual(
      packed.filter((file) => !isPart(file) && !isFolder(file)),
      [
        "package/README.md",
        "package/adapters/node/clawmesh-node.service",
        "package/dist/clawmesh-node.cjs",
        "package/dist/clawmesh.cjs",
        "package/package.json"
      ]
    )
    assert.deepStrictEqual(
      readdirSync(join(installed, "node_modules")).filter((name) => !name.startsWith(".")),
      ["clawmesh"]
    )
    assert.sameMembers(readdirSync(join(installed, "node_modules/.bin")), ["clawmesh", "clawmesh-node"])
  })

  it("asks for nothing but Node, knows nothing of the machine that built it, and has a byte per character", () => {
    const files = packed.filter((file) => isPart(file) || /^package\/dist\/[\w-]+\.cjs$/u.test(file))
    assert.isAbove(files.length, 4)
    let count = 0
    for (const file of files) {
      const text = readFileSync(join(installed, file.replace(/^package\//u, "node_modules/clawmesh/")), "utf8")
      const asked = [...text.matchAll(/\b(?:require|import)\(\s*["'`]([^"'`]+)["'`]\s*\)/gu)].map(([, id]) => id!)
      count += asked.length
      const beside = (id: string): boolean =>
        /^\.{1,2}\//u.test(id) && packed.includes(join(dirname(file), id).replaceAll("\\", "/"))
      const others = asked.filter((id) => !id.startsWith("node:") && !builtinModules.includes(id) && !beside(id))
      assert.deepStrictEqual(
        others.filter((id) => !notThere.includes(id)),
        []
      )
      assert.notInclude(text, root)
      assert.isTrue([...text].every((character) => character.charCodeAt(0) < 128))
    }
    assert.isAbove(count, files.length)
  })

  it("says its version and who it is", async () => {
    assert.deepInclude(await ran("clawmesh-node", "version"), { code: 0, output: `${version}\n` })
    assert.deepInclude(await ran("clawmesh", "--version"), { code: 0, output: `clawmesh ${version}\n` })
    const { code, output } = await ran("clawmesh-node", "id", "--state", state)
    assert.match(output, /^device id {3}[0-9a-f]{64}\n/u)
    assert.strictEqual(code, 0)
  })

  it(
    "runs a node that answers its operator, and stops when it is told to",
    async () => {
      const port = await freePort()
      const where = ["--host", "127.0.0.1", "--port", String(port), "--state", state, "--no-discovery"]
      const started = spawn(
        program("clawmesh-node"),
        ["run", "--name", "packed", "--role", "planner", "--mesh-name", "m", ...where],
        { cwd: installed, stdio: ["ignore", "pipe", "pipe"] }
      )
      node = started
      let said = ""
      for (const stream of [started.stdout, started.stderr])
        stream.on("data", (chunk: Buffer) => {
          said += chunk.toString("utf8")
        })
      const ended = new Promise<number | null>((done) => {
        started.once("exit", (code) => done(code))
      })
      const beginMs = performance.now()
      let status = await ran("clawmesh", "status", "--json", "--state", state)
      // It leads alone as soon as it has started: then everything has been loaded that a node needs.
      while (!(status.code === 0 && /"leader":\s*\{/u.test(status.output))) {
        assert.isNull(started.exitCode, said)
        assert.isBelow(performance.now() - beginMs, LIMIT_MS / 2, `${status.output}\n${said}`)
        await sleep(100)
        status = await ran("clawmesh", "status", "--json", "--state", state)
      }
      assert.match(status.output, /"name":\s*"packed"/u)
      // The certificate was made by the library that is loaded only for that.
      assert.include(readdirSync(state), "certificate.pem")
      started.kill("SIGTERM")
      assert.strictEqual(await ended, 0, said)
    },
    LIMIT_MS
  )
})

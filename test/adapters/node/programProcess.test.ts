/** `clawmesh-node` in a process of its own: what a shell and a service manager see (B46, exit codes). */
import { assert, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, afterEach, beforeAll } from "vitest"

const root = fileURLToPath(new URL("../../../", import.meta.url))

let folder = ""
const children = new Set<ChildProcess>()
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "clawmesh-program-"))
})
afterEach(() => {
  for (const child of children) child.kill("SIGKILL")
  children.clear()
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Ended {
  readonly exit: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** Once it has said `running`, it gets the signals, one after the other. */
const start = (
  words: ReadonlyArray<string>,
  {
    env = {},
    signals = []
  }: { readonly env?: NodeJS.ProcessEnv; readonly signals?: ReadonlyArray<NodeJS.Signals> } = {}
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      // Nothing of the machine that the tests run on: its own configuration above all.
      env: { PATH: process.env["PATH"], HOME: folder, CONFIGURATION_DIRECTORY: join(folder, "none"), ...env }
    })
    children.add(child)
    let out = ""
    let err = ""
    let sent = 0
    const next = (): void => {
      if (sent < signals.length) child.kill(signals[sent++]!)
    }
    child.stdout.on("data", (chunk) => {
      out += chunk
      if (sent > 0 || !out.includes("running\n")) return
      next()
      setTimeout(next, 100)
    })
    child.stderr.on("data", (chunk) => (err += chunk))
    child.on("error", reject)
    child.on("close", (exit, signal) => {
      children.delete(child)
      resolve({ exit, signal, out, err })
    })
  })

const node = (words: ReadonlyArray<string>, env?: NodeJS.ProcessEnv): Promise<Ended> =>
  start(["adapters/clawmesh-node.ts", ...words], env === undefined ? {} : { env })
const launched = (name: string, ...signals: ReadonlyArray<NodeJS.Signals>): Promise<Ended> =>
  start([fileURLToPath(new URL("./Launched.ts", import.meta.url)), name, "run"], { signals })

const file = (name: string, content: string): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

describe("node adapters/clawmesh-node.ts", () => {
  it("check: what holds and where each value is from, exit 0; makes nothing", async () => {
    const path = file("good.yaml", "name: jetson-1\nrole: field\nport: 4000\nmesh-name: bhoomi\nstate: state-1\n")
    const got = await node(["check", "--config", path, "--role", "sensor"], { CLAWMESH_PORT: "5000" })
    assert.deepStrictEqual([got.exit, got.err], [0, ""])
    const shown = new Map(got.out.split("\n").map((line) => [line.split(" ")[0], line.split(/\s{2,}/u).slice(1)]))
    assert.deepStrictEqual(shown.get("name"), ["jetson-1", `${path}:1:7`])
    assert.deepStrictEqual(shown.get("role"), ["sensor", "--role"])
    assert.deepStrictEqual(shown.get("port"), ["5000", "CLAWMESH_PORT"])
    assert.deepStrictEqual(shown.get("state"), [join(folder, "state-1"), `${path}:5:8`])
    assert.deepStrictEqual(shown.get("profile"), ["lan", "default"])
    assert.deepStrictEqual(shown.get("file"), [path])
    assert.notInclude(readdirSync(folder), "state-1")
  })

  it("check: a file that does not read, exit 78, each mistake at its place", async () => {
    const path = file("bad.yaml", "role: plannner\ndiscovery: yes\n")
    const got = await node(["check", "--config", path])
    assert.strictEqual(got.exit, 78)
    assert.strictEqual(got.out, "")
    assert.include(got.err, `${path}:1:7: a role is one of`)
    assert.include(got.err, "    role: plannner\n          ^^^^^^^^\n")
    assert.include(got.err, `${path}:2:12: yes was a boolean in YAML 1.1`)
  })

  it("the environment does not read, or the file is not there: exit 78", async () => {
    const [environment, missing] = await Promise.all([
      node(["check"], { CLAWMESH_ROLE: "plannner" }),
      node(["run", "--config", join(folder, "none.yaml")])
    ])
    assert.strictEqual(environment.exit, 78)
    assert.include(environment.err, "CLAWMESH_ROLE=plannner\n")
    assert.strictEqual(missing.exit, 78)
    assert.include(missing.err, "--config: ")
  })

  it("B13 a typo of the role on the command line: exit 2, and what was meant", async () => {
    const got = await node(["check", "--role", "standby-planer"])
    assert.deepStrictEqual([got.exit, got.out], [2, ""])
    assert.include(got.err, "did you mean standby-planner?\n    --role standby-planer\n           ^^^^^^^^^^^^^^\n")
  })

  it("a file larger than 1 MiB, an endless one, a folder: exit 78 and no waiting", async () => {
    mkdirSync(join(folder, "folder"))
    const [large, endless, directory] = await Promise.all([
      node(["check", "--config", file("large.yaml", "#".repeat(2_000_000))]),
      node(["check", "--config", "/dev/zero"]),
      node(["check", "--config", join(folder, "folder")])
    ])
    assert.deepStrictEqual([large.exit, endless.exit, directory.exit], [78, 78, 78])
    assert.include(large.err, "larger than 1 MiB")
    assert.include(endless.err, "larger than 1 MiB")
    assert.include(directory.err, "it is a folder")
  })

  it("id: made once, the same ever after; B11 a damaged one stops it with exit 78 and is not replaced", async () => {
    const state = join(folder, "state-id")
    const first = await node(["id", "--state", state])
    assert.strictEqual(first.exit, 0, first.err)
    assert.match(first.out, /^device id {3}[0-9a-f]{64}\npublic key {2}[\w-]{43}\n$/u)
    const second = await node(["id"], { CLAWMESH_STATE: state })
    assert.strictEqual(second.out, first.out)
    writeFileSync(join(state, "identity.json"), "{}")
    const damaged = await node(["id", "--state", state])
    assert.deepStrictEqual([damaged.exit, damaged.out], [78, ""])
    assert.include(damaged.err, "damaged")
    const again = await node(["id", "--state", state])
    assert.strictEqual(again.exit, 78)
  })

  it("version, help, no command: 0, 0, 2", async () => {
    const [version, help, nothing] = await Promise.all([node(["version"]), node(["--help"]), node([])])
    assert.deepStrictEqual([version.exit, help.exit, nothing.exit], [0, 0, 2])
    assert.match(version.out, /^\d+\.\d+\.\d+\n$/u)
    assert.include(help.out, "usage: clawmesh-node COMMAND")
    assert.include(nothing.err, "a command is missing")
  })
})

describe("how the process ends", () => {
  it("B46 SIGTERM and SIGINT: the node takes leave first, exit 0", async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const got = await launched("obeys", signal)
      assert.deepStrictEqual(got, { exit: 0, signal: null, out: "running\nleft\n", err: "" })
    }
  })

  it("B46 a node that does not come to an end is ended, exit 1, and that is said", async () => {
    const got = await launched("clings", "SIGTERM")
    assert.deepStrictEqual(
      [got.exit, got.err],
      [1, "clawmesh-node: did not stop within 0.6 s: stopping without taking leave\n"]
    )
  })

  it("a second signal does not wait", async () => {
    const got = await launched("clings", "SIGINT", "SIGINT")
    assert.deepStrictEqual(
      [got.exit, got.err],
      [1, "clawmesh-node: told twice to stop: stopping without taking leave\n"]
    )
  })

  it("a start that fails: its own exit code, one sentence and the way out", async () => {
    const [taken, misled] = await Promise.all([launched("port taken"), launched("misled")])
    assert.deepStrictEqual([taken.exit, taken.err], [1, "clawmesh-node: port 1 is taken\n  choose another\n"])
    assert.deepStrictEqual([misled.exit, misled.err], [78, "clawmesh-node: no way\n"])
  })

  it("a defect: one line that says what and where, exit 70; in the node, beside it, while it leaves", async () => {
    const [inside, beside, leaving] = await Promise.all([
      launched("breaks"),
      launched("breaks beside"),
      launched("breaks while it leaves", "SIGTERM")
    ])
    assert.deepStrictEqual([inside.exit, beside.exit, leaving.exit], [70, 70, 70])
    for (const { err } of [inside, beside, leaving]) {
      assert.match(err, /^clawmesh-node broke; this is a defect of clawmesh: [^\n]+\n$/u)
      assert.include(err, "Launched.ts")
    }
    assert.include(inside.err, "TypeError: Cannot read properties of undefined (reading 'port')")
    assert.include(beside.err, "TypeError: a socket was gone")
    assert.include(leaving.err, "RangeError: while leaving")
  })

  it("a promise that nobody waited for is told and ends nothing", async () => {
    const got = await launched("forgets a promise", "SIGTERM")
    assert.strictEqual(got.exit, 0)
    assert.match(got.err, /^clawmesh-node goes on, though a side task of it broke; [^\n]*Error: nobody waits[^\n]*\n$/u)
  })
})

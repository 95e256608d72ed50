/** A node becomes the process that it is to be: once, for `run` only, never in place of what somebody has set. */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { root } from "../../../.ci/Run.ts"
import { type Process, relaunch } from "../../../adapters/node/Relaunch.ts"

interface Become {
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly env: NodeJS.ProcessEnv
}

/** What the process becomes; `null`: it goes on as it is. */
const become = (given: Partial<Process>): Become | null => {
  let become: Become | null = null
  relaunch({
    argv: ["/bin/node", "/lib/clawmesh-node.cjs", "run", "--name", "a b"],
    execArgv: [],
    execPath: "/bin/node",
    env: { HOME: "/root" },
    connected: false,
    execve: (file, args, env) => {
      become = { file, args, env }
      return undefined as never
    },
    ...given
  })
  return become
}

const malloc = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_MMAP_THRESHOLD_: "32768",
  MALLOC_TRIM_THRESHOLD_: "65536",
  MALLOC_TOP_PAD_: "16384"
}

describe("the process of a node", () => {
  it("is told of its memory before it begins, with the same words and surroundings", () => {
    assert.deepStrictEqual(become({}), {
      file: "/bin/node",
      args: ["/bin/node", "--max-semi-space-size=1", "/lib/clawmesh-node.cjs", "run", "--name", "a b"],
      env: { HOME: "/root", ...malloc }
    })
    const flags = ["--enable-source-maps", "--max_semi_space_size=4"]
    assert.deepStrictEqual(become({ execArgv: flags })?.args.slice(0, 4), [
      "/bin/node",
      ...flags,
      "/lib/clawmesh-node.cjs"
    ])
    assert.notInclude(become({ env: { NODE_OPTIONS: "--max-semi-space-size=2" } })!.args, "--max-semi-space-size=1")
  })

  it("is left alone when it has become it, and where somebody has set any of it", () => {
    assert.isNull(become({ env: become({})!.env }))
    for (const [name, value] of Object.entries(malloc)) assert.isNull(become({ env: { [name]: value } }))
  })

  it("is left alone for every other command, below a parent that speaks to it, and where Node cannot", () => {
    for (const words of [["id"], ["check"], ["help", "run"], []])
      assert.isNull(become({ argv: ["/bin/node", "/lib/clawmesh-node.cjs", ...words] }))
    assert.isNull(become({ connected: true }))
    assert.isNull(become({ execve: undefined }))
  })

  it("goes on where it may not become another", () => {
    assert.isNull(
      become({
        execve: () => {
          throw new Error("ERR_ACCESS_DENIED")
        }
      })
    )
  })

  it("is what its unit for systemd says", () => {
    const unit = readFileSync(join(root, "adapters/node/clawmesh-node.service"), "utf8")
    const said = Object.fromEntries(
      [...unit.matchAll(/^Environment=(.*)$/gmu)].flatMap(([, pairs]) =>
        pairs!.split(" ").map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)])
      )
    ) as { readonly [name: string]: string }
    assert.deepInclude(said, malloc)
    assert.isNull(become({ env: said }))
    assert.include(become({})!.args, said["NODE_OPTIONS"])
  })

  it("keeps its number, its streams and its words, and says nothing of the change", async () => {
    const state = mkdtempSync(join(tmpdir(), "clawmesh-relaunch-"))
    const place = ["--state", state, "--host", "127.0.0.1", "--port", "0", "--no-discovery"]
    const words = ["run", "--name", "same", "--mesh-name", "m", "--role", "planner", ...place]
    const child = spawn(process.execPath, [join(root, "adapters/clawmesh-node.ts"), ...words], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], HOME: state, CONFIGURATION_DIRECTORY: state }
    })
    try {
      let out = ""
      let err = ""
      child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()))
      await new Promise<void>((done, failed) => {
        child.once("exit", (code) => failed(new Error(`ended with ${code}: ${out}${err}`)))
        child.stdout.on("data", (chunk: Buffer) => {
          out += chunk.toString()
          if (out.includes("listens on ")) done()
        })
      })
      const at = (name: string): ReadonlyArray<string> =>
        readFileSync(`/proc/${child.pid}/${name}`, "utf8").split("\0").slice(0, -1)
      assert.deepStrictEqual(at("cmdline").slice(-words.length), words)
      assert.include(at("cmdline"), "--max-semi-space-size=1")
      assert.includeMembers(
        [...at("environ")],
        Object.entries(malloc).map(([name, value]) => `${name}=${value}`)
      )
      const exit = new Promise<number | null>((done) => void child.once("exit", done))
      child.kill("SIGTERM")
      assert.strictEqual(await exit, 0)
      assert.notInclude(err, "Warning")
    } finally {
      child.kill("SIGKILL")
      rmSync(state, { recursive: true, force: true })
    }
  }, 60_000)
})

/**
 * Nodes as they are shipped: the bundle, as a process, each in a directory of its own, started with the environment that the
 * unit for systemd gives it. Without discovery: nothing leaves loopback.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { createInterface } from "node:readline"
import { freePort } from "./Ports.ts"

const root = resolve(import.meta.dirname, "../..")
const nodeProgram = join(root, "dist/clawmesh-node.cjs")
const handTool = join(root, "dist/clawmesh.cjs")
const START_MS_MAX = 30_000

export const build = (): void => {
  execFileSync(join(root, "node_modules/.bin/rolldown"), ["-c", "rolldown.config.ts"], { cwd: root, stdio: "ignore" })
}

/** Beside each other in one temporary folder; everything ends, and the folder goes, with `close`. */
export class Farm {
  readonly directory = mkdtempSync(join(tmpdir(), "clawmesh-bench-"))
  private readonly running = new Set<ChildProcess>()

  place(name: string): string {
    return join(this.directory, name)
  }

  /** As the unit for systemd sets it, or as a shell would start it. */
  environment(asService: boolean): NodeJS.ProcessEnv {
    const { NODE_COMPILE_CACHE: _cache, NODE_OPTIONS: _options, ...env } = process.env
    if (!asService) return env
    const unit = readFileSync(join(root, "adapters/node/clawmesh-node.service"), "utf8")
    for (const [, pairs] of unit.matchAll(/^Environment=(.*)$/gmu))
      for (const [, name, value] of pairs!.matchAll(/(\w+)=(\S+)/gu))
        if (/^(?:NODE|MALLOC)_/u.test(name!)) env[name!] = value!.replace("%C", this.directory)
    return env
  }

  id(name: string): string {
    const said = execFileSync(process.execPath, [nodeProgram, "id", "--state", this.place(name)], { encoding: "utf8" })
    const deviceId = /[0-9a-f]{64}/u.exec(said)?.[0]
    if (deviceId === undefined) throw new Error(`clawmesh-node id said: ${said}`)
    return deviceId
  }

  meshKey(name: string): string {
    return (JSON.parse(readFileSync(join(this.place(name), "mesh.json"), "utf8")) as { readonly meshKey: string })
      .meshKey
  }

  /** `clawmesh …` about this node. */
  tool(name: string, ...args: ReadonlyArray<string>): string {
    return execFileSync(process.execPath, [handTool, ...args, "--state", this.place(name)], { encoding: "utf8" })
  }

  /** `clawmesh events -f`: each thing that this node tells about its peers, until the farm closes. */
  follow(
    name: string,
    onEvent: (event: { readonly event: string; readonly name: string; readonly atMs: number }) => void
  ): void {
    const args = ["events", "-f", "--json", "--kind", "peer", "--state", this.place(name)]
    const child = spawn(process.execPath, [handTool, ...args], { stdio: ["ignore", "pipe", "ignore"] })
    this.running.add(child)
    createInterface(child.stdout).on("line", (line) => onEvent(JSON.parse(line)))
  }

  /** From the start of the process to its line that it listens, ms. */
  async start(
    name: string,
    args: ReadonlyArray<string>,
    asService = true
  ): Promise<{ readonly child: ChildProcess; readonly tookMs: number }> {
    const startedMs = performance.now()
    const all = ["run", "--name", name, "--mesh-name", "bench", "--host", "127.0.0.1", "--no-discovery"]
    const child = spawn(process.execPath, [nodeProgram, ...all, "--state", this.place(name), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: this.environment(asService)
    })
    this.running.add(child)
    let said = ""
    await new Promise<void>((done, failed) => {
      const limit = setTimeout(() => failed(new Error(`${name} does not listen after 30 s: ${said}`)), START_MS_MAX)
      child.once("exit", () => failed(new Error(`${name} ended: ${said}`)))
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk: Buffer) => {
          said = `${said}${chunk.toString()}`.slice(-10_000)
          if (!said.includes("listens on ")) return
          clearTimeout(limit)
          done()
        })
    })
    return { child, tookMs: performance.now() - startedMs }
  }

  async stop(child: ChildProcess): Promise<void> {
    this.running.delete(child)
    if (child.exitCode !== null) return
    const ended = once(child, "exit")
    child.kill("SIGTERM")
    await ended
  }

  close(): void {
    for (const child of this.running) child.kill("SIGKILL")
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Ports of loopback that nobody listens on just now. */
export const freePorts = async (count: number): Promise<ReadonlyArray<number>> => {
  const ports: Array<number> = []
  while (ports.length < count) ports.push(await freePort())
  return ports
}

/** Resident now, in MB of 1,048,576 bytes: `VmRSS`. */
export const residentMb = ({ pid }: ChildProcess): number =>
  Number(/^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024

/** Processor time so far of all its threads, of the program and of the system for it, s. To the ns, where `stat` counts in ticks. */
export const processorS = ({ pid }: ChildProcess): number => {
  const tasks = `/proc/${pid}/task`
  const ns = readdirSync(tasks).map((task) => Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]))
  return ns.reduce((sum, each) => sum + each, 0) / 1e9
}

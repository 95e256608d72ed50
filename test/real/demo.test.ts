/** `pnpm demo`, followed by the words that it prints: a farm comes up, a proposal is approved, a pump moves, and nothing is left. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import type { Doctor } from "../../adapters/doctor/Report.ts"
import type { Proposals, Status } from "../../adapters/operator/Api.ts"
import { sleep } from "./harness.ts"

const root = resolve(import.meta.dirname, "../..")
const LIMIT_MS = 60_000

let demo: ChildProcess | null = null
let scratch: string | null = null
afterEach(async () => {
  const child = demo
  demo = null
  // Not by force: its nodes would outlive it.
  if (child !== null && child.exitCode === null && child.signalCode === null)
    await new Promise((end) => {
      child.once("exit", end)
      child.kill("SIGTERM")
    })
  if (scratch !== null) rmSync(scratch, { recursive: true, force: true })
  scratch = null
})

/** Processes that name this folder, by their whole command lines. */
const processesOf = (folder: string): ReadonlyArray<string> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")]
      } catch {
        return []
      }
    })
    .filter((line) => line.includes(folder))

describe("pnpm demo", () => {
  it("is a farm to look at and to decide for, and leaves nothing", { timeout: 120_000 }, async () => {
    scratch = mkdtempSync(join(tmpdir(), "clawmesh-test-"))
    const child = spawn(process.execPath, ["adapters/demo/main.ts"], {
      cwd: root,
      env: { ...process.env, TMPDIR: scratch, CLAWMESH_ROLE: "viewer" }
    })
    demo = child
    let output = ""
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text
      })
    const ended = new Promise<number | null>((end) => child.once("exit", end))
    const printed = async (what: RegExp): Promise<RegExpExecArray> => {
      const started = performance.now()
      for (;;) {
        const found = what.exec(output)
        if (found !== null) return found
        if (performance.now() - started > LIMIT_MS || child.exitCode !== null)
          throw new Error(`it does not print ${what}:\n${output}`)
        await sleep(50)
      }
    }
    /** A line as it was printed, typed into another terminal. */
    const type = (line: string): string =>
      execFileSync("bash", ["-c", line.replaceAll("pnpm clawmesh", `${process.execPath} adapters/clawmesh.ts`)], {
        cwd: root,
        encoding: "utf8",
        env: { ...process.env, CLAWMESH_PERSON: join(scratch!, "nobody.json") }
      })

    const [, where] = await printed(/(export CLAWMESH_STATE=\S+)/u)
    const [, look] = await printed(/(pnpm clawmesh status)/u)
    const folder = /CLAWMESH_STATE=(\S+)\/laptop-1/u.exec(where!)![1]!
    const status = JSON.parse(type(`${where}; ${look} --json`)) as Status
    assert.deepStrictEqual(status.peers.map(({ name, role, state }) => `${name} ${role} ${state}`).toSorted(), [
      "board-1 field up",
      "board-2 field up",
      "kiosk viewer up",
      "laptop-2 standby-planner up"
    ])
    assert.isNotNull(status.leader)

    const [, approve, id] = await printed(/(pnpm clawmesh proposals approve (P-\w{4}))/u)
    const { proposals } = JSON.parse(type(`${where}; pnpm clawmesh proposals --json`)) as Proposals
    assert.deepStrictEqual(
      proposals.map(({ actuator, short, state, status: is }) => ({ actuator, short, state, is })),
      [{ actuator: "actuator:pump-1", short: id!, state: "open", is: "awaiting_approval" }]
    )
    assert.strictEqual(readFileSync(join(folder, "pump-1"), "utf8"), "closed\n")
    type(`${where}; ${approve}`)
    await printed(/pump-1 is open/u)
    assert.match(type(`${where}; pnpm clawmesh farm`), /Demo farm[^]*moisture/u)

    const doctor = JSON.parse(type(`pnpm clawmesh doctor --json --config ${folder}/board-1.yaml`)) as Doctor
    assert.deepStrictEqual([doctor.success, doctor.running], [true, true])
    const peers = doctor.categories.flatMap(({ checks }) => checks.filter(({ id: of }) => of === "peer"))
    assert.deepStrictEqual(
      peers.map(({ result }) => result),
      ["success", "success", "success", "success"]
    )

    child.kill("SIGINT")
    assert.strictEqual(await ended, 0)
    assert.isFalse(existsSync(folder))
    assert.deepStrictEqual(readdirSync(scratch), [])
    assert.deepStrictEqual(processesOf(folder), [])
  })
})

/** Real processes, by the commands that a person types: a mesh is founded, a device joins it by a code, and both are up (part 19). */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { freePort } from "../../bench/node/Ports.ts"
import { sleep } from "./harness.ts"

const root = resolve(import.meta.dirname, "../..")
const PATIENCE_MS = 15_000

const children: Array<ChildProcess> = []
let home = ""
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const ended = new Promise((done) => child.once("exit", done))
    child.kill("SIGKILL")
    await ended
  }
  rmSync(home, { recursive: true, force: true })
})

/** A machine of its own: its home, and nothing of the environment that names another node. */
const environment = (machine: string): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: join(home, machine),
  CLAWMESH_STATE: join(home, machine, "state"),
  CLAWMESH_HOST: "127.0.0.1",
  CLAWMESH_DISCOVERY: "false"
})

const program = (name: "clawmesh" | "clawmesh-node", line: string): ReadonlyArray<string> => [
  join(root, `adapters/${name}.ts`),
  ...line.split(" ")
]

/** `clawmesh …`, to its end. */
const typed = (machine: string, line: string) => {
  const { status, stderr, stdout } = spawnSync(process.execPath, program("clawmesh", line), {
    encoding: "utf8",
    env: environment(machine)
  })
  return { exit: status, out: stdout, err: stderr }
}

/** One that goes on. */
const begun = (name: "clawmesh" | "clawmesh-node", machine: string, line: string, port?: number) => {
  const child = spawn(process.execPath, program(name, line), {
    env: { ...environment(machine), ...(port === undefined ? {} : { CLAWMESH_PORT: String(port) }) }
  })
  children.push(child)
  const heard = { out: "" }
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      heard.out += chunk.toString("utf8")
    })
  return { child, heard }
}

const eventually = async (what: string, is: () => boolean, instead: () => string): Promise<void> => {
  const started = performance.now()
  while (!is()) {
    if (performance.now() - started > PATIENCE_MS) throw new Error(`not in time: ${what}. Instead:\n${instead()}`)
    await sleep(50)
  }
}

/** Waits until it shows so; its screen. */
const upAt = async (machine: string, peer: string): Promise<string> => {
  let said = ""
  await eventually(
    `${machine} has ${peer} up`,
    () => {
      said = typed(machine, "status").out
      return new RegExp(`^ +${peer} .* up `, "mu").test(said)
    },
    () => said
  )
  return said
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((done) => {
    if (child.exitCode !== null) done(child.exitCode)
    else child.once("exit", (code) => done(code))
  })

const codeIn = (text: string): string | undefined => /(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}/u.exec(text)?.[0]

describe("pairing", () => {
  it("init, invite, join: both are up, by five commands; and over a restart, in the role that was granted", async () => {
    home = mkdtempSync(join(tmpdir(), "clawmesh-pairing-"))
    const [portA, portB, portC] = [await freePort(), await freePort(), await freePort()]

    assert.strictEqual(typed("laptop", "init --mesh bhoomi --name laptop").exit, 0)
    const laptop = begun("clawmesh-node", "laptop", "run", portA)
    await eventually(
      "the laptop runs",
      () => typed("laptop", "status").exit === 0,
      () => laptop.heard.out
    )
    const invite = begun("clawmesh", "laptop", "invite --role field --may pump-3 --name jetson-3")
    await eventually(
      "a code is shown",
      () => codeIn(invite.heard.out) !== undefined,
      () => invite.heard.out
    )
    const code = codeIn(invite.heard.out)!
    // Whoever guesses is told so, and leaves nothing.
    const wrong = typed("thief", `join 0410-6105-0R3G-G28X --at 127.0.0.1:${portA}`)
    assert.deepInclude(wrong, { exit: 6 })
    assert.match(wrong.err, /knows no such code/u)

    const joined = typed("jetson", `join ${code} --at 127.0.0.1:${portA}`)
    assert.strictEqual(joined.exit, 0, joined.err)
    assert.match(joined.out, /joined bhoomi[^]*jetson-3, field, may move pump-3[^]*trusts +laptop \(planner\)/u)
    assert.strictEqual(await ended(invite.child), 0)
    assert.match(invite.heard.out, /jetson-3 joined from 127\.0\.0\.1:\d+\. The door is shut\./u)

    begun("clawmesh-node", "jetson", "run", portB)
    assert.match(await upAt("laptop", "jetson-3"), /jetson-3 +field +up .*tls-pinned/u)
    assert.match(await upAt("jetson", "laptop ★"), /^jetson-3 \(field\)[^]*leader +laptop ★/u)

    // The code is used up, for everybody; a device of another mesh keeps that.
    assert.match(typed("thief", `join ${code} --at 127.0.0.1:${portA}`).err, /this code was used, by another device/u)
    assert.strictEqual(typed("thief", "init --mesh hills").exit, 0)
    const other = codeIn(typed("laptop", "invite --no-wait --role viewer").out)!
    const refused = typed("thief", `join ${other} --at 127.0.0.1:${portA}`)
    assert.match(refused.err, /belongs to the mesh hills already, and that is bhoomi/u)

    // One more joins at the laptop, and meets the jetson by a code of that, while its own node runs.
    assert.strictEqual(typed("kiosk", `join ${other} --at 127.0.0.1:${portA} --name kiosk`).exit, 0)
    const kiosk = begun("clawmesh-node", "kiosk", "run", portC)
    await upAt("kiosk", "laptop ★")
    assert.match(typed("kiosk", "invite").err, /a viewer: it looks on, and invites nobody/u)
    const third = codeIn(typed("jetson", "invite --no-wait --role viewer").out)!
    const met = typed("kiosk", `join ${third} --at 127.0.0.1:${portB}`)
    assert.match(met.out, /jetson-3 and this node trust each other/u, met.err)
    kiosk.child.kill("SIGTERM")
    assert.strictEqual(await ended(kiosk.child), 0)
    begun("clawmesh-node", "kiosk", "run", portC)
    await upAt("kiosk", "jetson-3")
    await upAt("jetson", "kiosk")

    // Trusted no longer, it is let in by nothing that it still has.
    assert.match(typed("laptop", "trust revoke jetson-3").out, /is trusted no longer/u)
    await eventually(
      "the jetson is turned away",
      () => /UNTRUSTED_PEER/u.test(typed("jetson", "status").out),
      () => typed("jetson", "status").out
    )
    const trust = JSON.parse(typed("laptop", "trust list --json").out) as { readonly trusted: ReadonlyArray<unknown> }
    assert.lengthOf(trust.trusted, 1)
  }, 60_000)
})
